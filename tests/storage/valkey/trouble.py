"""Two proxies of one fleet under load while something happens to their Valkey; it ends with an account.

`python -m tests.storage.valkey.trouble SECONDS SEED [KIND…]` runs it for longer than the tests do. A content
names its target and version. Who reads at the proxy that has answered a purge sees nothing older from then
on; who reads at the other one neither, once the fleet has been whole for a while again.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import valkey

from proxy.storage.valkey.names import SHARDS, Names
from tests.attack.upheaval import House
from tests.storage.valkey.relay import Relay
from tests.storage.valkey.servers_for_tests import Cluster, Server

TARGETS = 60
TAGS = 5
GRACE = 2.0
"""Seconds without trouble after which a purge has reached everybody, however busy the machine is."""

_SIZES = (40, 300, 2_000, 90_000)


def content_of(target: int, version: int) -> bytes:
    """What the origin answers: nothing of it fits another target or version."""
    name = b"<%d %d>" % (target, version)
    return (name * (_SIZES[target % len(_SIZES)] // len(name) + 1)) + b"end"


class Trouble:
    """Two proxies, the servers that they share, a crowd, and one kind of trouble again and again."""

    def __init__(
        self, folder: Path, kind: str, seed: int, memory: str = "1MiB", *, disk: bool = False
    ) -> None:
        self.folder, self.kind, self.memory, self.disk = folder, kind, memory, disk
        self.chance = random.Random(seed)
        self.account: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.over = False
        self.troubled = 0.0  # until when something may not have reached the others
        self._versions: Counter[int] = Counter()
        self._least: list[Counter[int]] = [Counter(), Counter()]
        self._told: list[tuple[float, int, int, int]] = []
        self._houses: list[House] = []
        self._servers: list[Server] = []
        self.relays: list[Relay] = []

    async def run(self, seconds: float, clients: int = 6) -> None:
        async with self._standing():
            loop = asyncio.get_running_loop()
            crowd = [loop.create_task(self._client(number % 2)) for number in range(clients)]
            ends = loop.time() + seconds
            try:
                while loop.time() < ends and not self.wrong:
                    await TROUBLES[self.kind](self)
                    self.account["troubles"] += 1
                    await asyncio.sleep(self.chance.random() * 0.3)
                self.troubled = loop.time()
                await asyncio.sleep(min(GRACE + 0.5, seconds))  # it is well again by then, and used
            finally:
                self.over = True
                await asyncio.gather(*crowd)
            for house in self._houses:
                self.account[f"exit {await house.stop(signal.SIGTERM)}"] += 1

    # Who is there.

    @asynccontextmanager
    async def _standing(self) -> AsyncIterator[None]:
        origin = await asyncio.start_server(self._origin, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{origin.sockets[0].getsockname()[1]}"
        try:
            stores = await self._stores()
            for number in range(2):
                folder = self.folder / f"house{number}"
                folder.mkdir()
                store = f"disk:{folder}/cache,{stores[number]}" if self.disk else stores[number]
                words = ["--upstream", url, "--store", store, "--memory", self.memory]
                for one in ("server.purge_from=127.0.0.1", "cache.stale_limit=0s"):
                    words += ["--set", one]
                self._houses.append(House(folder, words))
                await self._houses[-1].start()
            yield
        finally:
            for house in self._houses:
                if house.process is not None:
                    await house.stop(signal.SIGKILL)
            for relay in self.relays:
                await relay.close()
            for server in self._servers:
                server.kill()
            origin.close()
            await origin.wait_closed()

    async def _stores(self) -> list[str]:
        """Where each proxy finds Valkey."""
        if self.kind == "reshard":
            cluster = Cluster(self.folder / "cluster")
            self._servers = cluster.servers
            return [cluster.url] * 2
        self._servers = [Server(self.folder / "valkey")]
        if self.kind == "promote":
            first = self._servers[0]
            self._servers.append(Server(self.folder / "replica", "--replicaof", f"127.0.0.1 {first.port}"))
            return [",".join([first.url, f"127.0.0.1:{self._servers[1].port}"])] * 2
        for _ in range(2):
            self.relays.append(Relay(self._servers[0].port))
            await self.relays[-1].start()
        return [relay.url for relay in self.relays]

    async def _origin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                target = int(head.split()[1][1:])
                self.account["asked of the origin"] += 1
                content = content_of(target, self._versions[target])
                fields = b"Cache-Control: max-age=600\r\nSurrogate-Key: t%d\r\n" % (target % TAGS)
                fields += b"Content-Length: %d\r\n" % len(content)
                writer.write(b"HTTP/1.1 200 OK\r\n%b\r\n%b" % (fields, content))
        writer.close()

    def said(self) -> list[str]:
        """What the proxies have said."""
        return [line for house in self._houses for line in (house.folder / "said").read_text().splitlines()]

    # What the crowd does.

    async def _client(self, at: int) -> None:
        line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        while not self.over:
            if line is None:
                line = await asyncio.open_connection("127.0.0.1", self._houses[at].port, limit=1 << 20)
            target = int(min(self.chance.paretovariate(0.5), TARGETS)) - 1
            try:
                async with asyncio.timeout(30):
                    if self.chance.random() < 0.05:
                        await self._change(at, target, *line)
                    else:
                        await self._read(at, target, *line)
            except (OSError, asyncio.IncompleteReadError):
                self.account["broken off"] += 1
                line[1].close()
                line = None
            await asyncio.sleep(self.chance.random() * 0.004)
        if line is not None:
            line[1].close()

    async def _read(
        self, at: int, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._tell_others()
        least = self._least[at][target]
        status, head, content = await self._ask(b"GET", target, reader, writer)
        self.account["hits" if b"pellucid;hit" in head else "not hits"] += 1
        newest = self._versions[target]
        found = next((one for one in range(newest, -1, -1) if content_of(target, one) == content), None)
        if status != 200:
            self.account["errors"] += 1
        elif found is None:
            self.wrong.append(f"/{target} at {at}: {len(content)} bytes {content[:40]!r}")
        elif found < least:
            self.wrong.append(f"/{target} at {at}: version {found}, told of {least}")

    async def _change(
        self, at: int, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Change one target, or all that have its tag, and have that purged."""
        by_tag = self.chance.random() < 0.3
        changed = [one for one in range(TARGETS) if one % TAGS == target % TAGS] if by_tag else [target]
        for one in changed:
            self._versions[one] += 1
        versions = {one: self._versions[one] for one in changed}
        more = b"Surrogate-Key: t%d\r\n" % (target % TAGS) if by_tag else b""
        status, _, _ = await self._ask(b"PURGE", target, reader, writer, more)
        self.account[f"purges{' of tags' * by_tag} {status}"] += 1
        now = asyncio.get_running_loop().time()
        for one, version in versions.items() if status == 200 else ():
            self._least[at][one] = max(self._least[at][one], version)
            self._told.append((now, at, one, version))

    async def _ask(
        self,
        method: bytes,
        target: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        more: bytes = b"",
    ) -> tuple[int, bytes, bytes]:
        self.account["requests"] += 1
        writer.write(b"%b /%d HTTP/1.1\r\nHost: h\r\n%b\r\n" % (method, target, more))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        fields = dict(line.split(b": ", 1) for line in head.strip().split(b"\r\n")[1:])
        content = await reader.readexactly(int(fields.get(b"content-length", b"0")))
        self.account["answers"] += 1
        return int(head.split()[1]), head, content

    def _tell_others(self) -> None:
        """What was purged long enough ago, with no trouble since, holds everywhere."""
        now = asyncio.get_running_loop().time()
        while self._told and max(self._told[0][0], self.troubled) + GRACE < now:
            _, at, target, version = self._told.pop(0)
            self._least[1 - at][target] = max(self._least[1 - at][target], version)
            self.account["purges seen by others"] += 1

    # What happens.

    async def lasting(self, seconds: float) -> None:
        """Trouble that may keep proxies apart goes on for a while."""
        loop = asyncio.get_running_loop()
        self.troubled = loop.time() + seconds
        await asyncio.sleep(seconds)
        self.troubled = loop.time()

    async def do(self, *words: object, at: int = 0, password: str | None = None) -> object:
        """Have a server do something, as its operator would."""
        return await asyncio.to_thread(self._servers[at].do, *words, password=password)

    async def full(self) -> None:
        await self.do("CONFIG", "SET", "maxmemory-policy", self.chance.choice(["allkeys-lru", "noeviction"]))
        await self.do("CONFIG", "SET", "maxmemory", self.chance.choice([1, 3_000_000]))
        await asyncio.sleep(0.3)
        await self.do("CONFIG", "SET", "maxmemory", 0)

    async def flush(self) -> None:
        await self.do(self.chance.choice(["FLUSHALL", "FLUSHDB"]), self.chance.choice(["SYNC", "ASYNC"]))

    async def promote(self) -> None:
        """The replica takes over, in good order or because the primary is told to be one."""
        self.troubled = asyncio.get_running_loop().time() + 60
        primary = 0
        while (await self.do("ROLE", at=primary))[0] != b"master":  # type: ignore[index]
            primary = 1 - primary
            await asyncio.sleep(0.02)
        replica = 1 - primary
        ports = [server.port for server in self._servers]
        if self.chance.random() < 0.5:
            with suppress(valkey.exceptions.ResponseError):  # it is not a replica yet
                await self.do("FAILOVER", "TIMEOUT", 500, at=primary)
            while b"failover_state:no" not in await self.info(primary):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        else:  # for a moment there are two
            await self.do("REPLICAOF", "NO", "ONE", at=replica)
            await asyncio.sleep(self.chance.random() * 0.2)
            await self.do("REPLICAOF", "127.0.0.1", ports[replica], at=primary)
        await self.lasting(0.5)

    async def info(self, at: int) -> bytes:
        """What a server says of its copies."""
        with valkey.Valkey("127.0.0.1", self._servers[at].port) as client:
            client.set_response_callback("INFO", lambda told, **_: told)
            told = await asyncio.to_thread(client.execute_command, "INFO", "replication")
        return bytes(told)

    async def password(self) -> None:
        """It is changed, whoever is there has to leave, and after a while it is as before."""
        await self.do("CONFIG", "SET", "requirepass", "other")
        await self.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes", password="other")
        await self.do("CLIENT", "KILL", "TYPE", "pubsub", password="other")
        await self.lasting(0.4)
        await self.do("CONFIG", "SET", "requirepass", "", password="other")
        await self.lasting(0.2)

    async def pause(self) -> None:
        length = self.chance.choice([30, 300, 1000])
        await self.do("CLIENT", "PAUSE", length, self.chance.choice(["ALL", "WRITE"]))
        await self.lasting(length / 1000)

    async def garbage(self) -> None:
        relay = self.chance.choice(self.relays)
        relay.nonsense = self.chance.choice(
            [
                b"*1\r\n" * 50,
                b"$99999999\r\n",
                b"\0" * 100,
                b":1\r\n",
                b"_\r\n",
                b"*-1\r\n",
                b"HTTP/1.1 200\r\n\r\n",
            ]
        )
        await self.lasting(self.chance.random() * 0.3)
        relay.nonsense = None

    async def slow(self) -> None:
        relay = self.chance.choice(self.relays)
        relay.delay = self.chance.choice([0.004, 0.009, 0.03, 0.4])
        await self.lasting(0.4)
        relay.delay = 0.0

    async def cut(self) -> None:
        relay = self.chance.choice(self.relays)
        how = self.chance.random()
        (relay.cut if how < 0.5 else relay.freeze)()
        await self.lasting(self.chance.random() * 1.5)
        (relay.mend if how < 0.5 else relay.thaw)()

    async def reshard(self) -> None:
        """One slot moves, key by key, from the node that has it to another one."""
        names = Names("default")
        clock = names.clock(self.chance.randrange(SHARDS))
        slot = await self.do("CLUSTER", "KEYSLOT", clock)
        ids = [await self.do("CLUSTER", "MYID", at=at) for at in range(3)]
        slots = await self.do("CLUSTER", "SLOTS")
        ports = [server.port for server in self._servers]
        port = next(one[2][1] for one in slots if one[0] <= slot <= one[1])  # type: ignore
        source = ports.index(port)
        target = self.chance.choice([at for at in range(3) if at != source])
        self.troubled = asyncio.get_running_loop().time() + 60
        await self.do("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source], at=target)
        await self.do("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target], at=source)
        while keys := await self.do("CLUSTER", "GETKEYSINSLOT", slot, 2, at=source):
            await self.do(
                *("MIGRATE", "127.0.0.1", ports[target], "", 0, 5000, "KEYS", *keys),  # type: ignore[misc]
                at=source,
            )
            await asyncio.sleep(self.chance.random() * 0.05)
        for at in (target, source, *range(3)):
            await self.do("CLUSTER", "SETSLOT", slot, "NODE", ids[target], at=at)
        await self.lasting(0.2)


TROUBLES: dict[str, Callable[[Trouble], Awaitable[None]]] = {
    one.__name__: one
    for one in (
        *(Trouble.full, Trouble.flush, Trouble.promote, Trouble.password, Trouble.pause, Trouble.garbage),
        *(Trouble.slow, Trouble.cut, Trouble.reshard),
    )
}


async def at_length(seconds: float, seed: int, kinds: list[str]) -> bool:
    """One kind after the other, with several tiers in front and with none; whether all was well."""
    well = True
    for kind in kinds or list(TROUBLES):
        for memory, disk in (("0", False), ("1MiB", False), ("1MiB", True)):
            with tempfile.TemporaryDirectory() as folder:
                trouble = Trouble(Path(folder), kind, seed, memory, disk=disk)
                await trouble.run(seconds)
                crashed = [line for line in trouble.said() if "Traceback" in line or "Error" in line]
                well = well and not trouble.wrong and not crashed and not trouble.account["errors"]
                shown = {"kind": kind, "memory": memory, "disk": disk, **sorted_of(trouble.account)}
                print(json.dumps({**shown, "wrong": trouble.wrong, "crashed": crashed}), flush=True)
    return well


def sorted_of(account: Counter[str]) -> dict[str, int]:
    return dict(sorted(account.items()))


if __name__ == "__main__":
    sys.exit(not asyncio.run(at_length(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])))
