"""Updating stored responses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.policy import Policy
from proxy.caching.stored import StoredResponse
from proxy.caching.updating import freshened, identified, merged, same_strong_validator, updated_by_head
from proxy.message.conditions import validators_of
from proxy.message.dates import format_date
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response

NOON = 1_700_000_000
DATE = (b"Date", format_date(NOON))
CHANGED = (b"Last-Modified", format_date(NOON - 100))
JUST_CHANGED = (b"Last-Modified", format_date(NOON))


def stored(*lines, status=200, length=10, **others):
    fields = Fields([DATE, (b"Cache-Control", b"max-age=60"), *lines])
    request = Request(b"GET", b"/", authority=b"example.org")
    held = Response(status, fields)
    return StoredResponse(request, held, NOON, NOON, length, 0, others.pop("complete", length), **others)


def tag(value):
    return (b"ETag", value)


def test_fields_are_replaced_added_and_kept():
    held = Fields([(b"A", b"1"), (b"B", b"2"), (b"b", b"3"), (b"C", b"4")])
    new = Fields([(b"b", b"5"), (b"D", b"6"), (b"D", b"7")])
    assert list(merged(held, new)) == [(b"A", b"1"), (b"C", b"4"), (b"b", b"5"), (b"D", b"6"), (b"D", b"7")]


@pytest.mark.parametrize(
    "name",
    [
        b"Content-Digest",
        b"Content-Length",
        b"Content-Encoding",
        b"Content-Range",
        b"Transfer-Encoding",
        b"Trailer",
    ],
)
def test_what_the_stored_content_depends_on_stays(name):
    assert merged(Fields([(name, b"1")]), Fields([(name, b"2")])) == Fields([(name, b"1")])
    assert merged(Fields(), Fields([(name, b"2")])) == Fields()


@pytest.mark.parametrize(
    "name",
    [b"Content-Type", b"Content-Location", b"Cache-Control", b"Expires", b"Set-Cookie", b"X", b"Content-X"],
)
def test_all_else_is_updated(name):
    assert merged(Fields([(name, b"1")]), Fields([(name, b"2")])) == Fields([(name, b"2")])


@pytest.mark.parametrize("name", [b"Age", b"Date"])
def test_what_tells_of_another_moment_goes(name):
    assert merged(Fields([(name, b"50")]), Fields()) == Fields()
    assert merged(Fields([(name, b"50")]), Fields([(name, b"1")])) == Fields([(name, b"1")])


def by(initial, *lines, ours=True):
    return identified(initial, Response(304, Fields([DATE, *lines])), NOON, ours=ours)


def test_a_strong_entity_tag_identifies_all_that_have_it():
    one, two, other = stored(tag(b'"a"')), stored(tag(b'"a"'), CHANGED), stored(tag(b'"b"'))
    assert by([one, two, other], tag(b'"a"')) == (one, two)
    assert by([other], tag(b'"a"')) == ()
    assert by([stored(tag(b'W/"a"'))], tag(b'"a"')) == ()


def test_a_strong_date_identifies_all_that_have_it():
    one, other = stored(CHANGED), stored((b"Last-Modified", format_date(NOON - 50)))
    assert by([one, other], CHANGED) == (one,)
    assert by([other], CHANGED) == ()


def test_one_strong_validator_in_common_is_enough():
    assert by([stored(tag(b'"a"'), CHANGED)], tag(b'"b"'), CHANGED) != ()
    assert by([stored(CHANGED)], tag(b'"b"'), CHANGED) != ()


def test_entity_tags_outweigh_dates_where_the_304_may_be_for_the_client():
    assert by([stored(tag(b'"a"'), CHANGED)], tag(b'"b"'), CHANGED, ours=False) == ()
    assert by([stored(CHANGED)], tag(b'"b"'), CHANGED, ours=False) != ()


def test_a_weak_validator_identifies_the_most_recent_that_has_it():
    old, new = stored(tag(b'W/"a"')), stored(tag(b'"a"'))
    new = replace(new, response_time=NOON + 1)
    assert by([old, new], tag(b'W/"a"')) == (new,)
    assert by([old], tag(b'W/"b"')) == ()
    assert by([stored(JUST_CHANGED)], JUST_CHANGED) != ()
    assert by([stored(CHANGED)], JUST_CHANGED) == ()


def test_no_validator_identifies_the_only_one_that_has_none_either():
    plain = stored()
    assert by([plain]) == (plain,)
    assert by([plain, stored()]) == ()
    assert by([stored(tag(b'"a"'))]) == ()


def test_only_successful_responses_can_be_meant():
    assert by([stored(tag(b'"a"'), status=404)], tag(b'"a"')) == ()


def test_strong_validators_in_common():
    def of(*lines):
        return validators_of(Fields([DATE, *lines]), NOON)

    assert same_strong_validator(of(tag(b'"a"')), of(tag(b'"a"')))
    assert not same_strong_validator(of(tag(b'"a"')), of(tag(b'W/"a"')))
    assert same_strong_validator(of(CHANGED), of(CHANGED))
    assert not same_strong_validator(of(JUST_CHANGED), of(JUST_CHANGED))
    assert not same_strong_validator(of(), of())


def update(held, *lines, asked=(), status=304):
    request = Request(b"GET", b"/", Fields(asked), authority=b"example.org")
    response = Response(status, Fields(lines))
    return freshened(held, request, response, (NOON + 70, NOON + 71), Policy())


def test_a_freshened_response_starts_anew():
    result = update(stored(tag(b'"a"'), invalidated=True), (b"Date", format_date(NOON + 71)), (b"X", b"1"))
    assert result.kept == result.shown
    assert (result.kept.request_time, result.kept.response_time) == (NOON + 70, NOON + 71)
    assert not result.kept.invalidated
    assert result.kept.response.status == 200
    assert result.kept.response.fields.get(b"x") == b"1"


@pytest.mark.parametrize("said", [b"no-store", b"private", b"private, max-age=60"])
def test_what_may_not_be_stored_any_more_needs_validation_from_now_on(said):
    held = stored(tag(b'"a"'))
    result = update(held, (b"Cache-Control", said), (b"Set-Cookie", b"a=b"))
    assert result.shown.response.fields.get(b"set-cookie") == b"a=b"
    assert result.kept == replace(held, invalidated=True)


@pytest.mark.parametrize("line", [(b"Authorization", b"Basic eA=="), (b"Cache-Control", b"no-store")])
def test_what_is_told_to_one_client_alone_changes_nothing_stored(line):
    result = update(stored(tag(b'"a"')), (b"X", b"secret"), asked=[line])
    assert result.shown.response.fields.get(b"x") == b"secret"
    assert result.kept is None


def test_fields_that_are_not_for_reuse_are_shown_but_not_kept():
    result = update(stored(tag(b'"a"')), (b"Cache-Control", b'max-age=9, private="x"'), (b"X", b"1"))
    assert result.shown.response.fields.get(b"x") == b"1"
    assert b"x" not in result.kept.response.fields


def test_the_validating_request_becomes_the_original_one():
    asked = [(b"X", b"1"), (b"Y", b"2")]
    result = update(stored(tag(b'"a"')), (b"Vary", b"X"), asked=asked)
    assert result.kept.request.fields == Fields([(b"x", b"1")])
    assert result.kept.request.target == b"/"


def head(held, *lines, asked=(), status=200):
    request = Request(b"HEAD", b"/", Fields(asked), authority=b"example.org")
    return updated_by_head(held, request, Response(status, Fields(lines)), (NOON + 70, NOON + 71), Policy())


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [tag(b'"a"')],
        [tag(b'"a"'), CHANGED, (b"Content-Length", b"10")],
        [(b"Content-Length", b"10")],
    ],
)
def test_a_head_that_agrees_updates(lines):
    result = head(stored(tag(b'"a"'), CHANGED), *lines, (b"X", b"1"))
    assert result.kept.response.fields.get(b"x") == b"1"
    assert result.kept.response_time == NOON + 71


@pytest.mark.parametrize(
    "line", [tag(b'"b"'), tag(b'W/"a"'), JUST_CHANGED, (b"Content-Length", b"11"), (b"Content-Length", b"x")]
)
def test_a_head_that_differs_makes_it_invalid(line):
    held = stored(tag(b'"a"'), CHANGED)
    assert head(held, line).kept == replace(held, invalidated=True)


def test_a_head_with_another_status_makes_it_invalid():
    assert head(stored(status=404)).kept.invalidated


def test_a_head_with_credentials_tells_nothing_of_what_others_get():
    asked = [(b"Authorization", b"Basic eA==")]
    assert head(stored(tag(b'"a"')), tag(b'"b"'), asked=asked).kept is None
    shared = (b"Cache-Control", b"public, max-age=60")
    assert head(stored(tag(b'"a"')), tag(b'"b"'), shared, asked=asked).kept.invalidated


NAMES = st.sampled_from(
    [b"ETag", b"Last-Modified", b"Date", b"Content-Length", b"Vary", b"Cache-Control", b"Age"]
)
LINES = st.lists(st.tuples(NAMES, st.binary(max_size=20)), max_size=5)


@given(LINES, LINES, LINES)
def test_no_bytes_make_it_fail(held, new, asked):
    kept = stored(*held)
    for one in identified([kept], Response(304, Fields(new)), NOON, ours=True):
        update(one, *new, asked=asked)
    head(kept, *new, asked=asked)
