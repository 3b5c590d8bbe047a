"""The figures of an endpoint, from how many exchanges of each sort there were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from proxy.caching.reasons import catalogue
from proxy.visibility.inspecting.report import Cost, Durations, Figures, Opacity
from proxy.visibility.inspecting.tally import Row, Tally
from proxy.visibility.inspecting.traits import Traits

SELF = frozenset(("refused", "local"))
"""Outcomes with which the origin server had nothing to do."""

_RETRIEVALS = frozenset(("GET", "HEAD", "QUERY"))


@dataclass(slots=True)
class Sums:
    """What is added up, of one endpoint or of all."""

    exchanges: int = 0
    bytes: int = 0
    told: int = 0
    told_bytes: int = 0
    hits: int = 0
    hit_bytes: int = 0
    origin_requests: int = 0
    origin_bytes: int = 0
    errors: int = 0
    refused: int = 0
    judged: int = 0
    opaque: int = 0
    not_explicit: int = 0
    not_stateless: int = 0
    methods: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    lifetimes: Counter[str] = field(default_factory=Counter)
    costs: dict[str, list[int]] = field(default_factory=dict)
    main: Counter[str] = field(default_factory=Counter)
    all: Counter[str] = field(default_factory=Counter)
    vary: set[str] = field(default_factory=set)
    media_types: set[str] = field(default_factory=set)
    sets: set[str] = field(default_factory=set)
    cookies: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row, count: int, size: int) -> None:
        """Exchanges of one sort."""
        traits, from_cache, outcome, reasons = row
        self.exchanges += count
        self.bytes += size
        self.methods[traits.method] += count
        self.statuses[str(traits.status or "none")] += count
        self.errors += count * (traits.status >= 500 or not traits.status)
        self.refused += count * (400 <= traits.status < 500)
        self.main[reasons[0] if reasons else ""] += count
        for slug in set(reasons):
            self.all[slug] += count
        self._describe(traits, count)
        if outcome in SELF:
            return
        if from_cache is not None:
            self.told += count
            self.told_bytes += size
        if from_cache:
            self.hits += count
            self.hit_bytes += size
            return
        self.origin_requests += count
        from_origin = 0 if outcome == "validated" else size
        self.origin_bytes += from_origin
        cause, derived = cause_of(row)
        if cause:
            cost = self.costs.setdefault(cause, [0, 0, 0])
            cost[0] += count
            cost[1] += from_origin
            cost[2] += count * derived

    def _describe(self, traits: Traits, count: int) -> None:
        self.vary.update(traits.vary)
        self.sets.update(traits.sets)
        for name in traits.cookies:
            self.cookies[name] += count
        if traits.media_type and traits.status < 300:
            self.media_types.add(traits.media_type)
        if traits.judged is not None and traits.method in _RETRIEVALS and traits.judged.lifetime:
            self.lifetimes[traits.judged.lifetime] += count

    def judge(self, row: Row, count: int, stateful: Collection[str], undeclared: Collection[str]) -> None:
        """Whether exchanges of a sort are opaque: `stateful` are the cookies that refer to hidden state.

        A response that says for how long all may share it is clear, whatever cookie the request had; unless
        content was seen to differ by one that is in `undeclared`.
        """
        traits = row[0]
        if traits.judged is None:
            return
        self.judged += count
        said = traits.judged
        misleading = any(name in undeclared for name in traits.cookies)
        for_all = (
            not misleading
            and said.explicit
            and said.storable
            and "cookie" not in traits.vary
            and not traits.sets
        )
        hidden = not for_all and any(name in stateful for name in (*traits.cookies, *traits.sets))
        silent = misleading or not traits.judged.explicit
        self.not_explicit += count * silent
        self.not_stateless += count * hidden
        self.opaque += count * (hidden or silent)

    def figures(self, durations: Durations) -> Figures:
        """As they stand in the report."""
        return Figures(
            self.exchanges,
            self.bytes,
            self.told,
            self.told_bytes,
            self.hits,
            self.hit_bytes,
            self.origin_requests,
            self.origin_bytes,
            self.errors,
            self.refused,
            self.hits / self.told if self.told else None,
            self.hit_bytes / self.told_bytes if self.told_bytes else None,
            durations,
        )

    def opacity(self) -> Opacity:
        """As it stands in the report."""
        share = self.opaque / self.judged if self.judged else None
        return Opacity(self.judged, self.opaque, self.not_explicit, self.not_stateless, share)

    def ranked(self) -> tuple[Cost, ...]:
        """The costs, the greatest first."""
        known = catalogue()
        found = []
        for slug, (requests, size, derived) in self.costs.items():
            reason = known.get(slug)
            sentence, section = (reason.sentence, reason.section) if reason else ("", "")
            found.append(Cost(slug, sentence, section, requests, size, derived))
        return tuple(sorted(found, key=lambda cost: (-cost.requests, cost.cause)))


def cause_of(row: Row) -> tuple[str, bool]:
    """Why exchanges of a sort reached the origin: a reason's slug, and whether it had to be derived."""
    traits, from_cache, _, reasons = row
    if reasons:
        return reasons[0], False
    if traits.judged is None:
        return "", False
    if not traits.judged.storable:
        return (traits.judged.reasons[0] if traits.judged.reasons else ""), True
    return ("nothing-stored" if from_cache is False else ""), True


def sums_of(tally: Tally, stateful: Collection[str], undeclared: Collection[str] = ()) -> Sums:
    """What the exchanges of one endpoint add up to; for the cookies that are named see `Sums.judge`."""
    sums = Sums()
    for row, count, size in tally.each():
        sums.add(row, count, size)
        sums.judge(row, count, stateful, undeclared)
    return sums


def together(all_sums: Iterable[Sums]) -> Sums:
    """The sums of several endpoints as one."""
    total = Sums()
    for one in all_sums:
        for name in Sums.__slots__:
            mine, theirs = getattr(total, name), getattr(one, name)
            if isinstance(mine, int):
                setattr(total, name, mine + theirs)
            elif isinstance(mine, set | Counter):
                mine.update(theirs)
        for cause, (requests, size, derived) in one.costs.items():
            cost = total.costs.setdefault(cause, [0, 0, 0])
            cost[0] += requests
            cost[1] += size
            cost[2] += derived
    return total
