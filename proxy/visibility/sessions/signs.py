"""What the behaviour of a credential tells: rules over what was counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Self

from proxy.visibility.sessions.kinds import Clue, Kind, Where

_ENOUGH = 8
_MANY = 20


@dataclass(slots=True)
class Counts:
    """How often what happened. `untold` counts the exchanges of logs that don't hold cookies both ways."""

    exchanges: int = 0
    untold: int = 0
    sent: int = 0
    given: int = 0
    given_first: int = 0
    """Given to who did not send one."""
    repeated: int = 0
    """Given although the same was sent."""
    changed: int = 0
    """Given in the place of another that was sent."""
    removed: int = 0
    given_at_login: int = 0
    removed_at_logout: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the rules look at. The numbers of different values and clients may be estimates."""

    counts: Counts
    where: Where
    lengths: int
    length: int
    values: int
    clients: int
    shared: float
    about: str


def _several(count: int, thing: str, about: str) -> str:
    """A number of things in words; `about` stands before an estimate."""
    return f"{about}{count} {thing}{'' if count == 1 else 's'}"


def signs(
    counts: Counts,
    *,
    where: Where,
    lengths: int,
    length: int,
    values: int,
    clients: int,
    shared: float,
    estimated: bool = False,
) -> Iterator[Clue]:
    """What speaks for a kind, where enough was seen to tell.

    `lengths` is how many different ones the values have, `length` the most frequent one in bytes, `values`
    and `clients` how many different ones there were (`estimated`: one of these is not exact), `shared` the
    share of values that several clients sent.
    """
    seen = _Seen(counts, where, lengths, length, values, clients, shared, "about " if estimated else "")
    for rule in (_setting, _changing, _sharing, _measure, _logging_in):
        yield from rule(seen)


def _setting(seen: _Seen) -> Iterator[Clue]:
    """Who sets it, and when."""
    counts = seen.counts
    if seen.where is not Where.COOKIE or counts.untold:
        return
    if counts.sent >= _MANY and not counts.given:
        sentence = f"{counts.sent} requests sent it, and no response set it: scripts or others do"
        yield Clue(Kind.MEASUREMENT, 0.8, sentence)
        yield Clue(Kind.PREFERENCE, 0.6, sentence)
        yield Clue(Kind.SERVER_HELD, -0.6, sentence)
    if counts.given_first >= 3 and counts.given_first >= 0.8 * counts.given:
        sentence = f"{counts.given_first} of {counts.given} times it was set for a client that had none"
        for kind in (Kind.SERVER_HELD, Kind.AFFINITY, Kind.MEASUREMENT):
            yield Clue(kind, 0.5, sentence)


def _changing(seen: _Seen) -> Iterator[Clue]:
    """Whether its value stays while it is used."""
    counts = seen.counts
    if counts.sent < _ENOUGH:
        return
    rolled = counts.changed / counts.sent
    if rolled >= 0.5:
        sentence = f"in {counts.changed} of {counts.sent} exchanges it was replaced by another value"
        yield Clue(Kind.CLIENT_HELD, 1.5, sentence)
        yield Clue(Kind.CSRF, 0.5, sentence)
        yield Clue(Kind.SERVER_HELD, -1.0, sentence)
        yield Clue(Kind.PREFERENCE, -2.0, sentence)
    elif counts.given and not counts.changed and seen.values >= 2:
        sentence = f"in {counts.sent} exchanges that sent it, its value stayed"
        yield Clue(Kind.SERVER_HELD, 0.4, sentence)
        yield Clue(Kind.IDENTITY, 0.4, sentence)


def _sharing(seen: _Seen) -> Iterator[Clue]:
    """How many clients have one value."""
    if seen.clients < _ENOUGH or seen.values < 1:
        return
    if seen.values * 4 <= seen.clients and seen.shared >= 0.5:
        of_clients = _several(seen.clients, "client", seen.about)
        sentence = f"{of_clients} have only {_several(seen.values, 'different value', '')}"
        yield Clue(Kind.SERVER_HELD, -4.0, sentence)
        yield Clue(Kind.CLIENT_HELD, -2.0, sentence)
        yield Clue(Kind.MEASUREMENT, -1.0, sentence)
        on_arrival = seen.counts.given_first >= 3 and seen.where is Where.COOKIE
        yield Clue(Kind.AFFINITY, 1.8 if on_arrival else 0.3, sentence)
        yield Clue(Kind.PREFERENCE, 0.8 if on_arrival else 1.8, sentence)
        yield Clue(Kind.IDENTITY, 0.5, sentence)
    elif seen.shared <= 0.1 and seen.values >= _ENOUGH:
        sentence = f"{seen.about}{seen.values} different values, and hardly one that two clients share"
        yield Clue(Kind.SERVER_HELD, 0.8, sentence)
        yield Clue(Kind.CLIENT_HELD, 0.4, sentence)
        yield Clue(Kind.MEASUREMENT, 0.5, sentence)
        yield Clue(Kind.PREFERENCE, -2.0, sentence)
        yield Clue(Kind.AFFINITY, -2.0, sentence)


def _measure(seen: _Seen) -> Iterator[Clue]:
    """Whether its values are all of one length."""
    if seen.values < _ENOUGH:
        return
    if seen.lengths == 1:
        sentence = f"{seen.about}{seen.values} different values, all of {seen.length} bytes, as keys are"
        yield Clue(Kind.SERVER_HELD, 0.8, sentence)
        yield Clue(Kind.CLIENT_HELD, -0.8, sentence)
    elif seen.lengths >= 4 and seen.lengths * 4 >= min(seen.values, 32):
        sentence = f"its values have {seen.lengths} different lengths, as what they hold differs"
        yield Clue(Kind.CLIENT_HELD, 1.0, sentence)
        yield Clue(Kind.SERVER_HELD, -0.8, sentence)


def _logging_in(seen: _Seen) -> Iterator[Clue]:
    """Whether it comes with a login and goes with a logout."""
    counts = seen.counts
    if seen.where is not Where.COOKIE:
        return
    for count, sentence in (
        (counts.given_at_login, f"{_several(counts.given_at_login, 'login', '')} set it"),
        (counts.removed_at_logout, f"{_several(counts.removed_at_logout, 'logout', '')} removed it"),
    ):
        if count:
            yield Clue(Kind.SERVER_HELD, 0.7, sentence)
            yield Clue(Kind.CLIENT_HELD, 0.7, sentence)
            yield Clue(Kind.PREFERENCE, -2.0, sentence)
            yield Clue(Kind.MEASUREMENT, -1.0, sentence)


_DEPENDS = "answers depend on it"
_NOT = "answers are the same without it, or with another value"
_REMEMBERS = "the same request with the same value is answered otherwise after an unsafe request with it"
_FORGETS = "the same request with the same value is answered alike, whatever was asked with it before"


def of_answers(depends: bool | None, remembers: bool | None) -> Iterator[Clue]:
    """What the answers tell: whether they depend on it, and whether servers remember what came with it."""
    if depends:
        yield Clue(Kind.SERVER_HELD, 0.6, _DEPENDS)
        yield Clue(Kind.CLIENT_HELD, 0.6, _DEPENDS)
        yield Clue(Kind.IDENTITY, 0.6, _DEPENDS)
        yield Clue(Kind.PREFERENCE, 0.6, _DEPENDS)
        yield Clue(Kind.MEASUREMENT, -3.0, _DEPENDS)
    elif depends is not None:
        yield Clue(Kind.MEASUREMENT, 1.0, _NOT)
        yield Clue(Kind.PREFERENCE, -1.0, _NOT)
    if remembers:
        yield Clue(Kind.SERVER_HELD, 3.0, _REMEMBERS)
    elif remembers is not None:
        yield Clue(Kind.SERVER_HELD, -1.5, _FORGETS)
        yield Clue(Kind.CLIENT_HELD, 0.7, _FORGETS)
        yield Clue(Kind.IDENTITY, 0.7, _FORGETS)
