"""Whole exchanges with ranges and with partial responses (RFC 9111 §3.3, §3.4)."""

from __future__ import annotations

import pytest

from proxy.caching.decision import Outcome
from proxy.caching.effects import FROM_ORIGIN
from proxy.message.fields import Fields
from proxy.message.ranges import parse_range
from proxy.message.response import Response

DIGITS = b"0123456789"


def serve(engine, tag='"1"', content=DIGITS, **fields):
    """An origin server that follows Range, If-Range and If-None-Match."""

    def origin(request):
        engine.responds(content=content, ETag=tag, Cache_Control="max-age=60", **fields)
        full, engine.origin = engine.origin(request), origin
        if request.fields.get(b"if-none-match") == tag.encode():
            return Response(304, full[0].fields), b""
        specs = parse_range(request.fields.all(b"range"))
        if specs is None or request.fields.get(b"if-range") not in (None, tag.encode()):
            return full
        extent = specs[0].resolve(len(content))
        line = (b"Content-Range", b"bytes %d-%d/%d" % (extent.first, extent.last, len(content)))
        return Response(206, full[0].fields.adding(line)), content[extent.first : extent.last + 1]

    engine.origin = origin


def sent(engine, name):
    value = engine.forwarded[-1].fields.get(name)
    return None if value is None else value.decode()


def test_a_range_of_what_is_stored(engine):
    serve(engine)
    engine.send()
    reply = engine.send(Range="bytes=2-4")
    assert (reply.status, reply.content, reply["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    assert reply["Cache-Status"].startswith("pellucid;hit;")
    assert engine.send(Range="bytes=10-").status == 416


def test_a_range_of_what_is_not_stored_is_forwarded_and_stored(engine):
    serve(engine)
    reply = engine.send(Range="bytes=2-6")
    assert (reply.status, reply.content, sent(engine, b"range")) == (206, b"23456", "bytes=2-6")
    assert reply.decision.stored
    again = engine.send(Range="bytes=3-4")
    assert (again.status, again.content, again.decision.outcome) == (206, b"34", Outcome.HIT)


def test_a_part_is_not_the_whole(engine):
    serve(engine)
    engine.send(Range="bytes=0-4")
    reply = engine.send(Cache_Control="only-if-cached")
    assert (reply.status, "incomplete" in reply.slugs) == (504, True)


@pytest.mark.parametrize(
    ("held", "asked", "status", "content", "forwarded"),
    [
        ("bytes=0-4", None, 200, DIGITS, "bytes=5-"),
        ("bytes=5-", None, 200, DIGITS, "bytes=0-4"),
        ("bytes=0-4", "bytes=3-6", 206, b"3456", "bytes=5-6"),
        ("bytes=0-4", "bytes=5-6", 206, b"56", "bytes=5-6"),
        ("bytes=5-7", "bytes=3-6", 206, b"3456", "bytes=3-4"),
        ("bytes=5-7", "bytes=-4", 206, b"6789", "bytes=8-"),
    ],
)
def test_what_is_missing_is_fetched_and_combined(engine, held, asked, status, content, forwarded):
    serve(engine)
    engine.send(Range=held)
    reply = engine.send(**({"Range": asked} if asked else {}))
    assert (reply.status, reply.content) == (status, content)
    assert (sent(engine, b"range"), sent(engine, b"if-range")) == (forwarded, '"1"')
    assert reply["Content-Length"] == str(len(content))
    assert reply["Cache-Status"].startswith("pellucid;fwd=partial;fwd-status=206;ttl=60;stored")
    assert len(engine.entries) == 1
    again = engine.send(**({"Range": asked} if asked else {}))
    assert (again.content, again.decision.outcome) == (content, Outcome.HIT)


def test_what_has_been_made_complete_is_whole(engine):
    serve(engine, X="1")
    engine.send(Range="bytes=0-4")
    serve(engine, X="2")
    reply = engine.send()
    assert (reply["X"], reply["Content-Range"], reply["Content-Length"]) == ("2", None, "10")
    assert engine.send(Range="bytes=1-8").content == b"12345678"
    assert engine.entries[0].stored.complete


def test_what_has_changed_meanwhile_comes_whole(engine):
    serve(engine)
    engine.send(Range="bytes=0-4")
    serve(engine, '"2"', b"abcdefghij")
    reply = engine.send()
    assert (reply.status, reply.content) == (200, b"abcdefghij")
    assert engine.send().decision.outcome is Outcome.HIT


def test_a_part_that_does_not_fit_is_not_combined(engine):
    serve(engine)
    engine.send(Range="bytes=0-4")
    wrong = Fields([(b"ETag", b'"2"'), (b"Content-Range", b"bytes 5-9/10")])
    answers = iter([(Response(206, wrong), b"fghij"), (Response(200, Fields()), b"abcdefghij")])
    engine.origin = lambda request: next(answers)
    reply = engine.send()
    assert (reply.status, reply.content) == (200, b"abcdefghij")
    assert sent(engine, b"range") is None


def test_parts_that_come_one_after_the_other_grow_together(engine):
    serve(engine)
    for range_ in ("bytes=0-2", "bytes=3-5", "bytes=6-"):
        engine.send(Range=range_)
    reply = engine.send()
    assert (reply.status, reply.content, reply.decision.outcome) == (200, DIGITS, Outcome.HIT)


def test_the_digest_of_a_part_is_not_that_of_the_whole(engine):
    """RFC 9530 §2: a Content-Digest holds for the message that it came with."""
    serve(engine, Content_Digest="sha-256=:AAAA:")
    assert engine.send(Range="bytes=0-4")["Content-Digest"] == "sha-256=:AAAA:"
    for range_ in ({"Range": "bytes=0-1"}, {}, {}):
        reply = engine.send(**range_)
        assert reply["Content-Digest"] is None
    assert (reply.content, reply.decision.outcome) == (DIGITS, Outcome.HIT)


def test_parts_with_a_hole_between_them_stay_beside_each_other(engine):
    serve(engine)
    engine.send(Range="bytes=0-1")
    engine.send(Range="bytes=8-9")
    assert engine.send(Range="bytes=0-1").decision.outcome is Outcome.HIT
    assert engine.send(Range="bytes=8-9").decision.outcome is Outcome.HIT
    assert engine.send(Range="bytes=2-7").content == b"234567"
    reply = engine.send()
    assert (reply.content, reply.decision.stored, len(engine.entries)) == (DIGITS, True, 1)


def test_parts_of_another_representation_go(engine):
    serve(engine)
    engine.send(Range="bytes=0-1")
    serve(engine, '"2"')
    engine.send(Range="bytes=8-9")
    assert [held.content for held in engine.entries] == [b"89"]


def test_a_client_that_has_a_part_itself(engine):
    serve(engine)
    engine.send(Range="bytes=0-4")
    reply = engine.send(Range="bytes=3-", If_Range='"1"')
    assert (reply.status, reply.content) == (206, b"3456789")
    reply = engine.send(Range="bytes=3-", If_Range='"0"')
    assert (reply.status, reply.content) == (200, DIGITS)


def test_a_range_of_what_is_stale(engine):
    serve(engine)
    engine.send()
    engine.wait(100)
    reply = engine.send(Range="bytes=2-4")
    assert (reply.status, reply.content, reply.decision.outcome) == (206, b"234", Outcome.VALIDATED)
    assert (sent(engine, b"if-none-match"), sent(engine, b"range")) == ('"1"', "bytes=2-4")


def test_a_range_of_what_is_stale_and_has_changed(engine):
    serve(engine)
    engine.send()
    engine.wait(100)
    serve(engine, '"2"', b"abcdefghij")
    reply = engine.send(Range="bytes=2-4")
    assert (reply.status, reply.content) == (206, b"cde")
    assert engine.send().content == b"abcdefghij"


PARTS = {"Content_Type": "multipart/byteranges; boundary=x", "Cache_Control": "max-age=60", "ETag": '"1"'}


def test_several_parts_answer_the_same_ranges_again(engine):
    engine.responds(206, b"--x...", **PARTS)
    reply = engine.send(Range="bytes=0-1,5-6")
    assert (reply.status, reply.answer.content) == (206, (FROM_ORIGIN,))
    engine.fails()
    reply = engine.send(Range="bytes= 0-1, 5-6")
    assert (reply.status, reply.content, reply["Content-Type"]) == (206, b"--x...", PARTS["Content_Type"])
    assert reply.decision.outcome is Outcome.HIT
    assert engine.send(Range="bytes=0-1,5-6", If_None_Match='"1"').status == 304
    for other in ("bytes=0-1", "bytes=5-6,0-1", ""):
        assert engine.send(Range=other).decision.outcome is Outcome.FAILED
    assert engine.send(Range="bytes=0-1,5-6", If_Range='"2"').decision.outcome is Outcome.FAILED
    assert engine.send("HEAD").decision.outcome is Outcome.FAILED


def test_several_parts_are_replaced_by_the_same_ones_and_by_the_whole(engine):
    engine.responds(206, b"--x...", **PARTS)
    engine.send(Range="bytes=0-1,5-6")
    engine.send(Range="bytes=0-1,7-8")
    assert len(engine.entries) == 2
    engine.wait(100)
    engine.responds(206, b"--y...", **PARTS)
    assert engine.send(Range="bytes=0-1,5-6").content == b"--y..."
    assert b"if-none-match" not in engine.forwarded[-1].fields
    assert len(engine.entries) == 2
    engine.responds(200, b"0123456789", Cache_Control="max-age=60")
    engine.send()
    assert len(engine.entries) == 1


def test_several_parts_stay_as_they_are_while_the_whole_is_updated(engine):
    engine.responds(200, b"0123456789", ETag='"1"', Cache_Control="max-age=1")
    engine.send()
    engine.responds(206, b"--x...", **PARTS)
    engine.wait(2)
    engine.send(Range="bytes=0-1,5-6")
    engine.responds(304, ETag='"1"', Content_Type="text/plain", Cache_Control="max-age=60")
    assert engine.send().content == b"0123456789"
    part = next(held.stored for held in engine.entries if held.stored.response.status == 206)
    assert part.response.fields.get(b"content-type") == b"multipart/byteranges; boundary=x"
    assert engine.send(Range="bytes=0-1")["Content-Type"] == "text/plain"


@pytest.mark.parametrize(("etag", "kept"), [('"1"', True), ('"2"', False)])
def test_several_parts_and_a_head(engine, etag, kept):
    engine.responds(206, b"--x...", **PARTS)
    engine.send(Range="bytes=0-1,5-6")
    engine.responds(200, b"", ETag=etag, Content_Type="text/plain", Cache_Control="max-age=60")
    engine.send("HEAD")
    reply = engine.send(Range="bytes=0-1,5-6")
    assert (reply.decision.outcome is Outcome.HIT) is kept
    if kept:
        assert reply["Content-Type"] == "multipart/byteranges; boundary=x"


def test_a_part_of_an_unknown_length_and_one_that_is_too_short(engine):
    for said in ("bytes 5-9/*", "bytes 4-9/10"):
        engine.responds(206, b"56789", Content_Range=said, Cache_Control="max-age=60")
        engine.send(Range="bytes=-5", Cache_Control="no-cache")
        engine.fails()
        reply = engine.send(Range="bytes=-5")
        assert (reply.status, reply.content, reply["Content-Range"]) == (206, b"56789", said)
        assert engine.send(Range="bytes=6-7").decision.outcome is Outcome.FAILED
        assert engine.send().decision.outcome is Outcome.FAILED


def test_parts_that_nobody_asked_for_are_not_stored(engine):
    engine.responds(206, b"--x...", **PARTS)
    assert "part-not-kept" in engine.send().slugs
    assert engine.entries == []


def test_a_416_is_passed_on(engine):
    engine.responds(416, b"", Content_Range="bytes */10")
    reply = engine.send(Range="bytes=20-")
    assert (reply.status, reply["Content-Range"], engine.entries) == (416, "bytes */10", [])
