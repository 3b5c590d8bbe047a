"""A stage for each test: a driver with an origin and a store, without any socket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.engine.crowd import Crowd
from tests.engine.stage import Stage, until


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    yield stage
    await stage.driver.close()
    await stage.store.close()


@pytest.fixture
async def crowd(stage: Stage) -> AsyncIterator[Crowd]:
    crowd = Crowd(stage)
    yield crowd
    await crowd.stop()
    assert not len(stage.driver.reach.flights)
    await until(lambda: not stage.driver.busy)
