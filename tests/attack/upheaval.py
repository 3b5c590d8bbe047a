"""Proxies in real processes that are killed, hung up on, restarted and have their files damaged, under load.

`python -m tests.attack.upheaval SECONDS SEED…` runs it for longer than the tests do.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.attack.shopping import Client, Shop
from tests.attack.versions import Model, Origin
from tests.real.running import free_port

_WORKER_DIED = re.compile(r"was killed by SIG(?!KILL)|ended with status|Traceback|Error")


@dataclass
class House:
    """One `pellucid serve` on ports of its own, which may be started again and again."""

    folder: Path
    arguments: list[str]
    port: int = field(default_factory=free_port)
    admin: int = field(default_factory=free_port)
    process: asyncio.subprocess.Process | None = None
    logs: int = 0
    seen: set[int] = field(default_factory=set)

    async def start(self) -> None:
        command = [sys.executable, "-m", "proxy", "serve", *self.arguments]
        command += ["--listen", f"127.0.0.1:{self.port}", "--admin", f"127.0.0.1:{self.admin}"]
        command += ["--log", str(self.folder / "log"), "--watch", "never"]
        with (self.folder / "said").open("ab") as said:
            self.process = await asyncio.create_subprocess_exec(
                *command, stdout=asyncio.subprocess.PIPE, stderr=said
            )
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            line = await self.process.stdout.readline()
        assert b"listens on" in line, (line, (self.folder / "said").read_text()[-2000:])

    def workers(self) -> list[int]:
        if self.process is None:
            return []
        parent = self.process.pid
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
            found = [int(one) for one in text.split()]
            self.seen.update(found)
            return found
        return []

    async def stop(self, number: int) -> int:
        """End it by a signal; its exit status."""
        assert self.process is not None
        self.workers()
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        async with asyncio.timeout(90):
            status = await self.process.wait()
        self.process._transport.close()  # type: ignore[attr-defined]
        self.process = None
        return status

    def rotate(self) -> None:
        assert self.process is not None
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "log").rename(self.folder / f"log.{self.logs}")
            self.logs += 1
        self.process.send_signal(signal.SIGHUP)

    def lines(self) -> list[bytes]:
        found = []
        for file in sorted(self.folder.glob("log*")):
            data = file.read_bytes()
            assert not data or data.endswith(b"\n"), f"{file} ends in the middle of a line"
            found += data.splitlines()
        return found

    def left(self) -> list[int]:
        """Processes that are still there and should not be."""
        return [one for one in self.seen if _alive(one)]


@dataclass(frozen=True)
class Mischief:
    """What is done to the proxies, each with how often that is chosen."""

    kill: int = 10
    hang: int = 3
    rotate: int = 3
    restart: int = 2
    damage: int = 1
    remove: int = 0  # the proxies notice that within a second, so the judge finds fault now and then
    pause: float = 0.3


class Upheaval:
    """Two houses on one folder, a crowd, and somebody who breaks things."""

    def __init__(self, folder: Path, seed: int, mischief: Mischief, *, houses: int = 2) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        self.chance = random.Random(seed)
        self.seed = seed
        self.mischief = mischief
        self.origin = Origin(seed)
        self.model = Model(self.origin)
        self.done: Counter[str] = Counter()
        self.count = houses
        self.houses: list[House] = []
        self.shop = Shop(self.model, [], [])
        self.missing = 0  # answers without a record

    async def run(self, seconds: float, clients: int = 12) -> None:
        async with self._standing():
            crowd = [asyncio.ensure_future(Client(self.shop, number).shop_on()) for number in range(clients)]
            ends = asyncio.get_running_loop().time() + seconds
            try:
                while asyncio.get_running_loop().time() < ends and not self.model.wrong:
                    await asyncio.sleep(self.chance.random() * 2 * self.mischief.pause)
                    await self._some_mischief()
            finally:
                self.shop.over = True
                await asyncio.gather(*crowd)
                for house in self.houses:
                    self.done[f"exit {await house.stop(signal.SIGTERM)}"] += 1

    @contextlib.asynccontextmanager
    async def _standing(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self.origin.serve, "127.0.0.1", 0, limit=1 << 20)
        async with server:
            self.origin.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            try:
                for number in range(self.count):
                    await self._build(number)
                yield
            finally:
                for house in self.houses:
                    if house.process is not None:
                        await house.stop(signal.SIGKILL)

    async def _build(self, number: int) -> None:
        own = self.folder / f"house{number}"
        own.mkdir()
        settings = ["storage.disk=24MiB", "cache.stale_limit=0s", "server.purge_from=127.0.0.1"]
        arguments = ["--upstream", self.origin.url, "--store", f"disk:{self.cache}"]
        arguments += ["--workers", str(3 - number), "--memory", self.chance.choice(["8MiB", "1MiB", "0"])]
        house = House(own, arguments + [word for one in settings for word in ("--set", one)])
        self.houses.append(house)
        await house.start()
        self.shop.ports.append(house.port)
        self.shop.admins.append(house.admin)

    async def _some_mischief(self) -> None:
        kinds = ("kill", "hang", "rotate", "restart", "damage", "remove")
        kind = self.chance.choices(kinds, [getattr(self.mischief, one) for one in kinds])[0]
        house = self.chance.choice(self.houses)
        if kind == "kill" and (workers := house.workers()):
            os.kill(self.chance.choice(workers), signal.SIGKILL)
        elif kind == "hang" and (workers := house.workers()):
            await self._hang(self.chance.choice(workers))
        elif kind == "rotate":
            house.rotate()
        elif kind == "restart":
            await self._restart(house)
        elif kind == "damage":
            await self._damage()
        elif kind == "remove":
            shutil.rmtree(self.cache, ignore_errors=True)
        self.done[kind] += 1

    async def _hang(self, process: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGSTOP)
            await asyncio.sleep(0.2)
            os.kill(process, signal.SIGCONT)

    async def _restart(self, house: House) -> None:
        how = self.chance.choice([signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
        status = await house.stop(how)
        assert status == (-9 if how == signal.SIGKILL else 0), f"ended with status {status}"
        if how == signal.SIGKILL and house.arguments[house.arguments.index("--workers") + 1] != "1":
            async with asyncio.timeout(30):
                while house.left():  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        await house.start()

    async def _damage(self) -> None:
        """All are down, and some file of the cache is no more what it was."""
        for house in self.houses:
            await house.stop(self.chance.choice([signal.SIGTERM, signal.SIGKILL]))
        async with asyncio.timeout(30):
            while any(house.left() for house in self.houses):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        files = [one for one in self.cache.rglob("*") if one.is_file() and one.stat().st_size]
        file = self.chance.choice([*files, *self.cache.glob("cache-*/data.mdb")])
        damage(file, self.chance)
        for house in self.houses:
            await house.start()

    def account(self) -> dict[str, object]:
        """What came of it, and what is wrong with it."""
        lines, wrong = [], list(self.model.wrong)
        for house in self.houses:
            lines += house.lines()
            wrong += [f"process {one} is left" for one in house.left()]
        marks: Counter[str] = Counter()
        ids: Counter[str] = Counter()
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                wrong.append(f"not a whole line: {line[:80]!r}")
                continue
            ids[record["id"]] += 1
            marks.update(value for name, value in record["request"]["fields"] if name.lower() == "x-mark")
        wrong += [f"twice in the log: {one}" for one, count in ids.items() if count > 1]
        self.missing = len(self.shop.answered - set(marks))
        said = "".join((house.folder / "said").read_text() for house in self.houses)
        crashes = [line for line in said.splitlines() if _WORKER_DIED.search(line)]
        return {
            "seed": self.seed,
            "clients": dict(self.shop.account),
            "origin": dict(self.origin.counts),
            "done": dict(self.done),
            "lines": len(lines),
            "missing": self.missing,
            "said": Counter(re.sub(r"[0-9a-f]{6,}|\d+", "#", line) for line in said.splitlines()),
            "crashes": crashes,
            "wrong": wrong,
        }


def damage(file: Path, chance: random.Random) -> None:
    """Flip some bits, put noise somewhere, or cut it short."""
    size = file.stat().st_size
    with file.open("r+b") as opened:
        if chance.random() < 0.2:
            opened.truncate(chance.randrange(size))
            return
        for _ in range(chance.choice([1, 3, 20])):
            opened.seek(chance.randrange(min(size, 6 << 20)))
            opened.write(chance.randbytes(chance.choice([1, 1, 40, 4096])))


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def at_length(seconds: float, seeds: list[int]) -> bool:
    """Run it with one seed after the other; whether all was well."""
    well = True
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            upheaval = Upheaval(Path(folder), seed, Mischief())
            try:
                await upheaval.run(seconds)
            finally:
                account = upheaval.account()
                print(json.dumps(account, indent=1), flush=True)
            well = well and not account["wrong"] and not account["crashes"]
    return well


if __name__ == "__main__":
    sys.exit(not asyncio.run(at_length(float(sys.argv[1]), [int(one) for one in sys.argv[2:]])))
