"""Listeners for the tests of the server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from proxy.server.settings import ServerSettings
from tests.server.served import Handle, Served

Listening = Callable[..., Awaitable[Served]]


@pytest.fixture
async def listening() -> AsyncIterator[Listening]:
    """Starts listeners: `await listening(handle, settings)`. They stop with the test."""
    started: list[Served] = []

    async def start(
        handle: Handle, settings: ServerSettings | None = None, name: str = "pellucid", authority: bytes = b""
    ) -> Served:
        served = Served(handle, settings, name, authority)
        served.address = await served.listener.start("127.0.0.1", 0)
        started.append(served)
        return served

    yield start
    for served in started:
        for wire in served.wires:
            await wire.close()
        await served.listener.stop()
