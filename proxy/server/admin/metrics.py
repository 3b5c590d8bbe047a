"""The figures in Prometheus' text exposition format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_LABEL = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})
_HELP = str.maketrans({"\\": "\\\\", "\n": "\\n"})


_OF_TIERS = (
    ("pellucid_tier_entries", "gauge", "Stored responses by tier.", "entries"),
    ("pellucid_tier_bytes", "gauge", "Bytes that they take, by tier.", "bytes"),
    ("pellucid_tier_budget_bytes", "gauge", "Bytes that they may take, by tier.", "budget"),
    ("pellucid_tier_evicted_total", "counter", "Those that had to make room, by tier.", "evicted"),
    ("pellucid_tier_expired_total", "counter", "Those that were of no more use, by tier.", "expired"),
)
"""Metrics of a store of several tiers."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One value with its labels; `suffix` as a histogram's series have it."""

    value: float
    labels: tuple[tuple[str, str], ...] = ()
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """The samples of one metric; `kind` is counter, gauge or histogram."""

    name: str
    kind: str
    help: str
    samples: tuple[Sample, ...]


def render(families: Iterable[Family]) -> bytes:
    """The families as text, one line for each sample."""
    return "".join(line for family in families for line in _lines(family)).encode()


def families(figures: Mapping[str, Any]) -> Iterator[Family]:
    """Every metric, out of the same figures that are given as JSON."""
    yield _one("pellucid_build_info", "gauge", "The running version.", 1, version=figures["version"])
    yield from _exchanges(figures)
    yield from _latencies(figures)
    yield from _storage(figures["storage"])
    lost = figures["log"]["lost"]
    yield _one("pellucid_log_lines_lost_total", "counter", "Log lines that could not be written.", lost)
    yield from _process(figures)


def _exchanges(figures: Mapping[str, Any]) -> Iterator[Family]:
    exchanges, sent = figures["exchanges"], figures["bytes"]["sent"]
    told = (
        ("pellucid_exchanges_total", "Finished exchanges by outcome.", "outcome", "by_outcome"),
        ("pellucid_responses_total", "Finished exchanges by class of status code.", "class", "by_status"),
        (
            "pellucid_decisions_total",
            "Finished exchanges by the decision's main reason.",
            "reason",
            "by_reason",
        ),
        (
            "pellucid_forwarded_total",
            "Exchanges that went forward, by RFC 9211's reason for it.",
            "reason",
            "by_forward",
        ),
    )
    for name, text, label, key in told:
        yield _many(name, "counter", text, label, exchanges[key])
    errors = "Exchanges that failed or did not reach their end."
    yield _one("pellucid_exchange_errors_total", "counter", errors, exchanges["errors"])
    received = figures["bytes"]["received"]
    yield _one(
        "pellucid_received_bytes_total", "counter", "Bytes of content received from clients.", received
    )
    yield _many(
        "pellucid_sent_bytes_total", "counter", "Bytes of content sent to clients, by source.", "source", sent
    )
    requests = figures["upstream"]["requests"]
    yield _one("pellucid_upstream_requests_total", "counter", "Requests sent upstream.", requests)
    yield _one("pellucid_exchanges_in_flight", "gauge", "Exchanges that go on now.", figures["in_flight"])
    connections = figures["connections"]
    yield _one("pellucid_client_connections", "gauge", "Open connections of clients.", connections)


def _latencies(figures: Mapping[str, Any]) -> Iterator[Family]:
    yield _histogram(
        "pellucid_exchange_duration_seconds",
        "From the start of an exchange to its end.",
        figures["latency"],
    )
    yield _histogram(
        "pellucid_upstream_first_byte_seconds",
        "From sending a request upstream to the first byte of its response.",
        figures["upstream"]["latency"],
    )


def _storage(storage: Mapping[str, Any]) -> Iterator[Family]:
    yield _one("pellucid_store_entries", "gauge", "Stored responses.", storage["entries"])
    yield _one("pellucid_store_bytes", "gauge", "Bytes that stored responses take.", storage["bytes"])
    yield _one("pellucid_store_budget_bytes", "gauge", "Bytes that they may take.", storage["budget"])
    evicted = "Stored responses that had to make room."
    yield _one("pellucid_store_evicted_total", "counter", evicted, storage["evicted"])
    expired = "Stored responses that were of no more use."
    yield _one("pellucid_store_expired_total", "counter", expired, storage["expired"])
    tiers = storage["tiers"]
    for name, kind, text, key in _OF_TIERS if tiers else ():
        yield _many(name, kind, text, "tier", {tier: told[key] for tier, told in tiers.items()})


def _process(figures: Mapping[str, Any]) -> Iterator[Family]:
    process = figures["process"]
    cpu = "User and system time of the process."
    yield _one("process_cpu_seconds_total", "counter", cpu, process["cpu"])
    if process["rss"] is not None:
        rss = "Resident memory of the process."
        yield _one("process_resident_memory_bytes", "gauge", rss, process["rss"])
    started = "When the process started, in seconds since the epoch."
    yield _one("process_start_time_seconds", "gauge", started, figures["started"])


def _one(name: str, kind: str, text: str, value: float, **labels: str) -> Family:
    return Family(name, kind, text, (Sample(value, tuple(labels.items())),))


def _many(name: str, kind: str, text: str, label: str, values: Mapping[str, float]) -> Family:
    samples = tuple(Sample(value, ((label, text),)) for text, value in values.items())
    return Family(name, kind, text, samples)


def _histogram(name: str, text: str, histogram: Mapping[str, Any]) -> Family:
    """Buckets count all that is not above their bound, so each holds those before it."""
    samples, below = [], 0
    for bound, count in histogram["buckets"]:
        below += count
        samples.append(Sample(below, (("le", "+Inf" if bound is None else _number(bound)),), "_bucket"))
    samples += [Sample(histogram["sum"], (), "_sum"), Sample(histogram["count"], (), "_count")]
    return Family(name, "histogram", text, tuple(samples))


def _lines(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {family.help.translate(_HELP)}\n"
    yield f"# TYPE {family.name} {family.kind}\n"
    for sample in family.samples:
        labels = ",".join(f'{name}="{value.translate(_LABEL)}"' for name, value in sample.labels)
        braces = f"{{{labels}}}" if labels else ""
        yield f"{family.name}{sample.suffix}{braces} {_number(sample.value)}\n"


def _number(value: float) -> str:
    return repr(value)
