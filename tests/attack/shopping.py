"""Clients that speak HTTP by hand, so that nothing that is wrong with an answer is overlooked."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from dataclasses import dataclass, field

from tests.attack.versions import TAGS, TARGETS, USERS, Model, number_of, target_of

_RANGE = re.compile(rb"bytes (\d+)-(\d+)/(\d+)")


class Lost(Exception):  # noqa: N818 - it says what became of it
    """No whole answer: the connection broke before its end."""


@dataclass(slots=True)
class Answer:
    status: int
    fields: dict[bytes, bytes]
    content: bytes = b""


@dataclass
class Shop:
    """Where the proxies are, and what came of it all.

    `answered` counts by the mark of each request; `lost` are the targets of those whose answer broke off.
    """

    model: Model
    ports: list[int]
    admins: list[int]
    account: Counter[str] = field(default_factory=Counter)
    answered: set[str] = field(default_factory=set)
    lost: set[bytes] = field(default_factory=set)
    over: bool = False
    _marks: int = 0

    def mark(self) -> str:
        self._marks += 1
        return f"m{self._marks}"


class Client:
    """One client with at most one connection at a time, which it keeps for a while."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop = shop
        self.chance = random.Random(seed)
        self.user = USERS[seed % len(USERS)]
        self._asked = b""
        self._wire: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def shop_on(self) -> None:
        """Ask and change at random until the shop closes."""
        acts = [(self.read, 60), (self.part, 12), (self.change, 6), (self.purge, 5), (self.leave, 4)]
        while not self.shop.over:
            act = self.chance.choices([one for one, _ in acts], [weight for _, weight in acts])[0]
            try:
                async with asyncio.timeout(60):
                    await act()
            except (Lost, OSError, asyncio.IncompleteReadError):
                self.shop.account["lost"] += 1
                self.shop.lost.add(self._asked)
                self.hang_up()
                await asyncio.sleep(0.01)
            except TimeoutError:
                self.shop.model.wrong.append("no answer after a minute")
                self.hang_up()
        self.hang_up()

    async def read(self) -> None:
        target = target_of(self.chance.randrange(TARGETS))
        least = self.shop.model.least[target]
        answer = await self.ask(b"GET", target)
        if self._is(answer, 200):
            self.shop.model.judge(target, self.user, least, answer.content, 0, True)

    async def part(self) -> None:
        target = target_of(self.chance.randrange(TARGETS))
        least, first = self.shop.model.least[target], self.chance.randrange(3_000)
        last = first + self.chance.choice([10, 1000, 100_000])
        answer = await self.ask(b"GET", target, b"Range: bytes=%d-%d\r\n" % (first, last))
        whole = answer.status != 206
        if answer.status == 416 or not self._is(answer, 200 if whole else 206):
            return
        found = _RANGE.fullmatch(answer.fields.get(b"content-range", b"")) if not whole else None
        if not whole and (found is None or int(found[1]) != first):
            self.shop.model.wrong.append(f"{target!r}: another part: {answer.fields!r}")
            return
        self.shop.model.judge(target, self.user, least, answer.content, 0 if whole else first, whole)

    async def change(self) -> None:
        target = target_of(self.chance.randrange(TARGETS))
        method = self.chance.choice([b"POST", b"PUT", b"DELETE"])
        answer = await self.ask(method, target, b"Content-Length: 3\r\n", b"new")
        if self._is(answer, 204):
            self.shop.model.told({target: int(answer.fields[b"x-version"])}, method.decode())

    async def purge(self) -> None:
        chance, model = self.chance, self.shop.model
        number, soft = chance.randrange(TARGETS), chance.random() < 0.3
        every = [target_of(one) for one in range(TARGETS)]
        target = target_of(number)
        kind = chance.choice(["urls", "tags", "prefixes", "match", "PURGE", "PURGE tag", "all"])
        tag = number % TAGS
        named = {
            "urls": [target], "PURGE": [target],
            "tags": [one for one in every if number_of(one) % TAGS == tag and number_of(one) % 11 != 7],
            "prefixes": [one for one in every if one.startswith(target[:4])],
            "match": [one for one in every if one.endswith(b"/%d" % number)],
            "all": every,
        }  # fmt: skip
        named["PURGE tag"] = named["tags"]
        told = model.bump(named[kind])
        if kind.startswith("PURGE"):
            fields = b"Pellucid-Purge: soft\r\n" if soft else b""
            fields += b"Surrogate-Key: t%d\r\n" % tag if kind == "PURGE tag" else b""
            answer = await self.ask(b"PURGE", target, fields)
        else:
            wish: dict[str, object] = {"soft": soft}
            wish[kind] = {
                "urls": [f"http://shop.example{target.decode()}"],
                "tags": [f"t{tag}"],
                "prefixes": [f"http://shop.example{target[:4].decode()}"],
                "match": [f"/{number}$"],
                "all": True,
            }[kind]
            answer = await self.tell_admin(json.dumps(wish).encode())
        if self._is(answer, 200):
            model.told(told, f"{kind}{' softly' if soft else ''}")
            self.shop.account["purged"] += 1

    async def leave(self) -> None:
        """Ask, read a little of it, and go."""
        reader, writer = await self._connected()
        target = target_of(self.chance.randrange(TARGETS))
        writer.write(b"GET %b HTTP/1.1\r\nHost: shop.example\r\nX-User: %b\r\n\r\n" % (target, self.user))
        await reader.read(self.chance.choice([1, 1000, 100_000]))
        self.shop.account["left"] += 1
        self.hang_up()

    async def ask(self, method: bytes, target: bytes, more: bytes = b"", content: bytes = b"") -> Answer:
        """The whole answer. Raises Lost, OSError, IncompleteReadError."""
        self._asked = target
        reader, writer = await self._connected()
        mark = self.shop.mark()
        head = b"%b %b HTTP/1.1\r\nHost: shop.example\r\nX-User: %b\r\n" % (method, target, self.user)
        self.shop.account["asked"] += 1
        writer.write(head + b"X-Mark: %b\r\n" % mark.encode() + more + b"\r\n" + content)
        answer = await read_answer(reader, slow=self.chance.random() < 0.02)
        self.shop.account["answered"] += 1
        self.shop.answered.add(mark)
        if self.chance.random() < 0.4 or answer.fields.get(b"connection") == b"close":
            self.hang_up()
        return answer

    async def tell_admin(self, wish: bytes) -> Answer:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.chance.choice(self.shop.admins))
        try:
            head = b"POST /purge HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            writer.write(head + b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(wish), wish))
            return await read_answer(reader)
        finally:
            writer.close()

    def hang_up(self) -> None:
        if self._wire is not None:
            self._wire[1].close()
            self._wire = None

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._wire is None:
            port = self.chance.choice(self.shop.ports)
            self._wire = await asyncio.open_connection("127.0.0.1", port)
        return self._wire

    def _is(self, answer: Answer, status: int) -> bool:
        self.shop.account[f"status {answer.status}"] += 1
        return answer.status == status


async def read_answer(reader: asyncio.StreamReader, *, slow: bool = False) -> Answer:
    """Raises IncompleteReadError and Lost where it isn't whole."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).rstrip().split(b"\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines)}
    answer = Answer(int(first.split()[1]), fields)
    if answer.status in (204, 304):
        return answer
    if fields.get(b"transfer-encoding") == b"chunked":
        pieces = []
        while size := int(await reader.readuntil(b"\r\n"), 16):
            pieces.append((await reader.readexactly(size + 2))[:-2])
        await reader.readexactly(2)
        answer.content = b"".join(pieces)
    elif b"content-length" in fields:
        left, pieces = int(fields[b"content-length"]), []
        while left:
            pieces.append(await reader.readexactly(min(left, 100_000)))
            left -= len(pieces[-1])
            await asyncio.sleep(0.01 if slow else 0)
        answer.content = b"".join(pieces)
    else:
        raise Lost("its end can't be told from a broken connection")
    return answer
