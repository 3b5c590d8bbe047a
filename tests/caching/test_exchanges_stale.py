"""Whole exchanges with stale responses and with origin servers that fail (RFC 9111 §4.2.4, RFC 5861)."""

from __future__ import annotations

import pytest

from proxy.caching.decision import Outcome


def store(engine, said="max-age=60", wait=100, **fields):
    engine.responds(content=b"old", Cache_Control=said, **fields)
    engine.send()
    engine.wait(wait)


def test_a_stale_response_when_the_origin_can_not_be_reached(engine):
    store(engine, ETag='"1"')
    engine.fails()
    reply = engine.send()
    assert (reply.status, reply.content, reply["Age"]) == (200, b"old", "100")
    assert reply.decision.outcome is Outcome.STALE
    assert reply["Cache-Status"] == "pellucid;hit;ttl=-40;detail=disconnected"


@pytest.mark.parametrize(
    "said", ["max-age=60, must-revalidate", "max-age=60, proxy-revalidate", "s-maxage=60"]
)
def test_a_gateway_timeout_where_it_must_not_be_served(engine, said):
    store(engine, said, ETag='"1"')
    engine.fails(502)
    reply = engine.send()
    assert (reply.status, reply.decision.outcome, reply["Cache-Status"]) == (504, Outcome.FAILED, None)


def test_the_status_of_the_failure_otherwise(engine):
    engine.fails(503, "too many connections")
    reply = engine.send()
    assert (reply.status, reply.content, reply.decision.outcome) == (503, b"", Outcome.FAILED)
    assert reply.decision.reasons[0].evidence == "too many connections"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_stale_if_error(engine, status):
    store(engine, "max-age=60, stale-if-error=50", ETag='"1"')
    engine.responds(status, b"sorry")
    reply = engine.send()
    assert (reply.status, reply.content, reply["Age"]) == (200, b"old", "100")
    assert reply["Cache-Status"] == f"pellucid;fwd=stale;fwd-status={status};ttl=-40;detail=stale-if-error"
    engine.wait(50)
    reply = engine.send()
    assert (reply.status, reply.content) == (status, b"sorry")
    assert "past-stale-if-error" in reply.slugs


def test_stale_if_error_in_the_request(engine):
    store(engine)
    engine.responds(503)
    assert engine.send().status == 503
    assert engine.send(Cache_Control="stale-if-error=100").content == b"old"


def test_an_error_that_nothing_permits_to_hide(engine):
    store(engine, ETag='"1"')
    engine.responds(503, b"sorry")
    assert engine.send().content == b"sorry"
    engine.responds(501, b"what")
    assert engine.send().content == b"what"


def test_a_client_that_insists_gets_the_error(engine):
    store(engine, "max-age=600, stale-if-error=600", ETag='"1"')
    engine.responds(503, b"sorry")
    assert engine.send(Cache_Control="no-cache").content == b"sorry"


def test_stale_while_revalidate(engine):
    store(engine, "max-age=60, stale-while-revalidate=60", ETag='"1"')
    engine.responds(content=b"new", Cache_Control="max-age=60", ETag='"2"')
    reply = engine.send(Accept="a/b", If_Modified_Since="x", Range="bytes=0-1")
    assert (reply.content, reply.decision.outcome) == (b"ol", Outcome.STALE)
    assert reply["Cache-Status"] == "pellucid;hit;ttl=-40;detail=stale-while-revalidate"
    sent = engine.forwarded[-1]
    assert dict(sent.fields) == {b"Accept": b"a/b", b"If-None-Match": b'"1"'}
    hit = engine.send()
    assert (hit.content, hit.decision.outcome) == (b"new", Outcome.HIT)


def test_stale_while_revalidate_freshens(engine):
    store(engine, "max-age=60, stale-while-revalidate=60", ETag='"1"')
    engine.responds(304, b"", ETag='"1"')
    assert engine.send("HEAD").decision.outcome is Outcome.STALE
    assert engine.forwarded[-1].method == b"GET"
    assert engine.send().decision.outcome is Outcome.HIT


def test_an_error_in_the_background_replaces_nothing(engine):
    store(engine, "max-age=60, stale-while-revalidate=600")
    engine.responds(503, Cache_Control="max-age=60")
    assert engine.send().content == b"old"
    assert engine.send().content == b"old"
    engine.fails()
    assert engine.send().content == b"old"


def test_max_stale(engine):
    store(engine)
    reply = engine.send(Cache_Control="max-stale=50")
    assert (reply.content, reply.decision.outcome) == (b"old", Outcome.STALE)
    assert len(engine.forwarded) == 1


def test_a_head_gets_a_stale_head(engine):
    store(engine)
    engine.fails()
    reply = engine.send("HEAD")
    assert (reply.status, reply.content, reply["Content-Length"]) == (200, b"", "3")


def test_only_if_cached(engine):
    reply = engine.send(Cache_Control="only-if-cached")
    assert (reply.status, reply.decision.outcome, reply["Cache-Status"]) == (504, Outcome.REFUSED, None)
    store(engine, wait=1)
    assert engine.send(Cache_Control="only-if-cached").content == b"old"


def test_waiting_for_another_request(engine):
    engine.responds(content=b"one", Cache_Control="max-age=60")
    engine.concurrent = engine.send
    reply = engine.send()
    assert reply.content == b"one"
    assert reply["Cache-Status"] == "pellucid;fwd=uri-miss;ttl=60;collapsed;detail=nothing-stored"
    assert len(engine.forwarded) == 1


def test_waiting_in_vain(engine):
    engine.responds(content=b"one", Cache_Control="no-store")
    engine.concurrent = engine.send
    reply = engine.send()
    assert ";collapsed=?0;" in reply["Cache-Status"]
    assert len(engine.forwarded) == 2


@pytest.mark.parametrize(
    "fields",
    [{"Cache_Control": "no-cache"}, {"Cache_Control": "max-age=0"}, {"Pragma": "no-cache"}],
)
def test_who_does_not_wait(engine, fields):
    engine.responds()
    engine.concurrent = engine.send
    engine.send(**fields)
    assert engine.concurrent is not None
