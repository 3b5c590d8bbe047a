"""A stage for each test: a driver with an origin and a store, without any socket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.engine.stage import Stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    yield stage
    await stage.driver.close()
    await stage.store.close()
