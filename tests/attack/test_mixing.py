"""Whatever users, origins and caching directives do at the same time: nobody gets what was another's."""

from __future__ import annotations

import asyncio
import random
import re
import zlib
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest

from proxy.message.fields import Fields
from tests.attack.conftest import Attacked
from tests.attack.telltale import who
from tests.server.served import Answer, Wire

EXCHANGES = 1000
CLIENTS = 40

DIRECTIVES = """|public|private|no-store|max-age=1|max-age=60|s-maxage=1|public, max-age=60
|private, max-age=60|no-cache
|max-age=60, must-revalidate|private="set-cookie", max-age=60|max-age=0, stale-while-revalidate=60
|max-age=0, stale-if-error=60|no-cache="set-cookie", max-age=30|must-understand, no-store|immutable, max-age=9
|s-maxage=0, stale-while-revalidate=5""".replace("\n", "").split("|")
VARY = ["", "Cookie", "Authorization", "cookie, authorization", "*", "Accept"]
ODD = [{"cut": "0"}, {"cut": "0.5"}, {"cut": "0.99"}, {"extra": "1"}, {"body": "1"}, {"interim": "3"}]
ODD += [{"early": "1"}, {"hangup": "1"}, {"delay": "0.01"}]
ODD += [{"status": status} for status in ("204", "304", "404", "503", "206", "301")]
SIZES = ["1", "1", "3000", "70000", "200000"]


@dataclass(frozen=True)
class Resource:
    """What the origin is asked to do with one target."""

    wanted: tuple[tuple[str, str], ...]

    @property
    def target(self) -> bytes:
        return f"/?{urlencode([item for item in self.wanted if item[1]])}".encode()

    def may_be_shared(self, mine: Fields, theirs: Fields) -> bool:
        """Whether RFC 9111 lets my request be answered with what theirs brought."""
        wanted = dict(self.wanted)
        directives = dict(re.findall(r'([a-z-]+)(?:=("[^"]*"|[^,]*))?', wanted["cc"]))
        explicit = {"max-age", "s-maxage"} & directives.keys()
        vary = {name.strip().lower().encode() for name in wanted["vary"].split(",")}
        if "no-store" in directives and "must-understand" not in directives:
            return False
        if directives.get("private") == "" or b"*" in vary:
            return False
        if b"authorization" in theirs and not {"public", "must-revalidate", "s-maxage"} & directives.keys():
            return False
        if "cookie" in wanted and not explicit and not directives.get("no-cache"):
            return False
        return all(mine.all(name) == theirs.all(name) for name in vary)


def some_resource(chance: random.Random) -> Resource:
    odd = chance.choice(ODD) if chance.random() < 0.3 else {}
    mode = chance.choice(["length", "length", "chunked", "length" if "cut" in odd else "close"])
    wanted = {"cc": chance.choice(DIRECTIVES), "vary": chance.choice(VARY), "size": chance.choice(SIZES)}
    wanted |= {"mode": mode, "n": str(chance.randrange(1000)), **odd}
    wanted |= {name: "1" for name in ("cookie", "etag") if chance.random() < 0.3}
    return Resource(tuple(wanted.items()))


def some_user(chance: random.Random) -> Fields:
    credentials = [(b"Authorization", chance.choice([b"", b"Bearer A", b"Bearer B"]))]
    credentials.append((b"Cookie", chance.choice([b"", b"s=1", b"s=2"])))
    return Fields(line for line in credentials if line[1])


def user_of(told: bytes) -> Fields:
    authorization, _, cookie = told.partition(b"/")
    lines = [(b"Authorization", authorization), (b"Cookie", cookie)]
    return Fields(line for line in lines if line[1] != b"-")


class Crowd:
    """Clients that ask for the same few resources at random, leave at random, and look at what they get."""

    def __init__(self, attacked: Attacked, seed: int) -> None:
        self.chance = random.Random(seed)
        self.resources = [some_resource(self.chance) for _ in range(60)]
        self.attacked = attacked
        self.left = EXCHANGES
        self.shared = 0
        self.whole = 0

    async def client(self) -> None:
        while self.left > 0:
            wire = Wire(*await asyncio.open_connection(*self.attacked.address, limit=1 << 20))
            try:
                while self.left > 0 and await self.exchange(wire):
                    pass
            except (EOFError, ConnectionError):
                pass  # an answer that broke off
            finally:
                await (wire.reset() if self.chance.random() < 0.3 else wire.close())

    async def exchange(self, wire: Wire) -> bool:
        """One request and what comes of it; whether the client stays for another."""
        self.left -= 1
        chance = self.chance
        resource, user = chance.choice(self.resources), some_user(chance)
        method = chance.choices([b"GET", b"HEAD", b"POST", b"QUERY"], [70, 10, 6, 4])[0]
        content = b"%d" % chance.randrange(4) * chance.choice([1, 30000]) if method[-1:] in b"TY" else b""
        content = b"" if method == b"GET" else content
        lines = list(user) + ([(b"Content-Length", b"%d" % len(content))] if content else [])
        if chance.random() < 0.05:
            lines.append(
                (b"Cache-Control", chance.choice([b"no-cache", b"max-stale=100", b"only-if-cached"]))
            )
        head = b"".join(b"%b: %b\r\n" % line for line in [(b"Host", b"a.example"), *lines])
        request = b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, resource.target, head, content)
        leaves = chance.random()
        await wire.send(request[: chance.randrange(len(request))] if leaves < 0.03 else request)
        if leaves < 0.08:
            await asyncio.sleep(chance.choice([0, 0.001, 0.01]))
            return False
        answer = await wire.answer(method)
        self.check(resource, user, method, content, answer)
        return answer.field(b"connection") != b"close"

    def check(self, resource: Resource, user: Fields, method: bytes, content: bytes, answer: Answer) -> None:
        assert b"POISON" not in answer.content
        if answer.field(b"proxy-status") is not None:
            return  # the proxy's own words
        told = answer.field(b"x-for")
        assert told is not None
        whole = answer.content and answer.head.status != 206
        lines = answer.content.splitlines() if whole else []
        assert len(set(lines)) <= 1
        for line in lines[:1]:
            told, _, asked, target, received = line.split(b"|")
            assert (target, asked) == (resource.target, method)
            assert int(received, 16) == (0 if "early" in dict(resource.wanted) else zlib.crc32(content))
            self.whole += 1
        for one in {told, (answer.field(b"set-cookie") or told).removeprefix(b"for=")}:
            if one != who(user):
                self.shared += 1
                assert method != b"POST"
                assert resource.may_be_shared(user, user_of(one)), (resource, user, one)


@pytest.mark.parametrize("seed", range(4))
async def test_nobody_gets_a_byte_of_another_s_answer(attacked: Attacked, seed: int) -> None:
    crowd = Crowd(attacked, seed)
    async with asyncio.TaskGroup() as clients:
        for _ in range(CLIENTS):
            clients.create_task(crowd.client())
    assert crowd.whole > EXCHANGES / 4
    assert crowd.shared > EXCHANGES / 100
