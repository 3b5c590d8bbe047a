"""Header blocks as the lane reads them are those that the parser reads."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from proxy.message.errors import MalformedMessage
from proxy.message.head import HeadLimits, parse_request_head
from proxy.server.lane.heads import UNUSUAL, Blocks, Names
from proxy.visibility.record import Redaction

LIMITS = HeadLimits(fields=6)
REDACTION = Redaction(b"a key that is long enough")
NAMES = Names(frozenset((b"host", b"x")))

LINES = st.sampled_from(
    [
        b"Host: h", b"Host: h", b"Host: h", b"host:i", b"X: 1", b"x:\t2 ", b"Y: a=b", b"Y: \xe9", b'Y: "\\"',
        b"Y:", b"Cookie: sid=abcdefgh", b"Referer: http://h/?token=abcdefgh", b"Trace: a",
        b"Connection: Keep-Alive",
        b"Connection: close", b"TE: trailers", b"Content-Length: 1", b"Y : 1", b" Y: 1", b"Y: \0", b"Y: a\rb",
        b"Y: a\nb", b"", b"\xe9: 1", b": 1", b"Y", b"Y: \x7f", b"Host: a b",
    ]
)  # fmt: skip
TRACES = st.integers(0, 10**9).map(lambda number: b"Trace: %d" % number)


@pytest.fixture(scope="module")
def blocks() -> Blocks:
    """Where a field has been new so often that it is looked for first."""
    blocks = Blocks(REDACTION, LIMITS, 1 << 20)
    for number in range(1000):
        assert blocks.read(b"Host: h\r\nTrace: %d\r\n\r\n" % number, NAMES) is not None
    return blocks


@given(st.lists(LINES | TRACES, max_size=8))
def test_a_block_is_read_as_the_parser_reads_it(blocks: Blocks, lines: list[bytes]) -> None:
    raw = b"".join(line + b"\r\n" for line in lines) + b"\r\n"
    for read in (
        blocks.read(raw, NAMES),
        blocks.read(raw, NAMES),
        Blocks(REDACTION, LIMITS, 9999).read(raw, NAMES),
    ):
        if read is None:
            continue
        part, secrets, text = read
        fields = parse_request_head(b"GET / HTTP/1.1\r\n" + raw, LIMITS).fields
        assert UNUSUAL.isdisjoint(fields.names())
        shown = [REDACTION.line(name, value) for name, value in fields]
        assert json.loads(b"[%b]" % text) == [list(line) for line, _ in shown]
        assert sorted(secrets) == sorted(one for _, secrets in shown for one in secrets)
        wanted = [(name.lower(), value) for name, value in fields if name.lower() in NAMES.wanted]
        assert list(part) == wanted


@given(st.lists(LINES, max_size=6))
@example([b"Y: 1", b"Host: h"])
@example([b"Host: h", b"Y"])
@example([b"Host: h", b"Trace"])
def test_what_the_parser_refuses_is_never_plain(blocks: Blocks, lines: list[bytes]) -> None:
    raw = b"".join(line + b"\r\n" for line in lines) + b"\r\n"
    try:
        parse_request_head(b"GET / HTTP/1.1\r\n" + raw, LIMITS)
    except MalformedMessage:
        assert blocks.read(raw, NAMES) is None


def test_a_name_alone_is_no_line_also_where_it_is_known(blocks: Blocks) -> None:
    assert blocks.read(b"Host: h\r\nY: 1\r\n\r\n", NAMES) is not None
    for line in (b"Y", b"Trace", b"Trace ", b"\x00", b""):
        assert blocks.read(b"Host: h\r\n%b\r\n\r\n" % line, NAMES) is None


def test_what_is_new_each_time_counts_where_it_is_asked_for(blocks: Blocks) -> None:
    asked = Names(frozenset((b"host", b"trace")))
    for number in (77, 78, 79):
        raw = b"Host: h\r\nTrace: %d\r\n\r\n" % number
        for names, more in ((NAMES, ()), (asked, ((b"trace", b"%d" % number),)), (NAMES, ())):
            read = blocks.read(raw, names)
            assert read is not None
            part, _, text = read
            assert part == ((b"host", b"h"), *more)
            assert json.loads(b"[%b]" % text) == [["Host", "h"], ["Trace", str(number)]]


@pytest.mark.parametrize(
    "end",
    [b": 1", b"Trace", b"Trace: 1\r\n\r\nTrace: 2", b"\r\n: 1", b" Trace: 1", b"Trace : 1", b"Trace: \0"],
)
def test_only_one_whole_line_may_be_new_at_the_end(blocks: Blocks, end: bytes) -> None:
    assert blocks.read(b"Host: h\r\nTrace: 1\r\n\r\n", NAMES) is not None
    assert blocks.ends_anew
    assert blocks.read(b"Host: h\r\n%b\r\n\r\n" % end, NAMES) is None


def test_another_field_may_become_the_one_that_is_new_each_time() -> None:
    blocks = Blocks(REDACTION, LIMITS, 1 << 20)
    for name in (b"Trace", b"Span", b"Trace"):
        for number in range(1000):
            value = b"%b-%d" % (name, number)
            read = blocks.read(b"Host: h\r\n%b: %b\r\n\r\n" % (name, value), NAMES)
            assert read is not None
            assert json.loads(b"[%b]" % read[2]) == [["Host", "h"], [name.decode(), value.decode()]]


def test_many_lines_that_are_new_each_time_are_read_as_any_others() -> None:
    blocks = Blocks(REDACTION, HeadLimits(fields=900), 1 << 20)
    for number in range(1000):
        blocks.read(b"Host: h\r\nT: %d\r\n\r\n" % number, NAMES)
    read = blocks.read(b"Host: h\r\n%b\r\n" % (b"T:\r\n" * 800), NAMES)
    assert read is not None
    assert json.loads(b"[%b]" % read[2]) == [["Host", "h"], *[["T", ""]] * 800]
    assert blocks.read(b"Host: h\r\n%b\r\n" % (b"T:\r\n" * 900), NAMES) is None


def test_a_block_is_remembered_once_it_is_known() -> None:
    blocks = Blocks(REDACTION, LIMITS, 1 << 20)
    raw = b"Host: h\r\nX: 1\r\n\r\n"
    read = [blocks.read(raw, NAMES) for _ in range(5)]
    assert read[3] is read[4] is blocks.known.young[raw].reads[NAMES]


def test_what_is_new_each_time_is_not_kept() -> None:
    blocks = Blocks(REDACTION, LIMITS, 1 << 20)
    for _ in range(2000):
        blocks.read(b"Host: h\r\nTrace: %b\r\n\r\n" % os.urandom(8).hex().encode(), NAMES)
    assert (len(blocks.known), len(blocks._lines)) == (1, 1)


def test_memory_is_bounded() -> None:
    blocks = Blocks(REDACTION, LIMITS, 50_000)
    for number in range(500):
        for _ in range(4):
            blocks.read(b"Host: h\r\nX: %d\r\n\r\n" % number, NAMES)
    assert 5 < len(blocks.known) < 30
    assert 5 < len(blocks._lines) < 60
