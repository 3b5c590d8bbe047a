"""The chunked coding: strict, and the same however the bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.message.chunked import ChunkedDecoder, encode_chunk, last_chunk
from proxy.message.errors import MalformedMessage
from proxy.message.fields import Fields
from proxy.message.head import HeadLimits


def decoded(*pieces: bytes) -> tuple[bytes, list[tuple[bytes, bytes]], bytes]:
    decoder = ChunkedDecoder()
    content = b"".join(b"".join(decoder.feed(piece)) for piece in pieces)
    assert decoder.done
    return content, list(decoder.trailers), decoder.leftover


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (b"0\r\n\r\n", b""),
        (b"000\r\n\r\n", b""),
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", b"hello"),
        (b"0A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        (b"a\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        (b"4\r\n\r\n\r\n\r\n0\r\n\r\n", b"\r\n\r\n"),
        (b'5;a;b=c;d="e;\\"\xe9"\r\nhello\r\n0;last\r\n\r\n', b"hello"),
        (b"5 ; a = b\r\nhello\r\n0\r\n\r\n", b"hello"),
    ],
)
def test_content(body: bytes, content: bytes) -> None:
    assert decoded(body) == (content, [], b"")


def test_trailers_and_what_comes_next() -> None:
    body = b"1\r\na\r\n0\r\nDigest: x\r\nX-A:  y \r\n\r\nGET / HTTP/1.1\r\n"
    assert decoded(body) == (b"a", [(b"Digest", b"x"), (b"X-A", b"y")], b"GET / HTTP/1.1\r\n")


def test_what_comes_later_is_left_over_too() -> None:
    decoder = ChunkedDecoder()
    decoder.feed(b"0\r\n\r\nG")
    assert decoder.feed(b"ET") == []
    assert decoder.leftover == b"GET"


def test_a_body_that_has_not_ended_is_not_done() -> None:
    for body in (b"", b"0", b"0\r", b"0\r\n", b"0\r\n\r", b"5\r\nhell", b"0\r\nX: y\r\n"):
        decoder = ChunkedDecoder()
        decoder.feed(body)
        assert not decoder.done


@pytest.mark.parametrize(
    "body",
    [
        b"\r\n",
        b"x\r\n",
        b"-5\r\nhello\r\n",
        b"+5\r\nhello\r\n",
        b"0x5\r\nhello\r\n",
        b"5_0\r\n",
        b" 5\r\nhello\r\n",
        b"5 \r\nhello\r\n",
        b"5\nhello\r\n",
        b"5\r\r\nhello\r\n",
        b"5\rX\nhello\r\n",
        b"5\r\nhello!\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"5\r\nhello\r0\r\n\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"5;\r\nhello\r\n",
        b"5;a=\r\nhello\r\n",
        b'5;a="b\r\nhello\r\n',
        b"5;a\nhello\r\n",
        b"5;a\0\r\nhello\r\n",
        b"5;a b\r\nhello\r\n",
        b"10000000000000000\r\n",
        b"0\r\nX : y\r\n\r\n",
        b"0\r\nX: y\r\n z\r\n\r\n",
        b"0\r\n X: y\r\n\r\n",
        b"0\r\nX: \0\r\n\r\n",
        b"0\r\nnonsense\r\n\r\n",
        b"0\r\nX: y\n\r\n",
        b"0\r\n\nX: y\r\n\r\n",
    ],
)
def test_what_is_not_chunked_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedMessage) as caught:
        ChunkedDecoder().feed(body)
    assert caught.value.status == 400
    with pytest.raises(MalformedMessage):
        decoded(*[bytes([byte]) for byte in body])


def test_a_size_line_has_a_limit() -> None:
    for body in (b"1;" + b"a" * 5000, b"1;" + b"a" * 5000 + b"\r\n"):
        with pytest.raises(MalformedMessage) as caught:
            ChunkedDecoder().feed(body)
        assert caught.value.status == 431


def test_extensions_have_a_limit_that_grows_with_the_content() -> None:
    signed = b";chunk-signature=" + b"a" * 64
    decoder = ChunkedDecoder()
    for _ in range(500):
        decoder.feed(b"1000" + signed + b"\r\n" + b"x" * 0x1000 + b"\r\n")
    with pytest.raises(MalformedMessage, match="extensions"):
        decoder.feed((b"1" + signed + b"\r\nx\r\n") * 500)


def test_trailers_have_limits() -> None:
    limits = HeadLimits(block=50, fields=2)
    for section in (b"X: " + b"y" * 60, b"X: " + b"y" * 60 + b"\r\n\r\n", b"A: b\r\nC: d\r\nE: f\r\n\r\n"):
        with pytest.raises(MalformedMessage) as caught:
            ChunkedDecoder(limits).feed(b"0\r\n" + section)
        assert caught.value.status == 431


def test_many_small_chunks_need_no_extensions() -> None:
    assert decoded(b"1\r\nx\r\n" * 20000 + b"0\r\n\r\n")[0] == b"x" * 20000


def test_pieces_can_be_had_a_few_at_a_time() -> None:
    decoder = ChunkedDecoder()
    pieces = decoder.feed(b"1\r\nx\r\n" * 25 + b"1;a=b\r\ny\r\n" * 15 + b"0\r\n\r\nGET", 10)
    assert (len(pieces), decoder.pending, decoder.done) == (10, True, False)
    while decoder.pending:
        more = decoder.feed(b"", 10)
        assert len(more) <= 10
        pieces += more
    assert (b"".join(pieces), decoder.done, decoder.leftover) == (b"x" * 25 + b"y" * 15, True, b"GET")


def test_what_is_encoded() -> None:
    assert encode_chunk(b"hello" * 4) == b"14\r\nhellohellohellohello\r\n"
    assert encode_chunk(b"") == b""
    assert last_chunk() == b"0\r\n\r\n"
    assert last_chunk(Fields([(b"X", b"y")])) == b"0\r\nX: y\r\n\r\n"


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


@settings(max_examples=150)
@given(
    st.lists(st.binary(max_size=40), max_size=6),
    st.lists(
        st.tuples(st.sampled_from([b"X", b"Digest"]), st.sampled_from([b"", b"y", b"\xe9 z"])), max_size=3
    ),
    st.lists(st.integers(0, 1000), max_size=12),
)
def test_encoded_content_comes_back_however_it_is_cut(
    contents: list[bytes], trailers: list[tuple[bytes, bytes]], places: list[int]
) -> None:
    body = b"".join(encode_chunk(content) for content in contents) + last_chunk(Fields(trailers))
    assert decoded(*cut(body + b"next", places)) == (b"".join(contents), trailers, b"next")


grammar = st.lists(
    st.sampled_from(
        [b"0", b"1", b"5", b"f", b"\r\n", b"\n", b"\r", b";", b"a", b"=", b'"', b" ", b"hello", b"X: y"]
    ),
    max_size=14,
).map(b"".join)


def outcome(pieces: list[bytes]) -> tuple[bytes, object, bytes, object]:
    decoder = ChunkedDecoder()
    content, error = b"", None
    try:
        for piece in pieces:
            content += b"".join(decoder.feed(piece))
    except MalformedMessage as caught:
        error = (caught.status, str(caught))
        content = b""  # how much came before it depends on how it was cut
    return content, decoder.trailers, decoder.leftover, error


@settings(max_examples=400)
@given(grammar, st.lists(st.integers(0, 1000), max_size=8))
def test_whatever_the_bytes_they_mean_the_same_however_they_are_cut(body: bytes, places: list[int]) -> None:
    assert outcome(cut(body, places)) == outcome([body])
