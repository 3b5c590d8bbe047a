"""What to do with stored responses when a request comes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.caching.policy import Policy
from proxy.caching.reuse import Course, decide
from proxy.caching.stored import StoredResponse
from proxy.message.dates import format_date
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response

NOON = 1_700_000_000


def get(said="", *lines, method=b"GET", target=b"/"):
    wishes = [(b"Cache-Control", said.encode())] if said else []
    return Request(method, target, Fields([*wishes, *lines]), authority=b"example.org")


def stored(said="max-age=60", *lines, method=b"GET", length=10, target=b"/", **others):
    fields = Fields([(b"Date", format_date(NOON)), (b"Cache-Control", said.encode()), *lines])
    original = get(method=method, target=target)
    return StoredResponse(original, Response(200, fields), NOON, NOON, length, complete_length=10, **others)


TAG = (b"ETag", b'"a"')


def plan(request, *held, after=30.0):
    return decide(request, held, NOON + after, Policy())


def outcome(said, held, after=30.0):
    """The course, RFC 9211's reason, and the main reason."""
    found = plan(get(said), held, after=after)
    return str(found.course), found.forward, found.reasons[0].reason.slug


@pytest.mark.parametrize(
    ("said", "held", "after", "expected"),
    [
        ("", stored(), 59, ("reuse", None, "fresh")),
        ("", stored(), 60, ("forward", "stale", "stale")),
        ("", stored("max-age=60", TAG), 61, ("validate", "stale", "stale")),
        ("", stored("max-age=60, no-cache", TAG), 1, ("validate", "stale", "response-no-cache")),
        ("", stored('max-age=60, no-cache="x"'), 1, ("reuse", None, "fresh")),
        ("", stored("max-age=60", TAG, invalidated=True), 1, ("validate", "stale", "invalidated")),
        ("no-cache", stored("max-age=60", TAG), 1, ("validate", "request", "request-no-cache")),
        ("no-cache", stored("max-age=60", TAG), 99, ("validate", "stale", "stale")),
        ("no-cache", stored(), 1, ("forward", "request", "request-no-cache")),
        ("no-store", stored(), 1, ("reuse", None, "fresh")),
        ("max-age=30", stored(), 30, ("reuse", None, "fresh")),
        ("max-age=29", stored(), 30, ("forward", "request", "request-max-age")),
        ("max-age=0", stored(), 0, ("reuse", None, "fresh")),
        ("max-age=0", stored(), 1, ("forward", "request", "request-max-age")),
        ("max-age=x", stored(), 1, ("forward", "request", "request-max-age")),
        ("max-age=99", stored(), 61, ("forward", "stale", "stale")),
        ("min-fresh=30", stored(), 30, ("reuse", None, "fresh")),
        ("min-fresh=31", stored(), 30, ("forward", "request", "request-min-fresh")),
        ("min-fresh=x", stored(), 1, ("forward", "request", "request-min-fresh")),
        ("max-stale", stored(), 9999, ("reuse stale", None, "max-stale")),
        ("max-stale=10", stored(), 70, ("reuse stale", None, "max-stale")),
        ("max-stale=10", stored(), 71, ("forward", "stale", "stale")),
        ("max-stale", stored("max-age=60, must-revalidate"), 70, ("forward", "stale", "stale")),
        ("max-stale", stored("s-maxage=60"), 70, ("forward", "stale", "stale")),
        ("max-stale=10, max-age=65", stored(), 65, ("reuse stale", None, "max-stale")),
        ("max-stale=10, max-age=65", stored(), 66, ("forward", "stale", "stale")),
        ("max-stale=99, min-fresh=1", stored(), 66, ("forward", "stale", "stale")),
        ("only-if-cached", stored(), 1, ("reuse", None, "fresh")),
        ("only-if-cached", stored(), 61, ("refuse", None, "only-if-cached")),
        ("only-if-cached, max-stale", stored(), 61, ("reuse stale", None, "max-stale")),
        ("only-if-cached, no-cache", stored(), 1, ("refuse", None, "only-if-cached")),
        ("max-age=0", stored("max-age=60, immutable"), 1, ("reuse", None, "fresh")),
        ("max-age=0", stored("max-age=60, immutable"), 61, ("forward", "stale", "stale")),
        ("no-cache", stored("max-age=60, immutable"), 1, ("forward", "request", "request-no-cache")),
        (
            "max-age=0, min-fresh=99",
            stored("max-age=60, immutable"),
            1,
            ("forward", "request", "request-max-age"),
        ),
        ("no-transform, unknown=1", stored(), 1, ("reuse", None, "fresh")),
    ],
)
def test_freshness_and_the_requests_directives(said, held, after, expected):
    assert outcome(said, held, after) == expected


SWR = "max-age=60, stale-while-revalidate=30"


def test_stale_while_revalidate():
    found = plan(get(), stored(SWR), after=70)
    assert (found.course, found.background) == (Course.REUSE_STALE, True)
    assert found.reasons[0].reason.slug == "stale-while-revalidate"
    assert found.until == pytest.approx(NOON + 90, abs=0.01)
    assert plan(get(), stored(SWR), after=91).course is Course.FORWARD
    assert plan(get("max-age=100"), stored(SWR), after=70).course is Course.FORWARD
    assert not plan(get("max-stale"), stored(), after=70).background


def test_a_query_can_not_be_validated_in_the_background():
    held = stored(SWR, method=b"QUERY")
    assert plan(get(method=b"QUERY"), held, after=70).course is Course.FORWARD


def test_pragma_counts_only_without_cache_control():
    pragma = (b"Pragma", b"no-cache")
    assert plan(get("", pragma), stored(), after=1).reasons[0].reason.slug == "pragma-no-cache"
    assert plan(get("max-age=9", pragma), stored(), after=1).course is Course.REUSE
    assert plan(get("", (b"Pragma", b"x")), stored(), after=1).course is Course.REUSE


def test_nothing_stored():
    found = plan(get())
    assert (found.course, found.forward, found.until) == (Course.FORWARD, "uri-miss", None)
    assert plan(get("only-if-cached")).course is Course.REFUSE


def test_none_that_varies_so():
    held = stored("max-age=60", TAG, (b"Vary", b"Accept"))
    found = plan(get("", (b"Accept", b"a/b")), held)
    assert (found.course, found.forward, found.selected) == (Course.VALIDATE, "vary-miss", None)
    assert found.conditional.request.fields.get(b"if-none-match") == b'"a"'
    plain = stored("max-age=60", (b"Vary", b"Accept"))
    assert plan(get("", (b"Accept", b"a/b")), plain).course is Course.FORWARD


@pytest.mark.parametrize(
    ("method", "held", "course"),
    [
        (b"GET", b"GET", Course.REUSE),
        (b"HEAD", b"GET", Course.REUSE),
        (b"QUERY", b"QUERY", Course.REUSE),
        (b"GET", b"HEAD", Course.FORWARD),
        (b"GET", b"QUERY", Course.FORWARD),
        (b"QUERY", b"GET", Course.FORWARD),
    ],
)
def test_which_methods_answer_which(method, held, course):
    assert plan(get(method=method), stored(method=held)).course is course


def test_another_target_is_never_reused():
    assert plan(get(target=b"/x"), stored()).forward == "uri-miss"


def test_an_incomplete_response():
    part = stored("max-age=60", TAG, length=5)
    within = (b"Range", b"bytes=1-2")
    assert plan(get("", within), part).course is Course.REUSE
    found = plan(get(), part)
    assert (found.course, found.forward, found.reasons[0].reason.slug) == (
        Course.COMPLETE,
        "partial",
        "incomplete",
    )
    assert plan(get(), stored("max-age=60", length=5)).course is Course.FORWARD
    assert plan(get("", within), part, after=61).course is Course.VALIDATE
    assert plan(get("only-if-cached"), part).course is Course.REFUSE


def test_one_that_holds_what_is_asked_for_comes_before_a_more_recent_one():
    part = stored("max-age=60", TAG, (b"Age", b"0"), length=5)
    whole = stored("max-age=60", TAG)
    assert plan(get(), part, whole).selected == whole


def test_what_is_left_of_the_lifetime():
    assert plan(get(), stored(), after=30.5).ttl == 29
    assert plan(get("max-stale"), stored(), after=61.5).ttl == -2


@pytest.mark.parametrize(
    ("said", "held", "after", "seconds"),
    [
        ("", stored(), 30, 60),
        ("max-age=40", stored(), 30, 40),
        ("min-fresh=20", stored(), 30, 40),
        ("min-fresh=20", stored(), 50, 60),
        ("max-stale=10", stored(), 65, 70),
        ("max-stale", stored(), 65, None),
        ("", stored(), 65, None),
        ("", stored(SWR), 65, 90),
        ("no-cache", stored(), 30, 60),
    ],
)
def test_how_long_a_decision_holds(said, held, after, seconds):
    until = plan(get(said), held, after=after).until
    assert until == (None if seconds is None else pytest.approx(NOON + seconds, abs=0.01))


def test_every_reason_is_told():
    held = stored("max-age=60, no-cache", (b"Vary", b"X"))
    slugs = [because.reason.slug for because in plan(get("no-cache, max-age=1, min-fresh=99"), held).reasons]
    assert slugs == [
        "response-no-cache",
        "request-no-cache",
        "request-max-age",
        "request-min-fresh",
        "fresh",
        "selected",
        "max-age",
    ]


DIRECTIVES = st.lists(
    st.tuples(
        st.sampled_from(
            ["max-age", "min-fresh", "max-stale", "no-cache", "only-if-cached", "stale-if-error", "no-store"]
        ),
        st.sampled_from(["", "=0", "=5", "=30", "=x"]),
    ).map("".join),
    max_size=3,
).map(", ".join)
SAID = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "max-age",
                "s-maxage",
                "stale-while-revalidate",
                "immutable",
                "must-revalidate",
                "no-cache",
                "public",
            ]
        ),
        st.sampled_from(["", "=0", "=5", "=30", "=x"]),
    ).map("".join),
    max_size=4,
).map(", ".join)
LINES = st.lists(
    st.sampled_from(
        [
            TAG,
            (b"Age", b"7"),
            (b"Expires", format_date(NOON + 20)),
            (b"Last-Modified", format_date(NOON - 200)),
            (b"Date", format_date(NOON - 3)),
            (b"Vary", b"X"),
        ]
    ),
    max_size=3,
)
ASKED = st.lists(
    st.sampled_from([(b"X", b"1"), (b"Range", b"bytes=0-2"), (b"If-None-Match", b'"a"')]), max_size=2
)
STORED = st.builds(
    lambda said, lines, delay, length: StoredResponse(
        get(),
        Response(200, Fields([(b"Cache-Control", said.encode()), *lines])),
        NOON - delay,
        NOON + 0.3,
        length,
        complete_length=10,
    ),
    SAID,
    LINES,
    st.sampled_from([0, 0.7, 2]),
    st.sampled_from([5, 10]),
)
MOMENTS = st.floats(0, 120).map(lambda seconds: NOON + 0.3 + seconds)


def without_age(found):
    """Everything that has to stay the same: all but the age as it is told, and the seconds that are left."""
    told = [
        (because.reason, because.evidence if "age " not in because.evidence else "")
        for because in found.reasons
    ]
    return found.course, found.forward, found.background, found.selected, found.until, told


@settings(max_examples=200)
@given(DIRECTIVES, ASKED, st.lists(STORED, max_size=2), MOMENTS, st.floats(0, 1))
def test_until_is_the_moment_from_which_it_may_be_decided_differently(said, asked, held, now, share):
    request = get(said, *asked)
    found = decide(request, held, now, Policy())
    later = now + 100 if found.until is None else now + (found.until - now) * share
    if found.until is None or now <= later < found.until:
        assert without_age(decide(request, held, later, Policy())) == without_age(found)


@given(DIRECTIVES, ASKED, st.lists(STORED, max_size=3), MOMENTS)
def test_equal_questions_get_equal_decisions_in_whatever_order_things_are_stored(said, asked, held, now):
    request = get(said, *asked)
    assert decide(request, held, now, Policy()) == decide(request, held[::-1], now, Policy())


NAMES = st.sampled_from(
    [b"Cache-Control", b"Vary", b"ETag", b"Date", b"Age", b"Expires", b"Range", b"Pragma"]
)
BYTES = st.lists(st.tuples(NAMES, st.binary(max_size=30)), max_size=5)


@given(BYTES, BYTES, st.binary(max_size=20))
def test_no_bytes_make_it_fail(asked, held, target):
    request = Request(b"GET", target, Fields(asked))
    one = StoredResponse(request, Response(200, Fields(held)), NOON, NOON, 10, complete_length=10)
    assert decide(request, [one], NOON + 1, Policy()).course in Course
