"""A cache on disk outlives its proxy, however that ends, and two proxies on one folder are as one."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

from tests.real.running import Running, pellucid

TARGETS = [f"/items/{number}" for number in range(150)]
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: ([0-9]+)")


class Origin:
    """Says how many times each target was asked for before; `size` bytes follow."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                method, target, _ = head.split(b"\r\n", 1)[0].decode().split()
                number = int(target.rpartition("/")[2])
                control = b"max-age=600"
                if method == "GET":
                    self.asked[target] += 1
                else:
                    control = b"no-store"
                content = f"{target} {self.asked[target]} ".encode() * (1 + number * 37 % 4000)
                writer.write(b"HTTP/1.1 200 OK\r\nCache-Control: %b\r\n" % control)
                writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(content), content))
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def origin() -> AsyncIterator[Origin]:
    origin = Origin()
    server = await asyncio.start_server(origin.serve, "127.0.0.1", 0)
    async with server:
        origin.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield origin


async def ask(proxy: Running, target: str, method: str = "GET") -> bytes:
    """The content of the answer, whole, and nothing of another target's."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(
            f"{method} {target} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        length = _LENGTH.search(head)
        content = await reader.readexactly(int(length[1])) if length else await reader.read()
    finally:
        writer.close()
    said, number, _ = content.split(b" ", 2)
    assert said.decode() == target
    assert content == b"%b %b " % (said, number) * (len(content) // (len(said) + len(number) + 2))
    return number


async def round_of(proxy: Running) -> None:
    for target in TARGETS:
        await ask(proxy, target)


async def test_what_was_cached_is_there_after_a_restart_and_after_a_kill(tmp_path: Path) -> None:
    store = f"disk:{tmp_path / 'cache'}"
    async with origin() as behind:
        async with pellucid(behind.url, tmp_path, "--store", store) as proxy:
            await round_of(proxy)
            await round_of(proxy)
        asked = behind.asked.total()
        assert asked == len(TARGETS)
        for number in (signal.SIGKILL, signal.SIGTERM):
            async with pellucid(behind.url, tmp_path, "--store", store) as proxy:
                await round_of(proxy)
                await round_of(proxy)
                proxy.process.send_signal(number)
                await proxy.process.wait()
        assert behind.asked.total() - asked <= len(TARGETS) // 100


async def test_what_one_invalidates_is_gone_for_the_other_at_once(tmp_path: Path) -> None:
    store = f"disk:{tmp_path / 'cache'}"
    (tmp_path / "other").mkdir()
    async with (
        origin() as behind,
        pellucid(behind.url, tmp_path, "--store", store) as one,
        pellucid(behind.url, tmp_path / "other", "--store", store) as other,
    ):
        for number in range(1, 12):
            for proxy in (one, other, one, other, other):
                assert await ask(proxy, TARGETS[3]) == b"%d" % number
            assert behind.asked[TARGETS[3]] == number
            await ask(other if number % 2 else one, TARGETS[3], "POST")


class Versions(Origin):
    """Each POST makes a new version of its target; a GET takes a moment between reading it and the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.random = random.Random(4)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                method, target, _ = head.split(b"\r\n", 1)[0].decode().split()
                self.asked[target] += method == "POST"
                content = f"{target} {self.asked[target]} ".encode() * self.random.choice([1, 50, 3000])
                control = b"no-store" if method == "POST" else b"max-age=600"
                await asyncio.sleep(self.random.choice([0, 0, 0.002, 0.02]))
                writer.write(b"HTTP/1.1 200 OK\r\nCache-Control: %b\r\n" % control)
                writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(content), content))
                await writer.drain()
        writer.close()


class Shoppers:
    """They read and change through two proxies: nobody may read what is older than an answered change."""

    def __init__(self, proxies: list[Running]) -> None:
        self.proxies = proxies
        self.answered: Counter[str] = Counter()
        self.read = 0
        self.lost = 0
        self.over = False

    async def shop(self, seed: int) -> None:
        chance = random.Random(seed)
        while not self.over:
            target, proxy = chance.choice(TARGETS[:5]), chance.choice(self.proxies)
            method = "POST" if chance.random() < 0.1 else "GET"
            least = self.answered[target]
            try:
                number = int(await ask(proxy, target, method))
            except (OSError, asyncio.IncompleteReadError):
                self.lost += 1
                await asyncio.sleep(0.01)
                continue
            assert number >= least, (target, number, least)
            if method == "POST":
                self.answered[target] = max(self.answered[target], number)
            self.read += 1


async def test_nobody_reads_what_is_older_than_an_answered_change_whoever_is_killed(tmp_path: Path) -> None:
    store = f"disk:{tmp_path / 'cache'}"
    (tmp_path / "other").mkdir()
    behind = Versions()
    server = await asyncio.start_server(behind.serve, "127.0.0.1", 0)
    async with server, contextlib.AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        proxies = [
            await stack.enter_async_context(pellucid(url, folder, "--store", store))
            for folder in (tmp_path, tmp_path / "other")
        ]
        shoppers = Shoppers(proxies)
        async with asyncio.TaskGroup() as group:
            for seed in range(6):
                group.create_task(shoppers.shop(seed))
            for _ in range(2):
                await asyncio.sleep(0.7)
                proxies[0].process.kill()
                proxies[0] = await stack.enter_async_context(pellucid(url, tmp_path, "--store", store))
            await asyncio.sleep(0.7)
            shoppers.over = True
        assert shoppers.read > 50
        assert shoppers.answered.total() > 5
