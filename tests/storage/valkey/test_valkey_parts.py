"""What of the shared tier needs no server."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from valkey.crc import key_slot

from proxy.message.errors import ConfigurationError
from proxy.storage.selection import Selection
from proxy.storage.settings import ValkeySettings
from proxy.storage.valkey import messages
from proxy.storage.valkey.address import Address, parse
from proxy.storage.valkey.breaker import Breaker
from proxy.storage.valkey.names import SHARDS, Names, digest, shard_of
from proxy.storage.valkey.pending import MOST, Pending
from proxy.storage.valkey.record import PIECE, Framer, Record, Unreadable, seal, unframe, unseal


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("valkey://h", Address((("h", 6379),))),
        ("VALKEYS://h:1/2", Address((("h", 1),), tls=True, db=2)),
        ("valkey://:p%40ss@h", Address((("h", 6379),), "", "p@ss")),
        ("valkey://me:a:b@h:7,g:8,[::1]:9/", Address((("h", 7), ("g", 8), ("::1", 9)), "me", "a:b")),
        ("valkey://me@[::1]", Address((("::1", 6379),), "me")),
    ],
)
def test_a_url_says_where_and_who(url: str, address: Address) -> None:
    assert parse(url) == address


@pytest.mark.parametrize(
    "url",
    ["", "redis://h", "valkey:h", "valkey://", "valkey://h:0", "valkey://h:x", "valkey://h,", "valkey://h/x",
     "valkey://h h", "valkey://u:secret@h:99999", "valkey://u:secret@", "valkey://h?x=1"],
)  # fmt: skip
def test_what_is_no_such_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse(url)
    assert "secret" not in str(refused.value)


def test_an_address_shows_no_password() -> None:
    address = parse("valkeys://me:secret@h:1,[::1]:2/3")
    assert "secret" not in f"{address} {address!r}"
    assert str(address) == "valkeys://h:1,[::1]:2/3"


@pytest.mark.parametrize("name", ["", "a b", "a{b}", "a\n", "*"])
def test_namespaces_are_words(name: str) -> None:
    with pytest.raises(ConfigurationError):
        ValkeySettings(namespace=name)


@pytest.mark.parametrize("name", ["lookup", "write", "heartbeat", "lease"])
def test_times_are_more_than_nothing(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        ValkeySettings(**{name: 0.0})


@given(st.binary(max_size=60))
def test_all_that_belongs_to_a_key_is_in_one_slot(key: bytes) -> None:
    names, name = Names("n"), digest(key)
    shard = shard_of(name)
    of_it = [
        names.clock(shard),
        names.index(name),
        names.body(name, b"{id}"),
        names.channel(shard),
        names.claim(name),
    ]
    of_it += [names.label(name), names.members(name)]
    assert len({key_slot(one) for one in of_it}) == 1
    assert len(set(of_it)) == len(of_it)
    assert names.indexed(names.index(name)) == name
    assert names.shard(names.channel(shard)) == shard


def test_shards_are_spread_over_the_slots_and_namespaces_apart() -> None:
    one, other, db = Names("one"), Names("other"), Names("one", 3)
    slots = [key_slot(one.clock(shard)) for shard in range(SHARDS)]
    assert len(set(slots)) == SHARDS
    for third in range(3):
        assert sum(slot * 3 // 16384 == third for slot in slots) > SHARDS // 4
    assert {one.clock(0), other.clock(0)} == {one.clock(0), other.clock(0), db.clock(0)}
    assert len({one.channel(0), other.channel(0), db.channel(0)}) == 3


records = st.builds(
    Record, st.binary(), st.just((b"a", b"b")), st.tuples(st.integers(0, 2**52), st.integers(0, 2**52)),
    st.integers(1, 9999), st.binary(),
)  # fmt: skip


@settings(max_examples=50)
@given(records, st.binary(min_size=1), st.integers(0, 2**52), st.none() | st.integers(1, 2**40).map(float))
def test_law_a_record_comes_back_as_it_was(
    record: Record, id_: bytes, born: int, expires: float | None
) -> None:
    value = seal(record, id_, born, expires)
    assert unseal(value, id_) == (record, born, expires)
    assert int(value[32:40]) == record.pieces


@settings(max_examples=100)
@given(records, st.data())
def test_law_a_record_with_a_flipped_bit_is_none(record: Record, data: st.DataObject) -> None:
    value = bytearray(seal(record, b"id", 1, None))
    place = data.draw(st.integers(0, len(value) * 8 - 1))
    value[place // 8] ^= 1 << place % 8
    with pytest.raises(Unreadable):
        unseal(bytes(value), b"id")


@settings(max_examples=50)
@given(
    st.lists(st.binary(min_size=1, max_size=2000) | st.integers(300, PIECE).map(bytes), min_size=1),
    st.booleans(),
)
def test_law_pieces_come_back_as_they_were(pieces: list[bytes], compress: bool) -> None:
    framer = Framer(b"id", compress=compress)
    for number, piece in enumerate(pieces):
        frame = framer.frame(piece)
        assert len(frame) <= len(piece) + 5
        assert unframe(frame, b"id", number, len(piece)) == piece
        for wrong in ((frame, b"other", number, len(piece)), (frame, b"id", number + 1, len(piece)),
                      (frame, b"id", number, len(piece) - 1), (frame[:-1], b"id", number, len(piece)),
                      (None, b"id", number, len(piece))):  # fmt: skip
            with pytest.raises(Unreadable):
                unframe(*wrong)


def test_a_breaker_opens_after_some_failures_in_a_row_and_waits_longer_each_time() -> None:
    breaker = Breaker(3, 1.0, 4.0)
    breaker.failed(0)
    breaker.failed(0)
    breaker.worked()
    breaker.failed(0)
    breaker.failed(0)
    assert not breaker.open
    breaker.failed(0)
    assert breaker.open
    waits, now = [], 0.0
    for _ in range(4):
        begun = now
        while not breaker.due(now):
            now += 0.5
        waits.append(now - begun)
        breaker.failed(now)
    assert waits == [1, 2, 4, 4]
    breaker.worked()
    assert not breaker.open
    breaker.failed(now, certain=True)
    assert breaker.open


def test_what_is_pending_is_hidden() -> None:
    pending = Pending()
    assert not pending
    pending.add(Selection(keys=(b"k",), labels=(b"l",), prefixes=(b"https://a",)), None)
    pending.add(Selection(keys=(b"k",)), 1.0)
    pending.add(Selection(keys=(b"s",), prefixes=(b"https://a",)), 1.0)
    assert pending.keys == {b"k": None, b"s": 1.0}
    assert pending.hides(b"k", ())
    assert pending.hides(b"x", (b"l",))
    assert pending.hides(b"GET https://a/b", ())
    assert not pending.hides(b"GET https://b", (b"k",))
    for wanted, soft in pending.take()[2]:
        pending.done(wanted, soft)
        pending.done(wanted, soft)
    assert not pending.hides(b"GET https://a/b", ())


def test_too_much_that_is_pending_becomes_everything() -> None:
    pending = Pending()
    pending.add(Selection(keys=tuple(b"%d" % number for number in range(MOST + 1))), None)
    assert pending.hides(b"anything", ())
    assert not pending.keys
    assert len(pending.wide) == 1


@pytest.mark.parametrize("block", [b"", b"\xc1", b"x" * 50, b"\x92\x09\xa1x", b"\x95\x01\xc4\x01a\x00\x90"])
def test_messages_of_other_versions_are_none(block: bytes) -> None:
    assert messages.decode(block) is None


def test_a_selection_travels() -> None:
    wanted = Selection((b"k\xff",), (b"l",), (b"p",), (rb"\d",), True)
    message = messages.Purged(b"me", 7, wanted, 1.5)
    assert messages.decode(messages.encode(message)) == message
