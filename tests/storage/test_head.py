"""A stored response comes back from its block as it was, and takes little memory there."""

from __future__ import annotations

import sys

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.caching.stored import StoredResponse
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.storage.head import pack, soften, unpack

names = st.sampled_from([b"ETag", b"etag", b"eTaG", b"Cache-Control", b"X-Odd"]) | st.binary(max_size=8)
fields = st.lists(st.tuples(names, st.binary(max_size=20)), max_size=6).map(Fields)
versions = st.tuples(st.integers(0, 9), st.integers(0, 9))
seconds = st.floats(0, 1e10)
stored_responses = st.builds(
    StoredResponse,
    request=st.builds(
        Request,
        method=st.binary(max_size=8),
        target=st.binary(max_size=20),
        fields=fields,
        version=versions,
        scheme=st.binary(max_size=5),
        authority=st.binary(max_size=10),
        content_digest=st.none() | st.binary(max_size=32),
    ),
    response=st.builds(
        Response, status=st.integers(100, 599), fields=fields, reason=st.binary(max_size=9), version=versions
    ),
    request_time=seconds,
    response_time=seconds,
    length=st.integers(0, 2**50),
    first=st.integers(0, 2**50),
    complete_length=st.none() | st.integers(0, 2**50),
    invalidated=st.booleans(),
    stale_from=st.none() | seconds,
)


@settings(max_examples=150, deadline=None)
@given(stored_responses, st.text(max_size=60))
def test_law_what_is_unpacked_is_what_was_packed(stored: StoredResponse, digest: str) -> None:
    assert unpack(pack(stored, digest)) == (stored, digest)


@settings(max_examples=50, deadline=None)
@given(stored_responses, st.text(max_size=60), seconds)
def test_law_a_block_is_softened_as_its_response_is(stored: StoredResponse, digest: str, at: float) -> None:
    block = pack(stored, digest)
    softened = soften(block, at)
    assert unpack(softened) == (stored.softened(at), digest)
    assert len(softened) == len(block)
    assert (softened is block) is (stored.softened(at) is stored)


def test_a_block_from_before_there_were_soft_purges() -> None:
    stored = StoredResponse(Request(b"GET", b"/"), Response(200), 1.0, 2.0, 0)
    older = msgspec.msgpack.decode(pack(stored, "digest"))[:-1]
    assert unpack(msgspec.msgpack.encode(older)) == (stored, "digest")


@pytest.mark.parametrize("size", [10, 10_000])
def test_large_ones_too(size: int) -> None:
    fields = Fields([(b"X", b"x" * size)])
    stored = StoredResponse(Request(b"GET", b"/"), Response(200, fields), 1.0, 2.0, 0)
    assert unpack(pack(stored, "")) == unpack(pack(stored, "")) == (stored, "")


def test_well_known_names_take_a_byte_or_two() -> None:
    def size(name: bytes) -> int:
        stored = StoredResponse(Request(b"GET", b"/"), Response(200, Fields([(name, b"value")])), 1.0, 2.0, 0)
        return sys.getsizeof(pack(stored, ""))

    assert size(b"Strict-Transport-Security") == size(b"strict-transport-security")
    assert size(b"Strict-Transport-Security") < size(b"X-Transport-Security-Policy") - 24
