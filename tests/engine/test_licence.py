"""Licences: what they depend on is what the rules have asked for, and nothing else."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.effects import Found, LookUp
from proxy.caching.exchange import exchange
from proxy.caching.policy import Policy
from proxy.caching.stored import StoredResponse
from proxy.engine.digest import Digest
from proxy.engine.licence import LARGEST, issue
from proxy.engine.noting import Noted
from proxy.message.fields import FieldLine, Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.storage.memory.store import MemoryStore

NOON = 1_700_000_000.0
KEY = b"GET http://h/"
HOST = (b"Host", b"h")


def digest_of(content: bytes) -> str:
    digest = Digest()
    digest.update(content)
    return digest.value()


async def shelf(*lines: FieldLine, status: int = 200, content: bytes = b"0123456789") -> MemoryStore:
    """A store with one response."""
    store = MemoryStore(1 << 20, 1 << 18)
    stored = StoredResponse(
        request(), Response(status, Fields(lines)), NOON, NOON, len(content), 0, len(content)
    )
    writer = store.begin(KEY, (), (), len(content))
    assert writer is not None
    writer.write(content)
    assert await writer.commit(stored, digest_of(content)) is not None
    return store


def request(*lines: FieldLine, method: bytes = b"GET") -> Request:
    return Request(method, b"/", Fields((HOST, *lines)), authority=b"h")


def licence(store: MemoryStore, asked: Request, after: float = 1.0) -> Any:
    return issue(store, asked, Policy(), NOON + after)


FRESH = (b"Cache-Control", b"max-age=60")


async def test_a_licence_says_what_it_depends_on() -> None:
    found = licence(await shelf(FRESH, (b"Vary", b"X")), request((b"User-Agent", b"u"), (b"X", b"y")))
    assert found is None  # what was stored had no X
    found = licence(await shelf(FRESH, (b"Vary", b"X")), request((b"User-Agent", b"u")))
    assert {b"x", b"cache-control", b"if-none-match", b"range"} <= found.asked
    assert b"user-agent" not in found.asked
    assert (found.content, found.digest) == (b"0123456789", digest_of(b"0123456789"))
    assert (found.since, found.until) == (NOON + 1, pytest.approx(NOON + 60, abs=0.01))
    assert not found.wider


@pytest.mark.parametrize(
    ("lines", "asked", "after"),
    [
        ([FRESH], [(b"Cache-Control", b"no-cache")], 1),  # forwarded
        ([(b"Cache-Control", b"max-age=1, stale-while-revalidate=9")], [], 5),  # something is begun
        ([FRESH], [(b"Range", b"bytes=99-")], 1),  # its Date is that of the moment
        ([FRESH], [(b"If-Modified-Since", b"Tuesday, 14-Nov-23 22:13:20 GMT")], 1),  # which century?
        ([FRESH], [], 60),  # stale from this moment on
    ],
)
async def test_there_is_none(lines: list[FieldLine], asked: list[FieldLine], after: float) -> None:
    assert licence(await shelf(*lines), request(*asked), after) is None


async def test_there_is_none_for_what_is_large() -> None:
    assert licence(await shelf(FRESH, content=b"." * LARGEST), request()) is not None
    assert licence(await shelf(FRESH, content=b"." * (LARGEST + 1)), request()) is None


async def test_a_part_of_what_is_stored() -> None:
    found = licence(await shelf(FRESH), request((b"Range", b"bytes=2-4")))
    assert (found.content, found.digest) == (b"234", digest_of(b"234"))


async def test_stale_as_the_client_accepts_it() -> None:
    found = licence(await shelf(FRESH), request((b"Cache-Control", b"max-stale=30")), 70)
    assert found.until == pytest.approx(NOON + 90, abs=0.01)


async def test_nothing_is_used_or_changed_by_it() -> None:
    store = await shelf(FRESH)
    [entry] = store.at_hand(KEY)
    before = (entry.state, store.figures())
    licence(store, request())
    assert (entry.state, store.figures()) == before


def test_no_way_to_look_at_fields_goes_unnoticed() -> None:
    own = {name for name, _ in inspect.getmembers(Fields) if name in vars(Fields)}
    assert own - {"__module__", "__doc__", "__slots__", "_by_name", "_lines", "_index"} <= set(vars(Noted))


@pytest.mark.parametrize("name", ["names", "__len__", "__iter__", "__hash__", "__repr__"])
def test_what_is_not_asked_by_name_is_asked_for_whole(name: str) -> None:
    noted = Noted(Fields([HOST]))
    getattr(noted, name)()
    assert noted.whole


def test_names_are_noted() -> None:
    noted = Noted(Fields([HOST]))
    assert (noted.get(b"a"), noted.all(b"b"), b"c" in noted, noted.has_any(frozenset((b"d",)))) == (
        None,
        (),
        False,
        False,
    )
    assert (noted.asked, noted.whole) == ({b"a", b"b", b"c", b"d"}, False)


NAMES = [
    b"Accept", b"Accept-Language", b"Authorization", b"Cache-Control", b"Cookie", b"If-Modified-Since",
    b"If-None-Match", b"If-Range", b"If-Unmodified-Since", b"Pragma", b"Range", b"User-Agent", b"X",
]  # fmt: skip
VALUES = [
    b"", b"a", b"b;q=0.5, a", b"no-cache", b"max-age=5", b"max-stale", b"min-fresh=3", b"bytes=0-3", b'"e"',
    b"*", b"Tue, 14 Nov 2023 22:13:20 GMT", b"only-if-cached", b"Bearer x",
]  # fmt: skip
ASKED = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=5)
STORED = st.lists(
    st.sampled_from(
        [
            FRESH,
            (b"Cache-Control", b"max-age=5, immutable"),
            (b"ETag", b'"e"'),
            (b"Last-Modified", b"Tue, 14 Nov 2023 10:13:20 GMT"),
            (b"Vary", b"Accept-Language, X"),
            (b"Vary", b"Cookie"),
        ]
    ),
    max_size=4,
)


def outcome(asked: Request, stored: list[StoredResponse], now: float) -> tuple[object, Noted]:
    """How the rules answer from what is stored, or what they want to do about it first."""
    noted = Noted(asked.fields)
    rules = exchange(Request(asked.method, asked.target, noted, authority=asked.authority), Policy())
    try:
        effect = next(rules)
        while isinstance(effect, LookUp):
            effect = rules.send(Found(stored if effect.label is None else [], now))
    except StopIteration as end:
        return (
            end.value.response,
            end.value.content,
            end.value.decision,
            end.value.background is None,
        ), noted
    rules.close()
    return None, noted


@given(
    st.sampled_from([b"GET", b"HEAD"]),
    ASKED,
    ASKED,
    st.lists(STORED, min_size=1, max_size=2),
    st.floats(0, 90),
)
def test_what_was_not_asked_for_makes_no_difference(
    method: bytes, lines: list[FieldLine], others: list[FieldLine], held: list[list[FieldLine]], after: float
) -> None:
    asked = request(*lines, method=method)
    stored = [
        StoredResponse(request(*lines[:1]), Response(200, Fields(one)), NOON, NOON, 10, 0, 10) for one in held
    ]
    found, noted = outcome(asked, stored, NOON + after)
    if found is None or noted.whole:
        return
    same = [line for line in lines if line[0].lower() in noted.asked]
    different = [line for line in others if line[0].lower() not in noted.asked]
    again, _ = outcome(request(*different, *same, method=method), stored, NOON + after)
    assert again == found
