"""The logs that the proxy writes of the traffic, one for each application, recorded when first asked for."""

from __future__ import annotations

import asyncio
import fcntl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.commands.inspected import logged
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
        with open(self._folder / f"{name}.lock", "w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)  # who comes second waits for what the first one records
            if not log.exists():
                own = self._folder / name
                own.mkdir()
                with ThreadPoolExecutor(1) as elsewhere:  # the test may have an event loop of its own
                    recorded = elsewhere.submit(asyncio.run, record(name, own)).result()
                recorded.replace(log)
        return log


async def record(name: str, folder: Path) -> Path:
    """Drive the traffic through the proxy to an application; the log, once all of it is there."""
    log = folder / "exchanges.jsonl"
    async with running(name, folder) as (url,), logged(int(url.rpartition(":")[2]), log) as proxy:
        await drive(APPLICATIONS[name], proxy)
    return log
