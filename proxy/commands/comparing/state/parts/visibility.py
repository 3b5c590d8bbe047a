"""Visibility: what the proxy's own log shows of a style, read as `pellucid inspect` reads any log."""

from __future__ import annotations

from pathlib import Path

from proxy.caching.policy import Policy
from proxy.commands.comparing.procfs import settled_seconds
from proxy.commands.comparing.state.parts.contract import Place
from proxy.commands.comparing.state.parts.drill import warm
from proxy.commands.comparing.state.results import Cause, Hidden
from proxy.commands.comparing.state.shopping.outcome import Plan
from proxy.commands.comparing.state.shopping.shoppers import shoppers
from proxy.commands.comparing.state.stage.stage import staged
from proxy.commands.comparing.state.variants import VISIBILITY
from proxy.commands.inspecting.choosing import Choice
from proxy.commands.inspecting.running import Job, Run
from proxy.visibility.inspecting.report import Report, Severity
from proxy.visibility.inspecting.reporting import Wishes, report
from proxy.visibility.reading import Reading

_CAUSES = 4
_FINDINGS = 4
_WORTH_SAYING = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM)


def measure(place: Place) -> None:
    """A fixed number of visits, the same for every style; then the log. Raises ComparisonError."""
    settings = place.settings
    with staged(place.variant, place.workshop(), replicas=place.variant.replicas) as stage:
        warm(stage)
        with shoppers(place.folder, place.cores) as shopping:
            plan = Plan(
                port=stage.port,
                conversation=place.variant.conversation,
                shoppers=settings.shoppers,
                visits=settings.visits,
                seed=place.seed,
                audit=False,
                midway=False,
            )
            before = stage.replica_seconds() + stage.store_seconds()
            outcome = shopping.run(plan)
            settled_seconds([one.pid for one in stage.replicas])
            spent = stage.replica_seconds() + stage.store_seconds() - before
        log = stage.log
    place.book.keep(outcome, part=VISIBILITY, scenario="", variant=place.variant.name, number=place.number)
    visits = max(1, outcome.account.visits)
    found = inspected(log)
    figures, opacity = found.summary.figures, found.summary.opacity
    place.put("decidable", 100 * (1 - (opacity.share or 0.0)))
    place.put("hit_requests", 100 * (figures.hit_ratio or 0.0))
    place.put("hit_bytes", 100 * (figures.byte_hit_ratio or 0.0))
    place.put("origin_requests", figures.origin_requests / visits)
    place.put("origin_milliseconds", 1000 * spent / visits)
    if place.number == 0:
        place.book.hidden.append(hidden(place.variant.name, found))


def inspected(log: Path) -> Report:
    """What `pellucid inspect` says of a log. Raises PellucidError."""
    job = Job(Reading(), Choice(), Policy())
    with Run(job, lambda size: None) as run:
        total, sources = run.count([str(log)])
        return report(total, sources, Wishes(predictions=False), run.predict)


def hidden(variant: str, found: Report) -> Hidden:
    """What it says hides the rest: the costliest causes, the credentials, the worst findings."""
    exchanges = found.summary.figures.exchanges
    return Hidden(
        variant=variant,
        exchanges=exchanges,
        causes=[
            Cause(
                cause=one.cost.cause,
                sentence=one.cost.sentence,
                section=one.cost.section,
                requests=one.cost.requests,
                share=one.cost.requests / exchanges if exchanges else 0.0,
            )
            for one in found.summary.advice[:_CAUSES]
        ],
        credentials=[
            f"{one.where} {one.name}: {one.kind}" + (f" ({one.format})" if one.format else "")
            for one in found.credentials
        ],
        findings=[one.sentence for one in found.findings if one.severity in _WORTH_SAYING][:_FINDINGS],
    )
