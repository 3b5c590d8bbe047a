"""Everything that follows from one response, and how two such outlooks differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from proxy.caching.decision import Because
from proxy.caching.policy import Policy
from proxy.caching.reuse import NOTHING_STORED
from proxy.caching.storing import Storing, decide_storing
from proxy.caching.vary import nominated
from proxy.commands.explaining.origins import Had
from proxy.commands.explaining.private import Alone, alone
from proxy.commands.explaining.rehearsal import Rehearsed
from proxy.commands.explaining.situations import Situation, first, situations
from proxy.commands.explaining.words import alone_brief, brief, lifetime_brief


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that a change makes different, before and after it in a few words."""

    about: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a shared cache does with a response and with the next requests, and what a private one does.

    `storing` is what the storing rule says of the response, `first` the exchange that brought it.
    """

    had: Had
    storing: Storing
    first: Rehearsed
    situations: tuple[Situation, ...]
    alone: Alone

    @property
    def stored(self) -> bool:
        """Whether a shared cache has the response afterwards."""
        return bool(self.first.shelf)

    @property
    def again(self) -> Situation:
        """The same request at once."""
        return self.situations[0]

    @property
    def reasons(self) -> tuple[Because, ...]:
        """Why the response is stored or not, the main reason first."""
        told = self.first.answer.decision.reasons
        return tuple(because for because in told if because.reason is not NOTHING_STORED)

    @property
    def shares_cookie(self) -> bool:
        """Whether what is stored, and so goes to everyone, sets a cookie."""
        return any(b"set-cookie" in one.stored.response.fields for one in self.first.shelf)

    def named(self, name: str) -> Situation | None:
        """The first situation of that name."""
        return next((one for one in self.situations if one.name == name), None)


def outlook(had: Had, policy: Policy, before: Outlook | None = None) -> Outlook:
    """What follows from the exchange that was had; also in the situations that there were `before`."""
    also = () if before is None else nominated(before.had.response.fields) or ()
    storing = decide_storing(
        had.request,
        had.response,
        request_time=had.arrived.request_time,
        response_time=had.time,
        policy=policy,
    )
    rehearsed = first(had, policy)
    following = situations(had, rehearsed.shelf, policy, also)
    return Outlook(had, storing, rehearsed, following, alone(had, policy))


def effects(before: Outlook, after: Outlook) -> tuple[Effect, ...]:
    """What is different in `after`, in an order from what matters most; empty where nothing is."""
    return tuple(effect for effect in _compared(before, after) if effect.before != effect.after)


def _compared(before: Outlook, after: Outlook) -> Iterator[Effect]:
    stored = {True: "stored", False: "not stored"}
    yield Effect("the response", stored[before.stored], stored[after.stored])
    if after.stored:
        yield Effect("its freshness lifetime", lifetime_brief(before.storing), lifetime_brief(after.storing))
    names = dict.fromkeys(one.name for one in (*after.situations, *before.situations))
    for name in names:
        old, new = before.named(name), after.named(name)
        if name == "later":
            old, new = old or before.again, new or after.again
        if old is not None and new is not None:
            yield Effect(new.about, brief(old), brief(new))
    cookie = {True: "goes to everyone", False: "goes to nobody else"}
    yield Effect("the cookie that it sets", cookie[before.shares_cookie], cookie[after.shares_cookie])
    yield Effect("a browser's own cache", alone_brief(before.alone), alone_brief(after.alone))
