"""Selecting by Vary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.stored import StoredResponse
from proxy.caching.vary import nominated, remembered_request, select, selects
from proxy.message.dates import format_date
from proxy.message.fields import Fields
from proxy.message.preferences import normalise
from proxy.message.request import Request
from proxy.message.response import Response

NOON = 1_700_000_000


def request(*lines):
    return Request(b"GET", b"/", Fields(lines))


def stored(vary=None, *lines, date=NOON, received=NOON):
    """What is kept of a response with this Vary to a request with these fields."""
    fields = Fields([(b"Date", format_date(date))] + ([] if vary is None else [(b"Vary", vary)]))
    kept = remembered_request(request(*lines), nominated(fields) or ())
    return StoredResponse(kept, Response(200, fields), received, received, 0, complete_length=0)


def slugs(outcome):
    matched, reasons = outcome
    return matched, [because.reason.slug for because in reasons]


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([], ()),
        ([b""], ()),
        ([b"Accept, accept-Language"], (b"accept", b"accept-language")),
        ([b"Accept", b",, X ,accept"], (b"accept", b"x")),
        ([b"*"], None),
        ([b"Accept, *"], None),
        ([b"Accept", b"*"], None),
        ([b"Accept Language"], None),
        ([b'"Accept"'], None),
    ],
)
def test_what_vary_nominates(values, names):
    assert nominated(Fields([(b"Vary", value) for value in values])) == names


def test_without_vary_every_request_matches():
    assert slugs(selects(stored(), request((b"Accept", b"a/b")))) == (True, [])


def test_each_nominated_field_has_to_match():
    held = stored(b"Accept, X", (b"Accept", b"a/b"), (b"X", b"1"))
    assert slugs(selects(held, request((b"accept", b"A/B"), (b"X", b"1")))) == (True, ["selected"])
    assert slugs(selects(held, request((b"Accept", b"a/b"), (b"X", b"2")))) == (False, ["vary-mismatch"])
    assert slugs(selects(held, request((b"Accept", b"a/b")))) == (False, ["vary-mismatch"])


def test_what_is_absent_matches_only_what_is_absent():
    assert selects(stored(b"X"), request())[0]
    assert not selects(stored(b"X"), request((b"X", b"")))[0]
    assert not selects(stored(b"X", (b"X", b"")), request())[0]


def test_a_star_never_matches():
    assert slugs(selects(stored(b"*"), request())) == (False, ["vary-any"])
    assert slugs(selects(stored(b"X Y"), request())) == (False, ["vary-ill-formed"])


def test_lines_are_combined_and_white_space_does_not_count():
    held = stored(b"X", (b"X", b"1"), (b"X", b"2"))
    assert selects(held, request((b"X", b"1,  2")))[0]
    assert not selects(held, request((b"X", b"2, 1")))[0]


def test_credentials_are_not_kept_but_still_compared():
    secret = (b"Authorization", b"Basic c2VjcmV0")
    held = stored(b"Authorization", secret)
    assert b"c2VjcmV0" not in held.request.fields.get(b"authorization")
    assert selects(held, request(secret))[0]
    assert not selects(held, request((b"Authorization", b"Basic eA==")))[0]


def test_nobody_can_present_what_is_kept_of_anothers_credentials():
    held = stored(b"Cookie", (b"Cookie", b"session=1"))
    assert not selects(held, request((b"Cookie", held.request.fields.get(b"cookie"))))[0]


def test_only_nominated_fields_are_kept():
    held = stored(b"X", (b"X", b"1"), (b"Cookie", b"session=1"))
    assert list(held.request.fields) == [(b"x", b"1")]


def test_the_most_recent_of_several_comes_first():
    old, new = stored(b"X", date=NOON - 9), stored(b"X", date=NOON - 5)
    assert select([old, new], request())[0] == [new, old]
    same = stored(b"X", date=NOON - 5, received=NOON + 1)
    assert select([old, new, same], request())[0] == [same, new, old]


def test_one_that_matches_by_its_vary_comes_before_one_without():
    plain = stored(date=NOON + 9)
    english = stored(b"Accept-Language", (b"Accept-Language", b"en"))
    assert select([plain, english], request((b"Accept-Language", b"en")))[0] == [english]


def test_where_others_vary_one_without_is_only_for_requests_like_its_own():
    plain, english = stored(), stored(b"Accept-Language", (b"Accept-Language", b"en"))
    assert select([plain, english], request())[0] == [plain]
    assert select([plain, english], request((b"Accept-Language", b"fr")))[0] == []
    assert select([plain], request((b"Accept-Language", b"fr")))[0] == [plain]


def test_why_none_matches():
    held = [stored(b"X", (b"X", b"1")), stored(b"X", (b"X", b"2"))]
    chosen, reasons = select(held, request())
    assert chosen == []
    assert [because.reason.slug for because in reasons] == ["vary-mismatch"]


NAMES = st.sampled_from([b"accept", b"accept-encoding", b"accept-language", b"cookie", b"x", b"y"])
VALUES = st.sampled_from([b"", b"a", b"A", b"a, b", b"a,b", b"b;q=0.5", b"b;q=.5", b'"a, b"', b"\xff"])
LINES = st.lists(st.tuples(NAMES, VALUES), max_size=6)


@given(st.lists(NAMES, max_size=4), LINES, LINES)
def test_a_response_is_selected_only_when_every_nominated_field_matches(names, first, second):
    held, again = stored(b", ".join(names), *first), request(*second)
    matched = selects(held, again)[0]
    for name in names:
        one, other = request(*first).fields.all(name), again.fields.all(name)
        alike = bool(one) == bool(other) and normalise(name, one) == normalise(name, other)
        assert alike or not matched


@given(st.lists(NAMES, max_size=4), LINES)
def test_a_request_always_matches_itself(names, lines):
    assert selects(stored(b", ".join(names), *lines), request(*lines))[0]


@given(st.lists(st.binary(max_size=20), max_size=3), st.lists(st.tuples(NAMES, st.binary(max_size=20))))
def test_no_bytes_make_it_fail(vary, lines):
    fields = Fields([(b"Vary", value) for value in vary])
    kept = remembered_request(request(*lines), nominated(fields) or ())
    held = StoredResponse(kept, Response(200, fields), 0, 0, 0)
    assert selects(held, request(*lines))[0] is (nominated(fields) is not None)
