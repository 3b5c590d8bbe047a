"""Field lines of responses, told line by line; and responses put together from them."""

from __future__ import annotations

import json

import pytest

from proxy.caching.policy import Policy
from proxy.engine.passing import opening, verdict
from proxy.message.fields import Fields
from proxy.message.head import HeadLimits, parse_response_head
from proxy.message.hops import strip_hop_by_hop
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.server.lane.passed import Passed, Template, render
from proxy.server.lane.told import Tellers
from proxy.storage.memory import MemoryStore
from proxy.visibility.redaction import Redaction

HEAD = (
    b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: keep-alive\r\n"
    b"Content-Length: 3\r\nX-Id:  1 \r\nCache-Control: no-store\r\n\r\n"
)
REDACTION = Redaction(b"a key for the digests")
ASKED = Request(b"GET", b"/", Fields([(b"Host", b"o")]), (1, 1), b"http", b"a.example")


@pytest.fixture
def tellers():
    return Tellers(REDACTION, 1 << 16)


def test_lines_go_out_as_they_are_but_for_those_of_the_hop(tellers):
    told = tellers.read(HEAD)
    assert told.start == b"HTTP/1.1 200 OK"
    assert told.out == (
        b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 3\r\nX-Id: 1\r\nCache-Control: no-store\r\n"
    )
    assert json.loads(f"[{told.text}]")[2] == ["X-Id", "1"]
    assert told.length == [b"3"]


@pytest.mark.parametrize(
    "line",
    [
        b"Set-Cookie: sid=abcdefghijklmnop",
        b"Connection: X-Id",
        b"Connection: close",
        b"X-Id : 2",
        b" folded",
        b"no colon",
        b"X: \0",
        b"X: " + b"y" * 5000,
    ],
)
def test_what_says_more_than_itself_is_not_told_line_by_line(tellers, line):
    assert tellers.read(HEAD.replace(b"X-Id:  1 ", line)) is None
    assert tellers.read(HEAD) is not None


def test_many_lines_take_no_more_than_their_budget(tellers):
    for number in range(1000):
        tellers.read(HEAD.replace(b"X-Id:  1 ", b"X-Id: %d" % number))
    assert len(tellers._lines) < 200


def rendered(head):
    response = parse_response_head(head, HeadLimits())
    response = Response(response.status, strip_hop_by_hop(response.fields), response.reason)
    leave = opening(MemoryStore(1 << 20, 1 << 16), ASKED, Policy(), 784_111_777.0)
    found = verdict(leave, response, 3, Policy(), (784_111_777.0, 784_111_778.0))
    return render(found, response, ASKED, "o:80", "pellucid", REDACTION)


def test_a_template_gives_what_rendering_gives(tellers):
    other = HEAD.replace(b"X-Id:  1 ", b"X-Id: 2\r\nX-Other: \xff").replace(b"Length: 3", b"Length: 12345")
    template = Template(rendered(HEAD), tellers.read(HEAD), 3)
    filled, expected = template.filled(tellers.read(other), 12345), rendered(other)
    assert (filled.head, filled.after, filled.meaning) == (expected.head, expected.after, expected.meaning)


def test_a_template_is_only_made_of_what_its_lines_are_found_in(tellers):
    with pytest.raises(ValueError, match="not there"):
        Template(rendered(HEAD), tellers.read(HEAD.replace(b"X-Id:  1 ", b"X-Id: 2")), 3)
    with pytest.raises(ValueError, match="not there"):
        Template(rendered(HEAD), tellers.read(HEAD), 4)


def test_the_record_s_end_has_the_digest_and_the_time_in_it():
    passed = Passed(rendered(HEAD), "sha-256=:abc:", 3, 0.25)
    end = json.loads(b'{"request":{"fields":[' + passed.tail)
    assert end["response"]["digest"] == "sha-256=:abc:"
    assert end["response"]["content_bytes"] == 3
    assert end["upstream"]["first_byte_seconds"] == 0.25
    assert (passed.sent, passed.upstream, passed.forward) == (3, 0.25, "uri-miss")
    assert passed.kind == ("forwarded", 200, "no-store")
