"""The states of an exchange and the events between them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import StrEnum, auto

from proxy.caching.effects import Effect, Result
from proxy.caching.progress import Progress


class State(StrEnum):
    """Where an exchange stands; each state but the last has one step."""

    RECEIVED = auto()
    LOOKING_UP = auto()
    LOOKING_WIDER = auto()
    FORWARDING = auto()
    VALIDATING = auto()
    COMPLETING = auto()
    FRESHENING = auto()
    UPDATING = auto()
    INVALIDATING = auto()
    REUSING = auto()
    COMBINING = auto()
    PASSING_ON = auto()
    REFUSING = auto()
    FAILING = auto()
    ANSWERED = auto()


class Event(StrEnum):
    """How a step went."""

    RETRIEVAL = "a request that the cache may answer"
    WRITE_THROUGH = "any other request"
    REUSABLE = "a stored response may be used"
    NOT_REUSABLE = "none may be used as it is"
    VALIDATE = "one has to be validated"
    COMPLETE = "a partial one lacks something"
    FORWARD = "none is of any help"
    REFUSE = "only-if-cached"
    RESPONSE = "a response"
    NOT_MODIFIED = "304"
    HEAD_RESPONSE = "200, 404 or 410 to HEAD"
    UNSAFE_RESPONSE = "a response to an unsafe method"
    PART = "the part that was missing"
    NOT_UNDERSTOOD = "an answer to something else"
    STALE_PERMITTED = "an error, but a stale response may be used"
    NO_RESPONSE = "no response"
    COLLAPSED = "another exchange brought a response"
    FRESHENED = "a stored response is good"
    FOR_CLIENT = "the client's own copy is good"
    DONE = "done"


Step = Callable[[Progress], Generator[Effect, Result, Event]]
"""What a state does; the event that it returns says how it went."""


def at_once(decide: Callable[[Progress], Event]) -> Step:
    """The step that asks for nothing, but does what `decide` does."""

    def step(p: Progress) -> Generator[Effect, Result, Event]:
        yield from ()
        return decide(p)

    return step
