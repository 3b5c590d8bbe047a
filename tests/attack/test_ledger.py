"""Whatever way an exchange takes, however its bytes come: the record says what the client sent and got."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, cast

import pytest
import pytest_asyncio

from proxy.engine.digest import Digest
from proxy.message.fields import FieldLine
from proxy.server.app import Proxy
from proxy.server.configuration import Settings
from proxy.upstream.address import Server
from proxy.visibility.account import Account
from proxy.visibility.record import encode, to_record
from proxy.visibility.redaction import Redaction
from proxy.visibility.settings import LogSettings
from tests.attack.conftest import Attacked
from tests.attack.test_mixing import Crowd, Resource, some_resource, some_user
from tests.server.served import Answer, Wire

SETTINGS = Settings(log=LogSettings(key="a key that both of them have"))
REDACTION = Redaction.of(SETTINGS.log)
CLIENTS = 8
EXCHANGES = 800
HOT = ["public, max-age=60", "max-age=60", "no-store", "private", "max-age=1", "no-cache"]


class Ledger:
    """In the place of the log: its lines in their order, by client."""

    lost = 0

    def __init__(self) -> None:
        self.records: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def put(self, account: Account) -> None:
        self.put_lines(encode(to_record(account, REDACTION)))

    def put_lines(self, lines: bytes) -> None:
        for line in lines.splitlines():
            record = json.loads(line)
            self.records[record["client"]].append(record)


@dataclass
class Entry:
    """A request, and what came of it: nothing where the client left first, or all was broken off."""

    method: bytes
    resource: Resource
    lines: list[FieldLine]
    answer: Answer | None = None

    @property
    def sent(self) -> bytes:
        lines = b"".join(b"%b: %b\r\n" % line for line in self.lines)
        return b"%b %b HTTP/1.1\r\n%b\r\n" % (self.method, self.resource.target, lines)


class Writers(Crowd):
    """Clients that send in any pieces, several requests at once, and keep a ledger of their own."""

    def __init__(self, attacked: Attacked, seed: int) -> None:
        super().__init__(attacked, seed)
        vary = ["", "Cookie", "Authorization"]
        self.hot = [
            Resource((("cc", cc), ("vary", vary[number % 3]), ("size", "30"), ("n", str(number))))
            for number, cc in enumerate(HOT)
        ]
        self.resources = [some_resource(self.chance) for _ in range(12)]
        self.left = EXCHANGES
        self.entries: dict[str, list[Entry]] = {}

    def entry(self) -> Entry:
        chance = self.chance
        self.left -= 1
        lines = [(b"Host", b"a.example"), *some_user(chance)]
        if chance.random() < 0.5:
            lines.insert(chance.randint(1, len(lines)), (b"Traceparent", b"%x" % chance.getrandbits(80)))
        odd = [(b"Cache-Control", b"max-age=30"), (b"Range", b"bytes=1-9"), (b"X-Odd", b'\xe9 "a"\t=\\')]
        lines += [line for line in odd if chance.random() < 0.03]
        hot = chance.random() < 0.85
        method = b"HEAD" if chance.random() < 0.1 else b"GET"
        return Entry(method, chance.choice(self.hot if hot else self.resources), lines)

    async def client(self) -> None:
        while self.left > 0:
            wire = Wire(*await asyncio.open_connection(*self.attacked.address))
            client = "{}:{}".format(*wire.writer.get_extra_info("sockname"))
            assert client not in self.entries
            entries = self.entries[client] = []
            try:
                while self.left > 0 and await self.several(wire, entries):
                    pass
            except (EOFError, ConnectionError):
                pass  # an answer that broke off
            finally:
                await (wire.reset() if self.chance.random() < 0.3 else wire.close())

    async def several(self, wire: Wire, entries: list[Entry]) -> bool:
        chance = self.chance
        new = [self.entry() for _ in range(chance.choice([1, 1, 1, 2, 6]))]
        entries += new
        data = b"".join(entry.sent for entry in new)
        cuts = sorted(chance.randrange(len(data)) for _ in range(chance.choice([0, 0, 0, 0, 1, 3])))
        for first, last in zip([0, *cuts], [*cuts, len(data)], strict=True):
            await wire.send(data[first:last])
            await asyncio.sleep(chance.choice([0, 0.001]) if cuts else 0)
        if chance.random() < 0.02:
            return False
        for entry in new:
            entry.answer = answer = await wire.answer(entry.method)
            user = [line for line in entry.lines if line[0] in (b"Cookie", b"Authorization")]
            self.check(entry.resource, type(answer.head.fields)(user), entry.method, b"", answer)
            if answer.field(b"connection") == b"close":
                return False
        return True


@pytest_asyncio.fixture
async def ledger(attacked: Attacked) -> AsyncIterator[Ledger]:
    """That of another proxy in front of the same origin, which is attacked in the place of the first."""
    ledger, first = Ledger(), attacked.proxy
    server = Server("http", "127.0.0.1", attacked.origin.port)
    attacked.proxy = Proxy(SETTINGS, server, log=cast(Any, ledger), terminal=None)
    attacked.address = await attacked.proxy.start(("127.0.0.1", 0))
    yield ledger
    await first.stop()


def told(lines: Any) -> list[list[str]]:
    return [list(REDACTION.line(name, value)[0]) for name, value in lines]


@pytest.mark.parametrize("seed", range(2))
async def test_each_answer_is_recorded_as_it_was_given(attacked: Attacked, ledger: Ledger, seed: int) -> None:
    writers = Writers(attacked, seed)
    async with asyncio.TaskGroup() as clients:
        for _ in range(CLIENTS):
            clients.create_task(writers.client())
    await attacked.quiet()
    attacked.proxy._records.flush()
    ledger.records.pop("", None)  # who has left before it was accepted has no address any more
    assert ledger.records.keys() <= writers.entries.keys()
    at_once = 0
    for client, entries in writers.entries.items():
        records = ledger.records[client]
        answered = [entry for entry in entries if entry.answer is not None]
        assert len(answered) <= len(records) <= len(entries)
        for entry, record in zip(answered, records, strict=False):
            asked, given, answer = record["request"], record["response"], entry.answer
            assert answer is not None
            assert asked["method"] == entry.method.decode()
            assert asked["target"] == REDACTION.target(entry.resource.target)[0]
            assert asked["fields"] == told(entry.lines)
            assert (given["status"], given["fields"]) == (answer.head.status, told(answer.head.fields))
            assert given["content_bytes"] == len(answer.content)
            digest = Digest()
            digest.update(answer.content)
            assert given["digest"] in (digest.value(), None)
            assert given["complete"]
            at_once += record["first_byte_seconds"] == record["duration_seconds"]
    assert at_once > EXCHANGES / 20
