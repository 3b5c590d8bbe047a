"""Whether a server is well."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from proxy.upstream.fleet.health import Health, Sign, after, due, share, slow_one, timed
from proxy.upstream.fleet.settings import BalanceSettings

RULES = BalanceSettings()
WELL = Health()


def heard(health: Health, *signs: Sign, now: float = 0.0) -> Health:
    for sign in signs:
        health = after(health, sign, now, RULES, "it fails")
    return health


def test_a_few_failures_in_a_row_take_a_server_out() -> None:
    twice = heard(WELL, Sign.BAD, Sign.BAD)
    assert share(twice, 0.0, RULES) == 1.0
    thrice = heard(twice, Sign.BAD)
    assert share(thrice, 0.0, RULES) == 0.0
    assert thrice.why == "it fails"


def test_failures_among_successes_do_not() -> None:
    assert not heard(WELL, *([Sign.BAD, Sign.BAD, Sign.GOOD] * 10)).out


def test_who_cannot_be_reached_is_out_at_once() -> None:
    assert heard(WELL, Sign.GONE).out


def test_it_is_tried_again_after_its_time_and_eased_back_in() -> None:
    gone = heard(WELL, Sign.GONE)
    assert not due(gone, 0.9)
    assert due(gone, 1.0)
    assert share(gone, 5.0, RULES) == 0.0  # nobody is sent there before it was found well
    back = after(gone, Sign.GOOD, 5.0, RULES)
    shares = [share(back, 5.0 + second, RULES) for second in (0, 5, 10, 20)]
    assert shares[0] == 0.1
    assert 0.5 < shares[1] < 0.6
    assert shares[2:] == [1.0, 1.0]


def test_what_had_begun_before_brings_nobody_back() -> None:
    gone = heard(WELL, Sign.GONE)
    assert after(gone, Sign.GOOD, 0.5, RULES).out


def test_each_relapse_takes_twice_as_long() -> None:
    health, now, times = WELL, 0.0, []
    for _ in range(8):
        health = after(health, Sign.GONE, now, RULES)
        times.append(health.out_until - now)
        now = health.out_until
        health = after(health, Sign.GOOD, now, RULES)
    assert times == [1, 2, 4, 8, 16, 30, 30, 30]


def test_who_was_well_for_long_begins_anew() -> None:
    health = heard(heard(WELL, Sign.GONE), Sign.GOOD, now=2.0)
    assert health.relapses == 1
    assert after(health, Sign.GOOD, 100.0, RULES).relapses == 0


def of(*late: float, heard: int = 100) -> dict[str, Health]:
    return {str(number): Health(late=one, heard=heard) for number, one in enumerate(late)}


def test_one_that_is_much_slower_than_the_others_is_found() -> None:
    assert slow_one(of(0.01, 0.012, 0.5), RULES) == "2"
    assert slow_one(of(0.01, 0.9), RULES) == "1"


def test_a_fleet_that_is_slow_as_a_whole_stays() -> None:
    assert slow_one(of(0.5, 0.6, 0.7), RULES) is None
    assert slow_one(of(0.5), RULES) is None
    half_out = {**of(0.01, 0.9), "x": Health(out=True), "y": Health(out=True)}
    assert slow_one(half_out, RULES) is None


def test_little_time_and_few_responses_tell_nothing() -> None:
    assert slow_one(of(0.001, 0.04), RULES) is None
    assert slow_one(of(0.01, 0.9, heard=5), RULES) is None
    assert slow_one(of(0.01, 0.9), replace(RULES, slow=0)) is None


def test_times_are_averaged_over_the_recent_ones() -> None:
    health = WELL
    for _ in range(100):
        health = timed(health, 0.01)
    assert health.late == 0.01
    for _ in range(100):
        health = timed(health, 1.0)
    assert 0.99 < health.late <= 1.0


@given(st.lists(st.tuples(st.sampled_from(Sign), st.floats(0, 100)), max_size=40))
def test_whatever_is_heard_its_share_is_a_share_and_its_time_out_is_bounded(
    told: list[tuple[Sign, float]],
) -> None:
    health, now = WELL, 0.0
    for sign, later in told:
        now += later
        health = after(health, sign, now, RULES)
        assert 0.0 <= share(health, now, RULES) <= 1.0
        if health.out:
            assert health.out_until <= now + RULES.longest_out
            assert after(health, Sign.GOOD, health.out_until, RULES).out is False
