"""Endpoints as the analysis takes them: a name, what was counted, and what was kept of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from proxy.visibility.inspecting.aggregate import Aggregate
from proxy.visibility.inspecting.dependence import Verdict
from proxy.visibility.inspecting.figures import Sums
from proxy.visibility.inspecting.report import Answer
from proxy.visibility.inspecting.tally import Tally
from proxy.visibility.inspecting.templates import endpoints
from proxy.visibility.observation import Observation

NOTHING = "(no such path)"
"""The name under which all paths stand together at which nothing was ever found."""


@dataclass(slots=True)
class Found:
    """One endpoint. `exchanges` are those that were kept, in the order of time."""

    authority: str
    template: str
    tally: Tally
    name: str = ""
    exchanges: Sequence[Observation] = ()
    verdicts: Sequence[Verdict] = ()
    sums: Sums = field(default_factory=Sums)

    def answer(self, candidate: str) -> Answer:
        """Whether content here depends on a candidate."""
        return next((one.answer for one in self.verdicts if str(one.candidate) == candidate), Answer.UNKNOWN)

    def stateful(self, hidden: Mapping[str, float]) -> Collection[str]:
        """Those of the cookies with hidden state without which answers here can't be understood."""
        return [name for name in hidden if self.answer(f"cookie {name}") is not Answer.DOES_NOT]


def found_endpoints(aggregate: Aggregate) -> list[Found]:
    """All endpoints, those with most exchanges first. The aggregate is not to be used afterwards."""
    found = endpoints(aggregate.tree)
    for place, tally in endpoints(aggregate.lost).items():
        into = place if place in found else (place[0], NOTHING)
        if into in found:
            found[into].merge(tally)
        else:
            found[into] = tally
    hosts = {authority for authority, _ in found}
    every = [Found(authority, template, tally) for (authority, template), tally in found.items()]
    for one in every:
        one.name = f"{one.authority}{one.template}" if len(hosts) > 1 else one.template
        one.exchanges = one.tally.bucket.exchanges()
    every.sort(key=lambda one: (one.template == NOTHING, -one.tally.weight, one.name))
    return every
