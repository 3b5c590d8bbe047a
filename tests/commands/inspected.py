"""The sample shop behind a real proxy, visited by several people, and the log of it."""

from __future__ import annotations

import random
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
from aiohttp import web

from backend.app import build, runner
from backend.settings import Settings as ShopSettings
from proxy.server.app import Proxy
from proxy.server.configuration import Settings
from proxy.server.log.records import RecordLog
from proxy.upstream.address import Server
from proxy.visibility.inspecting.aggregate import Aggregate
from proxy.visibility.observation import Observation
from proxy.visibility.reading import Reading, open_source
from proxy.visibility.redaction import Redaction

ANN = aiohttp.encode_basic_auth("ann", "apple")
Alter = Callable[[web.Request, web.StreamResponse], None]
Ignore = Callable[[web.Request], bool]


@asynccontextmanager
async def shop(style: str, alter: Alter | None = None, ignore: Ignore | None = None) -> AsyncIterator[int]:
    """The shop on a port of its own. `alter` changes heads; a request that `ignore` names has no cookie."""
    app = build(ShopSettings(style=style, secrets=("a secret for tests only",)))
    if alter is not None:
        change = alter

        async def prepare(request: web.Request, response: web.StreamResponse) -> None:
            change(request, response)

        app.on_response_prepare.append(prepare)
    if ignore is not None:
        unwanted = ignore

        @web.middleware
        async def without_cookie(request: web.Request, handler: object) -> web.StreamResponse:
            if unwanted(request):
                headers = request.headers.copy()
                headers.popall("Cookie", None)
                request = request.clone(headers=headers)
                request._cache.clear()
            assert callable(handler)
            response = await handler(request)
            assert isinstance(response, web.StreamResponse)
            return response

        app.middlewares.insert(0, without_cookie)
    serving = runner(app)
    await serving.setup()
    site = web.TCPSite(serving, "127.0.0.1", 0)
    await site.start()
    try:
        yield int(serving.addresses[0][1])
    finally:
        await serving.cleanup()


@asynccontextmanager
async def logged(upstream: int, log: Path) -> AsyncIterator[str]:
    """A proxy in front of a port, that writes to `log`; its URL."""
    settings = Settings()
    settings = replace(settings, log=replace(settings.log, key="a key for tests only"))
    redaction = Redaction.of(settings.log)
    records = RecordLog(str(log), redaction)
    proxy = Proxy(
        settings, Server("http", "127.0.0.1", upstream), log=records, terminal=None, redaction=redaction
    )
    try:
        host, port = await proxy.start(("127.0.0.1", 0))
        yield f"http://{host}:{port}"
    finally:
        await proxy.stop()
        records.close()


async def visit(url: str, style: str, count: int, seed: int = 1) -> None:
    """Some people with their own cookies, languages and browsers look around, shop and log in."""
    random_ = random.Random(seed)
    people = []
    for number in range(8):
        headers = {
            "User-Agent": random_.choice(["Firefox", "Chrome", "curl"]),
            "Accept-Language": random_.choice(["de", "en"]),
            "Accept": "application/json" if number % 2 else "text/html",
        }
        jar = aiohttp.CookieJar(unsafe=True)
        people.append(aiohttp.ClientSession(url, cookie_jar=jar, headers=headers))
    try:
        for _ in range(count):
            await _step(random_.choice(people), style, random_)
    finally:
        for one in people:
            await one.close()


async def _step(person: aiohttp.ClientSession, style: str, random_: random.Random) -> None:
    sku = f"P{min(40, int(random_.paretovariate(0.8))):04}"
    chance = random_.random()
    with_state = style != "resources"
    if chance < 0.7:
        await _read(person.get(f"/products/{sku}"))
    elif chance < 0.75:
        await _read(person.get(f"/products/{sku}/offer"))
    elif chance < 0.85:
        await _read(
            person.get("/cart") if with_state else person.get("/accounts/ann", headers={"Authorization": ANN})
        )
    elif chance < 0.93 and with_state:
        chosen = {"sku": sku, "quantity": 1}
        await _read(person.post("/cart/items", json=chosen, headers={"Accept": "application/json"}))
    elif chance < 0.96 and with_state:
        login = {"name": "ann", "password": "apple"}
        await _read(person.post("/login", json=login, headers={"Accept": "application/json"}))
    else:
        await _read(person.get("/"))


async def _read(asking: object) -> None:
    async with asking as response:  # type: ignore[attr-defined]
        await response.read()


async def log_of(
    style: str, folder: Path, count: int, alter: Alter | None = None, ignore: Ignore | None = None
) -> Path:
    """The log of some visits to a shop behind a proxy."""
    log = folder / f"{style}-{secrets.token_hex(4)}.jsonl"
    async with shop(style, alter, ignore) as port, logged(port, log) as url:
        await visit(url, style, count)
    return log


def counted(log: Path) -> Aggregate:
    """What is in a log."""
    found = Aggregate()
    with open_source(str(log), Reading()) as source:
        for batch in source.batches():
            found.add(batch)
    return found


def exchanges(log: Path) -> list[Observation]:
    """Every exchange of a log."""
    with open_source(str(log), Reading()) as source:
        return [one for batch in source.batches() for one in batch.observations]
