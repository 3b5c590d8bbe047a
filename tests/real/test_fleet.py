"""Several proxies on one Valkey, all of them real processes: what clients get while things fail."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.real.running import Running, pellucid
from tests.storage.valkey.servers_for_tests import Cluster, Server

HOST = {"Host": "shop.example"}  # they are the same to clients
PATIENT = ("valkey.lookup=2s", "valkey.write=2s", "valkey.heartbeat=500ms")


class Origin:
    """Things that have a version, which a POST raises; `asked` counts the other requests."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.versions: Counter[str] = Counter()
        self.slow = 0.0
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        name = request.path
        if request.method == "POST":
            self.versions[name] += 1
            return web.Response(text=f"{name} {self.versions[name]}")
        self.asked[name] += 1
        text = f"{name} {self.versions[name]} " + "x" * 500
        await asyncio.sleep(self.slow)
        return web.Response(text=text, headers={"Cache-Control": "max-age=3600"})


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    origin = Origin()
    app = web.Application()
    app.router.add_route("*", "/{name:.*}", origin.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    origin.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield origin
    await runner.cleanup()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "valkey")
    yield server
    server.kill()


@contextlib.asynccontextmanager
async def two(
    origin: Origin, valkey: Server | Cluster, folder: Path, *settings: str
) -> AsyncIterator[tuple[Running, Running]]:
    """Two proxies in front of one origin that share what they store."""
    words = ["--store", valkey.url]
    for setting in settings:
        words += ["--set", setting]
    for name in ("one", "other"):
        (folder / name).mkdir()
    async with (
        pellucid(origin.url, folder / "one", *words) as one,
        pellucid(origin.url, folder / "other", *words) as other,
    ):
        yield one, other


async def get(http: aiohttp.ClientSession, proxy: Running, name: str) -> tuple[int, str, str]:
    """The status, what stands before the filling, and what the cache says."""
    async with http.get(f"{proxy.url}{name}", headers=HOST) as answer:
        text = await answer.text()
        return answer.status, text.partition(" x")[0], answer.headers.get("Cache-Status", "")


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.02)


async def test_a_fleet_is_as_one(origin: Origin, valkey: Server, tmp_path: Path) -> None:
    async with two(origin, valkey, tmp_path, *PATIENT) as (one, other), aiohttp.ClientSession() as http:
        for proxy in (one, other, other, one):
            status, text, _ = await get(http, proxy, "/thing")
            assert (status, text) == (200, "/thing 0")
        assert origin.asked["/thing"] == 1
        async with http.post(f"{one.url}/thing", headers=HOST) as answer:
            assert answer.status == 200
        assert (await get(http, one, "/thing"))[1] == "/thing 1"
        async with asyncio.timeout(20):
            while (await get(http, other, "/thing"))[1] != "/thing 1":
                pass
        assert origin.asked["/thing"] == 2
        # One request for what all are asked for at once:
        origin.slow = 0.5
        got = await asyncio.gather(*(get(http, proxy, "/cold") for proxy in (one, other) for _ in range(10)))
        assert {(status, text) for status, text, _ in got} == {(200, "/cold 0")}
        assert origin.asked["/cold"] == 1


async def test_who_dies_while_it_fetches_holds_nobody_up(
    origin: Origin, valkey: Server, tmp_path: Path
) -> None:
    origin.slow = 30.0
    async with two(origin, valkey, tmp_path, *PATIENT) as (one, other), aiohttp.ClientSession() as http:
        first = asyncio.ensure_future(get(http, one, "/cold"))
        await until(lambda: origin.asked["/cold"] == 1)
        second = asyncio.ensure_future(get(http, other, "/cold"))
        await asyncio.sleep(0.3)
        assert origin.asked["/cold"] == 1, "it waits for the first"
        origin.slow = 0.0
        os.kill(one.process.pid, signal.SIGKILL)
        with contextlib.suppress(aiohttp.ClientError):
            await first
        assert (await second)[:2] == (200, "/cold 0")
        assert origin.asked["/cold"] == 2


def limit(valkey: Server, memory: str) -> None:
    valkey.do("CONFIG", "SET", "maxmemory", memory)


async def shop(
    http: aiohttp.ClientSession, proxies: tuple[Running, Running], number: int, going: list[bool]
) -> Counter[str]:
    """What one client got, from one proxy after the other, for as long as it is `going`."""
    account: Counter[str] = Counter()
    turn = 0
    while going:
        turn += 1
        name = f"/thing{(number * 7 + turn * 13) % 200}"
        account["requests"] += 1
        try:
            status, text, _ = await get(http, proxies[turn % 2], name)
        except aiohttp.ClientError:
            account["errors"] += 1
            continue
        account["answers"] += 1
        account["wrong"] += status != 200 or text != f"{name} 0"
        await asyncio.sleep(0.005)
    return account


async def test_valkey_fails_under_load(origin: Origin, valkey: Server, tmp_path: Path) -> None:
    """Nobody gets an error or a wrong content, and it's used again afterwards."""
    async with two(origin, valkey, tmp_path) as proxies, aiohttp.ClientSession() as http:
        going = [True]
        shopping = [asyncio.ensure_future(shop(http, proxies, number, going)) for number in range(8)]
        await until(lambda: origin.asked.total() > 100)
        for fail, mend in (
            (lambda: valkey.signal(signal.SIGSTOP), lambda: valkey.signal(signal.SIGCONT)),
            (lambda: limit(valkey, "1mb"), lambda: limit(valkey, "0")),
            (valkey.kill, valkey.start),
        ):
            fail()
            await asyncio.sleep(0.7)
            mend()
            await asyncio.sleep(0.3)
        going.clear()
        account = sum(await asyncio.gather(*shopping), Counter[str]())
        assert account["requests"] == account["answers"] > 100
        assert account["errors"] == account["wrong"] == 0
        # What one stores the other finds once more.
        async with asyncio.timeout(30):
            for number in range(10**6):
                name = f"/again{number}"
                for proxy in proxies:
                    await get(http, proxy, name)
                if origin.asked[name] == 1:
                    break


async def test_a_node_of_a_cluster_is_killed_under_load(origin: Origin, tmp_path: Path) -> None:
    """Everybody is answered; what was changed is not read where it was changed, and soon nowhere."""
    choice = random.Random(7)
    account: Counter[str] = Counter()
    cluster = Cluster(tmp_path / "cluster")
    going = [True]

    async def client(http: aiohttp.ClientSession, proxies: tuple[Running, Running]) -> None:
        while going:
            proxy, name = choice.choice(proxies), f"/thing{choice.randrange(30)}"
            account["requests"] += 1
            if choice.random() < 0.1:
                async with http.post(f"{proxy.url}{name}", headers=HOST) as answer:
                    assert answer.status == 200
                    changed[proxy.port, name] = int((await answer.text()).split()[1])
            least = changed[proxy.port, name]
            status, text, _ = await get(http, proxy, name)
            said, _, version = text.partition(" ")
            account["wrong"] += (status, said) != (200, name) or int(version) < least
            account["answers"] += 1
            await asyncio.sleep(0.01)

    changed: Counter[tuple[int, str]] = Counter()
    try:
        async with two(origin, cluster, tmp_path, *PATIENT) as proxies, aiohttp.ClientSession() as http:
            clients = [asyncio.ensure_future(client(http, proxies)) for _ in range(6)]
            await until(lambda: account["answers"] > 100)
            cluster.servers[choice.randrange(3)].kill()
            before = account["answers"]
            await until(lambda: account["answers"] > before + 150)
            for server in cluster.servers:
                if server.process is None:
                    await asyncio.to_thread(server.start)
            before = account["answers"]
            await until(lambda: account["answers"] > before + 100)
            going.clear()
            await asyncio.gather(*clients)
            assert account["wrong"] == 0
            assert account["requests"] == account["answers"]
            for name in [f"/thing{number}" for number in range(30)]:
                for proxy in proxies:
                    async with asyncio.timeout(20):
                        while (await get(http, proxy, name))[1] != f"{name} {origin.versions[name]}":
                            pass
    finally:
        cluster.kill()
