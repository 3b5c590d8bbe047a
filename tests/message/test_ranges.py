"""Byte ranges."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message.ranges import (
    MOST_RANGES,
    ContentRange,
    Extent,
    RangeSpec,
    coalesce,
    content_range,
    egregious,
    multipart_byteranges,
    parse_content_range,
    parse_range,
    satisfiable,
)


@pytest.mark.parametrize(  # RFC 9110 §14.1.2, on a representation of 10000 bytes
    ("value", "extents"),
    [
        (b"bytes=0-499", [(0, 499)]),
        (b"bytes=500-999", [(500, 999)]),
        (b"bytes=-500", [(9500, 9999)]),
        (b"bytes=9500-", [(9500, 9999)]),
        (b"bytes=0-0,-1", [(0, 0), (9999, 9999)]),
        (b"bytes= 0-999, 4500-5499, -1000", [(0, 999), (4500, 5499), (9000, 9999)]),
        (b"bytes=500-700,601-999", [(500, 700), (601, 999)]),
        (b"BYTES=0-", [(0, 9999)]),
        (b"bytes=9999-123456789012345678901234567890", [(9999, 9999)]),
        (b"bytes=-20000", [(0, 9999)]),
        (b"bytes=10000-", []),
        (b"bytes=-0", []),
        (b"bytes=20000-30000,0-1", [(0, 1)]),
        (b"bytes=,0-1,,", [(0, 1)]),
    ],
)
def test_what_a_range_means(value, extents):
    specs = parse_range([value])
    assert satisfiable(specs, 10000) == [Extent(*pair) for pair in extents]


@pytest.mark.parametrize(
    "values",
    [
        [],
        [b"bytes"],
        [b"bytes="],
        [b"bytes=,"],
        [b"bytes=-"],
        [b"bytes=a-b"],
        [b"bytes=5-4"],
        [b"bytes=0-1,5-4"],
        [b"bytes=0-1 2-3"],
        [b"bytes 0-1"],
        [b"lines=0-1"],
        [b"bytes=0-1", b"bytes=2-3"],
        [b"bytes=" + b",".join(b"%d-%d" % (i, i) for i in range(MOST_RANGES + 1))],
        [b"bytes=" + b"," * 100_000 + b"0-1"],
    ],
)
def test_what_is_ignored(values):
    assert parse_range(values) is None


def test_as_many_ranges_as_are_followed():
    specs = parse_range([b"bytes=" + b",".join(b"%d-" % i for i in range(MOST_RANGES))])
    assert specs[-1] == RangeSpec(MOST_RANGES - 1, None)


def test_nothing_of_an_empty_representation():
    assert satisfiable(parse_range([b"bytes=0-,-5"]), 0) == []


def test_an_attack_is_recognised():
    assert not egregious([Extent(0, 10), Extent(5, 20)])
    assert egregious([Extent(0, 10), Extent(5, 20), Extent(7, 8)])
    assert not egregious([Extent(20, 30), Extent(0, 10)])
    assert egregious([Extent(1000 - i, 1000 - i) for i in range(0, 20, 2)])
    assert not egregious([Extent(i, i) for i in range(0, 20, 2)])


@pytest.mark.parametrize(
    ("given_", "joined"),
    [
        ([(0, 9), (10, 19)], [(0, 19)]),
        ([(0, 9), (50, 59)], [(0, 59)]),
        ([(0, 9), (500, 509)], [(0, 9), (500, 509)]),
        ([(500, 509), (0, 9)], [(500, 509), (0, 9)]),
        ([(0, 9), (500, 509), (10, 490)], [(0, 509)]),
        ([(500, 509), (0, 9), (510, 519)], [(500, 519), (0, 9)]),
    ],
)
def test_neighbours_are_coalesced(given_, joined):
    assert coalesce(Extent(*pair) for pair in given_) == [Extent(*pair) for pair in joined]


EXTENTS = st.lists(
    st.tuples(st.integers(0, 999), st.integers(0, 99)).map(lambda pair: Extent(pair[0], sum(pair))),
    max_size=9,
)


@given(EXTENTS)
def test_coalescing_loses_nothing_and_leaves_no_neighbours(extents):
    joined = coalesce(extents)
    assert all(any(one.first <= e.first and e.last <= one.last for one in joined) for e in extents)
    ordered = sorted(joined)
    assert all(b.first - a.last > 80 for a, b in itertools.pairwise(ordered))


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        (b"bytes 42-1233/1234", ContentRange(Extent(42, 1233), 1234)),
        (b"bytes 42-1233/*", ContentRange(Extent(42, 1233), None)),
        (b"Bytes 0-0/1", ContentRange(Extent(0, 0), 1)),
        (b"bytes */1234", ContentRange(None, 1234)),
        (b"bytes */*", None),
        (b"bytes 5-4/10", None),
        (b"bytes 0-10/10", None),
        (b"bytes=0-1/2", None),
        (b"lines 0-1/2", None),
        (b"bytes 0-1/2, bytes 3-4/5", None),
        (b"", None),
    ],
)
def test_content_range(value, meaning):
    assert parse_content_range([value]) == meaning
    if meaning is not None and meaning.complete is not None:
        assert content_range(meaning.extent, meaning.complete) == value.lower()


def test_content_range_occurs_once():
    assert parse_content_range([]) is None
    assert parse_content_range([b"bytes 0-1/2"] * 2) is None


@given(st.lists(st.binary(max_size=60), max_size=2))
def test_no_bytes_make_the_parsers_fail(values):
    for specs in (parse_range(values), parse_range([b"bytes=" + value for value in values])):
        assert specs is None or all(0 <= e.first <= e.last < 10 for e in satisfiable(specs, 10))
    parse_content_range([b"bytes " + value for value in values])


def test_several_ranges_in_one_message():
    line, pieces = multipart_byteranges([Extent(0, 1), Extent(7, 9)], 10, b"text/plain", b"THE-BOUNDARY")
    assert line == (b"Content-Type", b"multipart/byteranges; boundary=THE-BOUNDARY")
    assert pieces == (
        b"--THE-BOUNDARY\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n",
        Extent(0, 1),
        b"\r\n--THE-BOUNDARY\r\nContent-Type: text/plain\r\nContent-Range: bytes 7-9/10\r\n\r\n",
        Extent(7, 9),
        b"\r\n--THE-BOUNDARY--\r\n",
    )


def test_parts_of_content_without_a_type():
    _, pieces = multipart_byteranges([Extent(0, 1)], 10, None, b"B")
    assert pieces[0] == b"--B\r\nContent-Range: bytes 0-1/10\r\n\r\n"
