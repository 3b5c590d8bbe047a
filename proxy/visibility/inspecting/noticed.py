"""What single messages fail to say of themselves, gathered over the traffic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from proxy.visibility.findings.finding import Finding as Noticed
from proxy.visibility.findings.of_message import of_signature
from proxy.visibility.findings.signature import Signature, signature
from proxy.visibility.inspecting.report import Exchange, Finding, Severity
from proxy.visibility.inspecting.showing import shown
from proxy.visibility.inspecting.whereabouts import Found
from proxy.visibility.observation import Held, Observation

MOST = 1_500
"""How many sorts of messages are looked at: it takes milliseconds for each."""

MOST_ENDPOINTS = 12
MOST_EXAMPLES = 2


@dataclass(slots=True)
class _Gathered:
    first: Noticed
    weight: float = 0.0
    endpoints: Counter[str] = field(default_factory=Counter)
    evidence: Counter[str] = field(default_factory=Counter)
    examples: list[Exchange] = field(default_factory=list)

    def add(self, found: Noticed, weight: float, endpoint: str, exchange: Observation) -> None:
        self.weight += weight
        self.endpoints[endpoint] += 1
        self.evidence[found.evidence] += 1
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(shown(exchange, found.evidence))


def noticed(endpoints: Sequence[Found], held: Held) -> Iterator[Finding]:
    """The findings about the exchanges that were kept; each counts for those like it that were not."""
    known: dict[Signature, tuple[Noticed, ...]] = {}
    gathered: dict[str, _Gathered] = {}
    for endpoint in endpoints:
        scale = endpoint.tally.weight / len(endpoint.exchanges) if endpoint.exchanges else 0.0
        for exchange in endpoint.exchanges:
            for found in _of(exchange, held, known):
                one = gathered.setdefault(found.slug, _Gathered(found))
                one.add(found, scale, endpoint.name, exchange)
    for one in gathered.values():
        yield _finding(one)


def _of(
    exchange: Observation, held: Held, known: dict[Signature, tuple[Noticed, ...]]
) -> tuple[Noticed, ...]:
    sort = signature(exchange, held)
    if sort is None:
        return ()
    found = known.get(sort)
    if found is None:
        if len(known) >= MOST:
            return ()
        found = known[sort] = of_signature(sort)
    return found


def _finding(one: _Gathered) -> Finding:
    first = one.first
    return Finding(
        first.slug,
        Severity(str(first.severity)),
        first.sentence,
        first.advice,
        first.source,
        round(one.weight),
        one.evidence.most_common(1)[0][0],
        tuple(name for name, _ in one.endpoints.most_common(MOST_ENDPOINTS)),
        tuple(one.examples),
        str(first.part),
    )
