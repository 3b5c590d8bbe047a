"""Whole exchanges that change something, or that the cache has no part in (RFC 9111 §4, §4.4; RFC 9875)."""

from __future__ import annotations

import pytest

from proxy.caching.decision import Outcome
from proxy.caching.effects import Invalidate
from proxy.caching.exchange import exchange
from proxy.caching.policy import Policy
from proxy.message.fields import Fields
from proxy.message.request import Request


def store(engine, *targets, **fields):
    engine.responds(content=b"old", **({"Cache_Control": "max-age=60"} | fields))
    for target in targets or ("/",):
        engine.send(target=target)


def is_stored(engine, target="/", **fields):
    return engine.send(target=target, Cache_Control="only-if-cached", **fields).status != 504


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "M-SEARCH"])
def test_a_change_invalidates_its_target(engine, method):
    store(engine, "/", "/other")
    engine.responds(200, b"done", Cache_Control="max-age=60")
    reply = engine.send(method)
    assert (reply.content, reply.decision.outcome) == (b"done", Outcome.FORWARDED)
    assert reply["Cache-Status"] == ("pellucid;fwd=method;fwd-status=200;stored=?0;detail=written-through")
    assert not is_stored(engine)
    assert is_stored(engine, "/other")


@pytest.mark.parametrize(("status", "kept"), [(204, False), (303, False), (400, True), (500, True)])
def test_only_a_change_that_succeeded_does(engine, status, kept):
    store(engine)
    engine.responds(status, b"")
    engine.send("POST")
    assert is_stored(engine) is kept


def test_every_variant_goes(engine):
    for language in ("en", "de"):
        store(engine, Vary="Accept-Language")
        engine.send(Accept_Language=language)
    engine.responds()
    engine.send("PUT")
    assert engine.entries == []


def test_what_the_response_names_goes_too(engine):
    store(engine, "/a", "/b", "/c")
    engine.responds(201, Location="/b", Content_Location="http://example.org/c")
    engine.send("POST", "/a")
    assert engine.entries == []


def test_a_query_for_the_target_goes_too(engine):
    query = Request(
        b"QUERY", b"/", Fields([(b"Content-Type", b"a/b")]), authority=b"example.org", content_digest=b"1"
    )
    engine.responds(Cache_Control="max-age=60")
    engine.exchange(query)
    assert engine.exchange(query).decision.outcome is Outcome.HIT
    engine.send("POST")
    assert engine.exchange(query).decision.forward == "uri-miss"


def test_groups_go_together(engine):
    store(engine, "/a", "/b", Cache_Groups='"g"')
    store(engine, "/c", Cache_Groups='"h"')
    engine.responds(Cache_Group_Invalidation='"g"')
    engine.send("POST", "/elsewhere")
    assert [held.key for held in engine.entries] == [b"GET http://example.org/c"]


def test_who_shares_a_group_with_the_target_goes_with_it(engine):
    store(engine, "/a", Cache_Groups='"g", "h"')
    store(engine, "/b", Cache_Groups='"h", "i"')
    store(engine, "/c", Cache_Groups='"i"')
    engine.responds()
    engine.send("DELETE", "/a")
    assert [held.key for held in engine.entries] == [b"GET http://example.org/c"]


def test_a_validation_can_add_what_it_is_found_by(engine):
    store(engine, "/p?u=1", ETag='"1"', Content_Type="a/b")
    engine.wait(100)
    engine.responds(304, b"", ETag='"1"', Cache_Groups='"g"', No_Vary_Search='params=("u")')
    assert engine.send(target="/p?u=1").content == b"old"
    assert len(engine.entries) == 1
    found = engine.send(target="/p?u=2")
    assert (found.decision.outcome, found.content, found["Content-Type"]) == (Outcome.HIT, b"old", "a/b")
    engine.responds(204, b"", Cache_Group_Invalidation='"g"')
    engine.send("POST", "/other")
    assert engine.entries == []


def test_a_safe_response_invalidates_no_group(engine):
    store(engine, "/a", Cache_Groups='"g"')
    engine.responds(Cache_Group_Invalidation='"g"')
    engine.send(target="/b")
    engine.send("OPTIONS", "/b")
    assert is_stored(engine, "/a")


def test_no_vary_search_finds_what_is_stored_for_another_query(engine):
    store(engine, "/p?a=1&utm=x", No_Vary_Search='key-order, params=("utm")')
    reply = engine.send(target="/p?utm=y&a=1")
    assert (reply.content, reply.decision.outcome) == (b"old", Outcome.HIT)
    assert engine.send(target="/p?a=2").decision.forward == "uri-miss"


def test_no_vary_search_under_more_than_one_rule(engine):
    store(engine, "/p?a=1&x=1", No_Vary_Search='params=("x")')
    store(engine, "/p?b=1&y=1", No_Vary_Search='params=("y")')
    assert engine.send(target="/p?a=1").decision.outcome is Outcome.HIT
    assert engine.send(target="/p?b=1").decision.outcome is Outcome.HIT
    assert engine.send(target="/p?b=1&x=1").decision.outcome is Outcome.FORWARDED


def test_a_stale_equivalent_is_validated(engine):
    store(engine, "/p?u=1", No_Vary_Search='params=("u")', ETag='"1"')
    engine.wait(100)
    engine.responds(304, ETag='"1"')
    reply = engine.send(target="/p?u=2")
    assert (reply.content, reply.decision.outcome) == (b"old", Outcome.VALIDATED)
    assert engine.send(target="/p").decision.outcome is Outcome.HIT


def test_a_change_invalidates_what_is_equivalent(engine):
    store(engine, "/p?a=1&u=1", No_Vary_Search='params=("u")')
    engine.responds()
    engine.send("POST", "/p?a=1")
    assert engine.entries == []


def test_a_background_validation_is_for_the_target_that_is_stored(engine):
    said = "max-age=60, stale-while-revalidate=60"
    store(engine, "/p?u=1", No_Vary_Search='params=("u")', Cache_Control=said)
    engine.wait(100)
    assert engine.send(target="/p?u=2").decision.outcome is Outcome.STALE
    assert engine.forwarded[-1].target == b"/p?u=1"


def test_passing_the_cache_by(engine):
    store(engine)
    engine.responds(content=b"new", Cache_Control="max-age=60")
    reply = engine.send(bypass=True)
    assert (reply.content, reply.answer.store) == (b"new", None)
    assert reply["Cache-Status"] == "pellucid;fwd=bypass;fwd-status=200;stored=?0;detail=bypassed"
    engine.send("POST", bypass=True)
    assert engine.entries == []


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PROPFIND"])
def test_safe_methods_that_are_not_cached(engine, method):
    store(engine)
    engine.responds(content=b"options", Cache_Control="max-age=60")
    assert engine.send(method).content == b"options"
    assert is_stored(engine)


def test_a_get_with_content_goes_past_the_cache(engine):
    store(engine)
    engine.responds(content=b"poison", Cache_Control="max-age=60")
    reply = engine.send(Content_Length="5")
    assert (reply.content, reply.slugs) == (b"poison", ["content-in-get"])
    assert engine.send().content == b"old"
    assert engine.send(Content_Length="0").content == b"old"


def test_a_query_whose_content_is_not_known(engine):
    engine.responds(Cache_Control="max-age=60")
    assert engine.send("QUERY").slugs == ["query-content"]
    assert engine.entries == []


def test_an_upgrade_is_passed_on_as_it_is(engine):
    engine.responds(101, b"", Upgrade="websocket")
    reply = engine.send()
    assert (reply.status, reply["Upgrade"], engine.entries) == (101, "websocket", [])


@pytest.mark.parametrize("method", [b"POST", b"get", b"BREW", b""])
def test_an_unsafe_request_is_never_answered_before_it_was_forwarded(method):
    rules = exchange(Request(method, b"/"), Policy())
    assert not isinstance(rules.send(None), Invalidate)
    assert "Forward" in type(exchange(Request(method, b"/"), Policy()).send(None)).__name__
