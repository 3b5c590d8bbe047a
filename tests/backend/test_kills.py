"""Real replicas and their real store, killed at seeded moments while shoppers order and order again."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
from collections import Counter

import aiohttp
import pytest

NOBODY = "http://127.0.0.1:1"
KILLS = 3
SHOPPERS = 4
SECRET = "a secret for tests only"


class Replica:
    """A process that has another address each time it is started, and none while it is dead."""

    def __init__(self, style, store):
        options = ("--style", style, "--listen", "127.0.0.1:0", "--data", store, "--key", SECRET)
        self._command = (sys.executable, "-m", "backend", *options)
        self._process = None
        self.url = None

    async def start(self):
        self._process = await asyncio.create_subprocess_exec(*self._command, stdout=asyncio.subprocess.PIPE)
        ready = (await self._process.stdout.readline()).decode()
        assert "accepts connections" in ready
        self.url = ready.split()[-1]

    async def kill(self):
        self.url = None
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.communicate()


class Customer:
    """Orders again and again, and sends what wasn't answered again to the next replica."""

    def __init__(self, number, replicas, http):
        self.name, self.password = f"shopper-{number}", f"glass-{number}"
        self.number = number
        self.ordered = []
        self._replicas = replicas
        self._turn = number
        self._http = http
        self._sent = 0

    async def ask(self, method, path, **content):
        for _ in range(2_000):
            self._turn += 1
            replica = self._replicas[self._turn % len(self._replicas)]
            try:
                async with self._http.request(method, f"{replica.url or NOBODY}{path}", **content) as answer:
                    body = await answer.json(content_type=None)
                    if answer.status < 500 and "idempotency-in-progress" not in body.get("type", ""):
                        assert answer.status in (200, 201), body
                        return answer, body
            except (aiohttp.ClientError, OSError):
                pass
            await asyncio.sleep(0.02)
        raise AssertionError(f"{method} {path} is never answered")

    def key(self):
        self._sent += 1
        return {"Idempotency-Key": f'"{self.name} sends request {self._sent}"'}

    async def shop(self, stopped):
        while not stopped.is_set() or not self.ordered:
            reference = f"{self.name}/{len(self.ordered)}"
            await self.order(reference)
            self.ordered.append(reference)


class WithToken(Customer):
    def __init__(self, *given):
        super().__init__(*given)
        self.headers = {}

    async def change(self, path, content):
        answer, body = await self.ask("POST", path, json=content, headers=self.headers)
        self.headers = {"Cookie": f"shop={answer.cookies['shop'].value}"}
        return body

    async def order(self, reference):
        if not self.headers:
            await self.change("/login", {"name": self.name, "password": self.password})
        await self.change("/cart/items", {"sku": "P0003"})
        await self.change("/orders", {"reference": reference})

    async def orders(self, page):
        return (await self.ask("GET", f"/orders?page={page}", headers=self.headers))[1]


class WithResources(Customer):
    @property
    def who(self):
        return {"Authorization": aiohttp.encode_basic_auth(self.name, self.password)}

    async def order(self, reference):
        answer, _ = await self.ask("POST", "/carts", headers=self.key())
        cart = answer.headers["Location"]
        _, seen = await self.ask("POST", f"{cart}/items", headers=self.key(), json={"sku": "P0003"})
        assert seen["count"] == 1
        content = {"cart": cart, "version": seen["version"], "reference": reference}
        await self.ask("POST", "/orders/", headers=self.key() | self.who, json=content)

    async def orders(self, page):
        return (await self.ask("GET", f"/accounts/{self.name}/orders?page={page}", headers=self.who))[1]


async def listed(customer):
    page, found = 1, []
    while True:
        body = await customer.orders(page)
        found += [each["reference"] for each in body["orders"]]
        if "next" not in body["links"]:
            return found
        page += 1


@pytest.mark.parametrize(("style", "kind"), [("tokens", WithToken), ("resources", WithResources)])
async def test_no_order_is_doubled_or_lost(own_store, style, kind):
    chance = random.Random(f"{style} 1")
    replicas = [Replica(style, own_store.address) for _ in range(2)]
    stopped = asyncio.Event()
    jar = aiohttp.DummyCookieJar()
    try:
        await asyncio.gather(*(replica.start() for replica in replicas))
        async with aiohttp.ClientSession(cookie_jar=jar, headers={"Accept": "application/json"}) as http:
            customers = [kind(number, replicas, http) for number in range(1, SHOPPERS + 1)]
            shopping = [asyncio.ensure_future(customer.shop(stopped)) for customer in customers]
            for number in range(KILLS):
                await asyncio.sleep(chance.uniform(0, 0.4))
                if number == KILLS // 2:
                    own_store.kill()
                    await asyncio.sleep(chance.uniform(0, 0.1))
                    await asyncio.to_thread(own_store.start)
                victim = chance.choice(replicas)
                await victim.kill()
                await victim.start()
            stopped.set()
            await asyncio.gather(*shopping)
            for customer in customers:
                assert Counter(await listed(customer)) == Counter(customer.ordered)
        ordered = [reference for customer in customers for reference in customer.ordered]
        assert Counter(await book(own_store.address)) == Counter(ordered)
        assert len(ordered) >= SHOPPERS
    finally:
        await asyncio.gather(*(replica.kill() for replica in replicas))


async def book(address):
    """The references of every order that there is, as the shop's own listing has them."""
    command = (sys.executable, "-m", "backend", "--data", address, "--list-orders")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return [json.loads(line)["reference"] for line in out.splitlines()]
