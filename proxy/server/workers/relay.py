"""Exchanges of all workers as they end, passed on to those who watch here; asked for while somebody does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from proxy.server.admin.recent import Elsewhere, Recent, Watcher
from proxy.server.workers.link import Link, LinkBroken, Refused


class Relay(Recent):
    """Keeps nothing itself."""

    def __init__(self) -> None:
        super().__init__()
        self._links: dict[Link, asyncio.Task[None] | None] = {}

    def join(self, link: Link) -> None:
        """A worker more."""
        self._links[link] = self._begin(link) if self._watchers else None

    def part(self, link: Link) -> None:
        """A worker is gone."""
        task = self._links.pop(link, None)
        if task is not None:
            task.cancel()

    @contextmanager
    def watch(self) -> Iterator[Watcher]:
        """Watch exchanges as they end, wherever. Raises TooManyWatchers."""
        with super().watch() as watcher:
            for link, task in self._links.items():
                if task is None:
                    self._links[link] = self._begin(link)
            try:
                yield watcher
            finally:
                if self._watchers == {watcher}:
                    self._end()

    async def stop(self) -> None:
        """Pass on nothing more."""
        tasks = [task for task in self._links.values() if task is not None]
        self._end()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, link: Link) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(self._pass_on(link))

    def _end(self) -> None:
        for link, task in self._links.items():
            if task is not None:
                task.cancel()
                self._links[link] = None

    async def _pass_on(self, link: Link) -> None:
        try:
            while True:
                lost, lines = await link.ask("watch")
                for watcher in self._watchers:
                    watcher.push(*map(Elsewhere, lines))
                    if lost:
                        watcher.miss(lost)
        except (LinkBroken, Refused):
            pass
        finally:
            if not link.broken:
                with suppress(LinkBroken, Refused, asyncio.TimeoutError):
                    async with asyncio.timeout(1.0):
                        await link.ask("watch no more")
