"""Several real servers behind one way upstream: who is asked, who is spared, and what is tried again."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from proxy.message.errors import ConfigurationError
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.upstream.address import parse_server
from proxy.upstream.contract import Content, Timing, UpstreamError
from proxy.upstream.fleet.fleet import Fleet
from proxy.upstream.fleet.settings import BalanceSettings
from proxy.upstream.settings import UpstreamSettings

QUICK = BalanceSettings(out=0.1, check_every=0.05, ease=0.0)
PATIENT = UpstreamSettings(connect=1.0, first_byte=0.5)


class Behind:
    """A server that answers with its name, as it is told to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = 0
        self.answer: Callable[[bytes], Awaitable[bytes]] = self.well
        self.heads: list[bytes] = []
        self.contents: list[bytes] = []
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._writers):
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                if b"100-continue" in head:
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                if length := re.search(rb"Content-Length: ([0-9]+)", head):
                    self.contents.append(await reader.readexactly(int(length[1])))
                writer.write(await self.answer(head))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def well(self, _: bytes) -> bytes:
        return self.said(200)

    async def unwell(self, _: bytes) -> bytes:
        return self.said(503)

    async def silent(self, _: bytes) -> bytes:
        await asyncio.sleep(5)
        return b""

    async def torn(self, _: bytes) -> bytes:
        raise ConnectionError

    def said(self, status: int) -> bytes:
        return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(self.name), self.name.encode())


@asynccontextmanager
async def fleet_of(
    count: int, rules: BalanceSettings = QUICK, weights: tuple[float, ...] = ()
) -> AsyncIterator[tuple[Fleet, list[Behind]]]:
    servers = [Behind("abcdef"[number]) for number in range(count)]
    for server in servers:
        await server.start()
    given = weights or (1.0,) * count
    pairs = [(parse_server(one.url), weight) for one, weight in zip(servers, given, strict=True)]
    fleet = Fleet(pairs, PATIENT, rules, authority=servers[0].address.encode())
    try:
        yield fleet, servers
    finally:
        await fleet.close()
        for server in servers:
            await server.stop()


def asking(method: bytes = b"GET", target: bytes = b"/", *lines: tuple[bytes, bytes]) -> Request:
    return Request(method, target, Fields([(b"Host", b"example.org"), *lines]), authority=b"example.org")


async def no_interim(_: Response) -> None:
    return None


async def ask(
    fleet: Fleet, request: Request | None = None, content: Content | None = None
) -> tuple[str, Timing]:
    """Who answered, and how that went."""
    response = await fleet.send(request or asking(), content, no_interim)
    body = b""
    while data := await response.read():
        body += data
    response.close()
    return (body.decode() if response.head.status == 200 else str(response.head.status)), response.timing


async def ask_often(fleet: Fleet, count: int) -> Counter[str]:
    return Counter([(await ask(fleet))[0] for _ in range(count)])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_each_in_its_turn_by_weight() -> None:
    async with fleet_of(3, weights=(2, 1, 1)) as (fleet, _):
        assert await ask_often(fleet, 8) == {"a": 4, "b": 2, "c": 2}


async def test_who_is_down_costs_no_answer_and_comes_back() -> None:
    async with fleet_of(3) as (fleet, (_, second, _)):
        await second.stop()
        answered = await ask_often(fleet, 12)
        assert answered.total() == 12
        assert set(answered) == {"a", "c"}
        state = {one["server"]: one["state"] for one in fleet.figures()}
        assert state[second.address] == "out"
        await second.start()
        await until(lambda: all(one["state"] == "well" for one in fleet.figures()))
        assert (await ask_often(fleet, 6))["b"] == 2


async def test_the_record_learns_who_was_tried_and_why() -> None:
    async with fleet_of(2) as (fleet, (first, second)):
        await first.stop()
        who, timing = await ask(fleet)
        assert who == "b"
        assert timing.tried == (first.address, second.address)
        assert timing.attempts == 2
        assert timing.retry == "tried elsewhere: nothing had been sent"
        assert (await ask(fleet))[1].tried == (second.address,)


async def test_a_request_that_may_have_been_acted_upon_is_not_sent_again() -> None:
    async with fleet_of(2) as (fleet, (first, second)):
        first.answer = first.torn
        with pytest.raises(UpstreamError) as failed:
            await ask(fleet, asking(b"POST"))
        assert "POST is not idempotent" in failed.value.retry
        assert failed.value.tried == (first.address,)
        assert not second.heads


async def test_an_idempotent_one_is() -> None:
    async with fleet_of(2) as (fleet, (first, _)):
        first.answer = first.torn
        who, timing = await ask(fleet, asking(b"DELETE"))
        assert who == "b"
        assert timing.retry == "tried elsewhere: DELETE is idempotent"


SEVEN = (b"Content-Length", b"7")


async def in_pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def test_a_small_content_is_sent_again_whole() -> None:
    async with fleet_of(2) as (fleet, (first, second)):
        first.answer = first.torn
        who, timing = await ask(fleet, asking(b"PUT", b"/", SEVEN), Content(7, in_pieces(b"con", b"tent")))
        assert who == "b"
        assert timing.retry == "tried elsewhere: PUT is idempotent"
        assert first.contents == second.contents == [b"content"]


@pytest.mark.parametrize("limit", [7, 6])
async def test_a_larger_one_that_has_been_read_is_not(limit: int) -> None:
    async with fleet_of(2, replace(QUICK, repeat_limit=limit)) as (fleet, (first, second)):
        first.answer = first.torn
        asked = ask(fleet, asking(b"PUT", b"/", SEVEN), Content(7, in_pieces(b"con", b"tent")))
        if limit == 7:
            assert (await asked)[0] == "b"
            return
        with pytest.raises(UpstreamError) as failed:
            await asked
        assert "read already" in failed.value.retry
        assert not second.heads


async def test_content_is_not_asked_for_before_the_server_wants_it() -> None:
    """A client that expects 100 (Continue) is to hear of it from the server (RFC 9110 §10.1.1)."""
    heads: list[int] = []

    async def pieces() -> AsyncIterator[bytes]:
        heads.append(len(server.heads))
        yield b"content"

    async with fleet_of(1) as (fleet, (server,)):
        request = asking(b"PUT", b"/", (b"Expect", b"100-continue"), SEVEN)
        assert (await ask(fleet, request, Content(7, pieces())))[0] == "a"
        assert heads == [1]
        assert server.contents == [b"content"]


async def test_503_is_tried_elsewhere_and_takes_a_server_out_after_a_few() -> None:
    async with fleet_of(2) as (fleet, (first, _)):
        first.answer = first.unwell
        assert await ask_often(fleet, 10) == {"b": 10}
        assert len(first.heads) == 3


async def test_what_hangs_is_left_alone() -> None:
    async with fleet_of(2, replace(QUICK, failures=1)) as (fleet, (first, _)):
        first.answer = first.silent
        assert await ask_often(fleet, 4) == {"b": 4}
        assert len(first.heads) == 1


async def test_when_none_is_well_all_are_tried_and_the_last_answer_counts() -> None:
    async with fleet_of(2) as (fleet, servers):
        for server in servers:
            server.answer = server.unwell
        for _ in range(5):
            assert (await ask(fleet))[0] == "503"
        for server in servers:
            await server.stop()
        with pytest.raises(UpstreamError) as failed:
            await ask(fleet)
        assert failed.value.status == 502


async def test_a_check_finds_out_what_no_request_has() -> None:
    async with fleet_of(2, replace(QUICK, check="/well")) as (fleet, (first, _)):
        await ask(fleet)
        first.answer = first.unwell
        await until(lambda: fleet.figures()[0]["state"] == "out")
        assert "503" in fleet.figures()[0]["why"]
        assert await ask_often(fleet, 4) == {"b": 4}
        first.answer = first.well
        await until(lambda: fleet.figures()[0]["state"] == "well")
        assert any(head.startswith(b"GET /well ") for head in first.heads)


async def test_a_hash_keeps_a_resource_at_its_server() -> None:
    async with fleet_of(3, replace(QUICK, policy="hash")) as (fleet, _):
        owners = {n: {(await ask(fleet, asking(target=b"/%d" % n)))[0] for _ in range(3)} for n in range(40)}
        assert all(len(owner) == 1 for owner in owners.values())
        assert len(set().union(*owners.values())) == 3


async def test_a_cookie_keeps_a_client_at_its_server_while_it_is_well() -> None:
    async with fleet_of(3, replace(QUICK, policy="sticky")) as (fleet, servers):
        who, timing = await ask(fleet)
        assert timing.affinity is not None
        assert servers[0].address.encode() not in timing.affinity
        pair = timing.affinity.partition(b";")[0]
        again = asking(b"GET", b"/", (b"Cookie", b"other=1; " + pair))
        for _ in range(5):
            answered, later = await ask(fleet, again)
            assert answered == who
            assert later.affinity is None
        (mine,) = (one for one in servers if one.name == who)
        await mine.stop()
        elsewhere, timing = await ask(fleet, again)
        assert elsewhere != who
        assert timing.affinity is not None


async def test_the_fewest_under_way() -> None:
    async with fleet_of(2, replace(QUICK, policy="least")) as (fleet, servers):
        began: asyncio.Queue[str] = asyncio.Queue()
        release = asyncio.Event()

        def slow_at(server: Behind) -> Callable[[bytes], Awaitable[bytes]]:
            async def answer(head: bytes) -> bytes:
                if b" /slow " in head:
                    began.put_nowait(server.name)
                    await release.wait()
                return server.said(200)

            return answer

        for server in servers:
            server.answer = slow_at(server)
        waiting = asyncio.ensure_future(ask(fleet, asking(target=b"/slow")))
        busy = await began.get()
        assert [one["outstanding"] for one in fleet.figures()] == [busy == "a", busy == "b"]
        assert not (await ask_often(fleet, 4))[busy]
        release.set()
        await waiting
        assert all(one["outstanding"] == 0 for one in fleet.figures())


async def test_each_server_gets_its_own_host_unless_it_is_the_clients() -> None:
    async with fleet_of(2) as (fleet, servers):
        host = servers[0].address.encode()
        ours = Request(b"GET", b"/", Fields([(b"Host", host)]), authority=b"example.org")
        for _ in servers:
            await ask(fleet, ours)
        assert all(b"Host: %b\r\n" % one.address.encode() in one.heads[0] for one in servers)
        for _ in servers:
            await ask(fleet)
        assert all(b"Host: example.org\r\n" in one.heads[1] for one in servers)


async def test_servers_come_and_go() -> None:
    async with fleet_of(2) as (fleet, (first, second)):
        third = Behind("z")
        await third.start()
        try:
            fleet.add(parse_server(third.url))
            assert (await ask_often(fleet, 6)) == {"a": 2, "b": 2, "z": 2}
            fleet.drain(first.address)
            assert not (await ask_often(fleet, 6))["a"]
            await until(lambda: len(fleet.figures()) == 2)
            fleet.drain(second.address)
            with pytest.raises(ConfigurationError, match="last server"):
                fleet.drain(third.address)
            with pytest.raises(ConfigurationError, match="no such server"):
                fleet.drain("127.0.0.1:1")
            with pytest.raises(ConfigurationError, match="there already"):
                fleet.add(parse_server(third.url))
        finally:
            await third.stop()


async def test_what_is_under_way_at_a_server_that_is_to_go_is_finished() -> None:
    async with fleet_of(2) as (fleet, (first, _)):

        async def slow(_: bytes) -> bytes:
            await asyncio.sleep(0.2)
            return first.said(200)

        first.answer = slow
        waiting = asyncio.ensure_future(ask(fleet))
        await until(lambda: bool(first.heads))
        fleet.drain(first.address)
        assert (await waiting)[0] == "a"


async def test_no_servers_or_one_twice_is_refused() -> None:
    one = (parse_server("http://127.0.0.1:1"), 1.0)
    with pytest.raises(ConfigurationError):
        Fleet([], PATIENT, QUICK)
    with pytest.raises(ConfigurationError, match="there already"):
        Fleet([one, one], PATIENT, QUICK)
    with pytest.raises(ConfigurationError, match="weight"):
        Fleet([(one[0], 0.0)], PATIENT, QUICK)
