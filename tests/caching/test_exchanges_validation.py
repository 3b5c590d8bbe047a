"""Whole exchanges in which something stored is validated (RFC 9111 §4.3)."""

from __future__ import annotations

import pytest

from proxy.caching.decision import Outcome
from proxy.caching.placing import MOST_VARIANTS
from proxy.message.dates import format_date

NOON = 1_700_000_000
CHANGED = format_date(NOON - 500).decode()
LATER = format_date(NOON - 100).decode()


def last(engine, name):
    value = engine.forwarded[-1].fields.get(name)
    return None if value is None else value.decode()


def store(engine, wait=100, content=b"old", **fields):
    engine.responds(content=content, **({"Cache_Control": "max-age=60", "ETag": '"1"'} | fields))
    engine.send()
    engine.wait(wait)


def test_a_full_response_replaces_what_was_stored(engine):
    store(engine)
    engine.responds(content=b"new", Cache_Control="max-age=60", ETag='"2"')
    reply = engine.send()
    assert (reply.status, reply.content, reply.decision.outcome) == (200, b"new", Outcome.FORWARDED)
    assert reply.decision.stored
    assert [held.content for held in engine.entries] == [b"new"]
    assert engine.send().content == b"new"


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (200, {"Cache_Control": "no-store", "ETag": '"2"'}),
        (200, {"Cache_Control": "private, max-age=60"}),
        (200, {"Cache_Control": "no-store", "ETag": '"1"'}),
        (404, {}),
        (410, {"Cache_Control": "no-store"}),
    ],
)
def test_an_older_word_does_not_outlive_a_newer_one(engine, status, fields):
    """RFC 9111 §4.3.3: a full response says that what is stored isn't suitable, be it stored or not."""
    store(engine, wait=10)
    engine.responds(status, b"new", **fields)
    reply = engine.send(Cache_Control="no-cache")
    assert (reply.content, reply.decision.stored) == (b"new", False)
    assert "outdated" in reply.slugs
    assert engine.send().content == b"new"
    engine.responds(304, b"", ETag='"1"', Cache_Control="max-age=60")
    assert engine.send().content == b"old"
    assert engine.send().decision.outcome is Outcome.HIT


@pytest.mark.parametrize(
    ("status", "fields", "asked"),
    [
        (503, {}, {}),
        (206, {"ETag": '"2"', "Content_Range": "bytes 0-1/*"}, {}),
        (200, {"Cache_Control": "private", "ETag": '"2"'}, {"Authorization": "x"}),
        (200, {"ETag": '"1"', "Cache_Control": "max-age=60"}, {"Cache_Control": "no-cache, no-store"}),
    ],
)
def test_what_says_nothing_of_the_stored_one_leaves_it_as_it_is(engine, status, fields, asked):
    store(engine, wait=10)
    engine.responds(status, b"old", **fields)
    engine.send(**({"Cache_Control": "no-cache"} | asked))
    assert engine.send().decision.outcome is Outcome.HIT


def test_validated_by_date(engine):
    store(engine, ETag="", Last_Modified=CHANGED)
    engine.responds(304, b"", Last_Modified=CHANGED, Cache_Control="max-age=60")
    reply = engine.send()
    assert last(engine, b"if-modified-since") == CHANGED
    assert (reply.status, reply.content, reply.decision.outcome) == (200, b"old", Outcome.VALIDATED)


def test_a_304_without_validators_answers_the_only_question(engine):
    store(engine)
    engine.responds(304, b"", Cache_Control="max-age=60")
    assert engine.send().content == b"old"
    assert engine.send().decision.outcome is Outcome.HIT


def test_a_304_that_nobody_asked_for_is_about_the_only_one_that_is_stored(engine):
    """RFC 9111 §4.3.4: neither has a validator, so it is updated; and reused, as the client has nothing."""
    store(engine, ETag="")
    engine.responds(304, b"", Cache_Control="max-age=60", X="new")
    reply = engine.send()
    assert (reply.status, reply.content, reply["X"]) == (200, b"old", "new")
    assert engine.send().decision.outcome is Outcome.HIT
    engine.wait(100)
    assert engine.send(If_None_Match='"0"').status == 304


def test_the_clients_entity_tag_is_the_stored_one(engine):
    store(engine)
    engine.responds(304, b"", ETag='"1"', Cache_Control="max-age=60")
    reply = engine.send(If_None_Match='"1"')
    assert (reply.status, reply.content) == (304, b"")
    assert last(engine, b"if-none-match") == '"1"'
    assert engine.send().content == b"old"


def test_a_304_for_what_only_the_cache_has_is_a_200_for_the_client(engine):
    store(engine)
    engine.responds(304, b"", ETag='"1"')
    reply = engine.send(If_None_Match='"0"')
    assert last(engine, b"if-none-match") == '"0", "1"'
    assert (reply.status, reply.content) == (200, b"old")


def test_a_304_for_what_only_the_client_has_is_passed_on(engine):
    store(engine)
    engine.responds(304, b"", ETag='"0"')
    reply = engine.send(If_None_Match='"0"')
    assert (reply.status, reply["ETag"], reply.decision.outcome) == (304, '"0"', Outcome.FORWARDED)
    assert "client-condition" in reply.slugs
    assert engine.entries[0].stored.response.fields.get(b"etag") == b'"1"'


def test_a_304_with_a_new_entity_tag_and_the_same_date(engine):
    store(engine, Last_Modified=CHANGED)
    fields = {"ETag": '"2"', "Last_Modified": CHANGED, "Cache_Control": "max-age=60"}
    engine.responds(304, b"", **fields)
    assert (engine.send(If_None_Match='"2"').status, len(engine.entries)) == (304, 1)
    assert engine.entries[0].stored.response.fields.get(b"etag") == b'"1"'
    reply = engine.send()
    assert (reply.content, reply["ETag"], reply.decision.outcome) == (b"old", '"2"', Outcome.VALIDATED)


def test_a_304_that_could_be_about_either_is_asked_about_again(engine):
    store(engine)
    engine.origin = _in_turn(engine, (304, {}), (304, {}))
    assert engine.send(If_None_Match='"0"').status == 304
    assert last(engine, b"if-none-match") == '"0"'
    engine.origin = _in_turn(engine, (304, {}))
    assert engine.send(If_None_Match='"0", "1"').status == 304


def test_the_oldest_variant_makes_room(engine):
    for number in range(MOST_VARIANTS + 2):
        engine.responds(content=b"%d" % number, Vary="X", Cache_Control="max-age=600")
        engine.send(X=str(number))
        engine.wait(1)
    assert len(engine.entries) == MOST_VARIANTS
    assert engine.send(X="2").decision.outcome is Outcome.HIT
    assert engine.send(X="1").decision.forward == "vary-miss"


def test_a_304_that_fits_nobody_is_asked_about_again(engine):
    store(engine)
    answers = iter([(304, '"3"'), (200, '"3"')])

    def origin(request):
        status, tag = next(answers)
        engine.responds(status, b"new", ETag=tag, Cache_Control="max-age=60")
        made, engine.origin = engine.origin, origin
        return made(request)

    engine.origin = origin
    reply = engine.send()
    assert (reply.status, reply.content) == (200, b"new")
    assert last(engine, b"if-none-match") is None
    assert "not-identified" in reply.slugs


def test_the_clients_date_is_evaluated_after_ours(engine):
    store(engine, ETag="", Last_Modified=CHANGED)
    engine.responds(304, b"", Last_Modified=CHANGED)
    assert engine.send(If_Modified_Since=LATER).status == 304
    engine.wait(100)
    assert engine.send(If_Modified_Since=format_date(NOON - 900).decode()).status == 200


def test_a_new_response_that_the_client_has_already(engine):
    store(engine, ETag="", Last_Modified=CHANGED)
    engine.responds(content=b"new", Last_Modified=LATER, Cache_Control="max-age=60")
    reply = engine.send(If_Modified_Since=LATER)
    assert (reply.status, reply.content, reply["Last-Modified"]) == (304, b"", LATER)
    assert engine.send().content == b"new"


def test_a_condition_for_what_is_not_stored_is_the_origins(engine):
    engine.responds(304, b"", ETag='"0"')
    reply = engine.send(If_None_Match='"0"', If_Modified_Since=LATER)
    assert (reply.status, engine.entries) == (304, [])
    assert last(engine, b"if-none-match") == '"0"'
    assert last(engine, b"if-modified-since") == LATER


def test_a_condition_on_what_is_fresh_is_evaluated_here(engine):
    store(engine, wait=0)
    assert engine.send(If_None_Match='W/"1"').status == 304
    assert engine.send(If_None_Match='"0"').status == 200
    assert engine.send(If_Match='"0"').status == 200
    assert len(engine.forwarded) == 1


def test_a_412_that_nobody_asked_for(engine):
    store(engine)
    engine.origin = _in_turn(engine, (412, {}), (200, {"ETag": '"2"'}))
    assert engine.send().status == 200
    engine.wait(100)
    engine.responds(412)
    assert engine.send(If_Match='"0"').status == 412


def _in_turn(engine, *given):
    left = list(given)

    def origin(request):
        status, fields = left.pop(0)
        engine.responds(status, **fields)
        made, engine.origin = engine.origin, origin
        return made(request)

    return origin


def test_variants_are_kept_apart(engine):
    for language in ("en", "de"):
        engine.responds(content=language.encode(), Vary="Accept-Language", Cache_Control="max-age=60")
        engine.send(Accept_Language=language)
    assert engine.send(Accept_Language="en").content == b"en"
    assert engine.send(Accept_Language="de").content == b"de"
    assert len(engine.forwarded) == 2


def test_a_variant_that_the_origin_chooses_by_its_entity_tag(engine):
    fields = {"Vary": "User-Agent", "Cache_Control": "max-age=60", "ETag": '"1"'}
    engine.responds(content=b"one", **fields)
    engine.send(User_Agent="a")
    engine.responds(304, b"", **fields)
    reply = engine.send(User_Agent="b")
    assert last(engine, b"if-none-match") == '"1"'
    assert (reply.status, reply.content) == (200, b"one")
    assert reply["Cache-Status"].startswith("pellucid;fwd=vary-miss;fwd-status=304;ttl=60;stored")
    assert engine.send(User_Agent="b").decision.outcome is Outcome.HIT
    assert engine.send(User_Agent="a").decision.outcome is Outcome.HIT
    assert engine.send(User_Agent="b").content == b"one"


@pytest.mark.parametrize("tag", ['W/"1"', '"1"'])
def test_a_weak_tag_never_brings_one_variant_in_the_place_of_another(engine, tag):
    """RFC 9110 §8.8.1: the compressed and the plain content may share a weak entity tag."""
    varied = {"Vary": "Accept-Encoding", "Cache_Control": "max-age=60"}
    engine.responds(content=b"compressed", ETag='W/"1"', Content_Encoding="gzip", **varied)
    engine.send(Accept_Encoding="gzip")

    def origin(request):
        known = b"if-none-match" in request.fields
        engine.responds(304 if known else 200, b"" if known else b"plain", ETag=tag, **varied)
        made, engine.origin = engine.origin, origin
        return made(request)

    engine.origin = origin
    for own in ({}, {"If_None_Match": '"0"'}):
        reply = engine.send(**own)
        assert (reply.content, reply["Content-Encoding"]) == (b"plain", None)
    assert engine.send(Accept_Encoding="gzip").content == b"compressed"


def test_a_strong_tag_offered_and_a_weak_one_in_the_304_are_not_the_same_variant(engine):
    """RFC 9111 §4.3.4: a 304 without the same strong validator is no word on that stored response."""
    varied = {"Vary": "User-Agent", "Cache_Control": "max-age=60"}
    engine.responds(content=b"one", ETag='"1"', **varied)
    engine.send(User_Agent="a")
    two = (200, {"content": b"two", "ETag": 'W/"1"', **varied})
    engine.origin = _in_turn(engine, (304, {"content": b"", "ETag": 'W/"1"', **varied}), two)
    assert engine.send(User_Agent="b").content == b"two"
    assert len(engine.forwarded) == 3


def test_a_304_can_add_a_vary(engine):
    store(engine)
    engine.responds(304, b"", ETag='"1"', Vary="X", Cache_Control="max-age=60")
    engine.send(X="a")
    assert engine.send(X="a").decision.outcome is Outcome.HIT
    engine.responds(content=b"other", Cache_Control="max-age=60", Vary="X")
    assert engine.send(X="b").content == b"other"
    assert engine.send().content == b"other"


def test_head_updates_what_a_get_brought(engine):
    store(engine)
    engine.responds(ETag='"1"', Cache_Control="max-age=60", X="new")
    reply = engine.send("HEAD")
    assert (reply.status, reply.content) == (200, b"")
    hit = engine.send()
    assert (hit.decision.outcome, hit["X"], hit.content) == (Outcome.HIT, "new", b"old")


def test_head_that_differs_makes_it_need_validation(engine):
    store(engine, wait=1)
    engine.responds(ETag='"2"')
    engine.send("HEAD", Cache_Control="no-cache")
    engine.responds(content=b"new", ETag='"2"')
    reply = engine.send()
    assert (reply.content, reply.slugs[0]) == (b"new", "invalidated")


def test_head_is_answered_from_a_get(engine):
    store(engine, wait=1)
    reply = engine.send("HEAD")
    assert (reply.content, reply["Content-Length"], reply.decision.outcome) == (b"", "3", Outcome.HIT)


@pytest.mark.parametrize("status", [404, 410, 301, 403])
def test_whatever_comes_is_passed_on(engine, status):
    store(engine)
    engine.responds(status, b"gone")
    reply = engine.send()
    assert (reply.status, reply.content, reply.decision.outcome) == (status, b"gone", Outcome.FORWARDED)


def test_what_a_validation_says_to_one_user_reaches_no_other(engine):
    store(engine)
    engine.responds(304, b"", ETag='"1"', Cache_Control="private", Set_Cookie="user=1")
    mine = engine.send(Cookie="user=1")
    assert (mine.content, mine["Set-Cookie"]) == (b"old", "user=1")
    engine.responds(304, b"", ETag='"1"')
    theirs = engine.send()
    assert (theirs.content, theirs["Set-Cookie"]) == (b"old", None)
    assert theirs.slugs[0] == "invalidated"


def test_an_authorized_304_leaves_what_is_stored_as_it_is(engine):
    store(engine)
    engine.responds(304, b"", ETag='"1"', Cache_Control="max-age=60", X="mine")
    assert engine.send(Authorization="Basic eA==")["X"] == "mine"
    engine.responds(304, b"", ETag='"1"', Cache_Control="max-age=60")
    theirs = engine.send()
    assert (theirs["X"], theirs.decision.forward) == (None, "stale")


def test_directives_of_the_request_are_passed_on(engine):
    store(engine, wait=1)
    engine.responds(304, b"", ETag='"1"')
    engine.send(Cache_Control="no-cache, x=y")
    assert last(engine, b"cache-control") == "no-cache, x=y"
