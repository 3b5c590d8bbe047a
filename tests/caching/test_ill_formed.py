from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.ill_formed import ill_formed_request, ill_formed_response
from proxy.message.cache_control import NO_DIRECTIVES, parse_cache_control
from proxy.message.fields import Fields

NOW = 1_000_000_000.0


def of_response(name: bytes, *values: bytes) -> list[str]:
    fields = Fields([(name, value) for value in values])
    directives = parse_cache_control(fields.all(b"cache-control"))
    return [because.evidence for because in ill_formed_response(fields, directives, b"cache-control", NOW)]


def of_request(name: bytes, *values: bytes) -> list[str]:
    fields = Fields([(name, value) for value in values])
    directives = parse_cache_control(fields.all(b"cache-control"))
    return [because.evidence for because in ill_formed_request(fields, directives, NOW)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"Cache-Control", b"max-age=abc"),
        (b"Cache-Control", b'private="x'),
        (b"Date", b"yesterday"),
        (b"Expires", b"0"),
        (b"Last-Modified", b"Mon"),
        (b"ETag", b"abc"),
        (b"Vary", b"a b"),
        (b"No-Vary-Search", b"???"),
        (b"Age", b"soon"),
    ],
)
def test_each_field_that_a_cache_reads_is_named(name: bytes, value: bytes) -> None:
    found = of_response(name, value)
    assert found
    assert name == b"Age" or all(one.lower().startswith(name.decode().lower()) for one in found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"Cache-Control", b"max-age=60, public"),
        (b"Date", b"Sun, 06 Nov 1994 08:49:37 GMT"),
        (b"Expires", b"Sunday, 06-Nov-94 08:49:37 GMT"),
        (b"ETag", b'W/"abc"'),
        (b"Vary", b"Accept, Cookie"),
        (b"Vary", b"*"),
        (b"No-Vary-Search", b"key-order"),
        (b"Age", b"5"),
        (b"Server", b"a b"),
    ],
)
def test_what_is_well_formed_is_not(name: bytes, value: bytes) -> None:
    assert of_response(name, value) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [(b"Cache-Control", b"max-stale=x"), (b"If-Modified-Since", b"yesterday"), (b"Range", b"bytes=x")],
)
def test_so_it_is_for_a_request(name: bytes, value: bytes) -> None:
    assert of_request(name, value)


def test_a_plain_request_has_nothing_to_tell() -> None:
    assert ill_formed_request(Fields([(b"Range", b"bytes=0-4")]), NO_DIRECTIVES, NOW) == ()


@given(st.binary(max_size=60), st.sampled_from([b"Vary", b"ETag", b"Date", b"Cache-Control", b"Range"]))
def test_nothing_raises(value: bytes, name: bytes) -> None:
    of_response(name, value)
    of_request(name, value)
