"""What the rules found, in plain words: short ones for a table, sentences for a reader."""

from __future__ import annotations

from proxy.caching.decision import Outcome
from proxy.caching.reuse import Course
from proxy.caching.storing import Storing
from proxy.commands.explaining.durations import duration
from proxy.commands.explaining.private import Alone
from proxy.commands.explaining.situations import Situation
from proxy.message.conditions import CONDITIONAL

_VARIANTS = {
    b"accept": "one for each preference of media types: few from programs, many from browsers",
    b"accept-encoding": "one for each set of codings that clients can decode: a handful",
    b"accept-language": "one for each preference of languages: browsers send many different ones",
    b"authorization": "one for each set of credentials, so in effect one for each user",
    b"cookie": "one for each combination of cookies, so in effect one for each user",
    b"origin": "one for each web site whose pages ask (CORS)",
    b"referer": "one for each page that links here: hardly ever is one used again",
    b"user-agent": "one for each version of each program: hardly ever is one used again",
}


def variants(name: bytes) -> str:
    """How many responses there come to be where Vary nominates the request field `name` (lower case)."""
    return _VARIANTS.get(name, "one for each value of that field")


def lifetime_brief(storing: Storing) -> str:
    """The freshness lifetime, and which rule gave it."""
    lifetime = storing.lifetime
    if not lifetime.explicit and not lifetime.heuristic:
        return "none"
    return f"{duration(lifetime.seconds)}, {'estimated' if lifetime.heuristic else 'stated'}"


def brief(situation: Situation) -> str:
    """How a situation ends, in a few words."""
    decision = situation.decision
    lasting = "" if situation.lasts is None else f" for {duration(situation.lasts)}"
    match decision.outcome:
        case Outcome.HIT:
            return f"hit{lasting}"
        case Outcome.STALE:
            return f"stale{lasting}"
        case Outcome.VALIDATED:
            return "validated"
        case Outcome.FORWARDED:
            kept = ", stored" if situation.stored else ", not stored" if decision.stored is False else ""
            return f"forwarded, {situation.status}" if situation.name == "error" else f"forwarded{kept}"
        case _:
            return f"{decision.outcome}, {situation.status}"


def sentence(situation: Situation) -> str:
    """How a situation ends, for a reader."""
    decision = situation.decision
    match decision.outcome:
        case Outcome.HIT if situation.status == 304:
            return "Answered from the cache that the client's own copy is good; the origin isn't asked."
        case Outcome.HIT:
            return "Answered from the cache; the origin isn't asked."
        case Outcome.STALE if situation.rehearsed.answer.background is not None:
            return "Answered from the cache at once, though stale; then validated in the background."
        case Outcome.STALE:
            return "Answered from the cache, though stale."
        case Outcome.VALIDATED:
            return f"The origin is asked{_conditions(situation)}; unless it has changed, the cache answers."
        case Outcome.REFUSED:
            return f"The client gets {situation.status}: the request itself forbids to ask the origin."
        case Outcome.FAILED:
            return f"The client gets {situation.status}."
        case _:
            return _forwarded(situation)


def _forwarded(situation: Situation) -> str:
    if situation.name == "error":
        return f"The client gets the {situation.status}."
    stored = situation.decision.stored
    kept = "" if stored is None else " and its response stored" if stored else "; its response is not stored"
    return f"Forwarded to the origin{_conditions(situation)}{kept}."


def _conditions(situation: Situation) -> str:
    """Which conditions the forwarded request carries, that the client's did not."""
    sent = situation.rehearsed.sent
    names = [name.decode().title() for name in CONDITIONAL if sent and name in sent[-1].fields]
    return f" with {' and '.join(names)}" if names else ""


def alone_brief(alone: Alone) -> str:
    """What a private cache does, in a few words."""
    if not alone.storing.allowed:
        return "not stored"
    if alone.again is None:
        return "stored"
    match alone.again.course:
        case Course.REUSE | Course.REUSE_STALE:
            return "reused" if alone.lasts is None else f"reused for {duration(alone.lasts)}"
        case Course.VALIDATE:
            return "stored, validated each time"
        case _:
            return "stored, but not reused"


def alone_sentence(alone: Alone) -> str:
    """What a private cache does, for a reader."""
    if not alone.storing.allowed:
        return "It doesn't store the response, and asks for it anew each time."
    if alone.again is None:
        return "It may store the response."
    match alone.again.course:
        case Course.REUSE | Course.REUSE_STALE as course:
            lasting = "" if alone.lasts is None else f" for {duration(alone.lasts)}"
            first = ", asking afterwards" if course is Course.REUSE_STALE else " without asking"
            return f"It stores the response and uses it again{lasting}{first}{_then(alone)}."
        case Course.VALIDATE:
            return "It stores the response, and asks whether it has changed before each use."
        case _:
            return "It may store the response, but asks for it anew each time."


def _then(alone: Alone) -> str:
    match alone.later and alone.later.course:
        case Course.REUSE_STALE:
            return "; then it uses it stale for a while, and asks afterwards"
        case Course.VALIDATE:
            return "; then it asks whether it has changed"
        case Course.FORWARD:
            return "; then it asks for it anew"
        case _:
            return ""


def verdict(stored: bool, again: Situation) -> str:
    """The whole in one sentence."""
    if not stored:
        if again.decision.outcome is Outcome.REFUSED:
            return "A shared cache doesn't store this response."
        return "A shared cache doesn't store this response: every request goes to the origin."
    match again.decision.outcome:
        case Outcome.HIT:
            lasting = "" if again.lasts is None else f" for {duration(again.lasts)}"
            return (
                f"A shared cache stores this response and answers with it{lasting} without asking the origin."
            )
        case Outcome.STALE:
            return "A shared cache stores this response and answers with it while it validates it."
        case Outcome.VALIDATED:
            return "A shared cache stores this response, but asks the origin about it before each use."
        case _:
            return "A shared cache stores this response, but can't answer the next such request with it."
