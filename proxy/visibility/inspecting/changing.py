"""Content that changed between two requests that were the same: by itself, or by what the client had done."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import chain
from math import inf

from proxy.visibility.inspecting.candidates import Seen

Pair = tuple[Seen, Seen]
"""Two answers to the same request, one after the other."""

MOST = 200
"""How many changes, and how many steady answers, are compared for one path."""


@dataclass(frozen=True, slots=True)
class Changing:
    """What the changes show, some of them by an example.

    `shared` changes were seen by several users: the same content before, and the same after. `own` changes
    were seen by one user while another one's content stayed what it was the whole time; so many `users`
    have seen such.
    """

    changes: int = 0
    shared: int = 0
    own: int = 0
    users: int = 0
    example: tuple[Seen, ...] = ()


def changing(pairs: Sequence[Pair], who: Callable[[Seen], Hashable]) -> Changing:
    """Tell the changes of all from those of one user; `who` says whose request one is."""
    by_path: dict[str, tuple[list[Pair], list[Pair]]] = defaultdict(lambda: ([], []))
    for pair in pairs:
        before, after = pair
        by_path[before.path][before.digest == after.digest].append(pair)
    changes = shared = own = 0
    users: set[Hashable] = set()
    example: tuple[Seen, ...] = ()
    for changed, steady in by_path.values():
        changes += len(changed[:MOST])
        shared += _shared(changed[:MOST], (*changed[:MOST], *steady[:MOST]), who)
        for pair in changed[:MOST]:
            other = _steady_meanwhile(pair, steady[:MOST], who)
            if other is not None:
                own += 1
                users.add(who(pair[0]))
                example = example or (*pair, *other)
    return Changing(changes, shared, own, len(users), example)


def _shared(changed: Sequence[Pair], pairs: Sequence[Pair], who: Callable[[Seen], Hashable]) -> int:
    """How many changes several users saw at one and the same time: nobody got the old content afterwards."""
    first: dict[str, float] = {}
    last: dict[str, float] = {}
    for one in chain.from_iterable(pairs):
        first[one.digest] = min(one.time, first.get(one.digest, inf))
        last[one.digest] = max(one.time, last.get(one.digest, -inf))
    users: dict[tuple[str, str], set[Hashable]] = defaultdict(set)
    times: Counter[tuple[str, str]] = Counter()
    for before, after in changed:
        if last[before.digest] <= first[after.digest]:
            users[before.digest, after.digest].add(who(before))
            times[before.digest, after.digest] += 1
    return sum(times[change] for change, some in users.items() if len(some) > 1)


def _steady_meanwhile(changed: Pair, steady: Sequence[Pair], who: Callable[[Seen], Hashable]) -> Pair | None:
    """Two equal answers to another user, one from before and one from after a change."""
    user = who(changed[0])
    for pair in steady:
        around = pair[0].time <= changed[0].time and changed[1].time <= pair[1].time
        if around and who(pair[0]) != user:
            return pair
    return None
