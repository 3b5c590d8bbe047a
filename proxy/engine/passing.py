"""What may pass without asking the rules anew: a request to the origin, and a response to the client.

As a licence holds for what is stored, this holds for what is not: the rules of one exchange are run again on
what it was about, and what they look at is noted. Another exchange that is equal in that ends the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from proxy.caching.decision import Decision, Outcome
from proxy.caching.effects import FROM_ORIGIN, Answer, Arrived, Collapse, Forward, Found, LookUp
from proxy.caching.exchange import Exchange, exchange
from proxy.caching.key import cache_key
from proxy.caching.no_vary_search import rules_label
from proxy.caching.policy import Policy
from proxy.caching.timely import Timely, Timing, timely
from proxy.engine.collapse import Flights
from proxy.engine.noting import Noted
from proxy.message.dates import format_date, parse_date
from proxy.message.fields import FieldLine, Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.storage.contract import Store

_DATES = (b"date", b"expires", b"last-modified")
_DATE = re.compile(rb"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")
_TAG = re.compile(rb'(W/)?"[\x21\x23-\x7e]*"')
_TAGS = {b"etag": b'"another"', b"etag, weak": b'W/"another"'}
"""What a usual entity tag counts as, strong and weak, with one like any other."""

_DAY = 86_400.0
_OTHER_DATE = b"Sun, 06 Nov 1994 08:49:37 GMT"
_OTHER_TARGET = b"/~another/target?of=nobody"

_COOKIE = b"set-cookie"

_TELLING_TIME = (b"age", b"expires", b"last-modified")
"""Fields by which what is decided may depend on the time, or on Date."""

Sign = tuple[bytes, float | None]


def sign(name: bytes, value: bytes) -> Sign:
    """What a response's field line (its name in lower case) is for verdicts, and the time that it names.

    A usual date and a usual entity tag count as one like any other, and so does a cookie; of all else each
    byte counts. Times are in seconds since the epoch.
    """
    if name == _COOKIE:
        return name, None
    if name in _DATES and _DATE.fullmatch(value) is not None:
        at = parse_date(value, 0.0)
        if at is not None:
            return name, at
    if name == b"etag" and (match := _TAG.fullmatch(value)) is not None:
        return (b"etag" if match[1] is None else b"etag, weak"), None
    return b"%b:%b" % (name, value), None


class Heard(Noted):
    """The fields of a response; to add lines to them is no way of looking at them.

    `read` are the names whose values were looked at, and not only whether they are there.
    """

    __slots__ = ("read",)

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.read: set[bytes] = set()

    def all(self, name: bytes) -> tuple[bytes, ...]:
        self.read.add(name)
        return super().all(name)

    def get(self, name: bytes) -> bytes | None:
        self.read.add(name)
        return super().get(name)

    def adding(self, *lines: FieldLine) -> Fields:
        return Fields((*self._lines, *lines))


@dataclass(frozen=True, slots=True)
class Opening:
    """Leave to forward every request that is like `request`, while nothing is stored for `looked` and nobody
    shares the way of `collapse`.

    A request is like it where method, target, scheme, authority and all lines of the fields in `asked` (lower
    case) are equal; it is forwarded as it is. `anywhere` says that `likened` gives what there is for a
    request that differs in the target alone.
    """

    request: Request
    asked: frozenset[bytes]
    looked: tuple[LookUp, ...]
    collapse: Collapse | None
    anywhere: bool = field(default=False, compare=False)

    def likened(self, target: bytes) -> Opening:
        """The same for another target, in origin-form: only what is looked up differs."""
        request = replace(self.request, target=target)
        key, shared = cache_key(request), self.collapse
        looked = (LookUp(key), LookUp(key, rules_label(request)))
        if shared is not None:
            shared = Collapse(key, shared.among, shared.leads, shared.follows, shared.vain)
        return Opening(request, self.asked, looked, shared, self.anywhere)

    def bare(self, names: frozenset[bytes]) -> Opening:
        """The same with no fields but those called any of `names`; all in `asked` have to be among them."""
        lines = [line for line in self.request.fields if line[0].lower() in names]
        return replace(self, request=replace(self.request, fields=Fields(lines)))

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
    goes to the client. Where it's `lasting`, all that holds again for requests that are equal in `asked`, and
    for each response with this `status`, the same `sign` of each line of the fields in `heard`, in their
    order, and the same to say about the time (`timed`, by `timing`; None: that makes no difference). It holds
    `anywhere` where it does so whatever the target is.
    """

    asked: frozenset[bytes]
    status: int
    heard: frozenset[bytes]
    added: tuple[FieldLine, ...]
    decision: Decision
    content: bool
    timing: Timing | None = None
    timed: Timely | None = None
    lasting: bool = False
    anywhere: bool = False

    def timed_like(self, named: Mapping[bytes, float], times: tuple[float, float]) -> bool:
        """Whether there is the same to say about the time of a response whose fields name these times.

        It was asked for and had at `times`, all in seconds since the epoch.
        """
        return self.timing is None or self.timing.at(named, *times) == self.timed


def opening(store: Store, request: Request, policy: Policy, now: float) -> Opening | None:
    """The leave to forward `request`, as it would be forwarded, without asking; None where there is none.

    `now` is in seconds since the epoch. There is none where anything is stored, where the rules would do
    anything else, or where the time matters.
    """
    first, second = (_opening(store, request, policy, time) for time in (now, now + _DAY))
    if first is None or first != second:
        return None
    other = _opening(store, replace(request, target=_OTHER_TARGET), policy, now)
    return replace(first, anywhere=other is not None and first.likened(_OTHER_TARGET) == other)


def verdict(
    leave: Opening, response: Response, length: int | None, policy: Policy, times: tuple[float, float]
) -> Verdict | None:
    """What becomes of a response, hop-by-hop fields removed; None where it's anything but to pass it on.

    The request was sent under `leave`, and the response had, at `times`, in seconds since the epoch; its
    content has `length` bytes. It lasts where the rules say the same of responses like it.
    """
    first = _verdict(leave, response, length, policy, times)
    named = _named(response.fields)
    if first is None or named is None or b"date" not in named:
        return first
    said = timely(response, *times, policy)
    timing = Timing(response, times[1], policy)
    if said[0] == 0 or not timing.needs <= named.keys() or timing.at(named, *times) != said:
        return first  # 0: it is on the very edge of being fresh
    timeless = said[0] is None and not any(name in response.fields for name in _TELLING_TIME)
    try:
        others = list(_others(response, named, timeless=timeless))
    except ValueError:  # at an end of all time
        return first
    for other, moved in others:
        then = times[0] + moved, times[1] + (2 * moved if timeless else moved)
        if not timeless and timely(other, *then, policy) != said:
            if moved:
                return first
            continue  # that is what the time has to do with it
        if not _says_the_same(first, _verdict(leave, other, length, policy, then)):
            return first
    elsewhere = leave.likened(_OTHER_TARGET)
    anywhere = leave.anywhere and _says_the_same(first, _verdict(elsewhere, response, length, policy, times))
    lasting = replace(first, lasting=True, anywhere=anywhere)
    return lasting if timeless else replace(lasting, timing=timing, timed=said)


def _named(fields: Fields) -> dict[bytes, float] | None:
    """The times that the fields name; None where a field counts as one like any other and is there twice."""
    found: dict[bytes, float] = {}
    for name in (*_DATES, b"etag"):
        values = fields.all(name)
        signs = [sign(name, value) for value in values]
        if len(values) > 1 and any(is_usual(one) for one in signs):
            return None
        for _, at in signs:
            if at is not None:
                found[name] = at
    return found


def is_usual(found: Sign) -> bool:
    """Whether a line with this sign counts as one like any other."""
    return found[1] is not None or found[0] in _TAGS


def _others(
    response: Response, named: Mapping[bytes, float], *, timeless: bool
) -> Iterator[tuple[Response, float]]:
    """Responses of which the same has to be said, or nothing lasts, and how many seconds later they come."""
    fields = response.fields
    other_tag = _TAGS.get(sign(b"etag", fields.get(b"etag") or b"")[0])
    if other_tag is not None:
        fields = fields.setting(b"etag", other_tag)
    if timeless:
        yield replace(response, fields=fields.setting(b"date", _OTHER_DATE)), _DAY
        return
    for name, at in named.items():
        if name != b"date":
            yield replace(response, fields=fields.setting(name, format_date(at - _DAY))), 0.0
            yield replace(response, fields=fields.setting(name, format_date(at + _DAY))), 0.0
    for name, at in named.items():
        fields = fields.setting(name, format_date(at + _DAY))
    yield replace(response, fields=fields), _DAY


def _says_the_same(first: Verdict, second: Verdict | None) -> bool:
    return second is not None and (second.added, second.decision, second.content) == (
        first.added,
        first.decision,
        first.content,
    )


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
        if not _passed_on(answer, response) or asked.whole or heard.whole or _COOKIE in heard.read:
            return None
        fields = response.fields
        return Verdict(
            frozenset(asked.asked),
            response.status,
            frozenset(heard.asked),
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
