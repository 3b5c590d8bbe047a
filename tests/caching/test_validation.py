"""Requests that validate stored responses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.stored import StoredResponse
from proxy.caching.validation import MOST_TAGS, conditional, replaces_condition, unconditional
from proxy.message.conditions import parse_etags
from proxy.message.dates import format_date
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response

NOON = 1_700_000_000
CHANGED = format_date(NOON - 100)
LATER = format_date(NOON - 50)


def get(*lines, method=b"GET"):
    return Request(method, b"/", Fields(lines))


def stored(etag=None, changed=None, status=200, length=10):
    lines = [(b"Date", format_date(NOON))]
    lines += [(b"ETag", etag)] if etag else []
    lines += [(b"Last-Modified", changed)] if changed else []
    return StoredResponse(get(), Response(status, Fields(lines)), NOON, NOON, length, complete_length=10)


def sent(request, *held, chosen=True):
    asking = conditional(request, held, chosen=chosen)
    return None if asking is None else asking.request.fields


def test_both_validators_are_sent():
    fields = sent(get(), stored(b'"a"', CHANGED))
    assert list(fields) == [(b"If-None-Match", b'"a"'), (b"If-Modified-Since", CHANGED)]


def test_one_where_there_is_one():
    assert list(sent(get(), stored(b'W/"a"'))) == [(b"If-None-Match", b'W/"a"')]
    assert list(sent(get(), stored(None, CHANGED))) == [(b"If-Modified-Since", CHANGED)]


def test_a_tag_without_quotes_goes_back_as_it_came():
    assert list(sent(get(), stored(b"abc"))) == [(b"If-None-Match", b"abc")]


def test_the_date_is_sent_as_it_was_received():
    odd = b"Tuesday, 14-Nov-23 22:11:40 GMT"
    assert sent(get(), stored(None, odd)).get(b"if-modified-since") == odd


@pytest.mark.parametrize(
    "held", [stored(), stored(b"un quoted"), stored(None, b"yesterday"), stored(b'"a"', status=404)]
)
def test_what_has_nothing_to_validate_by(held):
    assert conditional(get(), [held], chosen=True) is None


@pytest.mark.parametrize("method", [b"HEAD", b"QUERY"])
def test_only_get_is_made_conditional(method):
    assert conditional(get(method=method), [stored(b'"a"')], chosen=True) is None


def test_all_entity_tags_where_none_could_be_chosen():
    held = [stored(b'"a"', CHANGED), stored(b'"b"'), stored(None, CHANGED), stored(b'"c"', length=5)]
    asking = conditional(get(), held, chosen=False)
    assert list(asking.request.fields) == [(b"If-None-Match", b'"a", "b"')]
    assert asking.nominated == (held[0], held[1])
    assert conditional(get(), [stored(None, CHANGED)], chosen=False) is None


def test_a_weak_tag_is_offered_for_the_chosen_response_only():
    """RFC 9110 §8.8.1: a weak validator may be shared by variants with different bytes."""
    assert sent(get(), stored(b'W/"a"')).get(b"if-none-match") == b'W/"a"'
    assert sent(get(), stored(b'W/"a"'), chosen=False) is None
    held = [stored(b'W/"a"'), stored(b'"b"'), stored(b"unquoted")]
    assert sent(get(), *held, chosen=False).get(b"if-none-match") == b'"b"'


def variant(asked, *lines):
    """Stored with a strong entity tag for a request with the field line `asked`, by which it varies."""
    fields = Fields([(b"Date", format_date(NOON)), (b"ETag", b'"a"'), (b"Vary", asked[0]), *lines])
    return StoredResponse(get(asked), Response(200, fields), NOON, NOON, 10, complete_length=10)


@pytest.mark.parametrize(
    ("accepted", "offered"),
    [
        ((), False),
        ((b"identity",), False),
        ((b"br, gzip;q=0",), False),
        ((b"gzip;q=high",), False),
        ((b"br, gzip",), True),
        ((b"br", b"X-GZIP;q=0.1"), True),
        ((b"*",), True),
        ((b"*;q=0",), False),
    ],
)
def test_a_variant_with_a_coding_stands_in_for_no_request_that_does_not_ask_for_it(accepted, offered):
    """Servers that compress on the way out often leave the strong entity tag as it is."""
    held = variant((b"Accept-Encoding", b"gzip, deflate"), (b"Content-Encoding", b"gzip"))
    request = get(*((b"Accept-Encoding", value) for value in accepted))
    assert (conditional(request, [held], chosen=False) is not None) == offered
    assert conditional(request, [held], chosen=True) is not None


def test_a_variant_without_a_coding_stands_in_for_all():
    held = variant((b"Accept-Encoding", b"br"), (b"Content-Encoding", b"identity"))
    assert sent(get(), held, chosen=False).get(b"if-none-match") == b'"a"'


@pytest.mark.parametrize("name", [b"Cookie", b"Authorization"])
def test_a_variant_stands_in_for_nobody_else(name):
    """An entity tag that tells a version says nothing of whose version it is."""
    ann = variant((name, b"session=ann"))
    assert conditional(get((name, b"session=ben")), [ann], chosen=False) is None
    assert conditional(get(), [ann], chosen=False) is None


def test_their_number_is_bounded():
    held = [stored(b'"%d"' % number) for number in range(99)]
    value = sent(get(), *held, chosen=False).get(b"if-none-match")
    assert len(parse_etags([value]).tags) == MOST_TAGS


def test_the_clients_entity_tags_are_joined_with_ours():
    asked = get((b"If-None-Match", b'"x", W/"y"'), (b"If-None-Match", b'"a"'), (b"If-Modified-Since", LATER))
    assert list(sent(asked, stored(b'"a"', CHANGED))) == [
        (b"If-None-Match", b'"x", W/"y", "a"'),
        (b"If-Modified-Since", CHANGED),
    ]
    assert sent(asked, stored(b'"b"')).get(b"if-none-match") == b'"x", W/"y", "a", "b"'


def test_entity_tags_can_not_be_joined_with_a_date_or_a_star():
    assert sent(get((b"If-None-Match", b'"x"')), stored(None, CHANGED)) is None
    assert sent(get((b"If-None-Match", b"*")), stored(b'"a"', CHANGED)) is None


def test_the_clients_date_gives_way_to_our_validators():
    asked = get((b"If-Modified-Since", LATER))
    dated = conditional(asked, [stored(None, CHANGED)], chosen=True).request
    assert dated.fields.all(b"if-modified-since") == (CHANGED,)
    assert replaces_condition(asked, dated)
    tagged = conditional(asked, [stored(b'"a"')], chosen=True).request
    assert list(tagged.fields) == [(b"If-None-Match", b'"a"')]
    assert replaces_condition(asked, tagged)
    assert not replaces_condition(get(), tagged)


def test_a_range_is_kept_beside_an_entity_tag_and_no_date_is_sent():
    asked = get((b"Range", b"bytes=0-1"), (b"If-Range", b'"a"'))
    assert list(sent(asked, stored(b'"a"', CHANGED))) == [*asked.fields, (b"If-None-Match", b'"a"')]


def test_a_range_gives_way_where_there_is_only_a_date():
    asked = get((b"Range", b"bytes=0-1"), (b"If-Range", CHANGED))
    assert list(sent(asked, stored(None, CHANGED))) == [(b"If-Modified-Since", CHANGED)]


def test_conditions_for_the_origin_server_are_left_to_it():
    asked = get((b"If-Match", b'"x"'), (b"If-Unmodified-Since", LATER))
    assert list(sent(asked, stored(b'"a"')))[:2] == list(asked.fields)


def test_a_request_without_conditions():
    lines = [
        (b"Range", b"bytes=0-"),
        (b"If-None-Match", b"*"),
        (b"Cache-Control", b"max-stale"),
        (b"X", b"1"),
    ]
    bare = unconditional(get(*lines, method=b"HEAD"))
    assert (bare.method, list(bare.fields)) == (b"GET", [(b"X", b"1")])


NAMES = st.sampled_from(
    [b"If-None-Match", b"If-Modified-Since", b"Range", b"If-Range", b"ETag", b"Last-Modified"]
)
LINES = st.lists(st.tuples(NAMES, st.binary(max_size=20)), max_size=5)


@given(LINES, LINES, st.booleans())
def test_what_is_sent_is_always_well_formed(asked, held, chosen):
    one = StoredResponse(get(), Response(200, Fields(held)), NOON, NOON, 1, complete_length=1)
    asking = conditional(get(*asked), [one], chosen=chosen)
    if asking is not None and b"if-none-match" in asking.request.fields:
        value = asking.request.fields.get(b"if-none-match")
        assert b", ".join(bytes(tag) for tag in parse_etags([value]).tags) == value
