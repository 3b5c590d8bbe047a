"""RESP3, out of bytes as they come."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from valkey.exceptions import NoScriptError, ReadOnlyError, ResponseError

from proxy.storage.valkey.resp import Garbled, Parser, Push, pack


def written(value: Any) -> bytes:
    """A value as a server writes it."""
    match value:
        case None:
            return b"_\r\n"
        case bool():
            return b"#t\r\n" if value else b"#f\r\n"
        case int():
            return b":%d\r\n" % value
        case bytes():
            return b"$%d\r\n%b\r\n" % (len(value), value)
        case Push():
            return b">%d\r\n%b" % (len(value), b"".join(map(written, value)))
        case list():
            return b"*%d\r\n%b" % (len(value), b"".join(map(written, value)))
    raise TypeError


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.binary(max_size=50) | st.just(b"\r\n$5\r\n"),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=12,
)
replies = st.lists(values | st.lists(st.binary(max_size=9), min_size=1).map(Push), max_size=5)


@settings(max_examples=100)
@given(replies, st.data())
def test_law_however_it_is_cut_it_is_the_same(said: list[Any], data: st.DataObject) -> None:
    block = b"".join(map(written, said))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(block)), max_size=8)))
    parser, heard = Parser(), []
    for first, last in zip([0, *cuts], [*cuts, len(block)], strict=True):
        heard += parser.feed(block[first:last])
    assert heard == said
    assert [type(one) for one in heard] == [type(one) for one in said]


def test_a_large_reply_byte_by_byte() -> None:
    block = written([b"x" * 3000, [b"y"]])
    parser = Parser()
    heard = [reply for at in range(len(block)) for reply in parser.feed(block[at : at + 1])]
    assert heard == [[b"x" * 3000, [b"y"]]]


@pytest.mark.parametrize(
    ("block", "reply"),
    [
        (b"+OK\r\n", b"OK"),
        (b"$-1\r\n", None),
        (b"*-1\r\n", None),
        (b",1.5\r\n", 1.5),
        (b"(12345678901234567890\r\n", 12345678901234567890),
        (b"=7\r\ntxt:abc\r\n", b"abc"),
        (b"~2\r\n:1\r\n:2\r\n", [1, 2]),
        (b"%1\r\n+a\r\n:1\r\n", [(b"a", 1)]),
        (b"|1\r\n+ttl\r\n:3\r\n*1\r\n:2\r\n", [2]),
    ],
)
def test_what_else_there_is(block: bytes, reply: object) -> None:
    assert Parser().feed(block) == [reply]


def test_errors_are_what_the_client_makes_of_them() -> None:
    block = b"-NOSCRIPT none\r\n-READONLY you\r\n!11\r\nMOVED 1 h:2\r\n*1\r\n-ERR x\r\n"
    no_script, read_only, moved, [inner] = Parser().feed(block)
    assert isinstance(no_script, NoScriptError)
    assert isinstance(read_only, ReadOnlyError)
    assert str(moved) == "MOVED 1 h:2"
    assert isinstance(inner, ResponseError)


@pytest.mark.parametrize(
    "block",
    [
        b"HTTP/1.1 200 OK\r\n", b"$x\r\n", b"$-2\r\n", b"$ 1\r\n", b"$3\r\nabcde", b"$99999999999\r\n",
        b":\r\n", b":x\r\n", b"*99999999\r\n", b"*1\r\n" * 40, b"+" + b"x" * 70_000, b"\r\n",
        b"-LOADING it\r\n", b"\0\0\r\n",
    ],
)  # fmt: skip
def test_what_is_no_resp_is_refused(block: bytes) -> None:
    with pytest.raises(Garbled):
        Parser().feed(block)


def test_what_never_ends_is_refused() -> None:
    parser, piece = Parser(), b"$1000000\r\n" + bytes(1_000_000) + b"\r\n"
    assert parser.feed(b"*1000000\r\n") == []
    for _ in range(67):
        assert parser.feed(piece) == []
    with pytest.raises(Garbled):
        parser.feed(piece)


def test_an_array_in_many_pieces_is_read_once() -> None:
    parser = Parser()
    assert parser.feed(b"*200000\r\n") == []
    for _ in range(1_999):
        assert parser.feed(b":1\r\n" * 100) == []
    assert parser.feed(b":1\r\n" * 100) == [[1] * 200_000]


@given(st.lists(st.binary(max_size=20) | st.integers(), min_size=1, max_size=5))
def test_a_command_is_an_array_of_strings(words: list[bytes | int]) -> None:
    told = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    assert Parser().feed(pack(tuple(words))) == [told]
