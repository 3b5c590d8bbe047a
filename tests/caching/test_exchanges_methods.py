"""Whole exchanges whose response answers requests with another method (RFC 9110 §9.3.2, §9.3.3)."""

from __future__ import annotations

import pytest

from proxy.caching.decision import Outcome

OWN = {"Cache_Control": "max-age=60", "Content_Location": "/a"}


def test_a_post_can_bring_what_a_get_would_give(engine):
    engine.responds(content=b"new", **OWN)
    reply = engine.send("POST", "/a", Content_Length="3", Content_Type="a/b")
    assert "post-as-get" in reply.slugs
    assert reply["Cache-Status"].startswith("pellucid;fwd=method;fwd-status=200;ttl=60;stored;")
    for method in ("GET", "HEAD"):
        assert engine.send(method, "/a").decision.outcome is Outcome.HIT
    assert engine.send(target="/a").content == b"new"
    assert engine.send("POST", "/a").decision.outcome is Outcome.FORWARDED


def test_a_post_replaces_what_is_stored_of_its_target(engine):
    engine.responds(content=b"old", Cache_Control="max-age=60")
    engine.send(target="/a")
    engine.responds(content=b"new", **OWN)
    engine.send("POST", "/a")
    assert engine.send(target="/a").content == b"new"
    assert len(engine.entries) == 1


def test_what_a_post_brought_is_chosen_by_vary(engine):
    engine.responds(content=b"new", **OWN, Vary="Accept, Content-Type")
    engine.send("POST", "/a", Accept="a/b")
    assert engine.send(target="/a", Accept="a/b").decision.outcome is Outcome.HIT
    assert engine.send(target="/a", Accept="a/c").decision.outcome is Outcome.FORWARDED


@pytest.mark.parametrize(
    "fields",
    [
        {"Content_Location": "/b"},
        {"Content_Location": "http://example.com/a"},
        {"Content_Location": "/a?b"},
        {"Cache_Control": "public", "Last_Modified": "Sun, 06 Nov 1994 08:49:37 GMT"},
        {"Cache_Control": "max-age=60, no-store"},
        {"Cache_Control": "max-age=60, private"},
        {"Cache_Control": "max-age=0"},
    ],
)
def test_most_responses_to_post_are_not_stored(engine, fields):
    engine.responds(content=b"new", **(OWN | fields))
    assert engine.send("POST", "/a").decision.stored is False
    assert engine.entries == []


@pytest.mark.parametrize(("method", "status"), [("POST", 201), ("POST", 404), ("PUT", 200), ("OPTIONS", 200)])
def test_nor_are_other_statuses_and_methods(engine, method, status):
    engine.responds(status, b"new", **OWN)
    engine.send(method, "/a")
    assert engine.entries == []


def test_a_post_past_the_cache_is_not_stored(engine):
    engine.responds(content=b"new", **OWN)
    engine.send("POST", "/a", bypass=True)
    assert engine.entries == []


def test_a_head_answers_heads_and_nothing_else(engine):
    engine.responds(Cache_Control="max-age=60", Content_Length="5", X="1")
    assert engine.send("HEAD").decision.stored
    reply = engine.send("HEAD")
    assert (reply.decision.outcome, reply["Content-Length"], reply["X"]) == (Outcome.HIT, "5", "1")
    assert engine.send().content == b"hello"
    assert engine.send("HEAD").decision.outcome is Outcome.HIT
    assert [held.stored.request.method for held in engine.entries] == [b"GET"]


def test_a_head_that_tells_no_length_goes_on_to_tell_none(engine):
    engine.responds(Cache_Control="max-age=60")
    engine.send("HEAD")
    assert engine.send("HEAD")["Content-Length"] is None


def test_a_head_comes_in_the_place_of_its_like(engine):
    engine.responds(Cache_Control="max-age=60")
    engine.send("HEAD")
    engine.wait(100)
    assert engine.send("HEAD").decision.forward == "stale"
    assert len(engine.entries) == 1


def test_where_a_get_is_stored_a_head_only_updates_it(engine):
    engine.responds(Cache_Control="max-age=60", ETag='"1"')
    engine.send()
    engine.wait(100)
    reply = engine.send("HEAD")
    assert (reply.decision.stored, "head" in reply.slugs) == (False, True)
    assert [held.stored.request.method for held in engine.entries] == [b"GET"]


@pytest.mark.parametrize(("status", "kept"), [(404, False), (410, False), (403, True), (500, True)])
def test_a_head_that_says_it_is_gone(engine, status, kept):
    engine.responds(Cache_Control="max-age=60")
    engine.send()
    engine.responds(status)
    engine.send("HEAD", Cache_Control="no-cache")
    assert (engine.send().decision.outcome is Outcome.HIT) is kept


def test_a_stored_401_is_not_for_who_has_credentials(engine):
    engine.responds(401, Cache_Control="max-age=60")
    engine.send()
    assert engine.send().decision.outcome is Outcome.HIT
    engine.responds(content=b"mine")
    reply = engine.send(Authorization="Basic eDp5")
    assert (reply.content, reply.decision.forward) == (b"mine", "request")
    assert "other-credentials" in reply.slugs
    engine.fails()
    assert engine.send(Authorization="Basic eDp5").status == 502
    assert engine.send().status == 401
