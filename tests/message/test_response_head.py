"""Heads of responses: what is taken, what is mended, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.message.errors import MalformedMessage
from proxy.message.fields import Fields
from proxy.message.head import HeadLimits, find_end, parse_response_head, serialise_response
from proxy.message.response import Response

LIMITS = HeadLimits()


def test_a_response_is_taken_apart_and_nothing_of_it_is_changed() -> None:
    head = b"HTTP/1.1 299 Rather \xe9 fine\r\nX-A: 1\r\nx-a: 2\r\nServer:\r\n\r\n"
    assert parse_response_head(head, LIMITS) == Response(
        299, Fields([(b"X-A", b"1"), (b"x-a", b"2"), (b"Server", b"")]), b"Rather \xe9 fine", (1, 1)
    )


@pytest.mark.parametrize(
    ("line", "reason"), [(b"HTTP/1.1 200 ", b""), (b"HTTP/1.1 200", b""), (b"HTTP/1.1 200  two ", b" two ")]
)
def test_a_reason_phrase_may_be_empty_or_odd(line: bytes, reason: bytes) -> None:
    assert parse_response_head(line + b"\r\n\r\n", LIMITS).reason == reason


def test_white_space_before_a_colon_is_removed_from_a_response() -> None:
    response = parse_response_head(b"HTTP/1.1 200 OK\r\nContent-Length \t: 5\r\nX: a : b\r\n\r\n", LIMITS)
    assert list(response.fields) == [(b"Content-Length", b"5"), (b"X", b"a : b")]


def test_a_folded_line_of_a_response_becomes_one() -> None:
    response = parse_response_head(b"HTTP/1.1 200 OK\r\nX: a \r\n\t b: c\r\n  d\r\nY: e\r\n\r\n", LIMITS)
    assert list(response.fields) == [(b"X", b"a  b: c d"), (b"Y", b"e")]


RESPONSES_REFUSED = {
    "not HTTP": b"ICY 200 OK\r\n\r\n",
    "HTTP/2": b"HTTP/2.0 200 OK\r\n\r\n",
    "two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "no such code": b"HTTP/1.1 099 OK\r\n\r\n",
    "a control character in the reason": b"HTTP/1.1 200 O\0K\r\n\r\n",
    "two spaces": b"HTTP/1.1  200 OK\r\n\r\n",
    "a bare LF": b"HTTP/1.1 200 OK\nX: y\r\n\r\n",
    "a bare CR": b"HTTP/1.1 200 OK\r\nX: y\rZ: a\r\n\r\n",
    "a NUL": b"HTTP/1.1 200 OK\r\nX: \0\r\n\r\n",
    "white space before the first field": b"HTTP/1.1 200 OK\r\n X: y\r\n\r\n",
    "a name that is none": b"HTTP/1.1 200 OK\r\nX(: y\r\n\r\n",
    "a line without a colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    "an empty line before it": b"\r\nHTTP/1.1 200 OK\r\n\r\n",
    "too many fields": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 257 + b"\r\n",
    "too many bytes": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 66000 + b"\r\n\r\n",
    "a fold that is never unfolded": b"HTTP/1.1 200 OK\r\nX: a\r\n \0b\r\n\r\n",
}


@pytest.mark.parametrize("case", RESPONSES_REFUSED)
def test_responses_that_could_be_read_in_two_ways_are_refused(case: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse_response_head(RESPONSES_REFUSED[case], LIMITS)
    assert caught.value.status == 502


def test_what_is_parsed_is_written_as_it_was() -> None:
    head = b"HTTP/1.1 404 Nicht \xe4\r\nX: y\r\n\r\n"
    assert serialise_response(parse_response_head(head, LIMITS)) == head
    assert serialise_response(Response(200, version=(1, 0))) == b"HTTP/1.1 200 \r\n\r\n"


pieces = st.sampled_from(
    [b"X: y", b"Set-Cookie: \xe9", b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"\0", b"X", b"HTTP/1.1", b"200"]
)
almost_heads = st.one_of(st.lists(pieces, max_size=14).map(b"".join), st.binary(max_size=80)).map(
    lambda fields: b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n\r\n"
)


@settings(max_examples=300)
@given(almost_heads)
def test_whatever_the_bytes_a_response_is_parsed_or_refused_with_a_reason(data: bytes) -> None:
    data = data[: find_end(data, 0)]
    try:
        parsed = parse_response_head(data, LIMITS)
    except MalformedMessage as error:
        why = error
    else:
        assert parse_response_head(serialise_response(parsed), LIMITS) == parsed
        return
    assert why.status == 502
    assert why.message != "not the head of a response"


def test_patterns_do_not_blow_up() -> None:
    """Each of these would take ages if a pattern backtracked."""
    long = HeadLimits(line=70000, block=70000, fields=70000)
    for filling in (b"a", b" ", b"\t \t", b"a ", b": ", b"a:", b"\r\n ", b"a\r\n ", b"X: y\r\n", b"\r\n"):
        many = filling * (60000 // len(filling))
        for fields in (b"X: " + many, many):
            with pytest.raises(MalformedMessage):
                parse_response_head(b"HTTP/1.1 200 OK\r\n" + fields + b"\0\r\n\r\n", long)
