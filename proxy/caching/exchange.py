"""The exchange as a table of transitions that composes all the other rules.

`exchange` is a generator: it yields effects for the engine to perform and returns the `Answer`. Each state
has one step, a small generator that does what the state is there for and says by an event how it went; the
table says where that leads.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from types import MappingProxyType

from proxy.caching import asking, ending, hearing
from proxy.caching.effects import Answer, Effect, Result
from proxy.caching.policy import Policy
from proxy.caching.progress import Progress
from proxy.caching.reuse import Course, Plan
from proxy.caching.states import Event, State, Step
from proxy.caching.stored import StoredResponse
from proxy.caching.validation import conditional, unconditional
from proxy.message.request import Request

TRANSITIONS: Mapping[tuple[State, Event], State] = MappingProxyType(
    {
        (State.RECEIVED, Event.RETRIEVAL): State.LOOKING_UP,
        (State.RECEIVED, Event.WRITE_THROUGH): State.FORWARDING,
        (State.LOOKING_UP, Event.REUSABLE): State.REUSING,
        (State.LOOKING_UP, Event.NOT_REUSABLE): State.LOOKING_WIDER,
        (State.LOOKING_WIDER, Event.REUSABLE): State.REUSING,
        (State.LOOKING_WIDER, Event.VALIDATE): State.VALIDATING,
        (State.LOOKING_WIDER, Event.COMPLETE): State.COMPLETING,
        (State.LOOKING_WIDER, Event.FORWARD): State.FORWARDING,
        (State.LOOKING_WIDER, Event.REFUSE): State.REFUSING,
        (State.FORWARDING, Event.RESPONSE): State.PASSING_ON,
        (State.FORWARDING, Event.NOT_MODIFIED): State.FRESHENING,
        (State.FORWARDING, Event.HEAD_RESPONSE): State.UPDATING,
        (State.FORWARDING, Event.UNSAFE_RESPONSE): State.INVALIDATING,
        (State.FORWARDING, Event.STALE_PERMITTED): State.REUSING,
        (State.FORWARDING, Event.NO_RESPONSE): State.FAILING,
        (State.FORWARDING, Event.COLLAPSED): State.LOOKING_WIDER,
        (State.VALIDATING, Event.NOT_MODIFIED): State.FRESHENING,
        (State.VALIDATING, Event.RESPONSE): State.PASSING_ON,
        (State.VALIDATING, Event.NOT_UNDERSTOOD): State.FORWARDING,
        (State.VALIDATING, Event.STALE_PERMITTED): State.REUSING,
        (State.VALIDATING, Event.NO_RESPONSE): State.FAILING,
        (State.VALIDATING, Event.COLLAPSED): State.LOOKING_WIDER,
        (State.COMPLETING, Event.PART): State.COMBINING,
        (State.COMPLETING, Event.RESPONSE): State.PASSING_ON,
        (State.COMPLETING, Event.NOT_UNDERSTOOD): State.FORWARDING,
        (State.COMPLETING, Event.NO_RESPONSE): State.FAILING,
        (State.FRESHENING, Event.FRESHENED): State.REUSING,
        (State.FRESHENING, Event.FOR_CLIENT): State.PASSING_ON,
        (State.FRESHENING, Event.NOT_UNDERSTOOD): State.FORWARDING,
        (State.UPDATING, Event.DONE): State.PASSING_ON,
        (State.INVALIDATING, Event.DONE): State.PASSING_ON,
        (State.REUSING, Event.DONE): State.ANSWERED,
        (State.COMBINING, Event.DONE): State.ANSWERED,
        (State.PASSING_ON, Event.DONE): State.ANSWERED,
        (State.REFUSING, Event.DONE): State.ANSWERED,
        (State.FAILING, Event.DONE): State.ANSWERED,
    }
)

STEPS: Mapping[State, Step] = MappingProxyType(
    {
        State.RECEIVED: asking.received,
        State.LOOKING_UP: asking.looking_up,
        State.LOOKING_WIDER: asking.looking_wider,
        State.FORWARDING: asking.forwarding,
        State.VALIDATING: asking.validating,
        State.COMPLETING: asking.completing,
        State.FRESHENING: hearing.freshening,
        State.UPDATING: hearing.updating,
        State.INVALIDATING: hearing.invalidating,
        State.REUSING: ending.reusing,
        State.COMBINING: ending.combining,
        State.PASSING_ON: ending.passing_on,
        State.REFUSING: ending.refusing,
        State.FAILING: ending.failing,
    }
)

Exchange = Generator[Effect, Result, Answer]


def exchange(request: Request, policy: Policy, *, bypass: bool = False) -> Exchange:
    """The rules of one exchange, for a request with its hop-by-hop fields removed.

    A QUERY has to have its `content_digest`. With `bypass` the request is forwarded as if there were no
    cache, but what it changes is still invalidated.
    """
    return _run(Progress(request, policy, cached=not bypass), State.RECEIVED)


def revalidation(request: Request, selected: StoredResponse, policy: Policy) -> Exchange:
    """The rules of a validation that no client waits for (RFC 5861 §3): `Validate` says of what.

    The answer's `store` tells what to keep of the response that may arrive; the rest of it goes nowhere.
    """
    progress = Progress(unconditional(request), policy, alone=True, forward="stale", stored=[selected])
    asking_for = conditional(progress.request, progress.stored, chosen=True)
    course = Course.FORWARD if asking_for is None else Course.VALIDATE
    progress.plan = Plan(course, (), "stale", selected, (selected,), conditional=asking_for)
    return _run(progress, State.FORWARDING if asking_for is None else State.VALIDATING)


def _run(progress: Progress, state: State) -> Exchange:
    while state is not State.ANSWERED:
        state = TRANSITIONS[state, (yield from STEPS[state](progress))]
    if progress.answer is None:
        raise LookupError("the exchange ended without an answer")
    return progress.answer


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.RECEIVED.name.title()}"]
    for (state, event), following in TRANSITIONS.items():
        lines.append(f"    {_shown(state)} --> {_shown(following)}: {event}")
    return "\n".join([*lines, ""])


def _shown(state: State) -> str:
    return "[*]" if state is State.ANSWERED else state.name.title().replace("_", "")
