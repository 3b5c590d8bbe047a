"""The shop as real servers on free ports, in each style and variant, and a real Valkey to share."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
import valkey
from aiohttp import web

from backend import app as shop_app
from backend.flasks import app as flask_app
from backend.flasks.serving import Serving
from backend.serving import Address
from backend.settings import Settings
from tests.backend.clients import Browser, Client, Clock, Shop, Shopper
from tests.backend.stores import ValkeyProcess

STYLES = ("sessions", "resources", "tokens", "flask")
SECRET = "a secret for tests only"

STORE = "the store"
VARIANTS: dict[str, tuple[int, dict[str, Any]]] = {
    "sessions": (1, {}),
    "sessions, shared": (1, {"state": STORE}),
    "sessions, shared, two replicas": (2, {"state": STORE}),
    "resources": (1, {}),
    "resources, shared": (1, {"data": STORE}),
    "resources, shared, two replicas": (2, {"data": STORE}),
    "tokens, signed": (1, {}),
    "tokens, encrypted": (1, {"tokens": "encrypted"}),
    "tokens, signed, two replicas": (2, {"data": STORE}),
    "tokens, encrypted, two replicas": (2, {"tokens": "encrypted", "data": STORE}),
    "flask, client": (1, {}),
    "flask, client, two replicas": (2, {"data": STORE}),
    "flask, server": (1, {"sessions": "server"}),
    "flask, server, shared": (1, {"sessions": "server", "state": STORE}),
    "flask, server, shared, two replicas": (2, {"sessions": "server", "state": STORE}),
}
"""How many replicas, and their settings; the style is the first word."""

Start = Callable[..., Awaitable[Shop]]


@pytest.fixture(scope="session")
def _valkey() -> Iterator[ValkeyProcess]:
    with contextlib.closing(ValkeyProcess()) as process:
        process.start()
        yield process


@pytest.fixture
def store(_valkey: ValkeyProcess) -> str:
    """The address of a real Valkey with nothing in it."""
    with valkey.Valkey.from_url(_valkey.address) as client:
        client.flushall()
    return _valkey.address


@pytest.fixture
def own_store() -> Iterator[ValkeyProcess]:
    """A real Valkey of the test's own, to be killed and started again; it forgets nothing that it said."""
    with contextlib.closing(ValkeyProcess(durable=True)) as process:
        process.start()
        yield process


@pytest.fixture
async def start_shop(request: pytest.FixtureRequest) -> AsyncIterator[Start]:
    """start_shop(style, clock=..., replicas=..., **settings), where STORE stands for the Valkey."""
    async with AsyncExitStack() as stack:

        async def start(style: str, clock: Clock | None = None, replicas: int = 1, **settings: Any) -> Shop:
            settings.setdefault("secrets", (SECRET,))
            if STORE in settings.values():
                address = request.getfixturevalue("store")
                settings = {name: address if each is STORE else each for name, each in settings.items()}
            if "state" in settings:
                settings.setdefault("data", settings["state"])
            chosen = Settings(style=style, **settings)
            clock = clock or Clock()
            serve = _flask if style == "flask" else _aiohttp
            urls = [await serve(stack, chosen, clock) for _ in range(replicas)]
            http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
            await stack.enter_async_context(http)
            return Shop(urls, style, clock, http)

        yield start


async def _aiohttp(stack: AsyncExitStack, settings: Settings, clock: Clock) -> str:
    running = shop_app.runner(shop_app.build(settings, clock))
    stack.push_async_callback(running.cleanup)
    await running.setup()
    await web.TCPSite(running, "127.0.0.1", 0).start()
    host, port = running.addresses[0]
    return f"http://{host}:{port}"


async def _flask(stack: AsyncExitStack, settings: Settings, clock: Clock) -> str:
    app = flask_app.build(settings, clock)
    stack.callback(flask_app.close, app)
    Serving.expiration_interval = 0.02
    serving = Serving(app, Address("127.0.0.1", 0))
    stack.callback(serving.end)
    return f"http://{serving.begin()}"


@pytest.fixture(params=STYLES)
async def shop(request: pytest.FixtureRequest, start_shop: Start) -> Shop:
    """One replica in each style, one after the other."""
    return await start_shop(request.param)


@pytest.fixture
async def visit() -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Lets somebody in, with own cookies: visit(shop) is a Shopper, visit(shop, "browser") a Browser."""
    async with AsyncExitStack() as stack:

        async def enter(shop: Shop, kind: str = "shopper") -> Client:
            jar = aiohttp.CookieJar(unsafe=True)
            http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
            if kind == "browser":
                return Browser(shop, http, "text/html,application/xhtml+xml,*/*;q=0.8")
            return Shopper(shop, http, "application/json")

        yield enter


@pytest.fixture
async def shopper(shop: Shop, visit: Callable[..., Awaitable[Any]]) -> Shopper:
    return await visit(shop)


@pytest.fixture
async def browser(shop: Shop, visit: Callable[..., Awaitable[Any]]) -> Browser:
    return await visit(shop, "browser")
