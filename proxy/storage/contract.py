"""What every tier of storage does: the one contract that the engine knows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from msgspec import Struct

from proxy.caching.stored import StoredResponse
from proxy.message.errors import PellucidError
from proxy.storage.pieces import Pieces
from proxy.storage.selection import Selection


@dataclass(frozen=True, slots=True)
class Figures:
    """How full a store is: entries and bytes held, the budget in bytes, and what it let go so far.

    `bytes` counts contents, fields and bookkeeping, and also what writers hold that have not committed yet.
    `evicted` were let go to make room, `expired` because they were of no use any more. Where there are
    several tiers, `tiers` are the figures of each by its name, the others those of the one that holds most.
    """

    entries: int
    bytes: int
    budget: int
    evicted: int
    expired: int
    tiers: Mapping[str, Figures] = field(default_factory=dict)


class Entry(Protocol):
    """One stored response with its content."""

    @property
    def key(self) -> bytes: ...
    @property
    def stored(self) -> StoredResponse:
        """What is known of it; may be built anew each time it is asked for."""
        ...

    @property
    def labels(self) -> tuple[bytes, ...]: ...
    @property
    def digest(self) -> str:
        """The content's digest as the log gives it, worked out once when it was stored."""
        ...

    @property
    def content(self) -> bytes | memoryview | None:
        """The whole held content where it is in memory already, for the quick path; else None."""
        ...

    @property
    def state(self) -> object | None:
        """None once it may not be used any more; else the same object while nothing changes in it."""
        ...

    def touch(self) -> None:
        """Note that it was used, so that it is kept longer."""
        ...

    def read(self, first: int, last: int) -> AsyncIterator[bytes | memoryview]:
        """Bytes `first` to `last` of the held content, both included, in pieces of at most 1 MiB.

        Where it is in memory already they are views of it, which hold it for as long as they are held.
        The content can be read to its end even when the entry leaves the store meanwhile. Raises ValueError
        where the content does not reach from `first` to `last`; `last == first - 1` reads nothing.
        """
        ...


class Kept(Struct, gc=False):
    """An answer that was kept beside the entries that it was made from, which are unchanged.

    `answer` is what was given to `remember`, `content` that of its entry: None where that has to be read in
    parts. `key` is theirs, `heads` are the `state` of each entry under it, `number` names the one it's from.
    """

    answer: bytes
    content: bytes | None
    key: bytes
    heads: tuple[bytes, ...]
    number: int


class Recall(Protocol):
    """Keeps answers where the entries are kept, so that nothing else is needed to give them again.

    A name has 32 bytes: a digest of all that the answer depends on beside what is stored under its key.
    """

    def recall(self, name: bytes) -> Kept | None:
        """The answer by that name; None where there is none, or anything has changed under its key.

        What others have told is taken in first. No other answer could be had from what is stored under the
        key at this moment, as far as that is only a matter of what the entries are, and not of time.
        """
        ...

    def remember(
        self, name: bytes, key: bytes, found: Sequence[tuple[Entry, object]], source: Entry, answer: bytes
    ) -> None:
        """Keep `answer`, which was made from `source`, soon, where there is room for it.

        `found` are all entries that there were under `key`, each with the state in which it was.
        """
        ...

    def note(self, kept: Kept) -> None:
        """Note that an answer was given: its entry is kept longer."""
        ...


class Writer(Protocol):
    """Content on its way into a store: not to be found before `commit`, gone after `abort`."""

    @property
    def pieces(self) -> Pieces:
        """What was written, to be read while it's being written and afterwards."""
        ...

    def write(self, data: bytes) -> bool:
        """Take the next piece. False when it no longer fits: the writer has then aborted by itself."""
        ...

    async def commit(self, stored: StoredResponse, digest: str, expires: float | None = None) -> Entry | None:
        """Make the entry findable, in the place of those it replaces; None when it was not kept after all.

        `expires` is the time, in seconds since the epoch, after which the entry is of no use to anybody
        (neither fresh, nor to be served stale, nor worth validating); None where that is not known. Nothing
        is kept either where the key or one of the labels was invalidated since `begin`: what was on its way
        then may be older than the change. Raises ValueError where `stored.length` is not what was written.
        """
        ...

    def abort(self) -> None: ...


class NotInvalidated(PellucidError):  # noqa: N818 - it says what was not done
    """What was to be invalidated or purged may still be used: nobody is to be told that it was done."""

    status = 503


class Store(Protocol):
    """Where stored responses live. Lookups return what is there, whether fresh or not: the rules decide."""

    async def look_up(self, key: bytes) -> Sequence[Entry]: ...

    async def labelled(self, label: bytes, limit: int) -> Sequence[Entry]:
        """At most `limit` entries that carry `label`, the newest first."""
        ...

    def at_hand(self, key: bytes) -> Sequence[Entry] | None:
        """What `look_up` gives, where that takes no waiting; else None."""
        ...

    def labelled_at_hand(self, label: bytes, limit: int) -> Sequence[Entry] | None:
        """What `labelled` gives, where that takes no waiting; else None."""
        ...

    def watch(self, changed: Callable[[bytes], None]) -> None:
        """Have `changed` called with each key under which something is stored, freshened or let go.

        It is called before anybody else can see the change. It must not raise, nor change the store.
        """
        ...

    def hear(self, purged: Callable[[Selection], object]) -> None:
        """Have `purged` called with what other processes or proxies invalidate or purge, softly too.

        It is called before anything of that store is given to anybody here once more. It must not raise, nor
        change the store. Several may be added.
        """
        ...

    @property
    def epoch(self) -> int:
        """Another number as soon as there may be changes that `watch` does not tell of.

        That is where a label was invalidated, or where other processes share the store.
        """
        ...

    def touch(self, entry: Entry) -> None:
        """Note that `entry` was used without its content being read, so that it is kept longer."""
        ...

    def begin(
        self, key: bytes, labels: tuple[bytes, ...], replaces: Sequence[Entry], length: int | None
    ) -> Writer | None:
        """Start to store a content of `length` bytes (None: unknown); None where it can't fit at all."""
        ...

    async def freshen(self, entry: Entry, stored: StoredResponse, expires: float | None = None) -> None:
        """Replace what is known of `entry`; its content stays. Nothing where the entry has left the store."""
        ...

    async def invalidate(self, keys: Sequence[bytes], labels: Sequence[bytes]) -> int:
        """Remove all entries under these keys or with these labels; the number of them.

        Raises NotInvalidated where others share the store and it can't be done any more.
        """
        ...

    async def purge(
        self, wanted: Selection, *, soft: float | None = None, dry: bool = False
    ) -> Mapping[str, int]:
        """Remove all entries that are `wanted`: how many, by the tier that held them ("memory": 3).

        It holds from the return on. `soft` (a time, in seconds since the epoch): they are kept, but count as
        stale from then on. `dry`: they are only counted. By keys and labels it takes the same time however
        many there are; by anything else others have their turn now and then while it goes on. Raises
        NotInvalidated where others share the store and it can't be done any more.
        """
        ...

    async def remove(self, entry: Entry) -> None: ...

    async def expire(self, now: float) -> int:
        """Let go of some entries that were of no use before `now`; how many, 0 when there are no more."""
        ...

    def figures(self) -> Figures: ...

    async def close(self) -> None: ...


class Front(Store, Protocol):
    """A store that clients are answered from: memory, with or without others below."""

    def current(self, epoch: int) -> bool:
        """Whether `epoch` is still that of the store. To be asked for each hit, so it costs little."""
        ...


def recall_of(store: Store) -> Recall | None:
    """Where a store keeps answers; None where it keeps none."""
    found: Recall | None = getattr(store, "answers", None)
    return found
