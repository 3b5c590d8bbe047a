"""What changes of an answer from a stored response while nothing but time passes: its Age and its ttl."""

from __future__ import annotations

import math
from dataclasses import dataclass

from proxy.caching.age import current_age
from proxy.caching.cache_status import cache_status
from proxy.caching.decision import Because, Decision
from proxy.caching.effects import Answer
from proxy.caching.freshness import lifetime_of
from proxy.caching.policy import Policy
from proxy.caching.reuse import FRESH, STALE, age_evidence
from proxy.caching.stored import StoredResponse
from proxy.caching.targeted import effective_directives
from proxy.message.fields import Fields
from proxy.message.response import Response

_STEP = 2e-6
"""Seconds: more than the distance of two times that can be told apart, so that a tick is not overshot."""

_LONGEST = 3600.0
"""Seconds for which an age that does not grow is foretold: the clock was set back to before it began."""


@dataclass(frozen=True, slots=True)
class Ageing:
    """The age and the remaining freshness of one stored response, as both are told: in whole seconds.

    `initial` is its age at `response_time`, when it was received; `lifetime` how long it's fresh, in seconds.
    """

    initial: float
    response_time: float
    lifetime: float

    @classmethod
    def of(cls, stored: StoredResponse, policy: Policy) -> Ageing:
        """That of `stored` in a cache with this policy (RFC 9111 §4.2.1)."""
        effective = effective_directives(stored.response.fields, policy)
        lifetime = lifetime_of(stored, effective, policy)
        return cls(current_age(stored, stored.response_time), stored.response_time, lifetime.seconds)

    def at(self, now: float) -> tuple[int, int]:
        """Age and ttl at `now`, in seconds since the epoch (RFC 9111 §5.1, RFC 9211 §2.4)."""
        return told_at(self.initial, self.response_time, self.lifetime, now)

    def last(self, now: float) -> float:
        """A time until which, itself included, both stay as they are at `now`.

        As both only ever move one way with time, what is equal at its two ends is equal all the while,
        however times and ages are rounded.
        """
        age = self._age(now)
        ttl = self.lifetime - age
        if now < self.response_time:
            ahead = min(self.response_time - now, _LONGEST)
        else:
            ahead = min(math.floor(age) + 1 - age, ttl - math.floor(ttl)) - _STEP
        last = now + max(ahead, 0.0)
        return last if self.at(last) == (math.floor(age), math.floor(ttl)) else now

    def _age(self, now: float) -> float:
        """The current_age of RFC 9111 §4.2.3: what `current_age` gives, to the last bit."""
        return self.initial + max(0.0, now - self.response_time)


def told_at(initial: float, response_time: float, lifetime: float, now: float) -> tuple[int, int]:
    """What an `Ageing` of these tells at `now`: age and ttl."""
    age = initial + max(0.0, now - response_time)
    return math.floor(age), math.floor(lifetime - age)


def told_again(
    answer: Answer, policy: Policy, key: bytes, ageing: Ageing, age: int, ttl: int
) -> tuple[Response, Decision] | None:
    """An answer's head and decision with this age and ttl in the place of its own.

    None where it doesn't have one of each. `key` is the cache key, which Cache-Status may show.
    """
    response, decision = answer.response, answer.decision
    own = cache_status(decision, policy, key)
    lines = tuple(response.fields)
    if own is None or lines[-1:] != ((b"Cache-Status", own),) or len(response.fields.all(b"age")) != 1:
        return None
    before = age_evidence(int(response.fields.get(b"age") or b"0"), ageing.lifetime)
    after = age_evidence(age, ageing.lifetime)
    then = Decision(
        decision.outcome,
        tuple(_told(because, before, after) for because in decision.reasons),
        decision.until,
        decision.forward,
        decision.forward_status,
        ttl,
        decision.stored,
        decision.collapsed,
    )
    member = cache_status(then, policy, key) or b""
    fields = Fields((*lines[:-1], (b"Cache-Status", member))).setting(b"Age", b"%d" % age)
    return Response(response.status, fields, response.reason, response.version), then


def _told(because: Because, before: str, after: str) -> Because:
    told = because.reason in (FRESH, STALE) and because.evidence == before
    return Because(because.reason, after) if told else because
