"""What one process is told by others of a store that they share, and what it tells them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

from proxy.message.errors import ConfigurationError
from proxy.storage.contract import NotInvalidated, Store
from proxy.storage.memory.store import MemoryStore
from proxy.storage.news import Changed, Item, News, Purged
from proxy.storage.selection import Selection
from proxy.storage.tiers.copies import Copies, Reading
from proxy.storage.tiers.writer import TiersWriter

EVERYTHING = Purged(Selection(everything=True))

T = TypeVar("T")


class Teller(Protocol):
    """Whose `epoch` moves when others may have changed something that was not heard of."""

    @property
    def epoch(self) -> int: ...


class Nobody:
    """Where there are no others."""

    __slots__ = ("epoch",)

    def __init__(self) -> None:
        self.epoch = 0


class Fleet(Store, Teller, Protocol):
    """A store that other proxies share. It tells of what they change while it is `in_touch`."""

    @property
    def in_touch(self) -> bool: ...

    @property
    def teller(self) -> Teller:
        """Where its `epoch` comes from, so that it can be looked at without a detour."""
        ...

    def owes(self, wanted: Selection) -> bool:
        """Whether any of what is `wanted` was to be invalidated there and could not be yet."""
        ...

    def heard(self, wanted: Selection, soft: float | None, *, owed: bool) -> None:
        """Another process of this machine has purged this; where it's `owed` it could not do so there yet.

        What is owed is not seen here either, and repeated by this process too.
        """
        ...


class Told:
    """Takes in what others tell: it takes the copies with it, and spoils what is on its way.

    `writers` and `readings` are those under way, `watcher` is told of each key under which something changes,
    and `listeners` of what others purge. The memory's epoch moves when something was purged of which the
    watcher was not told key by key. Once `mute`, no copy is to be used.

    `folder` is where others look for the news; None: they are handed on.

    There is something to catch up with where the `view` of the news' number is not the `number` that was
    heard, or the epoch of the fleet's `teller` is not `fleet_epoch`.
    """

    __slots__ = (
        "_alone",
        "_closed",
        "_copies",
        "_cut_since",
        "_fleet",
        "_folder",
        "_memory",
        "fleet_epoch",
        "listeners",
        "mute",
        "news",
        "number",
        "readings",
        "teller",
        "view",
        "watcher",
        "writers",
    )

    def __init__(
        self,
        memory: MemoryStore,
        copies: Copies,
        news: News | None,
        fleet: Fleet | None,
        alone: float | None,
        folder: Path | None = None,
    ) -> None:
        self.news = news
        self.mute = False
        self.writers: set[TiersWriter] = set()
        self.readings: set[Reading] = set()
        self.watcher: Callable[[bytes], None] = _nobody
        self.listeners: list[Callable[[Selection], object]] = []
        self._memory = memory
        self._copies = copies
        self._fleet = fleet
        self._alone = alone
        self._closed = False
        self._folder = folder
        self._cut_since: float | None = None
        self.view: Sequence[int] = news.view if news is not None else (0,)
        self.number = self.view[0]
        self.teller: Teller = fleet.teller if fleet is not None else Nobody()
        self.fleet_epoch = self.teller.epoch

    def catch_up(self) -> None:
        """Take in what others have told: next to nothing where they haven't."""
        news, fleet, teller = self.news, self._fleet, self.teller
        if news is not None and self.view[0] != self.number:
            self.number = self.view[0]
            items = news.hear()
            if items is None:
                self._find_news_again()
            for item in [EVERYTHING] if items is None else items:
                if fleet is not None and isinstance(item, Purged):
                    fleet.heard(item.wanted, item.soft, owed=item.owed)
                self.take_in(item)
        if teller.epoch != self.fleet_epoch:
            self.fleet_epoch = teller.epoch
            self.take_in(EVERYTHING)

    def close(self) -> None:
        """Nothing is told or heard any more."""
        self._closed = True
        if self.news is not None:
            news, self.news = self.news, None
            self.view, self.number = (0,), 0
            news.close()

    def take_in(self, item: Item) -> None:
        """Somebody else has told of `item`."""
        if isinstance(item, Changed):
            for key in item.keys:
                self.changed_elsewhere(key)
            return
        for listener in self.listeners:
            listener(item.wanted)
        self._spoil(item)
        if item.wanted.direct:
            _at_once(self._memory.purge(item.wanted, soft=item.soft))
            for key in item.wanted.keys:
                self.watcher(key)
        else:
            self._copies.doubt(item)

    def changed_elsewhere(self, key: bytes) -> None:
        """Something has changed under `key` that this process has not done."""
        for reading in self.readings:
            reading.disturb(key)
        self._copies.forget(key)
        self.watcher(key)

    def changed_here(self, key: bytes) -> None:
        """This process has changed something under `key` below."""
        for reading in self.readings:
            reading.disturb(key)
        self.watcher(key)
        if self.news is not None:
            self.news.tell(Changed((key,)))

    def purging(self, purged: Purged) -> None:
        """This process begins to purge, or has just done so below: it says so both times.

        Who begins to store after it was done below, and before it is told of that, knows by the first. Raises
        NotInvalidated where nothing can be told any more.
        """
        if self._closed:
            raise NotInvalidated("the store is closed: others may use what was to be invalidated")
        self._spoil(purged)
        for key in purged.wanted.keys:
            self.watcher(key)
        if self.news is not None:
            self.news.tell(purged)

    def look_at_folder(self) -> None:
        """Tell those who have the same news that nobody else finds them any more, where that is so."""
        news, folder = self.news, self._folder
        if news is not None and folder is not None and not news.is_at(folder):
            news.tell(None)
            self._find_news_again()
            self.take_in(EVERYTHING)

    def _find_news_again(self) -> None:
        """Hear what others hear who find the folder now: it may have been taken away and made anew."""
        news, folder = self.news, self._folder
        if news is None or folder is None or news.is_at(folder):
            return
        with suppress(ConfigurationError):
            self.news = News.at(folder)
            self.view, self.number = self.news.view, self.news.number
            news.close()

    def look_at_cut(self, now: float) -> None:
        """Have no copies used any more where other proxies were out of touch for too long."""
        if self._fleet is None or self._alone is None:
            return
        if self._fleet.in_touch:
            self._cut_since, self.mute = None, False
            return
        if self._cut_since is None:
            self._cut_since = now
        if now - self._cut_since > self._alone and not self.mute:
            self.take_in(EVERYTHING)
            self.mute = True

    def _spoil(self, purged: Purged) -> None:
        """What is on its way may be older than what was purged."""
        wanted = purged.wanted
        for reading in self.readings:
            reading.purged(wanted)
        for writer in self.writers:
            if wanted.meant(writer.key, writer.labels):
                writer.spoil(purged.soft)
        if wanted.labels or not wanted.direct:
            self._memory.epoch += 1


def _nobody(_: bytes) -> None:
    """Nobody watches."""


def _at_once(work: Coroutine[Any, Any, T]) -> T:
    """The result of what never gives way to others."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise RuntimeError("this was to be done at once")
