"""The short way through, step by step; that it gives what the long one gives is for the law to tell."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator

import pytest

from proxy.server.clients.forwarding import Forwarding
from proxy.server.lane import through as module
from proxy.server.lane.onward import Onward
from tests.server.lane.test_through_law import BODY, DATE, PLAIN, Play, request, response
from tests.server.lane.twin import Clock
from tests.server.lane.ways import Ways


@pytest.fixture
def clock() -> Iterator[Clock]:
    found = Clock()
    with pytest.MonkeyPatch.context() as patch:
        found.everywhere(patch)
        yield found


@pytest.fixture
async def play(clock):
    ways = Ways(clock, short=True)
    play = Play(ways)
    await play.warm()
    ways.records()
    ways.hits = 0
    yield play
    await ways.close()


async def exchange(play, asked=None, answered=PLAIN, who=0):
    """What the client has for an answer."""
    transport = play.clients[who][1]
    before = len(transport.written)
    await play.step("ask", who, asked or request(), 0)
    await play.step("answer", 0, answered, 0)
    return transport.written[before:]


def short(play):
    play.ways.lane_records.flush()
    return play.ways.hits


async def test_what_is_not_stored_goes_the_short_way(play):
    got = await exchange(play)
    assert got.endswith(b"\r\n\r\n" + BODY)
    assert b"Cache-Status: pellucid;fwd=uri-miss;fwd-status=200;stored=?0;detail=no-store\r\n" in got
    assert b"Via: 1.1 pellucid\r\n" in got
    assert short(play) == 1


async def test_it_is_recorded_whole(play):
    await exchange(play, request(b"User-Agent: x", b"Cookie: sid=abcdefghijklmnop"))
    [record] = play.ways.records()
    assert record["request"]["fields"][1] == ["User-Agent", "x"]
    assert "abcdefghijklmnop" not in json.dumps(record)
    assert record["response"]["content_bytes"] == len(BODY)
    assert record["response"]["digest"].startswith("sha-256=:")
    assert record["decision"]["reasons"][0]["slug"] == "no-store"
    assert (record["upstream"]["status"], record["upstream"]["attempts"]) == (200, 1)
    assert short(play) == 1


async def test_new_ids_in_requests_and_responses_are_no_hindrance(play):
    for number in range(99):
        asked = request(b"traceparent: 00-%032d-00f067aa0ba902b7-01" % number)
        answered = response(
            b"Cache-Control: no-store", b"X-Request-Id: %d" % number, body=b"x" * (9 + number)
        )
        got = await exchange(play, asked, answered)
        assert b"X-Request-Id: %d\r\n" % number in got
        assert got.endswith(b"x" * (9 + number))
    assert short(play) == 99
    records = play.ways.records()
    assert [record["response"]["content_bytes"] for record in records] == [9 + number for number in range(99)]
    assert records[98]["request"]["fields"][1][1].startswith(f"00-{98:032d}")


async def test_what_holds_for_one_target_holds_for_others_at_their_second_request(play):
    for number in range(5):
        asked = request(start=b"GET /other/%d?x=y HTTP/1.1" % number)
        for _ in range(2):
            got = await exchange(play, asked)
            assert got.endswith(BODY)
        records = play.ways.records()
        assert [record["request"]["target"] for record in records] == [f"/other/{number}?x=y"] * 2
    assert short(play) == 5


async def test_a_target_with_a_credential_shares_nothing(play):
    for number in range(2):
        asked = request(start=b"GET /c?access_token=abcdefghijkl%d HTTP/1.1" % number)
        for _ in range(2):
            await exchange(play, asked)
    assert short(play) == 0
    assert "abcdefghijkl" not in json.dumps(play.ways.records())


async def test_what_the_store_holds_of_another_target_counts(play):
    asked = request(start=b"GET /b HTTP/1.1")
    await exchange(play, asked)
    await exchange(play, asked)
    assert short(play) == 1
    other = response(b"Cache-Control: max-age=60", b'No-Vary-Search: params=("x" "y")', body=b"stored")
    await exchange(play, request(start=b"GET /b?x HTTP/1.1"), other)
    await play.step("ask", 0, request(start=b"GET /b?y HTTP/1.1"), 0)
    assert play.ways.asked() is None
    await play.step("ask", 0, asked, 0)
    assert play.ways.asked() is None  # it is equivalent to what was stored
    assert short(play) == 1


async def test_once_something_is_stored_the_rules_are_asked(play):
    await exchange(play, answered=response(b"Cache-Control: max-age=60"))
    await play.step("ask", 0, request(), 0)
    assert play.ways.asked() is None  # it was answered from the store
    assert short(play) == 0


async def test_an_answer_from_the_store_does_not_overtake_what_is_passing(play):
    stored = request(start=b"GET /b HTTP/1.1")
    for _ in range(3):
        await exchange(play, stored, response(b"Cache-Control: max-age=60", body=b"stored"), who=1)
    transport = play.clients[0][1]
    before = len(transport.written)
    await play.step("ask", 0, request(), 0)
    await play.step("ask", 0, stored, 0)
    assert len(transport.written) == before
    await play.step("answer", 0, PLAIN, 0)
    first, _, second = transport.written[before:].partition(BODY)
    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert second.endswith(b"stored")


async def test_a_client_that_leaves_takes_its_request_along(play):
    await play.step("ask", 0, request(), 0)
    line = play.ways.asked()
    assert play.ways.through.under_way == 1
    await play.step("leave", 0, b"", 0)
    assert not line.open
    assert play.ways.through.under_way == 0
    [record] = play.ways.records()
    assert (record["error"], record["response"], record["upstream"]) == ("the client left", None, None)


async def test_a_proxy_that_stops_finishes_what_is_passing(play):
    await play.step("ask", 0, request(), 0)
    await play.step("stop", 0, b"", 0)
    await play.step("answer", 0, PLAIN, 0)
    transport = play.clients[0][1]
    assert b"Connection: close\r\n" in transport.written[-300:]
    assert transport.written.endswith(BODY)
    assert transport.closed


async def test_a_connection_between_two_requests_is_not_passing(play):
    connection = play.clients[0][0]
    assert connection.ready
    await play.step("ask", 0, request(), 0)
    assert not connection.ready
    connection._next_keepalive_close_time = 0.0
    connection._process_keepalive()
    await play.step("answer", 0, PLAIN, 0)
    assert connection.ready
    assert not play.clients[0][1].closed


async def test_what_goes_wrong_in_rendering_is_left_to_the_long_way(play, monkeypatch, caplog):
    def broken(*_):
        raise KeyError("what was not thought of")

    monkeypatch.setattr(module, "render", broken)
    got = await exchange(play, answered=response(b"Cache-Control: private"))
    assert got.endswith(BODY)
    assert short(play) == 0
    assert "could not be rendered" in caplog.text


async def test_what_goes_wrong_before_it_is_sent_is_left_to_the_long_way(play, monkeypatch, caplog):
    def broken(*_):
        raise KeyError("what was not thought of")

    monkeypatch.setattr(play.ways.through._onward, "block", broken)
    got = await exchange(play)
    assert got.endswith(BODY)
    assert short(play) == 0
    assert "what was not thought of" in caplog.text


async def test_where_no_two_responses_are_alike_the_search_ends(play):
    for number in range(module._MOST_NEW + 9):
        await exchange(play, answered=response(b"Cache-Control: no-store, x=%d" % number))
    assert module._MOST_NEW <= short(play) < module._MOST_NEW + 9


async def test_evidence_that_quotes_a_credential_is_left_to_the_long_way(play):
    secret = b"abcdefghijklmnop"
    odd = response(b"Cache-Control: no-store, private=sid%b" % secret[:1] + b"/" + secret)
    for _ in range(2):
        await exchange(play, request(b"Cookie: sid=" + secret), odd)
    assert secret.decode() not in json.dumps([record["decision"] for record in play.ways.records()])


async def test_turned_off_it_takes_nothing(play):
    play.ways.through.switched_on = False
    await exchange(play)
    assert short(play) == 0


async def test_without_a_date_each_response_gets_its_own(play, clock):
    undated = response(b"Cache-Control: no-store", date=b"")
    first = await exchange(play, answered=undated)
    clock.now += 1
    second = await exchange(play, answered=undated)
    assert DATE in first
    assert DATE.replace(b":20 GMT", b":21 GMT") in second


class TestOnward:
    def test_lines_go_on_as_the_long_way_has_them(self):
        onward = Onward(Forwarding("pellucid", b"origin:80"), 1 << 20)
        raw = b"Host: a.example\r\nX:  y \r\nConnection: keep-alive\r\n\r\n"
        expected = (
            b"Host: origin:80\r\nX: y\r\nVia: 1.1 pellucid\r\n"
            b"Forwarded: for=1.2.3.4;host=a.example;proto=http\r\n"
            b"X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a.example\r\n\r\n"
        )
        assert onward.block(raw, "1.2.3.4", b"a.example") == expected
        assert onward.block(raw, "1.2.3.4", b"a.example") == expected

    @pytest.mark.parametrize("name", [b"Forwarded", b"X-Forwarded-For", b"x-real-ip"])
    def test_traces_of_others_do_not_go_line_by_line(self, name):
        onward = Onward(Forwarding("pellucid", b"origin:80"), 1 << 20)
        assert onward.block(b"Host: a\r\n" + name + b": y\r\n\r\n", "1.2.3.4", b"a") is None

    @pytest.mark.parametrize("length", [1, 4000])
    def test_what_is_remembered_is_bounded(self, length):
        onward = Onward(Forwarding("pellucid", b"origin:80"), 1 << 20)
        for number in range(3000):
            host, long = b"a%d" % number, b"x" * length
            raw = b"Host: %b\r\nX%b-%d: y\r\nX: %b\r\n\r\n" % (host, long, number, long)
            for client in ("192.0.2.1", "192.0.2.2"):
                onward.block(raw, client, host)
        tables = [onward._blocks, onward._lines, onward._names, onward._traces]
        assert all(table.known for table in tables)
        assert len(pickle.dumps([table.known for table in tables[:2]])) <= 3 << 18
        assert len(onward._names.known) + len(onward._traces.known) <= 1000


@pytest.mark.parametrize("line", [(b"X", b"y" * 5000), (b"Authorization", b"y" * 5000), (b"X" * 5000, b"")])
async def test_nothing_is_remembered_of_a_request_that_is_too_long(clock, line):
    play = Play(Ways(clock, short=True))
    for _ in range(5):
        await exchange(play, request(b": ".join(line)))
    through = play.ways.through
    assert not through._openings.places.young
    assert not through._onward._lines.known
    await play.ways.close()
