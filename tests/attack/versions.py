"""An origin whose every content says what it is, and the plain model that judges what a proxy makes of it.

A content is made of its target, whom it is for, its version and nothing else; so any part of it can be told
from any part of another one. The model knows one thing of each target: the oldest version that may be read.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
from collections import Counter
from functools import lru_cache

TARGETS = 24
TAGS = 4
USERS = (b"ann", b"bob", b"cid")

SIZES = (60, 60, 300, 3_000, 20_000, 90_000, 1_500_000, 3_000_000)
PERSONAL = 5
"""Each fifth target varies by `X-User`, each fifth after it is for one user alone, by `Authorization`."""


def target_of(number: int) -> bytes:
    return b"/p%d/%d" % (number % 3, number)


def number_of(target: bytes) -> int:
    return int(target.rpartition(b"/")[2])


@lru_cache(maxsize=64)
def content_of(target: bytes, user: bytes, version: int) -> bytes:
    """The whole content of one version: every piece of 32 bytes belongs to it alone."""
    size = SIZES[number_of(target) % len(SIZES)]
    name = b"%b %b %d " % (target, user, version)
    mask = hashlib.sha256(name).digest()
    return name + (mask * (size // len(mask) + 1))[:size] + hashlib.sha256(name + b"end").hexdigest().encode()


def user_for(number: int, user: bytes) -> bytes:
    """Whom the content of a target is for when `user` asks."""
    return user if number % PERSONAL in (1, 2) else b"all"


class Origin:
    """Serves the newest version of each target, or breaks off on the way."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.versions: Counter[bytes] = Counter()
        self.counts: Counter[str] = Counter()
        self.broken_off: set[bytes] = set()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            while await self._exchange(reader, writer):
                pass
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.rstrip().split(b"\r\n")
        method, target, _ = first.split()
        fields = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines)}
        await reader.readexactly(int(fields.get(b"content-length", b"0")))
        self.counts[method.decode()] += 1
        if method not in (b"GET", b"HEAD"):
            self.versions[target] += 1
            made = self.versions[target]
            await asyncio.sleep(self.chance.choice([0, 0, 0.01]))
            writer.write(b"HTTP/1.1 204 No Content\r\nX-Version: %d\r\n\r\n" % made)
            return True
        return await self._answer(writer, target, fields)

    async def _answer(self, writer: asyncio.StreamWriter, target: bytes, fields: dict[bytes, bytes]) -> bool:
        number, version = number_of(target), self.versions[target]
        user = user_for(number, fields.get(b"x-user", b"none"))
        content = content_of(target, user, version)
        tag = b'"%b-%d"' % (user, version)
        rules = control_of(number) + b"ETag: %b\r\n" % tag
        await asyncio.sleep(self.chance.choice([0, 0, 0, 0.005, 0.05]))
        if fields.get(b"if-none-match") == tag:
            writer.write(b"HTTP/1.1 304 Not Modified\r\n%b\r\n" % rules)
            return True
        chunked = self.chance.random() < 0.4
        length = b"Transfer-Encoding: chunked\r\n" if chunked else b"Content-Length: %d\r\n" % len(content)
        writer.write(b"HTTP/1.1 200 OK\r\n%b%b\r\n" % (rules, length))
        stop = self.chance.randrange(len(content)) if self.chance.random() < 0.03 else None
        for at in range(0, len(content), 200_000):
            piece = content[at : at + 200_000]
            if stop is not None and stop < at + len(piece):
                writer.write(piece[: stop - at] if not chunked else b"")
                self.counts["broken off"] += 1
                self.broken_off.add(target)
                return False
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            await writer.drain()
        writer.write(b"0\r\n\r\n" if chunked else b"")
        return True


def control_of(number: int) -> bytes:
    """The fields that say who may keep it, and what it is about."""
    if number % 11 == 7:
        return b"Cache-Control: no-store\r\n"
    kinds = {
        1: b"Cache-Control: max-age=600\r\nVary: X-User\r\n",
        2: b"Cache-Control: private, max-age=600\r\n",
        3: b"Cache-Control: max-age=0, must-revalidate\r\n",
    }
    rest = b"Cache-Control: max-age=600\r\n"
    return kinds.get(number % PERSONAL, rest) + b"Surrogate-Key: t%d all-of-it\r\n" % (number % TAGS)


class Model:
    """The oldest version of each target that may be read by now."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.least: Counter[bytes] = Counter()
        self.by: dict[bytes, str] = {}
        self.wrong: list[str] = []

    def bump(self, targets: list[bytes]) -> dict[bytes, int]:
        """Change them behind the proxy's back, which is then to be told."""
        for target in targets:
            self.origin.versions[target] += 1
        return {target: self.origin.versions[target] for target in targets}

    def told(self, versions: dict[bytes, int], by: str) -> None:
        """From now on nothing older may be read, as what is told of was answered."""
        for target, version in versions.items():
            if version > self.least[target]:
                self.least[target], self.by[target] = version, by

    def judge(self, target: bytes, user: bytes, least: int, content: bytes, first: int, whole: bool) -> None:
        """Note what is wrong with `content`, which begins at byte `first` of what was asked for."""
        wanted = user_for(number_of(target), user)
        newest = self.origin.versions[target]
        for version in range(newest, -1, -1):
            right = content_of(target, wanted, version)
            part = right if whole else right[first : first + len(content)]
            if part == content:
                if version < least:
                    told = f"told of {least} by {self.by[target]}"
                    self.wrong.append(f"{target!r} for {user!r}: version {version}, {told}")
                return
        self.wrong.append(f"{target!r} for {user!r}: {len(content)} bytes from {first}: {content[:60]!r}")
