"""What this cache would do with the next requests: each is an exchange run by the rules themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from proxy.caching import stale
from proxy.caching.age import current_age
from proxy.caching.decision import Because, Decision, Outcome
from proxy.caching.effects import Arrived, Unreached
from proxy.caching.freshness import lifetime_of
from proxy.caching.policy import Policy
from proxy.caching.reuse import wishes_of
from proxy.caching.stale import Why, may_serve_stale
from proxy.caching.storing import AUTHORIZATION_SHARED
from proxy.caching.targeted import effective_directives
from proxy.caching.vary import nominated
from proxy.commands.explaining import origins
from proxy.commands.explaining.durations import duration
from proxy.commands.explaining.origins import Had
from proxy.commands.explaining.private import STEP
from proxy.commands.explaining.rehearsal import Origin, Rehearsed, Shelf, rehearse
from proxy.message.fields import FieldLine, Fields
from proxy.message.request import Request

COOKIE: FieldLine = (b"Cookie", b"session=another")
AUTHORIZATION: FieldLine = (b"Authorization", b"Bearer another")

_SHARED = frozenset((AUTHORIZATION_SHARED,))
_AGAINST_STALE = frozenset(
    (
        stale.NO_CACHE_WHEN_STALE,
        stale.MUST_REVALIDATE,
        stale.PROXY_REVALIDATE,
        stale.S_MAXAGE_WHEN_STALE,
        stale.REQUEST_REFUSES_STALE,
        stale.PAST_STALE_IF_ERROR,
        stale.NO_STALE_IF_ERROR,
        stale.PAST_STALE_LIMIT,
    )
)
_CREDENTIALS = (b"cookie", b"authorization")
_MOST_STEPS = 6


@dataclass(frozen=True, slots=True)
class Situation:
    """One request that may come, and how its exchange would end.

    `after` is how many seconds after the response was had it comes. `lasts` is for how many seconds such
    requests are answered alike, None where time alone changes nothing; of a response that is served stale as
    the origin fails, it counts from the end of its freshness lifetime.
    """

    name: str
    about: str
    rehearsed: Rehearsed
    after: float = 0.0
    lasts: float | None = None

    @property
    def decision(self) -> Decision:
        return self.rehearsed.answer.decision

    @property
    def status(self) -> int:
        """What the client gets."""
        return self.rehearsed.answer.response.status

    @property
    def because(self) -> Because | None:
        """The reason that tells most: why a stale response can't stand in, or why a response is shared."""
        reasons = self.decision.reasons
        failing = self.decision.outcome is Outcome.FAILED or self.name == "error"
        looked_for = _AGAINST_STALE if failing else _SHARED
        telling = (one for one in reasons if one.reason in looked_for)
        return next(telling, reasons[0] if reasons else None)

    @property
    def stored(self) -> bool:
        """Whether the response that came is stored."""
        return bool(self.decision.stored)


def first(had: Had, policy: Policy) -> Rehearsed:
    """The exchange that was had, as a cache would have it that has nothing stored."""
    return rehearse(had.request, (), had.time, _answering(had), policy, had.content)


def situations(had: Had, shelf: Shelf, policy: Policy, also: Iterable[bytes] = ()) -> tuple[Situation, ...]:
    """What follows on an exchange after which `shelf` is what is stored.

    `also` names request fields, in lower case, that are of interest beside those that Vary nominates.
    """
    again = list(_again(had, shelf, policy))
    moment = again[-1].after
    return (
        *again,
        _without_origin(had, shelf, policy, moment),
        _with_error(had, shelf, policy, moment),
        *_others(had, shelf, policy, also),
    )


def _run(had: Had, shelf: Shelf, policy: Policy, after: float, origin: Origin, request: Request) -> Rehearsed:
    return rehearse(request, shelf, had.time + after, origin, policy, had.content)


def _answering(had: Had) -> Origin:
    def answer(request: Request, _: float) -> Arrived:
        return had.arrived

    return answer


def _unchanged(had: Had) -> Origin:
    def answer(request: Request, now: float) -> Arrived:
        return origins.unchanged(had, request, now)

    return answer


def _again(had: Had, shelf: Shelf, policy: Policy) -> Iterator[Situation]:
    """The same request at once, and at each later moment at which the answer is another."""
    after = 0.0
    name, about = "again", "the same request at once"
    for _ in range(_MOST_STEPS):
        rehearsed = _run(had, shelf, policy, after, _unchanged(had), had.request)
        decision = rehearsed.answer.decision
        lasts = None if decision.until is None else decision.until - had.time - after
        if lasts is not None and lasts <= 0:  # just at a turning point
            after += STEP
            continue
        yield Situation(name, about, rehearsed, after, lasts)
        if lasts is None:
            return
        after += lasts + STEP
        name, about = "later", f"the same request after {duration(after)}"


def _without_origin(had: Had, shelf: Shelf, policy: Policy, after: float) -> Situation:
    def answer(_: Request, now: float) -> Unreached:
        return origins.unreachable(now)

    rehearsed = _run(had, shelf, policy, after, answer, had.request)
    lasts = _stale_for(had, shelf, policy, after, Why.UNREACHED, rehearsed)
    return Situation("unreachable", "the origin unreachable then", rehearsed, after, lasts)


def _with_error(had: Had, shelf: Shelf, policy: Policy, after: float) -> Situation:
    def answer(_: Request, now: float) -> Arrived:
        return origins.in_trouble(now)

    rehearsed = _run(had, shelf, policy, after, answer, had.request)
    lasts = _stale_for(had, shelf, policy, after, Why.ERROR, rehearsed)
    return Situation("error", f"the origin answering {origins.ERROR} then", rehearsed, after, lasts)


def _stale_for(
    had: Had, shelf: Shelf, policy: Policy, after: float, why: Why, rehearsed: Rehearsed
) -> float | None:
    """For how many seconds past its freshness lifetime the stale response may stand in."""
    if rehearsed.answer.decision.outcome is not Outcome.STALE:
        return None
    stored = shelf[0].stored
    effective = effective_directives(stored.response.fields, policy)
    lifetime = lifetime_of(stored, effective, policy)
    staleness = current_age(stored, had.time + after) - lifetime.seconds
    verdict = may_serve_stale(stored, effective, wishes_of(had.request)[0], staleness, why, policy)
    return verdict.until


def _others(had: Had, shelf: Shelf, policy: Policy, also: Iterable[bytes]) -> Iterator[Situation]:
    """Requests of other users, and such as differ in a field that Vary nominates."""

    def situation(name: str, about: str, fields: Fields, held: Shelf = shelf) -> Situation:
        request = replace(had.request, fields=fields)
        return Situation(name, about, _run(had, held, policy, 0.0, _unchanged(had), request))

    own = had.request.fields
    theirs = own.without(*_CREDENTIALS)
    if theirs is not own:
        yield situation("anonymous", "a request without credentials", theirs)
    yield situation("cookie", "another user's with a Cookie", theirs.adding(COOKIE))
    authenticated = theirs.adding(AUTHORIZATION)
    yield situation("authorization", "another user's with Authorization", authenticated)
    if b"authorization" not in own:
        yield situation("authorization-first", "a first request with Authorization", authenticated, ())
    for name in dict.fromkeys((*(nominated(had.response.fields) or ()), *also)):
        if name not in _CREDENTIALS:
            shown = name.decode("ascii").title()
            yield situation(f"vary:{name.decode()}", f"one with another {shown}", _other(own, name))


def _other(fields: Fields, name: bytes) -> Fields:
    return fields.without(name).adding((name.title(), b"another"))
