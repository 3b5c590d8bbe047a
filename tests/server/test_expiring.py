"""What is of no use any more is let go from time to time, and a failure is not the end of it."""

from __future__ import annotations

import asyncio

import pytest

from proxy.server import app
from proxy.server.app import Proxy
from proxy.server.configuration import Settings
from proxy.upstream.address import Server


async def test_what_fails_is_said_once_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(app, "EXPIRE_EVERY", 0.001)
    proxy = Proxy(Settings(), Server("http", "127.0.0.1", 1), log=None, terminal=None)
    tries, enough = 0, asyncio.Event()

    async def expire(now: float) -> int:
        nonlocal tries
        tries += 1
        if tries <= 3:
            raise OSError("no space left")
        enough.set()
        return 0

    monkeypatch.setattr(proxy._store, "expire", expire)
    await proxy.start(("127.0.0.1", 0))
    await enough.wait()
    await proxy.stop()
    assert [record.message for record in caplog.records] == ["what is of no use any more can't be let go"]
