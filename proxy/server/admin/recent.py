"""The last exchanges, kept as they are until someone asks, and those who watch them go by."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from proxy.message.errors import PellucidError
from proxy.visibility.account import Account

KEPT = 500
"""How many exchanges are remembered."""

WAITING = 100
"""How many exchanges wait for one watcher; from then on the oldest of them is lost to it."""

WATCHERS = 16
"""How many may watch at a time."""


class TooManyWatchers(PellucidError):  # noqa: N818 - as the other refusals are called
    """As many watch already as may."""

    status = 503


@dataclass(frozen=True, slots=True)
class Seen:
    """What went by since a watcher looked last: `lost` exchanges that it was too slow for, and then these."""

    lost: int
    accounts: tuple[Account, ...]


class Watcher:
    """One who watches exchanges as they end."""

    __slots__ = ("_lost", "_news", "_waiting", "closed")

    def __init__(self) -> None:
        self._waiting: deque[Account] = deque(maxlen=WAITING)
        self._news = asyncio.Event()
        self._lost = 0
        self.closed = False

    def push(self, account: Account) -> None:
        if len(self._waiting) == WAITING:
            self._lost += 1
        self._waiting.append(account)
        self._news.set()

    def close(self) -> None:
        """Nothing more will come: `look` returns at once from now on."""
        self.closed = True
        self._news.set()

    async def look(self) -> Seen:
        """Wait until something went by, and take all of it."""
        await self._news.wait()
        seen = Seen(self._lost, tuple(self._waiting))
        self._waiting.clear()
        self._lost = 0
        if not self.closed:
            self._news.clear()
        return seen


class Recent:
    """The last exchanges. It holds at most `KEPT`, and for each of `WATCHERS` watchers at most `WAITING`."""

    def __init__(self) -> None:
        self._accounts: deque[Account] = deque(maxlen=KEPT)
        self._watchers: set[Watcher] = set()
        self._closed = False

    def add(self, account: Account) -> None:
        """Keep an exchange that has ended, and show it to those who watch."""
        self._accounts.append(account)
        if self._watchers:
            for watcher in self._watchers:
                watcher.push(account)

    def last(self, limit: int) -> list[Account]:
        """The last `limit` exchanges, the oldest of them first."""
        accounts = list(self._accounts)
        return accounts[max(len(accounts) - limit, 0) :]

    def find(self, identifier: str) -> Account | None:
        """The exchange with that id, None where it is not among those kept."""
        return next((account for account in reversed(self._accounts) if account.id == identifier), None)

    @contextmanager
    def watch(self) -> Iterator[Watcher]:
        """Watch exchanges as they end. Raises TooManyWatchers."""
        if len(self._watchers) >= WATCHERS:
            raise TooManyWatchers("as many watch the exchanges already as may", evidence=f"{WATCHERS}")
        watcher = Watcher()
        if self._closed:
            watcher.close()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    def close(self) -> None:
        """Send all watchers home."""
        self._closed = True
        for watcher in self._watchers:
            watcher.close()
