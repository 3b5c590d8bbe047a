"""What may pass without asking the rules anew: a request to the origin, and a response to the client.

As a licence holds for what is stored, this holds for what is not: the rules of one exchange are run again on
what it was about, and what they look at is noted. Another exchange that is equal in that ends the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from proxy.caching.decision import Decision, Outcome
from proxy.caching.effects import FROM_ORIGIN, Answer, Arrived, Collapse, Forward, Found, LookUp
from proxy.caching.exchange import Exchange, exchange
from proxy.caching.policy import Policy
from proxy.caching.timely import Timely, timely
from proxy.engine.collapse import Flights
from proxy.engine.noting import Noted
from proxy.message.fields import FieldLine, Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.storage.contract import Store

_DATE = re.compile(rb"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")
_STRONG = re.compile(rb'"[\x21\x23-\x7e]*"')
_WEAK = re.compile(rb'W/"[\x21\x23-\x7e]*"')

_FORMS = (
    (b"date", _DATE, b"Sun, 06 Nov 1994 08:49:37 GMT"),
    (b"etag", _STRONG, b'"another"'),
    (b"etag", _WEAK, b'W/"another"'),
)
"""Fields whose values may differ from response to response, as long as they have this form: with another
value of it the rules are asked again, and have to say the same."""

_OTHER_TIME = 86_400.0

_TELLING_TIME = (b"age", b"expires", b"last-modified")
"""Fields by which what is decided may depend on the time, or on Date."""


class Heard(Noted):
    """The fields of a response; to add lines to them is no way of looking at them."""

    __slots__ = ()

    def adding(self, *lines: FieldLine) -> Fields:
        return Fields((*self._lines, *lines))


@dataclass(frozen=True, slots=True)
class Opening:
    """Leave to forward every request that is like `request`, while nothing is stored for `looked` and nobody
    shares the way of `collapse`.

    A request is like it where method, target, scheme, authority and all lines of the fields in `asked` (lower
    case) are equal; it is forwarded as it is.
    """

    request: Request
    asked: frozenset[bytes]
    looked: tuple[LookUp, ...]
    collapse: Collapse | None

    def is_open(self, store: Store, flights: Flights) -> bool:
        """Whether that is so at this moment."""
        for effect in self.looked:
            if effect.label is None:
                found = store.at_hand(effect.key)
            else:
                found = store.labelled_at_hand(effect.label, 1)
            if found is None or found:
                return False
        return flights.apart(self.collapse)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a response to a request that was forwarded so: it goes on to the client as it is.

    `added` are lines more in its head, `decision` is what to record, and `content` says whether its content
    goes to the client. Where it's `lasting`, all that holds again for requests that are equal in `asked` and
    for each response with this `status`, exactly the values of `heard`, one line each of the form given in
    `formed`, and the same to say about the time (`timed`; None: that makes no difference).
    """

    asked: frozenset[bytes]
    status: int
    heard: tuple[tuple[bytes, tuple[bytes, ...]], ...]
    added: tuple[FieldLine, ...]
    decision: Decision
    content: bool
    formed: tuple[tuple[bytes, re.Pattern[bytes]], ...] = ()
    timed: Timely | None = None
    lasting: bool = False

    def fits(self, response: Response, times: tuple[float, float], policy: Policy) -> bool:
        """Whether it holds for a response, hop-by-hop fields removed, asked for and had at `times`."""
        if not self.lasting or response.status != self.status:
            return False
        fields = response.fields
        for name, values in self.heard:
            if fields.all(name) != values:
                return False
        for name, form in self.formed:
            if not _has_form(fields, name, form):
                return False
        return self.timed is None or self.timed == timely(response, *times, policy)


def opening(store: Store, request: Request, policy: Policy, now: float) -> Opening | None:
    """The leave to forward `request`, as it would be forwarded, without asking; None where there is none.

    `now` is in seconds since the epoch. There is none where anything is stored, where the rules would do
    anything else, or where the time matters.
    """
    first, second = (_opening(store, request, policy, time) for time in (now, now + _OTHER_TIME))
    return first if first == second else None


def verdict(
    leave: Opening, response: Response, length: int | None, policy: Policy, times: tuple[float, float]
) -> Verdict | None:
    """What becomes of a response, hop-by-hop fields removed; None where it's anything but to pass it on.

    The request was sent under `leave`, and the response had, at `times`, in seconds since the epoch; its
    content has `length` bytes.
    """
    first = _verdict(leave, response, length, policy, times)
    fields = response.fields
    formed = [(name, form, other) for name, form, other in _FORMS if _has_form(fields, name, form)]
    if first is None or not formed or formed[0][0] != b"date":
        return first
    timed = timely(response, *times, policy)
    if timed[0] == 0:  # on the very edge of being fresh
        return first
    timeless = timed[0] is None and not any(name in fields for name in _TELLING_TIME)
    for name, _, other in formed:
        if name != b"date" or timeless:
            fields = fields.setting(name, other)
    other_times = (times[0] + _OTHER_TIME, times[1] + 2 * _OTHER_TIME) if timeless else times
    second = _verdict(leave, replace(response, fields=fields), length, policy, other_times)
    if second is None or (second.added, second.decision) != (first.added, first.decision):
        return first
    names = {name for name, _, _ in formed}
    return replace(
        first,
        heard=tuple((name, values) for name, values in first.heard if name not in names),
        formed=tuple((name, form) for name, form, _ in formed),
        timed=None if timeless else timed,
        lasting=True,
    )


def _has_form(fields: Fields, name: bytes, form: re.Pattern[bytes]) -> bool:
    values = fields.all(name)
    return len(values) == 1 and form.fullmatch(values[0]) is not None


def _opening(store: Store, request: Request, policy: Policy, now: float) -> Opening | None:
    asked = Noted(request.fields)
    looked: list[LookUp] = []
    rules = exchange(replace(request, fields=asked), policy)
    forward = _asked_to_forward(rules, store, looked, now)
    if forward is None or forward.request.fields is not asked or asked.whole:
        return None
    return Opening(request, frozenset(asked.asked), tuple(looked), forward.collapse)


def _asked_to_forward(rules: Exchange, store: Store, looked: list[LookUp], now: float) -> Forward | None:
    try:
        effect = next(rules)
        while isinstance(effect, LookUp):
            looked.append(effect)
            label = effect.label
            found = store.at_hand(effect.key) if label is None else store.labelled_at_hand(label, 1)
            if found is None or found:
                return None
            effect = rules.send(Found((), now))
    except StopIteration:
        return None
    finally:
        rules.close()
    return effect if isinstance(effect, Forward) else None


def _verdict(
    leave: Opening, response: Response, length: int | None, policy: Policy, times: tuple[float, float]
) -> Verdict | None:
    asked, heard = Noted(leave.request.fields), Heard(response.fields)
    sent, had = times
    rules = exchange(replace(leave.request, fields=asked), policy)
    try:
        effect = next(rules)
        while isinstance(effect, LookUp):
            effect = rules.send(Found((), sent))
        if isinstance(effect, Forward):
            rules.send(Arrived(replace(response, fields=heard), sent, had, length))
    except StopIteration as end:
        answer: Answer = end.value
        if not _passed_on(answer, response) or asked.whole or heard.whole:
            return None
        fields = response.fields
        return Verdict(
            frozenset(asked.asked),
            response.status,
            tuple((name, fields.all(name)) for name in sorted(heard.asked)),
            tuple(answer.response.fields)[len(fields) :],
            answer.decision,
            answer.content == (FROM_ORIGIN,),
        )
    finally:
        rules.close()
    return None


def _passed_on(answer: Answer, received: Response) -> bool:
    """Whether the answer is the response itself, with some lines more, and nothing else follows from it."""
    response = answer.response
    return (
        answer.decision.outcome is Outcome.FORWARDED
        and answer.store is None
        and answer.background is None
        and answer.source is None
        and not answer.trailers
        and answer.content in ((FROM_ORIGIN,), ())
        and (response.status, response.reason) == (received.status, received.reason)
        and tuple(response.fields)[: len(received.fields)] == tuple(received.fields)
    )
