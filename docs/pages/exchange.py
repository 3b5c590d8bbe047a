"""docs/exchange.md and the diagram in README.md: the exchange as a table of transitions."""

from __future__ import annotations

from docs.pages import NOTICE
from proxy.caching.exchange import TRANSITIONS, diagram
from proxy.caching.states import State

_INTRODUCTION = """
What happens between a request and its answer is a machine of few states, and the machine is a table:
[`proxy/caching/exchange.py`](../proxy/caching/exchange.py) says which event in which state leads where,
and each state has one step, a small function that does what the state is for and says by an event how it
went. The step asks for whatever it needs of the world (look this up, forward that, store this) by
*yielding* a value; the engine does it and sends back what came of it. So the rules themselves never touch
a socket or a clock, and each path through this diagram can be tested, or run in thought, as `pellucid
explain` does.

The diagram is drawn from the table. Below it stands what each state is for.
"""

WORDS = {
    State.RECEIVED: (
        "A request has come, without the fields that concern the client's connection alone. GET, HEAD "
        "and QUERY can be answered from what is stored (RFC 9110 §9.2.3); every other request is for "
        "the origin server, and so is a GET with content, and whatever was set to pass the cache by."
    ),
    State.LOOKING_UP: (
        "Look for stored responses under the request's own key, which is its target URI (RFC 9111 "
        "§2), and for one among them that `Vary` lets it have and that is fresh enough (§4). If there "
        "is one, that's all."
    ),
    State.LOOKING_WIDER: (
        "Look also for stored responses to other queries that `No-Vary-Search` says mean the same. "
        "Then settle on a plan: use one, have one validated, complete one, or ask for a response as "
        "if there were none."
    ),
    State.FORWARDING: (
        "Send the request to the origin server as the client sent it. Where another request for the "
        "same is under way, wait for the head of that one's response instead, and where it may be used, "
        "read along as it comes in (RFC 9111 §4, collapsed forwarding)."
    ),
    State.VALIDATING: (
        "Send the request with the validators of what is stored, so that the origin server can say in "
        "a few bytes, 304, that it's still good (RFC 9111 §4.3.1)."
    ),
    State.COMPLETING: (
        "Only a part of the representation is stored. Ask for the bytes that it lacks, provided that "
        "they are of the same representation (RFC 9111 §3.3, `If-Range`)."
    ),
    State.FRESHENING: (
        "A 304 has come. Find out which stored responses it speaks of and update their fields (RFC "
        "9111 §4.3.4). If it speaks of none of them, it answers the client's own condition, or "
        "nothing at all."
    ),
    State.UPDATING: (
        "A response to a HEAD has come. It says what a GET would be answered with now: update the stored "
        "response if the two agree, and stop to trust it if they don't (RFC 9111 §4.3.5)."
    ),
    State.INVALIDATING: (
        "A request that may have changed something was answered. What is stored for its target URI is "
        "invalidated, and so is what the response names beside it (RFC 9111 §4.4, RFC 9875)."
    ),
    State.REUSING: (
        "Answer from a stored response: all of it, the ranges that were asked for, or the word that "
        "the client's own copy is good (RFC 9111 §4.3.2). `Age` says how old it is."
    ),
    State.COMBINING: ("Answer with what was stored and what has just come together (RFC 9111 §3.4)."),
    State.PASSING_ON: (
        "Answer with the response that has come, and decide whether to store it on its way (RFC 9111 §3)."
    ),
    State.REFUSING: (
        "The request said `only-if-cached`, and nothing that is stored may answer it: 504 (RFC 9111 "
        "§5.2.1.7)."
    ),
    State.FAILING: (
        "No usable response came, and nothing stored may stand in: 502, 503 or 504; always 504 where "
        "a response is stored that forbids its use when stale (RFC 9111 §5.2.2.2)."
    ),
}
"""What each state but the last is for."""


def page() -> str:
    """The text of the page. Raises LookupError for a state that has no words."""
    return "\n\n".join(["# The exchange", NOTICE, _INTRODUCTION.strip(), drawing(), _states()]) + "\n"


def drawing() -> str:
    """The diagram, as GitHub draws it."""
    return f"```mermaid\n{diagram()}```"


def _states() -> str:
    rows = "\n".join(_row(state) for state in State if state is not State.ANSWERED)
    return f"| state | what it is for | what follows |\n|---|---|---|\n{rows}"


def _row(state: State) -> str:
    if state not in WORDS:
        raise LookupError(f"docs/pages/exchange.py has no words for {state.name}")
    following = [f"{_name(next_)}: {event}" for (here, event), next_ in TRANSITIONS.items() if here is state]
    return f"| **{_name(state)}** | {WORDS[state]} | {'<br>'.join(following)} |"


def _name(state: State) -> str:
    return "the end" if state is State.ANSWERED else state.name.title().replace("_", "")
