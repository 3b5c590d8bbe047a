"""Random histories of a store against a plain list. A tier subclasses `StoreMachine` and gives `make`."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from proxy.caching.stored import StoredResponse
from proxy.storage.contract import Entry, Store, Writer
from proxy.storage.selection import Selection
from tests.storage.store_contract import NOW, read, response

T = TypeVar("T")

KEYS = st.sampled_from([b"a", b"b", b"c"])
WANTED = st.builds(
    Selection,
    keys=st.lists(KEYS, max_size=2).map(tuple),
    labels=st.lists(st.sampled_from([b"x", b"y"]), max_size=2).map(tuple),
    prefixes=st.sampled_from([(), (), (b"none",)]),
    patterns=st.sampled_from([(), (), (b"^none",)]),
    everything=st.sampled_from([False, False, False, True]),
)
LABELS = st.lists(st.sampled_from([b"x", b"y", b"z"]), max_size=3).map(tuple)


@dataclass(eq=False)
class Expected:
    """What the model knows of one entry."""

    key: bytes
    labels: frozenset[bytes]
    stored: StoredResponse
    content: bytes
    expires: float | None
    entry: Entry


@dataclass(eq=False)
class Begun:
    """What the model knows of one writer."""

    key: bytes
    labels: tuple[bytes, ...]
    replaces: list[Expected]
    writer: Writer
    content: bytes = b""
    spoiled: bool = field(default=False)
    softened: float | None = None


class StoreMachine(RuleBasedStateMachine):
    """The store has room for everything; at most `VARIANTS` entries stay under one key."""

    VARIANTS = 1000
    KEEPS_SOFTENED = True
    """Whether what was on its way when it was purged softly is kept at all."""

    async def make(self) -> Store:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.model: list[Expected] = []
        self.writers: list[Begun] = []
        self.now = NOW
        self.store = self.run(self.make())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)

    def teardown(self) -> None:
        self.run(self.store.close())
        self.runner.close()

    begun = Bundle("begun")
    kept = Bundle("kept")

    @rule(target=begun, key=KEYS, labels=LABELS, replaced=st.lists(kept, max_size=2))
    def begin(self, key: bytes, labels: tuple[bytes, ...], replaced: list[Expected | None]) -> Begun:
        replaces = [expected for expected in replaced if expected]
        writer = self.store.begin(key, labels, [expected.entry for expected in replaces], None)
        assert writer is not None
        began = Begun(key, labels, replaces, writer)
        self.writers.append(began)
        return began

    @rule(began=begun, data=st.binary(max_size=30))
    def write(self, began: Begun, data: bytes) -> None:
        taken = began.writer.write(data)
        assert taken is (began in self.writers and not began.spoiled)
        if not taken and began in self.writers:
            self.writers.remove(began)
        began.content += data

    @rule(began=begun)
    def abort(self, began: Begun) -> None:
        began.writer.abort()
        if began in self.writers:
            self.writers.remove(began)

    @rule(target=kept, began=begun, lifetime=st.none() | st.integers(-100, 3000))
    def commit(self, began: Begun, lifetime: int | None) -> Expected | None:
        stored = response(len(began.content), at=self.now)
        expires = None if lifetime is None else self.now + lifetime
        entry = self.run(began.writer.commit(stored, "digest", expires))
        if began.softened is not None:
            stored = stored.softened(began.softened)
        kept = began in self.writers and not began.spoiled
        if began in self.writers:
            self.writers.remove(began)
        assert (entry is not None) is kept
        if entry is None:
            return None
        for old in began.replaces:
            self.forget(old)
        siblings = [known for known in self.model if known.key == began.key]
        for old in siblings[: max(0, len(siblings) - self.VARIANTS + 1)]:
            self.forget(old)
        new = Expected(began.key, frozenset(began.labels), stored, began.content, expires, entry)
        self.model.append(new)
        return new

    @rule(expected=kept, lifetime=st.none() | st.integers(1, 3000))
    def freshen(self, expected: Expected | None, lifetime: int | None) -> None:
        if expected is None:
            return
        expires = None if lifetime is None else self.now + lifetime
        updated = response(len(expected.content), at=self.now)
        self.run(self.store.freshen(expected.entry, updated, expires))
        before = expected.stored.stale_from
        expected.stored = updated if before is None else updated.softened(before)
        expected.expires = expires

    @rule(expected=kept)
    def remove(self, expected: Expected | None) -> None:
        if expected is not None:
            self.run(self.store.remove(expected.entry))
            self.forget(expected)

    @rule(keys=st.lists(KEYS, max_size=2), labels=st.lists(st.sampled_from([b"x", b"y"]), max_size=2))
    def invalidate(self, keys: list[bytes], labels: list[bytes]) -> None:
        for began in self.writers:
            began.spoiled |= began.key in keys or not set(labels).isdisjoint(began.labels)
        gone = [old for old in self.model if old.key in keys or old.labels & set(labels)]
        assert self.run(self.store.invalidate(keys, labels)) == len(gone)
        for old in gone:
            self.forget(old)

    @rule(wanted=WANTED, dry=st.booleans())
    def purge(self, wanted: Selection, dry: bool) -> None:
        gone = [old for old in self.model if wanted.meant(old.key, tuple(old.labels))]
        counted = max(self.run(self.store.purge(wanted, dry=dry)).values(), default=0)
        assert len(gone) <= counted <= 4 * len(gone)
        if not dry:
            for began in self.writers:
                began.spoiled |= wanted.meant(began.key, began.labels)
            for old in gone:
                self.forget(old)

    @rule(wanted=WANTED)
    def purge_softly(self, wanted: Selection) -> None:
        for began in self.writers:
            if wanted.meant(began.key, began.labels):
                began.softened = self.now
                began.spoiled |= not self.KEEPS_SOFTENED
        meant = [old for old in self.model if wanted.meant(old.key, tuple(old.labels))]
        counted = max(self.run(self.store.purge(wanted, soft=self.now)).values(), default=0)
        assert len(meant) <= counted <= 4 * len(meant)
        for old in meant:
            old.stored = old.stored.softened(self.now)

    @rule(later=st.integers(0, 2000))
    def expire(self, later: int) -> None:
        self.now += later
        while self.run(self.store.expire(self.now)):
            pass
        held = {id(entry) for key in (b"a", b"b", b"c") for entry in self.run(self.store.look_up(key))}
        for old in list(self.model):
            if old.expires is not None and old.expires < self.now and id(old.entry) not in held:
                self.forget(old)
            elif old.expires is not None:
                # A tier may let go a little late, and never early.
                assert old.expires > self.now - 100

    def forget(self, old: Expected) -> None:
        if old in self.model:
            self.model.remove(old)

    @invariant()
    def finds_what_is_there(self) -> None:
        for key in (b"a", b"b", b"c"):
            expected = [known for known in self.model if known.key == key]
            found = self.run(self.store.look_up(key))
            assert sorted(self.shown(entry) for entry in found) == sorted(
                (known.key, known.stored.request_time, known.stored.stale_from is not None, known.content)
                for known in expected
            )

    @invariant()
    def finds_by_label(self) -> None:
        for label in (b"x", b"y", b"z"):
            expected = [known.key for known in self.model if label in known.labels]
            assert [entry.key for entry in self.run(self.store.labelled(label, 1000))] == expected[::-1]

    @invariant()
    def counts(self) -> None:
        figures = self.store.figures()
        assert figures.entries == len(self.model)
        assert 0 <= figures.bytes <= figures.budget

    def shown(self, entry: Entry) -> tuple[bytes, float, bool, bytes]:
        stored = entry.stored
        return entry.key, stored.request_time, stored.stale_from is not None, self.run(read(entry))
