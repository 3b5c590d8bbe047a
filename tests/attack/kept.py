"""Histories, step by step, of proxies that keep their answers on disk beside what they were made from.

Nobody else asks meanwhile, so what may be answered is known. `python -m tests.attack.kept STEPS SEED…` runs
longer ones than the tests do.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

from tests.attack.shopping import Answer, Client, Lost, Shop
from tests.attack.upheaval import House
from tests.attack.versions import USERS, Model, Origin, number_of, target_of, user_for

FEW = 8
"""Targets: each is asked for often, so that most answers come from the disk."""

WAYS = (
    ("cache.name=alpha",),
    ("cache.name=beta", "server.keep_host=true"),
    ("cache.name=gamma", "cache.tags=Surrogate-Key"),
)
"""How a proxy may be set: its name stands in each answer, so one that was kept under another shows."""

NAMES = tuple(way[0].partition("=")[2].encode() for way in WAYS)
MEMORY = ("0", "64KiB", "1MiB")
ASKED_WITH = (b"", b"", b"", b"Accept-Language: de\r\n", b"Cookie: a=b\r\n", b"Authorization: Basic YTpi\r\n")


class Few(random.Random):
    """Of all targets it chooses a few."""

    def randrange(self, *bounds: int) -> int:  # type: ignore[override]
        chosen = super().randrange(*bounds)
        return chosen % FEW if len(bounds) == 1 else chosen


class Asker(Client):
    """Asks one proxy at a time, by one name after another."""

    def __init__(self, shop: Shop, chance: random.Random) -> None:
        super().__init__(shop, 0)
        self.chance = Few(chance.random())
        self.name = b""

    def turn_to(self, house: House, name: bytes) -> None:
        self.hang_up()
        self.name = name
        self.shop.ports[:] = [house.port]
        self.shop.admins[:] = [house.admin]

    async def read(self) -> None:
        """Ask for one target a few times, in several ways, while what is kept of it is put down."""
        target = target_of(self.chance.randrange(FEW))
        for _ in range(self.chance.choice([1, 3, 6])):
            if self.chance.random() < 0.2:
                self.user = self.chance.choice(USERS)
            await self._ask_for(target)
            await asyncio.sleep(self.chance.choice([0, 0.004, 0.02]))

    async def _ask_for(self, target: bytes) -> None:
        model, least = self.shop.model, self.shop.model.least[target]
        more, tag = self.chance.choice(ASKED_WITH), b""
        if least and self.chance.random() < 0.1:
            tag = b'"%b-%d"' % (user_for(number_of(target), self.user), least - 1)
            more += b"If-None-Match: %b\r\n" % tag
        if self.chance.random() < 0.1:
            answer = await self._head(target, more)
        else:
            answer = await self.ask(b"GET", target, more)
            if answer.status == 200:
                model.judge(target, self.user, least, answer.content, 0, True)
        self.shop.account[f"status {answer.status}"] += 1
        if answer.status in (200, 304):
            self._judge_head(target, least, answer)

    async def _head(self, target: bytes, more: bytes) -> Answer:
        """What HEAD says, as if it had no content."""
        self.hang_up()
        reader, writer = await self._connected()
        head = b"HEAD %b HTTP/1.1\r\nHost: shop.example\r\nX-User: %b\r\nConnection: close\r\n%b\r\n"
        writer.write(head % (target, self.user, more))
        lines = (await reader.readuntil(b"\r\n\r\n")).rstrip().split(b"\r\n")
        self.hang_up()
        fields = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines[1:])}
        return Answer(int(lines[0].split()[1]), fields)

    def _judge_head(self, target: bytes, least: int, answer: Answer) -> None:
        """Whose answer it is, and which version it speaks of."""
        wrong, fields = self.shop.model.wrong, answer.fields
        told = fields.get(b"via", b"") + b" " + fields.get(b"cache-status", b"")
        if self.name not in told or any(name in told for name in NAMES if name != self.name):
            wrong.append(f"{self.name!r} answers as another: {fields!r}")
        user, _, version = fields.get(b"etag", b"").strip(b'"').rpartition(b"-")
        if user != user_for(number_of(target), self.user) or int(version) < least:
            wrong.append(f"{target!r} for {self.user!r}, at least {least}: {fields!r}")
        self.shop.account["hits"] += b";hit" in told


class Keeping:
    """Two proxies on one folder, which are restarted in other ways, and one who asks."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.origin = Origin(seed)
        self.model = Model(self.origin)
        self.shop = Shop(self.model, [], [])
        self.asker = Asker(self.shop, self.chance)
        self.done: Counter[str] = Counter()
        self.names: dict[int, bytes] = {}
        self.houses: list[House] = []

    async def run(self, steps: int, *, restart: int = 2) -> None:
        acts = [
            (self.asker.read, 60),
            (self.asker.purge, 8),
            (self.asker.change, 6),
            (self.move, 14),
            (self.restart, restart),
        ]
        async with self._standing():
            for _ in range(steps):
                act = self.chance.choices([one for one, _ in acts], [weight for _, weight in acts])[0]
                try:
                    async with asyncio.timeout(60):
                        await act()
                except (Lost, OSError, asyncio.IncompleteReadError):
                    self.asker.hang_up()
                    self.done["lost"] += 1
                if self.model.wrong:
                    break
            self.asker.hang_up()
            for house in self.houses:
                self.done[f"exit {await house.stop(signal.SIGTERM)}"] += 1

    async def move(self) -> None:
        """From now on the other one is asked, or the same anew."""
        number = self.chance.randrange(len(self.houses))
        self.asker.turn_to(self.houses[number], self.names[number])

    async def restart(self) -> None:
        """One of them, by a signal or by force, in the same way or in another."""
        number = self.chance.randrange(len(self.houses))
        house, how = self.houses[number], self.chance.choice([signal.SIGTERM, signal.SIGKILL])
        self.asker.hang_up()
        await house.stop(how)
        if self.chance.random() < 0.6:
            house.arguments = self._arguments(number)
        await house.start()
        self.done["restart"] += 1
        await self.move()

    def _arguments(self, number: int) -> list[str]:
        way = self.chance.choice(WAYS)
        self.names[number] = way[0].partition("=")[2].encode()
        settings = ["storage.disk=24MiB", "cache.stale_limit=0s", "server.purge_from=127.0.0.1", *way]
        arguments = ["--upstream", self.origin.url, "--store", f"disk:{self.folder / 'cache'}"]
        arguments += ["--memory", self.chance.choice(MEMORY)]
        return arguments + [word for one in settings for word in ("--set", one)]

    @contextlib.asynccontextmanager
    async def _standing(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self.origin.serve, "127.0.0.1", 0, limit=1 << 20)
        async with server:
            self.origin.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            try:
                for number in range(2):
                    own = self.folder / f"house{number}"
                    own.mkdir()
                    self.houses.append(House(own, self._arguments(number)))
                await asyncio.gather(*(house.start() for house in self.houses))
                await self.move()
                yield
            finally:
                for house in self.houses:
                    if house.process is not None:
                        await house.stop(signal.SIGKILL)

    def account(self) -> dict[str, object]:
        """What came of it, and what is wrong with it."""
        said = "".join((house.folder / "said").read_text() for house in self.houses)
        wrong = self.model.wrong + [line for line in said.splitlines() if "Traceback" in line]
        return {"clients": dict(self.shop.account), "done": dict(self.done), "wrong": wrong}


async def at_length(steps: int, seeds: list[int]) -> bool:
    """Run it with one seed after the other; whether all was well."""
    well = True
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            keeping = Keeping(Path(folder), seed)
            await keeping.run(steps)
            account = keeping.account()
            print(seed, json.dumps(account), flush=True)
            well = well and not account["wrong"]
    return well


if __name__ == "__main__":
    sys.exit(not asyncio.run(at_length(int(sys.argv[1]), [int(one) for one in sys.argv[2:]])))
