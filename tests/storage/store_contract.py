"""What every tier of storage promises. A tier's test file subclasses `StoreContract` and gives a `store`."""

from __future__ import annotations

import pytest

from proxy.caching.stored import StoredResponse
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.storage.contract import Store
from tests.storage.purge_contract import PurgeContract
from tests.storage.putting import DIGEST, NOW, contents, put, read, response

__all__ = ["DIGEST", "NOW", "StoreContract", "contents", "put", "read", "response"]


class StoreContract(PurgeContract):
    """The tests that a tier inherits. Its `store` has room for 8 MiB; contents may be up to 1 MiB."""

    BUDGET = 8 << 20
    OBJECT_LIMIT = 1 << 20

    @pytest.fixture
    async def store(self) -> Store:
        raise NotImplementedError

    async def test_gives_back_what_was_committed(self, store: Store) -> None:
        stored = StoredResponse(
            Request(
                b"QUERY",
                b"/search?q=\xff",
                Fields([(b"accept", b"*/*"), (b"X-Odd", b"caf\xe9"), (b"accept", b"text/html")]),
                (1, 0),
                b"https",
                b"api.example.org:8443",
                b"\x00digest",
            ),
            Response(
                206, Fields([(b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"x", b"")]), b"", (1, 1)
            ),
            NOW + 0.125,
            NOW + 0.5,
            4,
            first=10,
            complete_length=99,
            invalidated=True,
        )
        writer = store.begin(b"key\x00\xff", (b"one", b"two"), (), None)
        assert writer is not None
        assert writer.write(b"abcd")
        committed = await writer.commit(stored, DIGEST)
        (found,) = await store.look_up(b"key\x00\xff")
        for entry in (committed, found):
            assert entry is not None
            assert entry.stored == stored
            assert (entry.key, entry.digest) == (b"key\x00\xff", DIGEST)
            assert set(entry.labels) == {b"one", b"two"}
            assert await read(entry) == b"abcd"
            assert entry.content is None or bytes(entry.content) == b"abcd"

    async def test_finds_nothing_where_nothing_is(self, store: Store) -> None:
        await put(store, b"other")
        assert list(await store.look_up(b"key")) == []
        assert list(await store.labelled(b"label", 10)) == []

    async def test_nothing_is_found_before_the_commit_nor_after_an_abort(self, store: Store) -> None:
        writer = store.begin(b"key", (b"label",), (), 4)
        assert writer is not None
        assert writer.write(b"abcd")
        assert list(await store.look_up(b"key")) == []
        writer.abort()
        writer.abort()
        assert list(await store.look_up(b"key")) == []
        assert list(await store.labelled(b"label", 10)) == []
        assert not writer.write(b"more")
        assert await writer.commit(response(4), DIGEST) is None
        assert store.figures().bytes == 0

    async def test_keeps_several_under_one_key(self, store: Store) -> None:
        for content in (b"one", b"two", b"three"):
            await put(store, b"key", content)
        assert await contents(store, b"key") == [b"one", b"three", b"two"]
        assert store.figures().entries == 3

    async def test_takes_the_place_of_those_it_replaces_on_commit(self, store: Store) -> None:
        old = await put(store, b"key", b"old")
        await put(store, b"key", b"other")
        writer = store.begin(b"key", (), (old,), 3)
        assert writer is not None
        assert await contents(store, b"key") == [b"old", b"other"]
        assert writer.write(b"new")
        assert await writer.commit(response(3), DIGEST) is not None
        assert await contents(store, b"key") == [b"new", b"other"]

    async def test_what_was_to_be_replaced_stays_when_the_writer_aborts(self, store: Store) -> None:
        old = await put(store, b"key", b"old")
        writer = store.begin(b"key", (), (old,), 3)
        assert writer is not None
        writer.abort()
        assert await contents(store, b"key") == [b"old"]

    async def test_replaces_what_is_gone_already(self, store: Store) -> None:
        old = await put(store, b"key", b"old")
        await store.remove(old)
        await put(store, b"key", b"new", replaces=(old,))
        assert await contents(store, b"key") == [b"new"]

    @pytest.mark.parametrize("length", [0, 1, 65_536, 300_000])
    async def test_reads_the_whole_in_pieces(self, store: Store, length: int) -> None:
        content = bytes(index % 251 for index in range(length))
        entry = await put(store, b"key", content)
        assert await read(entry) == content

    @pytest.mark.parametrize(
        ("first", "last"), [(0, 0), (0, 65535), (65535, 65536), (1, 131072), (99_999, 199_999), (5, 4)]
    )
    async def test_reads_a_part(self, store: Store, first: int, last: int) -> None:
        content = bytes(index % 251 for index in range(200_000))
        entry = await put(store, b"key", content)
        assert await read(entry, first, last) == content[first : last + 1]

    @pytest.mark.parametrize(("first", "last"), [(-1, 2), (0, 10), (11, 11), (5, 3)])
    async def test_reading_out_of_bounds_is_a_value_error(self, store: Store, first: int, last: int) -> None:
        entry = await put(store, b"key", b"0123456789")
        with pytest.raises(ValueError, match="bytes"):
            entry.read(first, last)

    async def test_a_reader_goes_on_when_the_entry_leaves(self, store: Store) -> None:
        content = bytes(index % 251 for index in range(200_000))
        entry = await put(store, b"key", content)
        pieces = []
        async for piece in entry.read(0, len(content) - 1):
            pieces.append(piece)
            await store.remove(entry)
            await store.invalidate([b"key"], [])
        assert b"".join(pieces) == content
        assert list(await store.look_up(b"key")) == []

    async def test_freshen_replaces_all_but_content_digest_and_labels(self, store: Store) -> None:
        entry = await put(store, b"key", b"content", labels=(b"label",))
        updated = response(7, at=NOW + 60, invalidated=True)
        await store.freshen(entry, updated)
        (found,) = await store.look_up(b"key")
        assert (found.stored, found.digest, found.labels) == (updated, DIGEST, (b"label",))
        assert await read(found) == b"content"

    async def test_freshen_brings_nothing_back(self, store: Store) -> None:
        entry = await put(store, b"key")
        await store.remove(entry)
        await store.freshen(entry, response(7, at=NOW + 60))
        assert list(await store.look_up(b"key")) == []
        assert store.figures().entries == 0

    async def test_invalidates_by_key(self, store: Store) -> None:
        for key in (b"a", b"a", b"b", b"c"):
            await put(store, key)
        assert await store.invalidate([b"a", b"b", b"a", b"unknown"], []) == 3
        assert [len(await store.look_up(key)) for key in (b"a", b"b", b"c")] == [0, 0, 1]
        assert await store.invalidate([b"a"], []) == 0

    async def test_invalidates_by_label(self, store: Store) -> None:
        await put(store, b"a", labels=(b"one",))
        await put(store, b"b", labels=(b"one", b"two"))
        await put(store, b"c", labels=(b"two",))
        assert await store.invalidate([], [b"one"]) == 2
        assert [len(await store.look_up(key)) for key in (b"a", b"b", b"c")] == [0, 0, 1]
        assert [entry.key for entry in await store.labelled(b"two", 10)] == [b"c"]
        assert list(await store.labelled(b"one", 10)) == []
        assert await store.invalidate([], [b"one", b"unknown"]) == 0

    async def test_what_is_stored_after_an_invalidation_is_found(self, store: Store) -> None:
        await put(store, b"key", b"old", labels=(b"label",))
        await store.invalidate([b"key"], [b"label"])
        await put(store, b"key", b"new", labels=(b"label",))
        assert await contents(store, b"key") == [b"new"]
        assert len(await store.labelled(b"label", 10)) == 1

    async def test_replacing_the_only_one_with_a_label_keeps_the_label(self, store: Store) -> None:
        old = await put(store, b"key", b"old", labels=(b"label",))
        new = await put(store, b"key", b"new", labels=(b"label",), replaces=(old,))
        assert [await read(entry) for entry in await store.labelled(b"label", 10)] == [b"new"]
        assert await store.invalidate([], [b"label"]) == 1
        assert list(await store.look_up(new.key)) == []

    @pytest.mark.parametrize(("keys", "labels"), [([b"key"], []), ([], [b"other", b"label"])])
    async def test_what_was_on_its_way_when_invalidated_is_not_kept(
        self, store: Store, keys: list[bytes], labels: list[bytes]
    ) -> None:
        writer = store.begin(b"key", (b"label",), (), 4)
        bystander = store.begin(b"bystander", (), (), 4)
        assert writer is not None
        assert bystander is not None
        writer.write(b"abcd")
        await store.invalidate(keys, labels)
        bystander.write(b"abcd")
        assert await writer.commit(response(4), DIGEST) is None
        assert await bystander.commit(response(4), DIGEST) is not None
        assert list(await store.look_up(b"key")) == []

    async def test_labelled_gives_the_newest_first_and_no_more_than_asked_for(self, store: Store) -> None:
        entries = [await put(store, b"%d" % number, labels=(b"label", b"label")) for number in range(5)]
        await store.remove(entries[3])
        assert [entry.key for entry in await store.labelled(b"label", 3)] == [b"4", b"2", b"1"]
        assert [entry.key for entry in await store.labelled(b"label", 99)] == [b"4", b"2", b"1", b"0"]

    async def test_removes_one_once(self, store: Store) -> None:
        entry = await put(store, b"key", b"one")
        await put(store, b"key", b"two")
        await store.remove(entry)
        await store.remove(entry)
        assert await contents(store, b"key") == [b"two"]

    async def test_the_length_has_to_be_right(self, store: Store) -> None:
        writer = store.begin(b"key", (), (), None)
        assert writer is not None
        writer.write(b"abcd")
        with pytest.raises(ValueError, match="4 bytes"):
            await writer.commit(response(5), DIGEST)
        assert list(await store.look_up(b"key")) == []
        assert store.figures().bytes == 0

    async def test_what_is_announced_as_too_large_is_not_begun(self, store: Store) -> None:
        assert store.begin(b"key", (), (), self.OBJECT_LIMIT + 1) is None
        writer = store.begin(b"key", (), (), self.OBJECT_LIMIT)
        assert writer is not None
        writer.abort()

    async def test_what_turns_out_to_be_too_large_is_given_up(self, store: Store) -> None:
        writer = store.begin(b"key", (), (), None)
        assert writer is not None
        assert writer.write(bytes(self.OBJECT_LIMIT))
        assert not writer.write(b"x")
        assert await writer.commit(response(self.OBJECT_LIMIT + 1), DIGEST) is None
        assert store.figures().bytes == 0

    async def test_stays_within_its_budget(self, store: Store) -> None:
        for number in range(40):
            await put(store, b"%d" % number, bytes(500_000))
            figures = store.figures()
            assert figures.bytes <= figures.budget == self.BUDGET
        assert figures.entries < 40
        assert figures.evicted == 40 - figures.entries
        found = [len(await store.look_up(b"%d" % number)) for number in range(40)]
        assert sum(found) == figures.entries > 10

    async def test_what_is_on_its_way_counts(self, store: Store) -> None:
        writers = [store.begin(b"%d" % number, (), (), 1_000_000) for number in range(20)]
        begun = [writer for writer in writers if writer is not None]
        assert 4 <= len(begun) <= 8
        for writer in begun:
            assert writer.write(bytes(1_000_000))
            assert store.figures().bytes <= self.BUDGET
        assert store.figures().bytes >= len(begun) * 1_000_000
        for writer in begun:
            writer.abort()
        assert store.figures().bytes == 0

    async def test_lets_go_of_what_is_of_no_use_any_more(self, store: Store) -> None:
        await put(store, b"soon", expires=NOW + 10)
        await put(store, b"later", expires=NOW + 100_000)
        await put(store, b"never")
        assert await store.expire(NOW + 9) == 0
        while await store.expire(NOW + 20):
            pass
        assert [len(await store.look_up(key)) for key in (b"soon", b"later", b"never")] == [0, 1, 1]
        while await store.expire(NOW + 110_000):
            pass
        assert [len(await store.look_up(key)) for key in (b"soon", b"later", b"never")] == [0, 0, 1]
        assert (store.figures().expired, store.figures().entries) == (2, 1)

    async def test_freshening_puts_the_end_off(self, store: Store) -> None:
        entry = await put(store, b"key", expires=NOW + 10)
        await store.freshen(entry, response(7, at=NOW + 5), NOW + 1000)
        while await store.expire(NOW + 20):
            pass
        assert len(await store.look_up(b"key")) == 1
        while await store.expire(NOW + 1100):
            pass
        assert len(await store.look_up(b"key")) == 0

    async def test_what_has_left_does_not_expire_later(self, store: Store) -> None:
        removed = await put(store, b"removed", expires=NOW + 10)
        await store.remove(removed)
        await put(store, b"invalidated", expires=NOW + 10)
        await store.invalidate([b"invalidated"], [])
        assert await store.expire(NOW + 100) == 0
        assert store.figures().expired == 0

    async def test_touch_takes_any_entry(self, store: Store) -> None:
        entry = await put(store, b"key")
        store.touch(entry)
        await store.remove(entry)
        store.touch(entry)
        assert list(await store.look_up(b"key")) == []

    async def test_the_figures_of_an_empty_store(self, store: Store) -> None:
        figures = store.figures()
        assert (figures.entries, figures.bytes, figures.evicted, figures.expired) == (0, 0, 0, 0)
        assert figures.budget == self.BUDGET
