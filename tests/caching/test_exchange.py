"""The table of transitions, and the plainest of exchanges; `test_exchanges_*.py` has the others."""

from __future__ import annotations

import re

import pytest

from proxy.caching import exchange as module
from proxy.caching.exchange import STEPS, TRANSITIONS, diagram
from proxy.caching.states import Event, State


def test_a_miss_is_stored_and_then_a_hit(engine):
    engine.responds(Cache_Control="max-age=60", content=b"one")
    first = engine.send()
    assert (first.status, first.content) == (200, b"one")
    assert first["Cache-Status"] == "pellucid;fwd=uri-miss;fwd-status=200;ttl=60;stored;detail=nothing-stored"
    engine.wait(10)
    second = engine.send()
    assert (second.status, second.content, second["Age"]) == (200, b"one", "10")
    assert second["Cache-Status"] == "pellucid;hit;ttl=50;detail=fresh"
    assert len(engine.forwarded) == 1


def test_a_stale_response_is_validated_and_freshened(engine):
    engine.responds(Cache_Control="max-age=60", ETag='"1"', content=b"one")
    engine.send()
    engine.wait(61)
    engine.responds(304, Cache_Control="max-age=60", ETag='"1"', X="new", content=b"")
    reply = engine.send()
    assert (reply.status, reply.content, reply["Age"], reply["X"]) == (200, b"one", "0", "new")
    assert engine.forwarded[-1].fields.get(b"if-none-match") == b'"1"'
    assert reply["Cache-Status"] == "pellucid;fwd=stale;fwd-status=304;ttl=60;detail=stale"
    assert engine.send()["Cache-Status"] == "pellucid;hit;ttl=60;detail=fresh"


def test_every_state_has_a_step_and_can_be_reached_and_left():
    states = set(State)
    assert set(STEPS) == states - {State.ANSWERED}
    assert {state for state, _ in TRANSITIONS} == states - {State.ANSWERED}
    assert set(TRANSITIONS.values()) == states - {State.RECEIVED}
    assert {event for _, event in TRANSITIONS} == set(Event)


def test_the_diagram_shows_every_transition_and_nothing_else():
    lines = diagram().splitlines()
    assert lines[:2] == ["stateDiagram-v2", "    [*] --> Received"]
    assert len(lines) == 2 + len(TRANSITIONS)
    assert "    Validating --> Freshening: 304" in lines
    assert "    Failing --> [*]: done" in lines
    assert all(re.fullmatch(r"    (\w+|\[\*\]) --> (\w+|\[\*\])(: [^:]+)?", line) for line in lines[1:])


FRESH = {"Cache_Control": "max-age=60", "ETag": '"1"'}
PART = {"Cache_Control": "max-age=60", "ETag": '"1"', "Content_Range": "bytes 0-4/10"}
REST = {"Cache_Control": "max-age=60", "ETag": '"1"', "Content_Range": "bytes 5-9/10"}


def stored(engine, stale=False, **fields):
    engine.responds(**(fields or FRESH))
    engine.send()
    if stale:
        engine.wait(100)


def part_held(engine):
    engine.responds(206, b"01234", **PART)
    engine.send(Range="bytes=0-4")


def hit(engine):
    stored(engine)
    engine.send()


def equivalent_hit(engine):
    stored(engine, **FRESH, No_Vary_Search='params=("a")')
    engine.send(target="/?a=1")


def unsafe(engine):
    engine.responds()
    engine.send("POST")


def validated(engine):
    stored(engine, stale=True)
    engine.responds(304, ETag='"1"')
    engine.send()


def replaced(engine):
    stored(engine, stale=True)
    engine.send()


def refused(engine):
    engine.send(Cache_Control="only-if-cached")


def unreached(engine):
    engine.fails()
    engine.send()


def stale_instead_of_an_error(engine):
    stored(engine, stale=True, Cache_Control="max-age=60, stale-if-error=100")
    engine.responds(503)
    engine.send()


def stale_instead_of_a_failed_validation(engine):
    stored(engine, stale=True)
    engine.fails()
    engine.send()


def failed_validation(engine):
    stored(engine, stale=True, Cache_Control="max-age=60, must-revalidate", ETag='"1"')
    engine.fails()
    engine.send()


def precondition_failed_for_no_reason(engine):
    stored(engine, stale=True)
    engine.origin = _answers(engine, (412, {}), (200, {}))
    engine.send()


def foreign_304(engine):
    stored(engine, stale=True)
    engine.origin = _answers(engine, (304, {"ETag": '"2"'}), (200, {}))
    engine.send()


def clients_304(engine):
    engine.responds(304, ETag='"2"')
    engine.send(If_None_Match='"2"')


def clients_304_while_validating(engine):
    stored(engine, stale=True)
    engine.responds(304, ETag='"2"')
    engine.send(If_None_Match='"2"')


def head(engine):
    engine.responds()
    engine.send("HEAD")


def collapsed(engine):
    engine.responds(**FRESH)
    engine.concurrent = engine.send
    engine.send()


def collapsed_validation(engine):
    stored(engine, stale=True)
    engine.responds(**FRESH)
    engine.concurrent = engine.send
    engine.send()


def completed(engine):
    part_held(engine)
    engine.responds(206, b"56789", **REST)
    engine.send()


def replaced_part(engine):
    part_held(engine)
    engine.responds(**FRESH)
    engine.send()


def another_part(engine):
    part_held(engine)
    engine.origin = _answers(engine, (206, PART), (200, FRESH))
    engine.send()


def part_unreached(engine):
    part_held(engine)
    engine.fails()
    engine.send()


def _answers(engine, *given):
    """An origin server that answers so in turn."""
    left = list(given)

    def origin(request):
        status, fields = left.pop(0)
        engine.responds(status, **fields)
        made, engine.origin = engine.origin, origin
        return made(request)

    return origin


EXCHANGES = [
    hit,
    equivalent_hit,
    unsafe,
    validated,
    replaced,
    refused,
    unreached,
    stale_instead_of_an_error,
    stale_instead_of_a_failed_validation,
    failed_validation,
    precondition_failed_for_no_reason,
    foreign_304,
    clients_304,
    clients_304_while_validating,
    head,
    collapsed,
    collapsed_validation,
    completed,
    replaced_part,
    another_part,
    part_unreached,
]


class Recording(dict):
    """The table, noting what is looked up in it."""

    def __init__(self, table):
        super().__init__(table)
        self.taken = set()

    def __getitem__(self, key):
        self.taken.add(key)
        return super().__getitem__(key)


def test_every_transition_is_taken_by_some_exchange(engine, monkeypatch):
    table = Recording(TRANSITIONS)
    monkeypatch.setattr(module, "TRANSITIONS", table)
    for run in EXCHANGES:
        engine.entries.clear()
        engine.origin = None
        run(engine)
    assert table.taken == set(TRANSITIONS)


@pytest.mark.parametrize("run", EXCHANGES, ids=lambda run: run.__name__)
def test_each_of_them_is_answered(engine, run):
    run(engine)
    assert engine.forwarded or run is refused


def test_what_is_stored_is_no_answer_to_an_upgrade(engine):
    """RFC 9110 §7.8: only the origin server can switch to the protocol that the client asks for."""
    engine.responds(Cache_Control="max-age=60")
    engine.send()
    engine.responds(426, b"")
    reply = engine.send(Upgrade="websocket", Connection="upgrade")
    assert (reply.status, reply.slugs) == (426, ["upgrade"])
    assert engine.send().status == 200
