"""Answers to requests for one path, compared in the order of time.

What shows that content depends on something, and has not just changed meanwhile, is A B A: an answer, a
different one to a request that differs in something, and then the first one again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from proxy.visibility.inspecting.candidates import Seen, View

MOST_VIEWS = 24
"""How many different requests for a path are remembered, the latest."""

MOST_KINDS = 64
"""How many pairs of different requests are remembered for each set of differences."""

MOST_PAIRS = 4_000
"""How many pairs of answers to the same request are kept for one endpoint."""

Mask = int
"""The candidates in which two requests differ, one bit for each."""


@dataclass(slots=True)
class Compared:
    """How often answers to requests with these differences were equal, and how often not.

    `equals` and `differents` are some of the pairs of requests that were compared.
    """

    equal: int = 0
    different: int = 0
    example_equal: tuple[Seen, ...] = ()
    example_different: tuple[Seen, ...] = ()
    equals: set[tuple[View, View]] = field(default_factory=set)
    differents: set[tuple[View, View]] = field(default_factory=set)

    def add(self, equal: bool, example: tuple[Seen, ...]) -> None:
        """One more comparison; the last two of `example` are what was compared."""
        pairs = self.equals if equal else self.differents
        if len(pairs) < MOST_KINDS:
            pairs.add((example[-2].view, example[-1].view))
        if equal:
            self.equal += 1
            self.example_equal = self.example_equal or example
        else:
            self.different += 1
            self.example_different = self.example_different or example


@dataclass(slots=True)
class Comparisons:
    """What all comparisons of an endpoint's answers came to.

    `by_mask[0]` compares each answer with the next one to the same request; `pairs` are these. `control` says
    how often an answer was unlike the one before and the one after it, which were equal, although all three
    were to the same request: that is how often chance alone looks like dependence.
    """

    by_mask: dict[Mask, Compared] = field(default_factory=dict)
    control: Compared = field(default_factory=Compared)
    pairs: list[tuple[Seen, Seen]] = field(default_factory=list)

    def of(self, mask: Mask) -> Compared:
        """The comparisons of requests that differ in exactly these candidates."""
        return self.by_mask.setdefault(mask, Compared())


@dataclass(slots=True)
class _Path:
    """One path's answers so far: the latest to each request with its number, and the one before that."""

    latest: OrderedDict[View, tuple[int, Seen]] = field(default_factory=OrderedDict)
    earlier: dict[View, Seen] = field(default_factory=dict)
    judged: dict[Mask, set[int]] = field(default_factory=dict)


def compare(found: Comparisons, answers: Iterable[Seen]) -> None:
    """Add the comparisons of one path's answers, which come in the order of time."""
    path = _Path()
    for at, seen in enumerate(answers):
        before = path.latest.get(seen.view)
        if before is not None:
            _again(found, before, seen, path)
        _beside(found, seen, path)
        path.latest[seen.view] = (at, seen)
        path.latest.move_to_end(seen.view)
        if len(path.latest) > MOST_VIEWS:
            gone, _ = path.latest.popitem(last=False)
            path.earlier.pop(gone, None)


def _again(found: Comparisons, before: tuple[int, Seen], seen: Seen, path: _Path) -> None:
    """The same request again: what others were answered between the two can be compared with it."""
    since, first = before
    equal = first.digest == seen.digest
    found.of(0).add(equal, (first, seen))
    if len(found.pairs) < MOST_PAIRS:
        found.pairs.append((first, seen))
    earlier = path.earlier.get(seen.view)
    if earlier is not None and earlier.digest == seen.digest:
        found.control.add(equal, (earlier, first, seen))
    path.earlier[seen.view] = first
    if not equal:
        return
    for number, other in _newest(path.latest, since):
        mask = difference(seen.view, other.view)
        if mask and number not in (done := path.judged.setdefault(mask, set())):
            done.add(number)
            found.of(mask).add(other.digest == seen.digest, (first, other, seen))


def _beside(found: Comparisons, seen: Seen, path: _Path) -> None:
    """Equal content right after another request needs no third answer to be understood."""
    if not path.latest:
        return
    number, other = path.latest[next(reversed(path.latest))]
    mask = difference(seen.view, other.view)
    if mask and other.digest == seen.digest and number not in (done := path.judged.setdefault(mask, set())):
        done.add(number)
        found.of(mask).add(True, (other, seen))


def _newest(latest: OrderedDict[View, tuple[int, Seen]], since: int) -> Iterator[tuple[int, Seen]]:
    for view in reversed(latest):
        number, seen = latest[view]
        if number <= since:
            return
        yield number, seen


def difference(one: View, other: View) -> Mask:
    """In which candidates two requests differ."""
    mask = 0
    for at, (mine, theirs) in enumerate(zip(one, other, strict=True)):
        if mine != theirs:
            mask |= 1 << at
    return mask
