"""The traffic: several people at once, some of whom log in, read, and log out again; always the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

import aiohttp

from tests.backend.clients import PASSWORDS, Clock, Shop, Shopper
from tests.visibility.applications.catalogue import Application

PEOPLE = ("anna", "ben", "cleo", "dora")
STEPS = 240
SEED = 20261123
LANGUAGES = ("en-GB,en;q=0.8", "de-DE,de;q=0.9,en;q=0.5", "fr-FR,fr;q=0.9")
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0",
)


class Visitor:
    """Somebody with a browser of their own."""

    def __init__(self, number: int, url: str, http: aiohttp.ClientSession, *, token: bool) -> None:
        self.name = PEOPLE[number] if number < len(PEOPLE) else ""
        self.logged_in = False
        self._url = url
        self._http = http
        self._token = token
        self._own: dict[str, str] = {}

    async def get(self, path: str) -> None:
        async with self._http.get(self._url + path, headers=self._own) as response:
            await response.read()

    async def log_in(self) -> None:
        self.logged_in = True
        if self._token:
            async with self._http.post(f"{self._url}/login", json={"username": self.name}) as response:
                self._own = {"Authorization": f"Bearer {(await response.json())['access_token']}"}
            return
        await self.get("/login")
        await self._post("/login", {"username": self.name})

    async def log_out(self) -> None:
        self.logged_in = False
        self._own = {}
        if not self._token:
            await self._post("/logout", {})

    async def _post(self, path: str, fields: dict[str, str]) -> None:
        tokens = [cookie.value for cookie in self._http.cookie_jar if cookie.key == "csrftoken"]
        headers = {"X-CSRFToken": tokens[0]} if tokens else {}
        async with self._http.post(self._url + path, data=fields, headers=headers) as response:
            assert response.status == 200, (path, response.status)
            await response.read()


async def drive(application: Application, url: str) -> None:
    """Send all of it to an application, or to the proxy before it."""
    if application.kind == "shop":
        await _shop(application.style, url)
    else:
        await _visit(url, token=application.kind == "token")


@asynccontextmanager
async def _browsers(count: int) -> AsyncIterator[list[aiohttp.ClientSession]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                aiohttp.ClientSession(
                    cookie_jar=aiohttp.CookieJar(unsafe=True),
                    headers={
                        "User-Agent": AGENTS[number % len(AGENTS)],
                        "Accept-Language": LANGUAGES[number // 2 % len(LANGUAGES)],
                    },
                )
            )
            for number in range(count)
        ]


async def _visit(url: str, *, token: bool) -> None:
    chance = Random(SEED)
    async with _browsers(len(PEOPLE) + 3) as browsers:
        visitors = [Visitor(number, url, http, token=token) for number, http in enumerate(browsers)]
        for _ in range(STEPS):
            visitor = chance.choice(visitors)
            dice = chance.random()
            if dice < 0.4:
                await visitor.get(f"/items/{chance.randint(1, 7)}")
            elif dice < 0.55:
                await visitor.get("/about")
            elif dice < 0.8:
                await visitor.get("/")
            elif dice < 0.87:
                await visitor.get("/" if token else "/visits")
            elif visitor.name and not visitor.logged_in:
                await visitor.log_in()
            elif visitor.logged_in and dice > 0.96:
                await visitor.log_out()
            else:
                await visitor.get("/")


async def _shop(style: str, url: str) -> None:
    chance = Random(SEED)
    names = list(PASSWORDS)
    async with _browsers(len(names) + 2) as browsers:
        shops = [Shop([url], style, Clock(), http) for http in browsers]
        shoppers = [Shopper(shop, shop.http, "application/json") for shop in shops]
        for number in range(STEPS * 2 // 3):
            shopper = chance.choice(shoppers)
            at = shoppers.index(shopper)
            dice = chance.random()
            if dice < 0.5:
                await shopper.get(f"/products/P{chance.randint(1, 6):04d}")
            elif dice < 0.65:
                await shopper.get(f"/products/P{chance.randint(1, 6):04d}/offer")
            elif dice < 0.8:
                await shopper.get("/")
            elif dice < 0.9:
                await shopper.add(f"P{chance.randint(1, 6):04d}")
            elif at < len(names) and number > 10:
                await shopper.log_in(names[at])
            else:
                await shopper.cart()
