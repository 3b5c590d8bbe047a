"""Purging what is kept on disk: at once by keys, labels and all, by going through it otherwise."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

from proxy.storage.contract import NotInvalidated
from proxy.storage.disk.change import Change
from proxy.storage.disk.invalidating import (
    AT_ONCE,
    invalidate,
    invalidate_everything,
    note_wide,
    soften_directly,
    soften_one,
)
from proxy.storage.disk.mapped import Mapped
from proxy.storage.disk.reading import Reading
from proxy.storage.disk.tables import Counters
from proxy.storage.selection import Selection
from proxy.storage.turns import Turns

T = TypeVar("T")

_SLICE = 200


class Doing(Protocol):
    """What is asked of the store."""

    async def do(self, act: Callable[[Change], T], *, must: bool = False) -> T | None: ...


async def purge(store: Doing, mapped: Mapped, wanted: Selection, soft: float | None, dry: bool) -> int:
    """Remove what is `wanted`, or have it count as stale from `soft` on, or only count it; how many."""
    if wanted.direct:
        if dry:
            return mapped.read(lambda reading: reading.count(wanted, mapped.folder.budget), 0)
        if soft is None:
            return (
                await store.do(lambda change: invalidate(change, wanted.keys, wanted.labels), must=True) or 0
            )
        return await store.do(lambda change: soften_directly(change, wanted, soft), must=True) or 0
    if wanted.everything:
        if dry:
            return mapped.read(lambda reading: reading.counters(), Counters()).entries
        if soft is None:
            return await store.do(invalidate_everything, must=True) or 0
        await store.do(lambda change: note_wide(change, wanted, soft), must=True)
        return mapped.read(lambda reading: reading.counters(), Counters()).entries
    end = mapped.read(lambda reading: reading.counters(), Counters()).tick
    if not dry:
        end = await store.do(lambda change: note_wide(change, wanted, soft), must=True) or 0
    return await _go_through(store, mapped, wanted, soft, dry, end)


async def _go_through(
    store: Doing, mapped: Mapped, wanted: Selection, soft: float | None, dry: bool, end: int
) -> int:
    """All entries numbered below `end`, some at a time."""
    count, at, turns = 0, 0, Turns()
    while at < end:
        step = partial(Reading.meant, wanted=wanted, at=at, end=end, limit=_SLICE)
        found = mapped.read(step, None)
        if found is None:
            if mapped.tables is None and not dry:
                raise NotInvalidated("the cache on disk can't be read: what was to be purged may be left")
            break  # it was begun anew
        meant, at = found
        count += len(meant)
        for begin in range(0, 0 if dry else len(meant), AT_ONCE):
            some = meant[begin : begin + AT_ONCE]
            await store.do(partial(_apply, numbers=some, soft=soft), must=True)
        await turns.pause()
    return count


def _apply(change: Change, numbers: list[int], soft: float | None) -> int:
    for number in numbers:
        if soft is not None:
            soften_one(change, number, soft)
        elif (record := change.record(number)) is not None:
            change.drop(record)
    return len(numbers)
