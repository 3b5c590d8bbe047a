"""What single messages fail to say of themselves, gathered over the traffic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from proxy.visibility.findings.finding import Finding as Noticed
from proxy.visibility.findings.of_message import of_signature
from proxy.visibility.findings.signature import Signature, signature
from proxy.visibility.inspecting.report import Answer, Exchange, Finding, Severity
from proxy.visibility.inspecting.showing import shown
from proxy.visibility.inspecting.whereabouts import Found
from proxy.visibility.observation import Held, Observation

MOST = 1_500
"""How many sorts of messages are looked at: it takes milliseconds for each."""

MOST_LOOKED_AT = 20_000
"""How many exchanges are looked at, of all that are kept."""

_SHARED = ("shared-with-session",)
_ABOUT_SHARING = frozenset((*_SHARED, "audience-missing"))
"""Findings that fear for content that is one user's own. The traffic may show that there is none."""

MOST_ENDPOINTS = 12
MOST_EXAMPLES = 2


@dataclass(slots=True)
class _Gathered:
    first: Noticed
    weight: float = 0.0
    endpoints: Counter[str] = field(default_factory=Counter)
    evidence: Counter[str] = field(default_factory=Counter)
    examples: list[Exchange] = field(default_factory=list)
    personal: bool = False

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
    every = sum(len(endpoint.exchanges) for endpoint in endpoints)
    for endpoint in endpoints:
        for_all, personal = _for_all(endpoint), _personal(endpoint)
        some = endpoint.exchanges[:: every // MOST_LOOKED_AT + 1]
        scale = endpoint.tally.weight / len(some) if some else 0.0
        for exchange in some:
            for found in _of(exchange, held, known):
                if for_all and found.slug in _ABOUT_SHARING:
                    continue
                one = gathered.setdefault(found.slug, _Gathered(found))
                one.personal |= personal
                one.add(found, scale, endpoint.name, exchange)
    for one in gathered.values():
        yield _finding(one)


def _for_all(endpoint: Found) -> bool:
    """Whether it was seen that content is the same whoever asks."""
    answers = [one.answer for one in endpoint.verdicts if one.candidate.personal]
    return bool(answers) and set(answers) == {Answer.DOES_NOT}


def _personal(endpoint: Found) -> bool:
    """Whether it was seen that content depends on who asks."""
    return any(one.answer is Answer.DEPENDS and one.candidate.personal for one in endpoint.verdicts)


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
    severity = Severity(str(first.severity))
    if first.slug in _SHARED and not one.personal:
        severity = Severity.INFO  # nobody was seen to get what is another's
    return Finding(
        first.slug,
        severity,
        first.sentence,
        first.advice,
        first.source,
        round(one.weight),
        one.evidence.most_common(1)[0][0],
        tuple(name for name, _ in one.endpoints.most_common(MOST_ENDPOINTS)),
        tuple(one.examples),
        str(first.part),
    )
