"""The last exchanges, kept as they are until someone asks, and those who watch them go by."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from proxy.message.errors import PellucidError
from proxy.server.lane.records import Hit, Late
from proxy.visibility.account import Account

KEPT = 500
"""How many exchanges are remembered."""

LARGE = 8 << 10
"""From so many bytes in its heads on an exchange is a large one."""

KEPT_LARGE = 50
"""How many large exchanges are remembered among them: no stream of exchanges can fill the memory."""

WAITING = 100
"""How many exchanges wait for one watcher; from then on the oldest of them is lost to it."""

WATCHERS = 16
"""How many may watch at a time."""


class TooManyWatchers(PellucidError):  # noqa: N818 - as the other refusals are called
    """As many watch already as may."""

    status = 503


Exchange = Account | Late
"""An exchange that has ended: its account, or what its record can be made from."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What went by since a watcher looked last: `lost` exchanges that it was too slow for, and then these."""

    lost: int
    accounts: tuple[Exchange, ...]


class Watcher:
    """One who watches exchanges as they end."""

    __slots__ = ("_lost", "_news", "_waiting", "closed")

    def __init__(self) -> None:
        self._waiting: deque[Exchange] = deque(maxlen=WAITING)
        self._news = asyncio.Event()
        self._lost = 0
        self.closed = False

    def push(self, *accounts: Exchange) -> None:
        """These have ended, in this order."""
        self._lost += max(0, len(self._waiting) + len(accounts) - WAITING)
        self._waiting.extend(accounts)
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
    """The last exchanges. It holds at most `KEPT`, and for each of `WATCHERS` watchers at most `WAITING`.

    Of those with heads of `LARGE` bytes and more only the last `KEPT_LARGE` are there.
    """

    def __init__(self) -> None:
        self._large: deque[Account] = deque()
        self._accounts: deque[Exchange] = deque(maxlen=KEPT)
        self._watchers: set[Watcher] = set()
        self._closed = False

    def add(self, account: Account) -> None:
        """Keep an exchange that has ended, and show it to those who watch."""
        self._accounts.append(account)
        if _is_large(account):
            self._large.append(account)
            if len(self._large) > KEPT_LARGE:
                with suppress(ValueError):  # it may have gone with its time
                    self._accounts.remove(self._large.popleft())
        if self._watchers:
            for watcher in self._watchers:
                watcher.push(account)

    def put_hits(self, hits: Sequence[Hit], first: int) -> None:
        """Keep what the fast lane has answered, and show it to those who watch."""
        passed = max(0, len(hits) - KEPT)
        late = [Late(hit, number) for number, hit in enumerate(hits[passed:], first + passed)]
        self._accounts.extend(late)
        for watcher in self._watchers:
            watcher.push(*late)

    def last(self, limit: int) -> list[Exchange]:
        """The last `limit` exchanges, the oldest of them first."""
        accounts = list(self._accounts)
        return accounts[max(len(accounts) - limit, 0) :]

    def find(self, identifier: str) -> Exchange | None:
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


def _is_large(account: Account) -> bool:
    size = 0
    for message in (account.received, account.response):
        if message is not None:
            size += sum([len(name) + len(value) for name, value in message.fields])
    if account.received is not None:
        size += len(account.received.target)
    return size >= LARGE
