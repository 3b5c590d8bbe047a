"""A replica that is held to a fixed capacity."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.pace import LONGEST_QUEUE, Pace
from backend.problems import Problem


def test_who_comes_alone_waits_for_their_own_service_only():
    pace = Pace(10)
    assert pace.wait(0) == pytest.approx(0.1)
    assert pace.wait(5) == pytest.approx(0.1)


def test_who_comes_together_is_served_one_after_the_other():
    pace = Pace(10)
    assert [pace.wait(0) for _ in range(3)] == pytest.approx([0.1, 0.2, 0.3])


@given(st.lists(st.floats(0, 0.5), max_size=60), st.floats(5, 1_000))
def test_in_no_time_are_more_served_than_the_rate_allows(gaps, rate):
    pace, now, ends = Pace(rate), 0.0, []
    for gap in gaps:
        now += gap
        ends.append(now + pace.wait(now))
    assert ends == sorted(ends)
    for first in range(len(ends)):
        for last in range(first, len(ends)):
            assert last - first <= rate * (ends[last] - ends[first]) + 1e-6


def test_without_a_rate_nobody_waits():
    assert [Pace(0).wait(now) for now in (0, 0, 1)] == [0, 0, 0]


def test_who_would_wait_too_long_is_turned_away():
    pace = Pace(10)
    for _ in range(int(LONGEST_QUEUE * 10) + 1):
        pace.wait(0)
    with pytest.raises(Problem, match="overloaded"):
        pace.wait(0)
    assert pace.wait(1) == pytest.approx(LONGEST_QUEUE - 1 + 0.2)


def test_threads_take_turns():
    pace = Pace(1_000)
    with ThreadPoolExecutor(8) as threads:
        waits = list(threads.map(lambda _: pace.wait(0), range(400)))
    assert sorted(waits) == pytest.approx([(number + 1) / 1_000 for number in range(400)])


@pytest.mark.parametrize("style", ["resources", "flask"])
async def test_a_shop_is_as_fast_as_was_asked_for_and_figures_are_not_held_up(start_shop, style):
    shop = await start_shop(style, rate=40)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    answers = await asyncio.gather(*(shop.get("/products/P0001/offer") for _ in range(12)))
    assert loop.time() - begun >= 11 / 40
    assert {answer.status for answer in answers} == {200}
    figures = (await shop.get("/_shop/figures")).document
    assert figures["requests"] == 12
