"""Answers made from a stored response."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.caching.answering import answer
from proxy.caching.effects import Span
from proxy.caching.stored import StoredResponse
from proxy.message.dates import format_date
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response

NOON = 1_700_000_000
DATE = (b"Date", format_date(NOON))
TAG = (b"ETag", b'"a"')
CHANGED = (b"Last-Modified", format_date(NOON - 100))
CONTENT = [(b"Content-Type", b"text/plain"), (b"Content-Encoding", b"gzip"), (b"Content-Language", b"en")]


def stored(*lines, status=200, complete=1000, **others):
    held = Response(status, Fields([DATE, *lines]), b"Fine")
    length = others.pop("length", complete)
    return StoredResponse(Request(b"GET", b"/"), held, NOON, NOON, length, complete_length=complete, **others)


def answered(held, *lines, method=b"GET", after=7.9):
    head, content, reasons = answer(Request(method, b"/", Fields(lines)), held, held, NOON + after)
    return head, content, [because.reason.slug for because in reasons]


def names(head):
    return set(head.fields.names())


def test_the_whole_of_it():
    held = stored(TAG, *CONTENT, (b"Content-Length", b"1000"))
    head, content, reasons = answered(held)
    assert (head.status, head.reason) == (200, b"Fine")
    assert list(head.fields) == [*held.response.fields, (b"Age", b"7")]
    assert content == (Span(held, 0, 999),)
    assert reasons == []


def test_the_content_is_read_from_the_entry_that_it_is_an_update_of():
    held, source = stored(TAG), stored()
    _, content, _ = answer(Request(b"GET", b"/"), held, source, NOON)
    assert content[0].stored is source


def test_age_replaces_what_was_received_and_counts_it_in():
    head, _, _ = answered(stored((b"Age", b"30")))
    assert head.fields.all(b"age") == (b"37",)


def test_age_is_never_negative():
    ahead = stored((b"Date", format_date(NOON + 100)))
    assert answered(ahead, after=-50)[0].fields.get(b"age") == b"0"


def test_length_is_told_where_it_came_chunked():
    assert answered(stored())[0].fields.get(b"content-length") == b"1000"


def test_trailers_are_not_announced():
    assert b"trailer" not in answered(stored((b"Trailer", b"X")))[0].fields


def test_head_gets_the_same_head():
    held = stored(TAG, *CONTENT)
    head, content, _ = answered(held, method=b"HEAD")
    assert head == answered(held)[0]
    assert content == ()


def test_the_digest_of_a_content_goes_with_the_whole_of_it_alone():
    """RFC 9530 §2, appendix B: Content-Digest is of the bytes that one message carries, Repr-Digest isn't."""
    held = stored(TAG, (b"Content-Digest", b"sha-256=:AAAA:"), (b"Repr-Digest", b"sha-256=:AAAA:"))
    assert b"content-digest" in answered(held)[0].fields
    lesser = [
        answered(held, (b"Range", b"bytes=0-1")),
        answered(held, (b"Range", b"bytes=0-0,500-501")),
        answered(held, (b"If-None-Match", b'"a"')),
        answered(held, method=b"HEAD"),
    ]
    assert [head.status for head, _, _ in lesser] == [206, 206, 304, 200]
    for head, _, _ in lesser:
        assert b"content-digest" not in head.fields
        assert b"repr-digest" in head.fields


def test_a_status_without_content():
    head, content, _ = answered(stored(status=204, complete=0))
    assert (head.status, content) == (204, ())
    assert b"content-length" not in head.fields


def test_an_empty_content():
    head, content, _ = answered(stored(complete=0))
    assert (head.fields.get(b"content-length"), content) == (b"0", ())


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"QUERY"])
def test_not_modified(method):
    lines = [(b"Cache-Control", b"a"), (b"Vary", b"X"), (b"Expires", b"0"), (b"Content-Location", b"/x")]
    head, content, reasons = answered(
        stored(TAG, CHANGED, *CONTENT, *lines), (b"If-None-Match", b'"a"'), method=method
    )
    assert (head.status, head.reason, content) == (304, b"Not Modified", ())
    assert names(head) == {
        b"date",
        b"etag",
        b"cache-control",
        b"vary",
        b"expires",
        b"content-location",
        b"age",
    }
    assert reasons == ["client-up-to-date"]


def test_not_modified_keeps_the_date_where_there_is_no_entity_tag():
    head, _, _ = answered(stored(CHANGED), (b"If-Modified-Since", CHANGED[1]))
    assert (head.status, names(head)) == (304, {b"date", b"last-modified", b"age"})


def test_date_stands_for_last_modified():
    assert answered(stored(), (b"If-Modified-Since", DATE[1]))[0].status == 304
    assert answered(stored(), (b"If-Modified-Since", format_date(NOON - 1)))[0].status == 200


@pytest.mark.parametrize("status", [301, 404, 410, 203])
def test_conditions_and_ranges_are_of_status_200_alone(status):
    held = stored(TAG, status=status)
    head, content, _ = answered(held, (b"If-None-Match", b'"a"'), (b"Range", b"bytes=0-1"))
    assert (head.status, content) == (status, (Span(held, 0, 999),))


def test_one_range():
    held = stored(TAG, CHANGED, *CONTENT, (b"Content-Length", b"1000"))
    head, content, reasons = answered(held, (b"Range", b"bytes=100-199"))
    assert (head.status, head.reason) == (206, b"Partial Content")
    assert head.fields.get(b"content-range") == b"bytes 100-199/1000"
    assert head.fields.all(b"content-length") == (b"100",)
    assert names(head) >= {b"etag", b"last-modified", b"content-type", b"content-encoding", b"age"}
    assert content == (Span(held, 100, 199),)
    assert reasons == ["range-from-stored"]


def test_one_range_of_what_the_client_has_in_part():
    held = stored(TAG, CHANGED, *CONTENT, (b"Cache-Control", b"max-age=9"))
    head, _, _ = answered(held, (b"Range", b"bytes=0-"), (b"If-Range", b'"a"'))
    assert names(head) == {b"date", b"etag", b"cache-control", b"content-range", b"content-length", b"age"}


def test_a_range_of_another_representation_gets_the_whole():
    head, content, reasons = answered(stored(TAG), (b"Range", b"bytes=0-"), (b"If-Range", b'"b"'))
    assert (head.status, len(content), reasons) == (200, 1, ["range-ignored"])


def test_several_ranges():
    held = stored(TAG, *CONTENT)
    head, content, _ = answered(held, (b"Range", b"bytes=0-0,500-501,-1"))
    assert head.status == 206
    assert b"content-range" not in head.fields
    kind, _, boundary = head.fields.get(b"content-type").partition(b"; boundary=")
    assert kind == b"multipart/byteranges"
    assert [piece for piece in content if isinstance(piece, Span)] == [
        Span(held, 0, 0),
        Span(held, 500, 501),
        Span(held, 999, 999),
    ]
    text = b"".join(piece for piece in content if isinstance(piece, bytes))
    assert text.count(b"--" + boundary + b"\r\nContent-Type: text/plain\r\nContent-Range: bytes ") == 3
    assert text.endswith(b"--" + boundary + b"--\r\n")
    assert head.fields.get(b"content-length") == b"%d" % (len(text) + 4)


def test_the_boundary_depends_on_all_that_is_sent():
    def boundary(*lines):
        return answered(stored(TAG), *lines)[0].fields.get(b"content-type")

    one = boundary((b"Range", b"bytes=0-0,500-501"))
    assert one == boundary((b"Range", b"bytes=0-0,500-501"))
    assert one != boundary((b"Range", b"bytes=0-0,500-502"))


def test_neighbouring_ranges_are_one():
    head, content, _ = answered(stored(TAG), (b"Range", b"bytes=0-9,10-19"))
    assert (head.fields.get(b"content-range"), len(content)) == (b"bytes 0-19/1000", 1)


def test_no_range_that_could_be_satisfied():
    head, content, reasons = answered(
        stored(TAG, (b"Cache-Control", b"max-age=9")), (b"Range", b"bytes=1000-")
    )
    assert (head.status, content, reasons) == (416, (), ["range-unsatisfiable"])
    assert head.fields.get(b"content-range") == b"bytes */1000"
    assert b"cache-control" not in head.fields


@pytest.mark.parametrize("value", [b"bytes=5-4", b"lines=1-2", b"bytes=0-,0-,0-", b"x"])
def test_ranges_that_are_ignored(value):
    head, _, reasons = answered(stored(TAG), (b"Range", value))
    assert (head.status, reasons) == (200, ["range-ignored"])


def test_part_of_a_part():
    held = replace(stored(TAG), first=500, length=100)
    head, content, _ = answered(held, (b"Range", b"bytes=510-519"))
    assert head.fields.get(b"content-range") == b"bytes 510-519/1000"
    assert content == (Span(held, 510, 519),)
