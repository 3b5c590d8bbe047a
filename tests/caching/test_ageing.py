"""What time alone changes of an answer is foretold as the rules would say it."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.age import current_age
from proxy.caching.ageing import Ageing, told_again
from proxy.caching.effects import Answer, Found, LookUp
from proxy.caching.exchange import exchange
from proxy.caching.key import cache_key
from proxy.caching.policy import Policy
from proxy.caching.stored import StoredResponse
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response

NOON = 1_700_000_000.0
ASKED = Request(b"GET", b"/", authority=b"h")
LINES = st.sampled_from(
    [
        ((b"Cache-Control", b"max-age=60"),),
        ((b"Cache-Control", b"max-age=60"), (b"Age", b"7"), (b"Cache-Status", b"other; hit")),
        ((b"Last-Modified", b"Tue, 14 Nov 2023 22:03:20 GMT"), (b"Date", b"Tue, 14 Nov 2023 22:13:11 GMT")),
        ((b"Expires", b"Tue, 14 Nov 2023 22:14:20 GMT"), (b"Cache-Status", b"age 3 of 60 s")),
    ]
)
MOMENTS = st.floats(-5, 55) | st.integers(0, 55).map(float)


def stored(lines: tuple[tuple[bytes, bytes], ...], delay: float) -> StoredResponse:
    return StoredResponse(ASKED, Response(200, Fields(lines)), NOON - delay, NOON, 4, 0, 4)


def answer(held: StoredResponse, now: float, policy: Policy) -> Answer | None:
    rules = exchange(ASKED, policy)
    try:
        effect = next(rules)
        while isinstance(effect, LookUp):
            effect = rules.send(Found([held] if effect.label is None else [], now))
    except StopIteration as end:
        found: Answer = end.value
        return found
    rules.close()
    return None


@given(LINES, st.floats(0, 3), MOMENTS, MOMENTS, st.booleans())
def test_an_answer_told_at_another_time_is_the_one_that_is_given_then(
    lines: tuple[tuple[bytes, bytes], ...], delay: float, now: float, later: float, key_in_status: bool
) -> None:
    policy = Policy(key_in_status=key_in_status)
    held = stored(lines, delay)
    first, second = answer(held, NOON + now, policy), answer(held, NOON + later, policy)
    if first is None or second is None or first.decision.outcome is not second.decision.outcome:
        return
    ageing = Ageing.of(held, policy)
    told = told_again(first, policy, cache_key(ASKED), ageing, *ageing.at(NOON + later))
    assert told == (second.response, second.decision)


@given(LINES, st.floats(0, 3), st.floats(-5, 200), st.floats(0, 1))
def test_nothing_changes_until_the_last_moment(
    lines: tuple[tuple[bytes, bytes], ...], delay: float, now: float, share: float
) -> None:
    held = stored(lines, delay)
    ageing = Ageing.of(held, Policy())
    now += NOON
    last = ageing.last(now)
    assert last >= now
    between = min(max(now + (last - now) * share, now), last)
    assert ageing.at(between) == ageing.at(now) == ageing.at(last)
    assert ageing.at(now)[0] == math.floor(current_age(held, now))


@given(st.floats(0, 1000))
def test_an_age_is_foretold_for_most_of_a_second(after: float) -> None:
    ageing = Ageing.of(stored(((b"Cache-Control", b"max-age=9"),), 0.0), Policy())
    now = NOON + after
    left = 1 - after % 1
    assert ageing.last(now) - now >= left - 0.001 or left > 0.999
