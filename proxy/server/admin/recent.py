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


class Elsewhere:
    """An exchange of another process: its line."""

    __slots__ = ("_line",)

    def __init__(self, line: bytes) -> None:
        self._line = line

    def line(self) -> bytes:
        """The exchange as it stands in the log, without the end of the line."""
        return self._line


Exchange = Account | Late | Elsewhere
"""An exchange that has ended: its account, its line, or what that can be made from."""


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

    def miss(self, number: int) -> None:
        """So many went by that nobody can show."""
        self._lost += number
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


class _Batch:
    """Answers of the fast lane that were recorded together."""

    __slots__ = ("first", "hits")

    def __init__(self, hits: Sequence[Hit], first: int) -> None:
        self.hits = hits
        self.first = first

    def exchanges(self) -> list[Late]:
        """Each for itself."""
        return [Late(hit, number) for number, hit in enumerate(self.hits, self.first)]


def _number_of(one: Account | _Batch) -> int:
    return len(one.hits) if isinstance(one, _Batch) else 1


class Recent:
    """The last exchanges. It holds at most `KEPT`, and for each of `WATCHERS` watchers at most `WAITING`.

    Of those with heads of `LARGE` bytes and more only the last `KEPT_LARGE` are there.
    """

    def __init__(self) -> None:
        self._large: deque[Account] = deque()
        self._kept: deque[Account | _Batch] = deque()
        self._number = 0
        self._watchers: set[Watcher] = set()
        self._closed = False

    def add(self, account: Account) -> None:
        """Keep an exchange that has ended, and show it to those who watch."""
        self._keep(account, 1)
        if is_large(account):
            self._large.append(account)
            if len(self._large) > KEPT_LARGE:
                with suppress(ValueError):  # it may have gone with its time
                    self._kept.remove(self._large.popleft())
                    self._number -= 1
        if self._watchers:
            for watcher in self._watchers:
                watcher.push(account)

    def put_hits(self, hits: Sequence[Hit], first: int) -> None:
        """Keep what the fast lane has answered, and show it to those who watch."""
        batch = _Batch(hits, first)
        self._keep(batch, len(hits))
        for watcher in self._watchers:
            watcher.push(*batch.exchanges())

    def _keep(self, one: Account | _Batch, number: int) -> None:
        """Of a batch all are kept until none of them is among the last `KEPT`."""
        self._kept.append(one)
        self._number += number
        while self._number - (oldest := _number_of(self._kept[0])) >= KEPT:
            self._kept.popleft()
            self._number -= oldest

    def _exchanges(self) -> list[Account | Late]:
        found: list[Account | Late] = []
        for one in self._kept:
            if isinstance(one, _Batch):
                found += one.exchanges()
            else:
                found.append(one)
        return found[-KEPT:]

    def last(self, limit: int) -> list[Account | Late]:
        """The last `limit` exchanges, the oldest of them first."""
        accounts = self._exchanges()
        return accounts[max(len(accounts) - limit, 0) :]

    def find(self, identifier: str) -> Account | Late | None:
        """The exchange with that id, None where it is not among those kept."""
        return next((one for one in reversed(self._exchanges()) if one.id == identifier), None)

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


def is_large(account: Account) -> bool:
    """Whether the heads of an exchange have `LARGE` bytes or more."""
    return head_size(account) >= LARGE


def head_size(account: Account) -> int:
    """How many bytes there are in the heads of an exchange."""
    size = 0
    for message in (account.received, account.response):
        if message is not None:
            size += sum([len(name) + len(value) for name, value in message.fields])
    if account.received is not None:
        size += len(account.received.target)
    return size
