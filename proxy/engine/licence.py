"""Licences: what may be answered again without asking the rules, as the rules themselves have shown.

A stateless message means the same whenever it is sent. So an answer that was made from what is stored holds
for every request that is equal in what the rules looked at, for as long as neither that nor time changes it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from proxy.caching.ageing import Ageing
from proxy.caching.decision import Outcome
from proxy.caching.effects import Answer, Found, LookUp, Span
from proxy.caching.exchange import exchange
from proxy.caching.key import cache_key
from proxy.caching.policy import Policy
from proxy.engine.digest import Digest
from proxy.engine.noting import Noted
from proxy.engine.performer import LABEL_LIMIT
from proxy.message.request import Request
from proxy.storage.contract import Entry, Store

LARGEST = 64 << 10
"""Bytes of content that are answered with under a licence, at most: more needs back-pressure."""

_REUSED = (Outcome.HIT, Outcome.STALE)
_DATES = (b"if-modified-since", b"if-unmodified-since", b"if-range")


@dataclass(frozen=True, slots=True)
class Licence:
    """Leave to give `answer` to every GET or HEAD that is equal to `request` in method, target, scheme,
    authority and all lines of the fields in `asked` (lower case).

    It holds from `since` up to `until` (seconds since the epoch), for as long as the store has the same under
    `key`; where `wider`, also under every key that differs from it in the query only. Where the store's
    `epoch` has changed, each entry in `found` has to be in the same state as then, and `wider` licences end.

    `content` is what is sent, `digest` its digest as the log gives it, `entry` the one that it is from; it is
    `whole` where that is all that the entry holds. Of the answer only what `ageing` tells changes in that
    time.
    """

    request: Request
    asked: frozenset[bytes]
    answer: Answer
    entry: Entry
    found: tuple[tuple[Entry, object], ...]
    content: bytes
    digest: str
    key: bytes
    wider: bool
    ageing: Ageing
    since: float
    until: float
    epoch: int
    whole: bool


def issue(store: Store, request: Request, policy: Policy, now: float) -> Licence | None:
    """The licence for `request`, as it would be forwarded; None where its answer is not to be given again.

    That is where it takes more than what is at hand in the store, where something is begun or changed by it,
    where it is large, or where more than its age depends on the time.
    """
    noted = Noted(request.fields)
    epoch = store.epoch
    rehearsal = _Rehearsal(store, now)
    answer = rehearsal.run(replace(request, fields=noted), policy)
    if answer is None or noted.whole or not _repeatable(answer):
        return None
    until = math.inf if answer.decision.until is None else answer.decision.until
    entry = rehearsal.entry(answer)
    if not now < until or entry is None or _of_its_time(request, noted.asked):
        return None
    found = _content(answer, entry)
    if found is None or any(state is None for _, state in rehearsal.states):
        return None
    return Licence(
        request,
        frozenset(noted.asked),
        answer,
        entry,
        tuple(rehearsal.states),
        *found,
        cache_key(request),
        rehearsal.wider,
        Ageing.of(entry.stored, policy),
        now,
        until,
        epoch,
        found[0] is entry.content,
    )


class _Rehearsal:
    """The rules of one exchange, as far as they get with what is at hand and without any effect.

    `states` are those of all entries that were found, as the rules have seen them.
    """

    def __init__(self, store: Store, now: float) -> None:
        self._store = store
        self._now = now
        self._found: list[tuple[object, Entry]] = []
        self.states: list[tuple[Entry, object]] = []
        self.wider = False

    def run(self, request: Request, policy: Policy) -> Answer | None:
        rules = exchange(request, policy)
        try:
            effect = next(rules)
            while isinstance(effect, LookUp) and (entries := self._look_up(effect)) is not None:
                self.states += [(entry, entry.state) for entry in entries]  # before the rules see it
                found = [entry.stored for entry in entries]
                self._found += zip(found, entries, strict=True)
                effect = rules.send(Found(found, self._now))
        except StopIteration as end:
            answer: Answer = end.value
            return answer
        rules.close()
        return None

    def entry(self, answer: Answer) -> Entry | None:
        """The entry that the answer was made from."""
        return next((entry for stored, entry in self._found if stored is answer.source), None)

    def _look_up(self, effect: LookUp) -> Sequence[Entry] | None:
        if effect.label is None:
            return self._store.at_hand(effect.key)
        self.wider = True
        return self._store.labelled_at_hand(effect.label, LABEL_LIMIT)


def _repeatable(answer: Answer) -> bool:
    """Whether nothing was begun by the answer, and nothing in its head but the age tells the time."""
    return (
        answer.decision.outcome in _REUSED
        and answer.background is None
        and answer.store is None
        and not answer.trailers
        and len(answer.response.fields.all(b"age")) == 1
    )


def _of_its_time(request: Request, asked: set[bytes]) -> bool:
    """Whether a date is compared whose form leaves its century to be told by today (RFC 9110 §5.6.7)."""
    values = (value for name in _DATES if name in asked for value in request.fields.all(name))
    return any(b"-" in value and b'"' not in value[:3] for value in values)


def _content(answer: Answer, entry: Entry) -> tuple[bytes, str] | None:
    """The content of the answer and its digest; None where that is not at hand, or too much."""
    stored = entry.stored
    held = entry.content if answer.content else b""
    if not isinstance(held, bytes):
        return None
    size = 0
    pieces: list[bytes] = []
    for piece in answer.content:
        if isinstance(piece, bytes):
            found = piece
        elif isinstance(piece, Span) and piece.stored is answer.source and piece.last is not None:
            first, end = piece.first - stored.first, piece.last - stored.first + 1
            found = held if (first, end) == (0, len(held)) else held[first:end]
        else:
            return None
        pieces.append(found)
        size += len(found)
        if size > LARGEST:
            return None
    if len(pieces) == 1 and pieces[0] is held and len(held) == stored.length and entry.digest:
        return held, entry.digest
    content = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    digest = Digest()
    digest.update(content)
    return content, digest.value()
