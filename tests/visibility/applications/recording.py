"""The logs that the proxy writes of the traffic, one for each application, recorded when first asked for."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.real.running import pellucid
from tests.visibility.applications.catalogue import APPLICATIONS, running
from tests.visibility.applications.traffic import drive


class Recordings:
    """Logs in a folder, which several test processes may share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, name: str) -> Path:
        """The log of the application `name`, of which APPLICATIONS has all."""
        log = self._folder / f"{name}.jsonl"
        if not log.exists():
            own = self._folder / f"{name}-{os.getpid()}"
            own.mkdir()
            with ThreadPoolExecutor(1) as elsewhere:  # the test may have an event loop of its own
                recorded = elsewhere.submit(asyncio.run, record(name, own)).result()
            recorded.replace(log)
        return log


async def record(name: str, folder: Path) -> Path:
    """Drive the traffic through `pellucid serve` to an application; the log, once all of it is there."""
    async with running(name, folder) as (url,), pellucid(url, folder) as proxy:
        await drive(APPLICATIONS[name], proxy.url)
    assert proxy.log is not None
    return proxy.log
