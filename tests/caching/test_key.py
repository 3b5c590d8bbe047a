"""Cache keys."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.key import cache_key
from proxy.message.fields import Fields
from proxy.message.request import Request


def key(method=b"GET", target=b"/a?b=c", authority=b"example.org", scheme=b"http"):
    return cache_key(Request(method, target, scheme=scheme, authority=authority))


def test_the_target_uri_makes_the_key():
    assert key() == b"GET http://example.org/a?b=c"


@pytest.mark.parametrize("method", [b"HEAD", b"POST", b"PUT"])
def test_methods_that_concern_what_get_gives_share_its_key(method):
    assert key(method) == key()


@pytest.mark.parametrize(
    "other",
    [
        {"authority": b"EXAMPLE.org:80"},
        {"authority": b"example.org:"},
        {"target": b"http://example.org/a?b=c"},
        {"target": b"HTTP://EXAMPLE.ORG:080/a?b=c", "authority": b"elsewhere.example"},
    ],
)
def test_the_same_uri_written_differently(other):
    assert key(**other) == key()


@pytest.mark.parametrize(
    "other",
    [
        {"authority": b"example.org:8080"},
        {"scheme": b"https"},
        {"target": b"/A?b=c"},
        {"target": b"/a?b=C"},
        {"target": b"/a?b=c&"},
        {"target": b"/%61?b=c"},
        {"target": b"/a/../a?b=c"},
        {"method": b"QUERY"},
    ],
)
def test_different_uris(other):
    assert key(**other) != key()


QUERY = Request(
    b"QUERY",
    b"/a",
    Fields([(b"Content-Type", b"text/sql"), (b"User-Agent", b"x")]),
    authority=b"example.org",
    content_digest=b"1234",
)


@pytest.mark.parametrize(
    "other",
    [
        replace(QUERY, content_digest=b"1235"),
        replace(QUERY, target=b"/b"),
        replace(QUERY, fields=QUERY.fields.setting(b"Content-Type", b"text/xml")),
        replace(QUERY, fields=QUERY.fields.without(b"content-type")),
        replace(QUERY, fields=QUERY.fields.adding((b"Content-Encoding", b"gzip"))),
        replace(QUERY, fields=QUERY.fields.adding((b"Content-Language", b"en"))),
    ],
)
def test_a_querys_content_and_metadata_are_in_its_key(other):
    assert cache_key(other) != cache_key(QUERY)


def test_nothing_else_of_a_query_is():
    assert cache_key(replace(QUERY, fields=QUERY.fields.setting(b"User-Agent", b"y"))) == cache_key(QUERY)


PIECES = st.binary(max_size=8).filter(lambda piece: b"\n" not in piece)


@given(PIECES, PIECES, PIECES, PIECES)
def test_different_metadata_never_make_the_same_key(one, two, three, four):
    def of(type_, encoding):
        lines = [(b"Content-Type", type_), (b"Content-Encoding", encoding)]
        return cache_key(replace(QUERY, fields=Fields(lines)))

    assert (of(one, two) == of(three, four)) is ((one, two) == (three, four))
