"""What would make a response more cacheable: changes whose effect the rules themselves have shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from proxy.caching.decision import Outcome, Reason
from proxy.caching.excepted import NEEDED_FIELD_LISTED
from proxy.caching.policy import Policy
from proxy.caching.storing import (
    AUTHORIZATION,
    COOKIE_UNSHARED,
    NO_STORE,
    NOT_CACHEABLE,
    PRIVATE,
    REQUEST_NO_STORE,
    SET_COOKIE,
    UNUSABLE,
    VARY_STAR,
)
from proxy.caching.vary import nominated
from proxy.commands.explaining import changes
from proxy.commands.explaining.changes import Change
from proxy.commands.explaining.origins import Had
from proxy.commands.explaining.outlook import Effect, Outlook, effects, outlook
from proxy.commands.explaining.steps import Step, steps

_CURES: Mapping[Reason, Change] = MappingProxyType(
    {
        NO_STORE: changes.REUSABLE,
        REQUEST_NO_STORE: changes.NO_REQUEST_NO_STORE,
        PRIVATE: changes.SHARED,
        AUTHORIZATION: changes.PUBLIC,
        NOT_CACHEABLE: changes.REUSABLE,
        NEEDED_FIELD_LISTED: changes.NO_LISTING,
        VARY_STAR: changes.NAMED_VARY,
        SET_COOKIE: changes.NO_COOKIE,
        COOKIE_UNSHARED: changes.REUSABLE,
        UNUSABLE: changes.REUSABLE,
    }
)
"""What can be done about each reason for which a response isn't stored. About all others, nothing can."""

_WIDE = (b"cookie", b"authorization", b"user-agent", b"referer")
"""Request fields whose values are so many that a response is hardly ever used again."""

_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something to change, and what the rules then decide.

    `provided` are the conditions under which it is right. With `also` it is meant to come on top of the first
    suggestion, and its effects are those that it adds.
    """

    name: str
    steps: tuple[Step, ...]
    provided: tuple[str, ...]
    also: bool
    then: Outlook
    effects: tuple[Effect, ...]


def suggestions(now: Outlook, policy: Policy) -> tuple[Suggestion, ...]:
    """What would let caches do more with a response than `now`; each has an effect."""
    cure = None if now.stored else _cure(now, policy)
    found: list[Suggestion] = []
    if cure is not None:
        found.append(cure)
        if (own := _tried(changes.OWN, now, policy)) is not None and _for_browser(own):
            found.append(own)
    base = now if cure is None else cure.then
    if not base.stored:
        return tuple(found)
    for change in _improvements(base):
        tried = _tried(change, base, policy, also=cure is not None)
        if tried is not None:
            found.append(tried)
    return tuple(found)


def _cure(now: Outlook, policy: Policy) -> Suggestion | None:
    """What has to be done for the response to be stored at all; None where nothing can."""
    then = now
    provided: dict[str, None] = {}
    for _ in range(_ROUNDS):
        cures = _cures(then)
        if not cures:
            break
        had: Had = then.had
        for change in cures:
            if change is None:
                return None
            had = change.apply(had, policy)
            provided |= dict.fromkeys([change.provided] if change.provided else [])
        then = outlook(had, policy, now)
    if not then.stored:
        return None
    return Suggestion("store", steps(now.had, then.had), tuple(provided), False, then, effects(now, then))


def _cures(then: Outlook) -> list[Change | None]:
    """What is still to be done; None for what can't be. No cookie is to go to everyone."""
    if then.storing.allowed:
        return [changes.NO_COOKIE] if then.shares_cookie else []
    forbidding = [one for one in then.storing.reasons if one not in then.storing.effective.reasons]
    return [_CURES.get(because.reason) for because in forbidding]


def _tried(change: Change, before: Outlook, policy: Policy, *, also: bool = False) -> Suggestion | None:
    """What a change does, None where that's nothing."""
    had = change.apply(before.had, policy)
    then = outlook(had, policy, before)
    different = effects(before, then)
    if not different:
        return None
    provided = (change.provided,) if change.provided else ()
    return Suggestion(change.name, steps(before.had, had), provided, also, then, different)


def _for_browser(own: Suggestion) -> bool:
    return any(effect.about == "a browser's own cache" for effect in own.effects)


def _improvements(base: Outlook) -> Iterator[Change]:
    """What may be worth trying on a response that is stored."""
    if base.again.decision.outcome is not Outcome.HIT or base.storing.lifetime.heuristic:
        yield changes.REUSABLE
    if base.shares_cookie:
        yield changes.NO_COOKIE
    for name in nominated(base.had.response.fields) or ():
        if name in _WIDE:
            yield changes.narrowed(name)
    later = base.named("later") or base.again
    if later.decision.outcome is Outcome.FORWARDED:
        yield changes.TAGGED
    comes_first = base.named("authorization-first")
    if comes_first is not None and not comes_first.stored:
        yield changes.PUBLIC
    unreachable = base.named("unreachable")
    if unreachable is not None and unreachable.decision.outcome is Outcome.FAILED:
        yield changes.STALE_ALLOWED
    said = base.storing.effective.directives
    if base.storing.lifetime.seconds >= changes.DAY:
        return  # what lasts that long is stale too seldom to matter
    if b"stale-while-revalidate" not in said:
        yield changes.WHILE_REVALIDATING
    if b"stale-if-error" not in said:
        yield changes.IF_ERROR
