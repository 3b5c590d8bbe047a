from __future__ import annotations

import asyncio
import logging

import pytest

from proxy.engine.background import Background
from tests.engine.stage import until


async def test_nothing_is_at_work_twice_nor_too_much_at_once() -> None:
    background, gate = Background(2), asyncio.Event()

    async def work() -> None:
        await gate.wait()

    started = [background.start(name, work) for name in ("a", "a", "b", "c")]
    assert [task is not None for task in started] == [True, False, True, False]
    gate.set()
    await until(lambda: not len(background))
    assert background.start("a", work)
    await background.close()


async def test_what_goes_wrong_is_told(caplog: pytest.LogCaptureFixture) -> None:
    background = Background(1)

    async def work() -> None:
        raise LookupError("lost")

    with caplog.at_level(logging.ERROR):
        background.start("a", work)
        await until(lambda: not len(background))
    assert "lost" in caplog.text


async def test_work_without_end_is_given_up() -> None:
    background, given_up = Background(1, longest=0.01), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    background.start("a", work)
    await given_up.wait()
    await until(lambda: not len(background))
