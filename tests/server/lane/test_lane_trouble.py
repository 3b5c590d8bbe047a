"""What goes wrong in the lane without having been thought of: each client has its one answer all the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proxy.server.lane.standing import Standing
from proxy.storage.memory.store import MemoryStore
from tests.server.lane.twin import Clock, Twin

ASKED = b"GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n"
WIDER = b"GET /b?x=%d&utm=%d HTTP/1.1\r\nHost: a.example\r\n\r\n"


def answering(request, number, now):
    lines = [(b"Cache-Control", b"max-age=60"), (b"No-Vary-Search", b'params=("utm")')]
    return 200, lines, b"the answer"


@pytest.fixture
def clock() -> Iterator[Clock]:
    found = Clock()
    with pytest.MonkeyPatch.context() as patch:
        found.everywhere(patch)
        yield found


@pytest.fixture
async def twin(clock):
    twin = Twin(answering, clock, lane=True)
    yield twin
    await twin.close()


async def warm(twin):
    connection, _ = twin.connect()
    for number in range(4):
        await twin.give(connection, ASKED)
        await twin.give(connection, WIDER % (1, number))
    twin.records()
    twin.hits = 0
    return connection


def broken(*_):
    raise KeyError("what was not thought of")


ASKING = [(ASKED, 1), (ASKED + ASKED, 2), (WIDER % (1, 99), 1)]


@pytest.mark.parametrize(("asked", "answers"), ASKING)
async def test_what_fails_before_the_answer_goes_the_long_way(twin, monkeypatch, caplog, asked, answers):
    connection = await warm(twin)
    monkeypatch.setattr(twin.lane.blocks, "read", broken)
    monkeypatch.setattr(twin.lane, "_young_block", broken)
    got = await twin.give(connection, asked)
    assert got.count(b"the answer") == answers
    assert not got.endswith(b"(closed)")
    assert twin.hits == 0
    assert len(twin.records()) == answers
    assert "what was not thought of" in caplog.text


@pytest.mark.parametrize(("asked", "answers"), ASKING)
async def test_what_fails_after_the_answer_does_not_give_it_again(twin, monkeypatch, caplog, asked, answers):
    connection = await warm(twin)
    before = await twin.give(connection, asked)
    assert before.count(b"the answer") == answers
    monkeypatch.setattr(twin.lane._records, "more", broken)
    for standing in [one for table in twin.lane.register._by_key.values() for one in table]:
        assert isinstance(standing, Standing)
        standing.touch = broken
    got = await twin.give(connection, asked)
    assert got.count(b"the answer") == answers
    assert not got.endswith(b"(closed)")
    assert "what was not thought of" in caplog.text


class Overhearing(MemoryStore):
    """A store that takes in what others have told when it is asked for its epoch, which stays as it is."""

    told: bytes | None = None

    @property
    def epoch(self):
        key, self.told = self.told, None
        if key is not None:
            for entry in self.at_hand(key):
                self._drop(entry)
        return 0

    @epoch.setter
    def epoch(self, _):
        """Set by the memory tier for itself."""


@pytest.mark.parametrize("asked", [ASKED, ASKED + ASKED, WIDER % (1, 99)])
async def test_a_licence_that_ends_while_news_are_taken_in_answers_nothing(clock, asked):
    """Its content is gone by then: a head without content would leave the client waiting."""
    store = Overhearing(1 << 20, 1 << 18)
    twin = Twin(answering, clock, lane=True, store=store)
    try:
        connection = await warm(twin)
        for key in (b"GET http://a.example/a", b"GET http://a.example/b?x=1&utm=0"):
            assert store.at_hand(key)
            store.told = key
            got = await twin.give(connection, asked)
            assert got.count(b"the answer") == asked.count(b"GET")
    finally:
        await twin.close()
