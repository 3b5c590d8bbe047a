"""Partial responses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.caching.partial import answerable, asked, combinable, gap, held, joined, part_of
from proxy.caching.stored import StoredResponse
from proxy.message.dates import format_date
from proxy.message.fields import Fields
from proxy.message.ranges import Extent
from proxy.message.request import Request
from proxy.message.response import Response

NOON = 1_700_000_000
DATE = (b"Date", format_date(NOON))
TAG = (b"ETag", b'"a"')
CHANGED = (b"Last-Modified", format_date(NOON - 100))


def get(range_=None, *lines, method=b"GET"):
    return Request(method, b"/", Fields([*([(b"Range", range_)] if range_ else []), *lines]))


def stored(first=0, length=5, complete=10, *lines, status=200):
    fields = Fields([DATE, *(lines or [TAG])])
    return StoredResponse(get(), Response(status, fields), NOON, NOON, length, first, complete)


def partial(*lines, status=206):
    return Response(status, Fields([DATE, *lines]))


def test_what_a_206_holds():
    part = part_of(partial(TAG, (b"Content-Range", b"bytes 5-9/10"), (b"Content-Length", b"5")), 5)
    assert (part.extent, part.complete) == (Extent(5, 9), 10)
    assert (part.whole.status, part.whole.reason) == (200, b"OK")
    assert list(part.whole.fields) == [DATE, TAG, (b"Content-Length", b"10")]


@pytest.mark.parametrize(
    ("response", "length"),
    [
        (partial(), 5),
        (partial((b"Content-Range", b"bytes 5-9/*")), 5),
        (partial((b"Content-Range", b"bytes */10")), 5),
        (partial((b"Content-Range", b"lines 5-9/10")), 5),
        (partial((b"Content-Range", b"bytes 9-5/10")), 5),
        (partial((b"Content-Range", b"bytes 5-9/10")), 4),
        (partial((b"Content-Range", b"bytes 5-9/10")), None),
        (
            partial(
                (b"Content-Range", b"bytes 5-9/10"), (b"Content-Type", b"Multipart/Byteranges; boundary=x")
            ),
            5,
        ),
        (partial((b"Content-Range", b"bytes 5-9/10"), status=200), 5),
    ],
)
def test_what_is_no_part(response, length):
    assert part_of(response, length) is None


@pytest.mark.parametrize(
    ("request_", "extents"),
    [
        (get(), None),
        (get(b"bytes=2-3"), [(2, 3)]),
        (get(b"bytes=-3"), [(7, 9)]),
        (get(b"bytes=8-20"), [(8, 9)]),
        (get(b"bytes=10-"), []),
        (get(b"bytes=0-1,8-9"), [(0, 9)]),
        (get(b"nonsense"), None),
        (get(b"bytes=0-,0-,0-"), None),
        (get(b"bytes=2-3", method=b"HEAD"), None),
        (get(b"bytes=2-3", method=b"QUERY"), None),
        (get(b"bytes=2-3", (b"If-Range", b'"a"')), [(2, 3)]),
        (get(b"bytes=2-3", (b"If-Range", b'"b"')), None),
    ],
)
def test_what_is_asked_for(request_, extents):
    found = asked(request_, stored(length=10), NOON)
    assert found == (None if extents is None else [Extent(*pair) for pair in extents])


def test_ranges_are_of_successful_responses_with_content():
    assert asked(get(b"bytes=2-3"), stored(length=10, status=404), NOON) is None
    assert asked(get(b"bytes=0-"), stored(length=0, complete=0), NOON) is None
    assert asked(get(b"bytes=-5"), stored(length=0, complete=0), NOON) is None
    assert asked(get(b"bytes=0-"), stored(complete=None), NOON) is None


@pytest.mark.parametrize(
    ("first", "range_", "yes"),
    [
        (2, b"bytes=2-6", True),
        (2, b"bytes=3-4", True),
        (2, b"bytes=1-4", False),
        (2, b"bytes=3-7", False),
        (2, None, False),
        (2, b"bytes=20-", True),
        (5, b"bytes=-5", True),
        (5, b"bytes=-6", False),
        (5, b"bytes=5-", True),
    ],
)
def test_a_part_answers_what_lies_within_it(first, range_, yes):
    assert answerable(get(range_), stored(first), NOON) is yes


def test_a_part_answers_no_head_and_no_condition_for_the_whole():
    assert not answerable(get(method=b"HEAD"), stored(), NOON)
    assert not answerable(get(None, (b"If-None-Match", b'"a"')), stored(), NOON)
    assert not answerable(get(b"bytes=0-1", (b"If-Range", b'"b"')), stored(), NOON)


@pytest.mark.parametrize(
    ("first", "range_", "missing", "sent"),
    [
        (0, None, (5, 9), b"bytes=5-"),
        (5, None, (0, 4), b"bytes=0-4"),
        (0, b"bytes=3-7", (5, 7), b"bytes=5-7"),
        (0, b"bytes=5-7", (5, 7), b"bytes=5-7"),
        (5, b"bytes=3-7", (3, 4), b"bytes=3-4"),
        (5, b"bytes=2-4", (2, 4), b"bytes=2-4"),
        (0, b"bytes=-7", (5, 9), b"bytes=5-"),
    ],
)
def test_what_is_missing_is_asked_for(first, range_, missing, sent):
    found = gap(get(range_), stored(first), NOON)
    assert found.missing == Extent(*missing)
    assert found.request.fields.get(b"range") == sent
    assert found.request.fields.get(b"if-range") == b'"a"'


@pytest.mark.parametrize(
    ("request_", "part"),
    [
        (get(), stored(2)),  # missing on both sides
        (get(b"bytes=7-8"), stored(0)),  # would leave a hole
        (get(b"bytes=0-1"), stored(5)),
        (get(b"bytes=0-1,900-901"), stored(0, 5, 1000)),
        (get(None, (b"If-None-Match", b'"b"')), stored(0)),
        (get(method=b"HEAD"), stored(0)),
        (get(), stored(0, 5, 10, (b"ETag", b'W/"a"'), CHANGED)),
        (get(), stored(0, 5, 10, (b"Last-Modified", DATE[1]))),
        (get(), stored(0, 5, 10, (b"X", b"no validator"))),
    ],
)
def test_what_can_not_be_completed(request_, part):
    assert gap(request_, part, NOON) is None


def test_a_strong_date_identifies_the_representation_too():
    found = gap(get(), stored(0, 5, 10, CHANGED), NOON)
    assert found.request.fields.get(b"if-range") == CHANGED[1]


def test_a_condition_that_holds_is_replaced_by_ours():
    found = gap(get(b"bytes=3-7", (b"If-Range", b'"a"')), stored(0), NOON)
    assert found.request.fields.all(b"if-range") == (b'"a"',)
    assert (found.missing, found.wanted) == (Extent(5, 7), Extent(3, 7))


def fits(content_range, *lines, part=None):
    response = partial(*(lines or [TAG]), (b"Content-Range", content_range))
    first, last = content_range[6:].split(b"/")[0].split(b"-")
    found = part_of(response, int(last) - int(first) + 1)
    return combinable(part or stored(2), found, NOON)


def test_parts_that_adjoin_or_overlap_are_combined():
    assert held(stored(2)) == Extent(2, 6)
    assert fits(b"bytes 7-9/10")
    assert fits(b"bytes 0-1/10")
    assert fits(b"bytes 1-8/10")
    assert not fits(b"bytes 8-9/10")
    assert not fits(b"bytes 0-0/10")


def test_parts_of_different_representations_are_not():
    assert not fits(b"bytes 7-9/11")
    assert not fits(b"bytes 7-9/10", (b"ETag", b'"b"'))
    assert not fits(b"bytes 7-9/10", CHANGED)
    assert not fits(b"bytes 7-9/10", part=stored(2, 5, 10, (b"ETag", b'W/"a"')))
    assert not fits(b"bytes 7-9/10", part=replace(stored(2), response=Response(404)))


def test_what_two_parts_hold_together():
    response = partial(TAG, (b"Content-Range", b"bytes 5-8/10"))
    assert joined(stored(2), part_of(response, 4)) == Extent(2, 8)
