"""What `pellucid compare stores` is about, one figure each, and what is aimed at."""

from __future__ import annotations

from proxy.commands.comparing.figures import Aim

_PROCESSOR = "processor_microseconds"
_TWICE = (
    "Twice what one worker takes of the processor for a hit, to what two take, all on one core: that is how"
    " many times as many hits two workers answer with a core for each. It is no throughput that was seen: of"
    " two cores the load generator has one."
)
_MEASURED = "As it was measured, with the load generator on the same cores: nothing is aimed at."
_LOSES = "Processor time per hit that is found in memory, to that of one process with memory alone."
_OLD = "Answers with what was purged to requests that were sent after the purge was answered; less is better."

AIMS = (
    Aim(
        "workers",
        "hits by 2 workers to 1, memory, by processor time",
        "lane",
        _PROCESSOR,
        "memory-2",
        1.8,
        whose="memory",
        factor=2.0,
        told=_TWICE,
        more=True,
    ),
    Aim(
        "workers/disk",
        "hits by 2 workers to 1, disk, by processor time",
        "lane",
        _PROCESSOR,
        "disk-2",
        1.8,
        whose="disk",
        factor=2.0,
        told=_TWICE,
        more=True,
    ),
    Aim(
        "spread",
        "hits a second by 2 workers to 1, the load beside them",
        "spread",
        "requests_per_second",
        "memory",
        None,
        whose="memory-2",
        told=_MEASURED,
    ),
    Aim(
        "disk",
        "processor time per hit on disk, each once, to nginx's disk cache",
        "disk",
        _PROCESSOR,
        "nginx",
        1.5,
        whose="disk-alone",
    ),
    Aim(
        "disk/small",
        "the same, 1 MiB of memory before it",
        "disk",
        _PROCESSOR,
        "nginx",
        1.5,
        whose="disk-small",
    ),
    Aim(
        "wanted",
        "the same in Zipf order, 1 MiB of memory before it",
        "wanted",
        _PROCESSOR,
        "nginx",
        1.5,
        whose="disk-small",
    ),
    Aim("valkey", "p50 of hits in Valkey", "valkey", "p50_milliseconds", None, 1.0, whose="valkey-alone"),
    Aim(
        "restart",
        "hit ratio after a restart to before, disk",
        "restart",
        "kept_ratio",
        None,
        0.99,
        whose="restarted",
    ),
    Aim("kill", "the same after kill -9", "restart", "kept_ratio", None, 0.99, whose="killed"),
    Aim(
        "loss/tiers",
        "processor time per hit in memory, disk below, to memory alone",
        "lane",
        _PROCESSOR,
        "memory",
        1.05,
        whose="disk",
        told=_LOSES,
    ),
    Aim(
        "loss/disk",
        "the same, 2 workers and a disk",
        "lane",
        _PROCESSOR,
        "memory",
        1.05,
        whose="disk-2",
        told=_LOSES,
    ),
    Aim(
        "loss/both",
        "the same, 2 workers, a disk and Valkey",
        "lane",
        _PROCESSOR,
        "memory",
        1.05,
        whose="both-2",
        told=_LOSES,
    ),
    Aim(
        "purge",
        "old answers after a purge, 3 workers with a disk",
        "purge",
        "old_answers",
        None,
        0.0,
        whose="workers",
        told=_OLD,
    ),
    Aim(
        "purge/memory",
        "the same with memory alone",
        "purge",
        "old_answers",
        None,
        0.0,
        whose="workers-memory",
        told=_OLD,
    ),
    Aim(
        "fleet",
        "a purge seen by another proxy, at most",
        "fleet",
        "seen_milliseconds",
        None,
        50.0,
        whose="fleet",
    ),
    Aim(
        "tag",
        "a tag of 20,000 entries purged, answered",
        "tag",
        "purge_milliseconds",
        None,
        100.0,
        whose="tagged",
    ),
)
