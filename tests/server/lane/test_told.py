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
from proxy.storage.memory.store import MemoryStore
from proxy.upstream.plain import PlainHeads
from proxy.visibility.redaction import Redaction

HEAD = (
    b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: keep-alive\r\n"
    b"Content-Length: 3\r\nX-Id:  1 \r\nCache-Control: no-store\r\n\r\n"
)
REDACTION = Redaction(b"a key for the digests")
ASKED = Request(b"GET", b"/", Fields([(b"Host", b"o")]), (1, 1), b"http", b"a.example")


@pytest.fixture
def tellers():
    return Tellers(REDACTION)


def tell(tellers, head):
    return tellers.tell(PlainHeads(HeadLimits(), 50.0).read(head, to_head=False))


def test_lines_go_out_as_they_are_but_for_those_of_the_hop(tellers):
    told = tell(tellers, HEAD)
    assert told.out == (
        b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 3\r\nX-Id: 1\r\nCache-Control: no-store\r\n"
    )
    assert json.loads(b"[%b]" % told.text)[2] == ["X-Id", "1"]
    assert told.times == {b"date": 784_111_777.0}


def test_what_the_rules_hear_is_what_may_make_a_difference(tellers):
    told = tell(tellers, HEAD.replace(b"X-Id:  1 ", b'etag: W/"1"\r\nVARY: Accept\r\nLast-Modified: today'))
    assert told.key == (
        b"HTTP/1.1 200 OK",
        (b"date", b"etag, weak", b"vary:Accept", b"last-modified:today", b"cache-control:no-store"),
    )
    more = Tellers(REDACTION, frozenset((b"x-id",)))
    assert b"x-id:1" in tell(more, HEAD).key[1]


@pytest.mark.parametrize(
    "line",
    [
        b"Set-Cookie: sid=abcdefghijklmnop; Path=/",
        b'X-Id: a "quoted" \\ word',
        b'ETag: "1"',
        b"X-Id: caf\xe9 \x80",
        b"X-Id:\t",
        b"Location: http://user:password@a.example/?token=abcdefghijklmnop",
        b"Authentication-Info: nextnonce=abcdefghijklmnop",
        b"X-Api-Key: abcdefghijklmnop",
        b"X: " + b"y" * 3000,
    ],
)
def test_each_line_stands_in_the_record_as_redaction_has_it(tellers, line):
    name, _, value = line.partition(b":")
    shown, secrets = REDACTION.line(name, value.strip())
    for _ in range(3):
        told = tell(tellers, HEAD.replace(b"X-Id:  1 ", line))
        assert json.loads(b"[%b]" % told.text)[2] == list(shown)
        assert told.secrets == tuple(secrets)


def test_a_head_whose_lines_do_not_stand_for_themselves_is_not_told(tellers):
    assert tell(tellers, HEAD.replace(b"X-Id:  1 ", b"Connection: X-Id")) is None


def rendered(head):
    response = parse_response_head(head, HeadLimits())
    response = Response(response.status, strip_hop_by_hop(response.fields), response.reason)
    leave = opening(MemoryStore(1 << 20, 1 << 16), ASKED, Policy(), 784_111_777.0)
    found = verdict(leave, response, 3, Policy(), (784_111_777.0, 784_111_778.0))
    return render(found, response, ASKED, "o:80", "pellucid", REDACTION)


def test_a_template_gives_what_rendering_gives(tellers):
    other = HEAD.replace(b"X-Id:  1 ", b"X-Id: 2\r\nX-Other: \xff").replace(b"Length: 3", b"Length: 12345")
    template = Template(rendered(HEAD), tell(tellers, HEAD), 3)
    filled, expected = template.filled(tell(tellers, other), 12345), rendered(other)
    assert (filled.head, filled.after, filled.meaning) == (expected.head, expected.after, expected.meaning)


def test_a_template_is_only_made_of_what_its_lines_are_found_in(tellers):
    with pytest.raises(ValueError, match="not there"):
        Template(rendered(HEAD), tell(tellers, HEAD.replace(b"X-Id:  1 ", b"X-Id: 2")), 3)
    with pytest.raises(ValueError, match="not there"):
        Template(rendered(HEAD), tell(tellers, HEAD), 4)


def test_the_record_s_end_has_the_digest_and_the_time_in_it():
    passed = Passed(rendered(HEAD), b"sha-256=:abc:", 3, 0.25)
    end = json.loads(b'{"request":{"fields":[' + passed.tail)
    assert end["response"]["digest"] == "sha-256=:abc:"
    assert end["response"]["content_bytes"] == 3
    assert end["upstream"]["first_byte_seconds"] == 0.25
    assert (passed.sent, passed.upstream, passed.forward) == (3, 0.25, "uri-miss")
    assert passed.kind == ("forwarded", 200, "no-store")
