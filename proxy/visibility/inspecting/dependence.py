"""What the content of an endpoint's answers depends on, told from answers that were really given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import erfc, frexp, sqrt

from proxy.visibility.inspecting.activity import Activity, Who
from proxy.visibility.inspecting.candidates import Candidate, Seen, Value, candidates, tells, view_of
from proxy.visibility.inspecting.chance import fisher, stratified, succession
from proxy.visibility.inspecting.changing import Changing, changing
from proxy.visibility.inspecting.comparing import Compared, Comparisons, Mask, compare
from proxy.visibility.inspecting.messages import place_of
from proxy.visibility.inspecting.report import Answer
from proxy.visibility.observation import Observation

ENOUGH = 6
"""How many equal answers it takes to say that content does not depend on something."""

UNLIKELY = 0.02
"""How likely chance may be as the explanation where content is said to depend on something."""

FAR_FROM_CHANCE = 3.5
"""How many standard deviations from chance show that content changes when the same client was active."""

TIME = Candidate("time", "")
HISTORY = Candidate("history", "")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether content depends on a candidate. `equal` and `different` count the comparisons that tell.

    `together` are those that always changed at once with this one whenever the content was different.
    `examples` are the exchanges that show it: three where the first and the last are of equal requests.
    """

    candidate: Candidate
    answer: Answer
    confidence: float
    equal: int
    different: int
    values: int
    together: tuple[Candidate, ...] = ()
    examples: tuple[Observation, ...] = ()


@dataclass(slots=True)
class _Case:
    """One endpoint's comparisons, and what has been settled about the candidates so far."""

    columns: tuple[Candidate, ...]
    found: Comparisons
    matter: dict[int, float] = field(default_factory=dict)
    cleared: dict[int, int] = field(default_factory=dict)

    @property
    def cleared_mask(self) -> Mask:
        return sum(1 << at for at in self.cleared)

    @property
    def matter_mask(self) -> Mask:
        return sum(1 << at for at in self.matter)


def dependence(exchanges: Sequence[Observation], activity: Activity) -> tuple[Verdict, ...]:
    """The verdicts for one endpoint from exchanges in the order of time, those that matter most first.

    `activity` knows of the requests to all endpoints.
    """
    telling = [one for one in exchanges if tells(one)]
    columns = candidates(telling)
    found = Comparisons()
    by_path: dict[str, list[Seen]] = {}
    for one in telling:
        authority, path, _ = place_of(one.authority, one.target)
        by_path.setdefault(authority + path, []).append(
            Seen(one.time, view_of(one, columns), one.digest, one)
        )
    for answers in by_path.values():
        compare(found, answers)
    case = _Case(columns, found)
    _settle(case)
    views = [seen.view for answers in by_path.values() for seen in answers]
    verdicts = [_verdict(case, at, len({view[at] for view in views})) for at in range(len(columns))]
    verdicts += _changes(case, activity)
    order = (Answer.DEPENDS, Answer.UNKNOWN, Answer.DOES_NOT)
    return tuple(sorted(verdicts, key=lambda one: (order.index(one.answer), -one.different, -one.equal)))


def _settle(case: _Case) -> None:
    """Settle one candidate after the other, until nothing follows any more."""
    while True:
        settled = len(case.matter) + len(case.cleared)
        for at in range(len(case.columns)):
            if at not in case.matter and at not in case.cleared:
                _settle_one(case, at)
        if len(case.matter) + len(case.cleared) == settled and not _settle_crossed(case):
            return


def _settle_one(case: _Case, at: int) -> None:
    bit = 1 << at
    alone = _sum(case, lambda mask: mask & ~case.cleared_mask == bit)
    if alone.different >= 2:
        chance = _by_chance(case, alone)
        if chance < UNLIKELY:
            case.matter[at] = 1 - chance
            return
    equal = sum(one.equal for mask, one in case.found.by_mask.items() if mask & bit)
    unexplained = _sum(case, lambda mask: bool(mask & bit) and not mask & case.matter_mask)
    if equal >= ENOUGH and (not unexplained.different or _like_noise(case, unexplained)):
        case.cleared[at] = equal


def _settle_crossed(case: _Case) -> bool:
    """Settle one candidate that alone explains all differences, though others changed along with it.

    Content in two languages is told from content for each user where several users had each language: what
    was the same for all who share a value, and different for those who don't, hangs on that value.
    """
    open_ones = [at for at in range(len(case.columns)) if at not in case.matter and at not in case.cleared]
    for at in open_ones:
        bit = 1 << at
        apart = _sum(case, lambda mask, bit=bit: not mask & (bit | case.matter_mask))  # type: ignore[misc]
        if apart.different or apart.equal < ENOUGH:
            continue
        crossed = _crossed(case, at)
        control = case.found.control
        chance = fisher(crossed, 0, control.different, control.equal + apart.equal)
        if crossed >= 2 and chance < UNLIKELY:
            case.matter[at] = 1 - chance
            return True
    return False


def _crossed(case: _Case, at: int) -> int:
    """How many different pairs of requests differ in this, and would not differ by anything else."""
    bit, crossed = 1 << at, 0
    known: dict[Value, Mask] = {}
    for mask, one in case.found.by_mask.items():
        if not mask & bit:
            for left, _ in one.equals:
                known[left[at]] = known.get(left[at], 0) | mask
    for mask, one in case.found.by_mask.items():
        rivals = mask & ~case.cleared_mask & ~bit
        if mask & bit and not mask & case.matter_mask:
            crossed += sum(
                not rivals & ~known.get(left[at], 0) and not rivals & ~known.get(right[at], 0)
                for left, right in one.differents
            )
    return crossed


def _by_chance(case: _Case, alone: Compared) -> float:
    """How likely it is that content only happened to change, as it does for requests that are the same."""
    control = case.found.control
    return fisher(alone.different, alone.equal, control.different, control.equal)


def _like_noise(case: _Case, compared: Compared) -> bool:
    """Whether content differs no more often than it does between requests that are the same."""
    control = case.found.control
    if compared.equal < ENOUGH or not control.different:
        return False
    rate = compared.different / (compared.different + compared.equal)
    usual = control.different / (control.different + control.equal)
    return rate <= usual and _by_chance(case, compared) > 0.2


def _sum(case: _Case, wanted: Callable[[Mask], bool]) -> Compared:
    total = Compared()
    for mask, one in case.found.by_mask.items():
        if mask and wanted(mask):
            total.equal += one.equal
            total.different += one.different
            total.example_equal = total.example_equal or one.example_equal
            total.example_different = total.example_different or one.example_different
    return total


def _verdict(case: _Case, at: int, values: int) -> Verdict:
    bit, column = 1 << at, case.columns[at]
    alone = _sum(case, lambda mask: mask & ~case.cleared_mask == bit)
    touching = _sum(case, lambda mask: bool(mask & bit))
    if at in case.matter:
        if not alone.different:  # others changed along with it, but do not explain it
            others = case.matter_mask & ~bit
            alone = _sum(case, lambda mask: bool(mask & bit) and not mask & others)
        examples = _exchanges(alone.example_different)
        return Verdict(
            column, Answer.DEPENDS, case.matter[at], alone.equal, alone.different, values, (), examples
        )
    if at in case.cleared:
        examples = _exchanges(touching.example_equal)
        sure = succession(case.cleared[at])
        unexplained = _sum(case, lambda mask: bool(mask & bit) and not mask & case.matter_mask)
        return Verdict(
            column, Answer.DOES_NOT, sure, case.cleared[at], unexplained.different, values, (), examples
        )
    unexplained = _sum(case, lambda mask: bool(mask & bit) and not mask & case.matter_mask)
    return Verdict(
        column,
        Answer.UNKNOWN,
        0.0,
        touching.equal,
        unexplained.different,
        values,
        _together(case, at),
        _exchanges(unexplained.example_different or touching.example_equal),
    )


def _together(case: _Case, at: int) -> tuple[Candidate, ...]:
    """What always differed too when content differed and nothing that is known to matter did."""
    common: Mask | None = None
    for mask, one in case.found.by_mask.items():
        if mask >> at & 1 and one.different and not mask & case.matter_mask:
            rest = mask & ~case.cleared_mask & ~(1 << at)
            common = rest if common is None else common & rest
    return tuple(column for at, column in enumerate(case.columns) if (common or 0) >> at & 1)


def _changes(case: _Case, activity: Activity) -> Iterator[Verdict]:
    """Whether content changes by itself, and whether by what the same client asked before."""
    quiet, busy = Compared(), Compared()
    strata: dict[int, list[int]] = {}
    for pair in case.found.pairs:
        before, after = pair
        acted = activity.between(_who(case, before), before.time, after.time) > 0
        equal = before.digest == after.digest
        (busy if acted else quiet).add(equal, pair)
        table = strata.setdefault(frexp(max(1e-3, after.time - before.time))[1], [0, 0, 0, 0])
        table[(0 if acted else 2) + equal] += 1
    above = stratified((a, b, c, d) for a, b, c, d in strata.values())
    seen = changing(case.found.pairs, lambda one: _who(case, one))
    steady = not case.found.control.different and not seen.shared  # nothing comes and goes by chance
    of_one = steady and seen.own >= 3 and seen.users >= 2 and seen.own > seen.changes / 4
    if of_one or (above > FAR_FROM_CHANCE and busy.different >= 3):
        sure = succession(seen.own) if of_one else 1 - erfc(above / sqrt(2))
        examples = _exchanges(seen.example or busy.example_different)
        yield Verdict(HISTORY, Answer.DEPENDS, sure, busy.equal, busy.different, 0, (), examples)
        yield _steady(TIME, quiet, changing=Answer.UNKNOWN)  # a request itself may have an effect
    else:
        yield _steady(HISTORY, busy, changing=Answer.UNKNOWN)
        yield _by_itself(case, quiet, seen)


def _by_itself(case: _Case, quiet: Compared, seen: Changing) -> Verdict:
    """Whether content changes by itself. What changes for one user alone may be that user's own doing."""
    same = case.found.by_mask.get(0, Compared())
    nobody = not any(column.personal for column in case.columns)
    if nobody or not same.different or (seen.shared >= 2 and seen.shared > seen.changes / 2):
        return _steady(TIME, same)
    verdict = _steady(TIME, quiet, changing=Answer.UNKNOWN)
    if verdict.answer is Answer.UNKNOWN and same.different:
        return replace(verdict, together=(HISTORY,))
    return verdict


def _steady(candidate: Candidate, compared: Compared, changing: Answer = Answer.DEPENDS) -> Verdict:
    """The verdict where content that changed at all speaks for `changing`."""
    equal, different = compared.equal, compared.different
    if different >= 2 and changing is Answer.DEPENDS:
        examples = _exchanges(compared.example_different)
        return Verdict(candidate, changing, succession(different), equal, different, 0, (), examples)
    if equal >= ENOUGH and not different:
        examples = _exchanges(compared.example_equal)
        return Verdict(candidate, Answer.DOES_NOT, succession(equal), equal, 0, 0, (), examples)
    examples = _exchanges(compared.example_different or compared.example_equal)
    return Verdict(candidate, Answer.UNKNOWN, 0.0, equal, different, 0, (), examples)


def _who(case: _Case, seen: Seen) -> Who:
    """By what the user is known who sent a request: a credential that matters, if there is one."""
    personal = [at for at, column in enumerate(case.columns) if column.personal and seen.view[at] is not None]
    for at in sorted(personal, key=lambda at: (at not in case.matter, at in case.cleared)):
        return str(case.columns[at]), seen.view[at] or ""
    return "client", seen.exchange.client


def _exchanges(seen: Iterable[Seen]) -> tuple[Observation, ...]:
    return tuple(one.exchange for one in seen)
