"""Where content ends, and above all: when two recipients might see it end at different places."""

from __future__ import annotations

import pytest

from proxy.message.errors import MalformedMessage
from proxy.message.fields import Fields
from proxy.message.framing import (
    IN_CHUNKS,
    NO_CONTENT,
    UNTIL_CLOSE,
    Framing,
    Kind,
    persistent,
    request_framing,
    response_framing,
)
from proxy.message.response import Response


def fields(*lines: str) -> Fields:
    pairs = [line.partition(": ") for line in lines]
    return Fields((name.encode(), value.encode("latin-1")) for name, _, value in pairs)


@pytest.mark.parametrize(
    ("lines", "framing"),
    [
        ((), NO_CONTENT),
        (("Content-Length: 0",), Framing(Kind.LENGTH, 0)),
        (("content-length: 12",), Framing(Kind.LENGTH, 12)),
        (("Content-Length: 0012",), Framing(Kind.LENGTH, 12)),
        (("Content-Length: " + "9" * 18,), Framing(Kind.LENGTH, 10**18 - 1)),
        (("Transfer-Encoding: chunked",), IN_CHUNKS),
        (("transfer-encoding: CHUNKED",), IN_CHUNKS),
    ],
)
def test_requests(lines: tuple[str, ...], framing: Framing) -> None:
    assert request_framing((1, 1), fields(*lines)) == framing


SMUGGLING = {
    "both": (("Content-Length: 5", "Transfer-Encoding: chunked"), 400),
    "both, the other way round": (("Transfer-Encoding: chunked", "Content-Length: 5"), 400),
    "both, the length zero": (("Transfer-Encoding: chunked", "Content-Length: 0"), 400),
    "lengths that differ": (("Content-Length: 5", "Content-Length: 6"), 400),
    "lengths that are the same": (("Content-Length: 5", "Content-Length: 5"), 400),
    "a list of lengths": (("Content-Length: 5, 6",), 400),
    "a list of the same lengths": (("Content-Length: 5, 5",), 400),
    "a negative length": (("Content-Length: -1",), 400),
    "a signed length": (("Content-Length: +5",), 400),
    "a length in hexadecimal": (("Content-Length: 0x5",), 400),
    "a length with an underscore": (("Content-Length: 1_0",), 400),
    "a decimal fraction": (("Content-Length: 5.0",), 400),
    "a length with a space in it": (("Content-Length: 1 0",), 400),
    "no length at all": (("Content-Length: ",), 400),
    "a comma after the length": (("Content-Length: 5,",), 400),
    "digits of another script": (("Content-Length: \xb2",), 400),
    "a length beyond all limits": (("Content-Length: 1" + "0" * 18,), 413),
    "a length that no integer parser likes": (("Content-Length: " + "9" * 5000,), 413),
    "an unknown coding": (("Transfer-Encoding: gzip, chunked",), 501),
    "only an unknown coding": (("Transfer-Encoding: gzip",), 400),
    "identity": (("Transfer-Encoding: identity",), 400),
    "chunked, but not last": (("Transfer-Encoding: chunked, gzip",), 400),
    "chunked, but not last, in two lines": (("Transfer-Encoding: chunked", "Transfer-Encoding: gzip"), 400),
    "chunked twice": (("Transfer-Encoding: chunked, chunked",), 400),
    "chunked twice, in two lines": (("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 400),
    "identity and chunked": (("Transfer-Encoding: identity, chunked",), 501),
    "chunked with a parameter": (("Transfer-Encoding: chunked;q=1",), 400),
    "chunked in quotes": (('Transfer-Encoding: "chunked"',), 400),
    "something like chunked": (("Transfer-Encoding: xchunked",), 400),
    "chunked and more": (("Transfer-Encoding: chunked x",), 400),
    "an empty member": (("Transfer-Encoding: , chunked",), 400),
    "an empty member at the end": (("Transfer-Encoding: chunked,",), 400),
    "no coding": (("Transfer-Encoding: ",), 400),
}


@pytest.mark.parametrize("case", SMUGGLING)
def test_requests_that_smuggle(case: str) -> None:
    lines, status = SMUGGLING[case]
    with pytest.raises(MalformedMessage) as caught:
        request_framing((1, 1), fields(*lines))
    assert caught.value.status == status


def test_chunked_has_no_meaning_in_http_1_0() -> None:
    with pytest.raises(MalformedMessage, match=r"HTTP/1\.0"):
        request_framing((1, 0), fields("Transfer-Encoding: chunked"))


@pytest.mark.parametrize(
    ("lines", "framing"),
    [
        ((), UNTIL_CLOSE),
        (("Content-Length: 12",), Framing(Kind.LENGTH, 12)),
        (("Content-Length: 12, 12",), Framing(Kind.LENGTH, 12)),
        (("Content-Length: 12", "Content-Length: 12"), Framing(Kind.LENGTH, 12)),
        (("Transfer-Encoding: chunked",), IN_CHUNKS),
    ],
)
def test_responses(lines: tuple[str, ...], framing: Framing) -> None:
    assert response_framing(b"GET", Response(200, fields(*lines))) == framing


@pytest.mark.parametrize(
    ("method", "status"),
    [(b"HEAD", 200), (b"GET", 204), (b"GET", 304), (b"POST", 100), (b"GET", 101), (b"GET", 103)],
)
def test_responses_without_content_end_with_their_head(method: bytes, status: int) -> None:
    for lines in ((), ("Content-Length: 5",), ("Transfer-Encoding: chunked",)):
        assert response_framing(method, Response(status, fields(*lines))) == NO_CONTENT


@pytest.mark.parametrize(
    "case",
    sorted(SMUGGLING.keys() - {"a list of the same lengths", "lengths that are the same"}),
)
def test_responses_that_split(case: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        response_framing(b"GET", Response(200, fields(*SMUGGLING[case][0])))
    assert caught.value.status == 502


def test_a_length_that_is_none_is_not_forwarded_even_without_content() -> None:
    with pytest.raises(MalformedMessage):
        response_framing(b"HEAD", Response(200, fields("Content-Length: 5, 6")))


def test_a_chunked_response_of_http_1_0_is_refused() -> None:
    with pytest.raises(MalformedMessage):
        response_framing(b"GET", Response(200, fields("Transfer-Encoding: chunked"), version=(1, 0)))


@pytest.mark.parametrize(
    ("version", "lines", "stays"),
    [
        ((1, 1), (), True),
        ((1, 1), ("Connection: close",), False),
        ((1, 1), ("Connection: keep-alive, Close",), False),
        ((1, 1), ("Connection: te", "Connection: close"), False),
        ((1, 1), ("Connection: closed",), True),
        ((1, 2), (), True),
        ((1, 0), (), False),
        ((1, 0), ("Connection: Keep-Alive",), True),
        ((1, 0), ("Connection: keep-alive, close",), False),
        ((1, 0), ("Keep-Alive: timeout=5",), False),
    ],
)
def test_persistence(version: tuple[int, int], lines: tuple[str, ...], stays: bool) -> None:
    assert persistent(version, fields(*lines)) is stays
