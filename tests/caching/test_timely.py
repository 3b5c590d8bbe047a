"""What the time has to do with a response that is passed on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.caching.policy import Policy
from proxy.caching.timely import Timing, timely
from proxy.message.dates import format_date
from proxy.message.fields import Fields
from proxy.message.response import Response

NOON = 784_111_777.0
DATE = (b"Date", b"Sun, 06 Nov 1994 08:49:37 GMT")


@pytest.mark.parametrize(
    ("lines", "asked", "had", "expected"),
    [
        ([], 0, 1, (None, False, False)),
        ([(b"Cache-Control", b"max-age=60")], 0, 1.5, (58, True, True)),
        ([(b"Cache-Control", b"max-age=60"), (b"Age", b"70")], 0, 1.5, (-12, False, True)),
        ([(b"Cache-Control", b"max-age=0")], 0, 0.5, (-1, False, False)),
        ([(b"Expires", b"0")], 0, 0.5, (-1, False, False)),
        ([(b"Expires", b"Sun, 06 Nov 1994 08:50:37 GMT")], 0, 0.5, (59, True, True)),
        ([(b"Last-Modified", b"Sun, 06 Nov 1994 08:32:57 GMT")], 0, 0.5, (None, True, True)),
    ],
)
def test_freshness_on_arrival(lines, asked, had, expected):
    response = Response(200, Fields([DATE, *lines]))
    assert timely(response, NOON + asked, NOON + had, Policy()) == expected


_seconds = st.one_of(st.integers(0, 3), st.integers(0, 200_000))
_instants = st.builds(lambda seconds, part: NOON + seconds + part / 8, _seconds, st.integers(0, 7))


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(
        [b"no-store", b"private", b"max-age=5, private", b"max-age=x", b"s-maxage=100000", b"public"]
    ),
    st.sampled_from([200, 201, 404]),
    st.sampled_from([None, b"0", b"3", b"70000", b"x", b"1, 2"]),
    st.booleans(),
    st.booleans(),
    st.lists(st.tuples(_seconds, _seconds, _seconds, _instants, _instants), min_size=2, max_size=4),
)
def test_timing_says_the_same_by_the_times_alone(directives, status, age, expires, modified, cases):
    """It is made from the first of some responses, and has to hold for all of them."""

    def response(date, until, since):
        lines = [(b"Date", format_date(NOON + date)), (b"Cache-Control", directives)]
        lines += [(b"Age", age)] if age is not None else []
        lines += [(b"Expires", format_date(NOON + until))] if expires else []
        lines += [(b"Last-Modified", format_date(NOON + since))] if modified else []
        return Response(status, Fields(lines))

    first = cases[0]
    timing = Timing(response(*first[:3]), first[4], Policy())
    for date, until, since, sent, had in cases:
        named = {b"date": NOON + date, b"expires": NOON + until, b"last-modified": NOON + since}
        assert timing.needs <= named.keys()
        assert timing.at(named, sent, had) == timely(response(date, until, since), sent, had, Policy())
