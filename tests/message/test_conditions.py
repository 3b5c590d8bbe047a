"""Validators and preconditions, as a cache evaluates them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message.conditions import (
    EntityTag,
    Listed,
    Validators,
    Verdict,
    etag_of,
    evaluate,
    parse_etag,
    parse_etags,
    strongly_equal,
    validators_of,
    weakly_equal,
)
from proxy.message.dates import format_date, parse_date
from proxy.message.fields import Fields
from proxy.message.request import Request

EARLY = b"Sat, 29 Oct 1994 19:43:31 GMT"
LATE = b"Sat, 29 Oct 1994 19:43:32 GMT"
NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        (b'"xyzzy"', EntityTag(b"xyzzy")),
        (b'W/"xyzzy"', EntityTag(b"xyzzy", weak=True)),
        (b'""', EntityTag(b"")),
        (b'"\x80\xff,\\"', EntityTag(b"\x80\xff,\\")),
        (b'w/"xyzzy"', None),
        (b'W "xyzzy"', None),
        (b"xyzzy", None),
        (b'"with space"', None),
        (b'"a"b', None),
        (b"", None),
    ],
)
def test_an_entity_tag(value, tag):
    assert parse_etag(value) == tag
    assert tag is None or bytes(tag) == value


def unquoted(value):
    return EntityTag(value, weak=True, quoted=False)


@pytest.mark.parametrize(
    ("values", "listed"),
    [
        ([], Listed()),
        ([b"*"], Listed(any=True)),
        ([b'*, "a"'], Listed(tags=(EntityTag(b"a"),))),
        ([b"*", b"*"], Listed()),
        ([b'"a", W/"b"', b'"c"'], Listed(tags=(EntityTag(b"a"), EntityTag(b"b", True), EntityTag(b"c")))),
        ([b' ,, "a,b" ,'], Listed(tags=(EntityTag(b"a,b"),))),
        ([b'a bc, "d"e, "f", "g'], Listed(tags=(EntityTag(b"f"),))),
        ([b'abc, "f", W/g'], Listed(tags=(unquoted(b"abc"), EntityTag(b"f"), unquoted(b"W/g")))),
    ],
)
def test_a_list_of_entity_tags(values, listed):
    assert parse_etags(values) == listed


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_no_bytes_make_the_lists_fail(values):
    for tag in parse_etags(values).tags:
        assert parse_etags([bytes(tag)]).tags == (tag,)
        assert parse_etag(bytes(tag)) == (tag if tag.quoted else None)


@pytest.mark.parametrize(  # RFC 9110 §8.8.3.2, table 3
    ("one", "other", "strong", "weak"),
    [
        (b'W/"1"', b'W/"1"', False, True),
        (b'W/"1"', b'W/"2"', False, False),
        (b'W/"1"', b'"1"', False, True),
        (b'"1"', b'"1"', True, True),
    ],
)
def test_comparison(one, other, strong, weak):
    tags = parse_etag(one), parse_etag(other)
    assert strongly_equal(*tags) is strong
    assert weakly_equal(*tags) is weak


def test_two_different_entity_tags_are_none():
    assert etag_of(Fields([(b"ETag", b'"a"'), (b"ETag", b'"b"')])) is None
    assert etag_of(Fields([(b"ETag", b'"a"'), (b"ETag", b'"a"')])) == EntityTag(b"a")


@pytest.mark.parametrize("value", [b"abc", b"W/abc", b"'abc'", b"a=b", b"**"])
def test_a_tag_without_quotes_is_weak_and_equals_its_like(value):
    tag = etag_of(Fields([(b"ETag", value)]))
    assert tag == unquoted(value)
    assert bytes(tag) == value
    assert weakly_equal(tag, tag)
    assert not strongly_equal(tag, tag)
    assert not weakly_equal(tag, EntityTag(value))


@pytest.mark.parametrize("value", [b"", b"*", b"a b", b'a"b', b'"ab', b"a,b", b"\x7f"])
def test_not_everything_is_a_tag_without_quotes(value):
    assert etag_of(Fields([(b"ETag", value)])) is None


def test_a_last_modified_is_strong_when_date_is_a_second_later():
    strong = validators_of(Fields([(b"Last-Modified", EARLY), (b"Date", LATE)]), NOW)
    assert strong == Validators(None, parse_date(EARLY, NOW), strong_date=True)
    assert not validators_of(Fields([(b"Last-Modified", EARLY), (b"Date", EARLY)]), NOW).strong_date
    assert not validators_of(Fields([(b"Last-Modified", EARLY)]), NOW).strong_date


def test_date_or_else_the_time_of_reception_stands_for_last_modified():
    assert validators_of(Fields([(b"Date", EARLY)]), NOW).modified == parse_date(EARLY, NOW)
    assert validators_of(Fields(), NOW) == Validators(None, NOW, strong_date=False)
    assert validators_of(Fields([(b"Last-Modified", b"yesterday")]), NOW).modified == NOW


TAGGED = Validators(EntityTag(b"a"), parse_date(EARLY, NOW), strong_date=True)


def evaluated(method=b"GET", validators=TAGGED, **fields):
    lines = [(name.replace("_", "-").encode(), value) for name, value in fields.items()]
    return evaluate(Request(method, b"/", Fields(lines)), validators, NOW)


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"QUERY"])
def test_if_none_match(method):
    assert evaluated(method, If_None_Match=b'"b", W/"a"') is Verdict.NOT_MODIFIED
    assert evaluated(method, If_None_Match=b"*") is Verdict.NOT_MODIFIED
    assert evaluated(method, If_None_Match=b'"b"') is Verdict.PERFORM
    assert evaluated(method, Validators(), If_None_Match=b'"b"') is Verdict.PERFORM


def test_if_none_match_counts_for_more_than_if_modified_since():
    assert evaluated(If_None_Match=b'"b"', If_Modified_Since=LATE) is Verdict.PERFORM
    assert evaluated(If_None_Match=b'"a"', If_Modified_Since=b"long ago") is Verdict.NOT_MODIFIED


def test_if_modified_since():
    assert evaluated(If_Modified_Since=EARLY) is Verdict.NOT_MODIFIED
    assert evaluated(If_Modified_Since=LATE) is Verdict.NOT_MODIFIED
    assert evaluated(If_Modified_Since=b"Saturday, 29-Oct-94 19:43:31 GMT") is Verdict.NOT_MODIFIED
    assert evaluated(If_Modified_Since=format_date(TAGGED.modified - 1)) is Verdict.PERFORM


def test_if_modified_since_is_ignored():
    assert evaluated(If_Modified_Since=b"tomorrow") is Verdict.PERFORM
    assert evaluated(If_Modified_Since=LATE + b", " + LATE) is Verdict.PERFORM
    assert evaluated(b"QUERY", If_Modified_Since=LATE) is Verdict.PERFORM
    assert evaluated(validators=Validators(), If_Modified_Since=LATE) is Verdict.PERFORM


def test_conditions_for_the_origin_server_are_not_evaluated():
    assert evaluated(If_Match=b'"b"') is Verdict.PERFORM
    assert evaluated(If_Unmodified_Since=b"Sun, 06 Nov 1994 08:49:37 GMT") is Verdict.PERFORM


@pytest.mark.parametrize(
    ("value", "validators", "verdict"),
    [
        (b'"a"', TAGGED, Verdict.PERFORM),
        (b'W/"a"', TAGGED, Verdict.WITHOUT_RANGE),
        (b'"b"', TAGGED, Verdict.WITHOUT_RANGE),
        (b'"a"', Validators(EntityTag(b"a", weak=True)), Verdict.WITHOUT_RANGE),
        (b'"a"', Validators(), Verdict.WITHOUT_RANGE),
        (EARLY, TAGGED, Verdict.PERFORM),
        (LATE, TAGGED, Verdict.WITHOUT_RANGE),
        (EARLY, Validators(None, TAGGED.modified), Verdict.WITHOUT_RANGE),
        (b"nonsense", TAGGED, Verdict.WITHOUT_RANGE),
    ],
)
def test_if_range(value, validators, verdict):
    assert evaluated(validators=validators, Range=b"bytes=0-1", If_Range=value) is verdict


def test_if_range_without_range_is_ignored():
    assert evaluated(If_Range=b'"b"') is Verdict.PERFORM
    assert evaluated(b"HEAD", If_Range=b'"b"', Range=b"bytes=0-1") is Verdict.PERFORM


def test_not_modified_comes_before_the_range():
    assert evaluated(If_None_Match=b'"a"', Range=b"bytes=0-1", If_Range=b'"b"') is Verdict.NOT_MODIFIED


NAMES = st.sampled_from([b"If-None-Match", b"If-Modified-Since", b"If-Range", b"Range", b"If-Match"])


@given(st.lists(st.tuples(NAMES, st.binary(max_size=40))), st.sampled_from([b"GET", b"HEAD", b"QUERY"]))
def test_no_bytes_make_the_evaluation_fail(lines, method):
    assert evaluate(Request(method, b"/", Fields(lines)), TAGGED, NOW) in Verdict
