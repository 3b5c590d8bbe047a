"""One user's own cache is bound by fewer rules than a shared one (RFC 9111 §3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.policy import Policy
from proxy.caching.private_cache import as_private, decide_storing_privately
from proxy.caching.reuse import Course, decide
from proxy.caching.stored import StoredResponse
from proxy.caching.storing import Storing, decide_storing
from proxy.message.fields import FieldLine, Fields
from proxy.message.request import Request
from proxy.message.response import Response

AUTHORIZED: FieldLine = (b"Authorization", b"Bearer a")
TAG: FieldLine = (b"ETag", b'"a"')


def said(directives: bytes) -> FieldLine:
    return b"Cache-Control", directives


def storing(
    *lines: FieldLine, status: int = 200, method: bytes = b"GET", asked: Fields | None = None
) -> Storing:
    request = Request(method, b"/", asked or Fields(), authority=b"example.org")
    response = Response(status, Fields(lines))
    return decide_storing_privately(request, response, request_time=0, response_time=0, policy=Policy())


def slugs(found: Storing) -> list[str]:
    return [because.reason.slug for because in found.reasons]


def test_private_is_for_it() -> None:
    found = storing(said(b"private, max-age=60"))
    assert found.allowed
    assert slugs(found) == ["for-one-user", "max-age"]


def test_private_allows_storing_what_no_heuristic_would() -> None:
    assert not storing(TAG, status=302).allowed
    assert storing(said(b"private"), TAG, status=302).allowed


def test_an_authorized_request_is_its_own_users() -> None:
    assert storing(said(b"max-age=60"), asked=Fields([AUTHORIZED])).allowed


def test_a_cookie_is_its_own_users() -> None:
    assert storing((b"Set-Cookie", b"a=b"), TAG).allowed


@pytest.mark.parametrize("directives", [b"no-store", b"no-store, private, max-age=60"])
def test_no_store_binds_every_cache(directives: bytes) -> None:
    assert slugs(storing(said(directives), TAG)) == ["no-store"]


def test_no_store_gives_way_to_must_understand() -> None:
    assert slugs(storing(said(b"no-store, must-understand, max-age=60"))) == ["must-understand", "max-age"]


def test_the_request_may_forbid_it_too() -> None:
    found = storing(said(b"max-age=60"), asked=Fields([said(b"no-store")]))
    assert slugs(found) == ["request-no-store"]


@pytest.mark.parametrize(
    ("method", "status", "slug"),
    [
        (b"POST", 200, "post"),
        (b"PUT", 200, "method"),
        (b"GET", 304, "not-modified"),
        (b"GET", 429, "never-stored-status"),
    ],
)
def test_what_no_cache_stores(method: bytes, status: int, slug: str) -> None:
    assert slug in slugs(storing(said(b"max-age=60"), method=method, status=status))


def test_it_stores_what_a_shared_cache_does_of_head_and_post() -> None:
    assert storing(said(b"max-age=60"), method=b"HEAD").allowed
    assert storing(said(b"max-age=60"), (b"Content-Location", b"/"), method=b"POST").allowed


def test_vary_star_matches_nothing_here_either() -> None:
    assert slugs(storing(said(b"max-age=60"), (b"Vary", b"Accept, *"))) == ["vary-star"]


def test_what_could_never_be_used_again_is_not_stored() -> None:
    assert slugs(storing()) == ["unusable"]
    assert slugs(storing(said(b"max-age=0"))) == ["unusable"]
    assert storing(said(b"max-age=0"), TAG).allowed


def test_s_maxage_is_not_for_it() -> None:
    found = storing(said(b"max-age=60, s-maxage=600"))
    assert found.lifetime.seconds == 60
    assert slugs(found) == ["for-shared-caches", "max-age"]


def test_s_maxage_alone_makes_nothing_cacheable() -> None:
    assert slugs(storing(said(b"s-maxage=600"), TAG, status=302)) == ["not-cacheable"]


def test_a_targeted_field_is_not_for_it() -> None:
    found = storing((b"CDN-Cache-Control", b"no-store"), said(b"max-age=60"))
    assert (found.allowed, found.lifetime.seconds) == (True, 60)
    assert slugs(found) == ["for-other-caches", "max-age"]


def test_the_response_stored_has_a_date() -> None:
    assert storing(said(b"max-age=60")).response.fields.get(b"date") == b"Thu, 01 Jan 1970 00:00:00 GMT"


def reused(*lines: FieldLine, now: float) -> Course:
    request = Request(b"GET", b"/")
    held = StoredResponse(request, storing(*lines).response, 0, 0, 3, complete_length=3)
    return decide(request, [held], now, Policy(targeted=())).course


def test_the_rules_for_reuse_hold_for_what_it_stores() -> None:
    lines = said(b"private, max-age=60, s-maxage=0, proxy-revalidate"), TAG
    assert reused(*lines, now=59) is Course.REUSE
    assert reused(*lines, now=61) is Course.VALIDATE
    assert reused(said(b"no-cache, private"), TAG, now=0) is Course.VALIDATE


def test_what_is_for_shared_caches_does_not_forbid_stale_use() -> None:
    asked = Fields([said(b"max-stale")])
    request = Request(b"GET", b"/", asked)
    for directives, course in (
        (b"proxy-revalidate", Course.REUSE_STALE),
        (b"must-revalidate", Course.FORWARD),
    ):
        held = StoredResponse(
            request, storing(said(b"max-age=60, " + directives)).response, 0, 0, 3, complete_length=3
        )
        assert decide(request, [held], 70, Policy(targeted=())).course is course


def test_what_speaks_to_every_cache_is_read_as_it_stands() -> None:
    response = Response(200, Fields([said(b'private="set-cookie", MAX-AGE="60"'), TAG]))
    assert as_private(response, Policy()) is response


def test_nothing_remains_of_a_field_that_speaks_to_shared_caches_only() -> None:
    response = Response(200, Fields([said(b"s-maxage=60"), TAG]))
    assert as_private(response, Policy()).fields == Fields([TAG])


DIRECTIVES = st.lists(
    st.sampled_from(
        [b"public", b"max-age=60", b"max-age=0", b"no-cache", b"no-store", b"must-revalidate", b"immutable"]
    ),
    max_size=3,
    unique=True,
)


@given(DIRECTIVES, st.sampled_from([200, 302, 404, 429, 503]), st.booleans())
def test_law_a_shared_cache_stores_nothing_that_a_private_one_would_not(
    directives: list[bytes], status: int, tagged: bool
) -> None:
    """Where nothing speaks to one kind of cache only, a private one is the more liberal."""
    response = Response(status, Fields([said(b", ".join(directives)), *([TAG] if tagged else [])]))
    request, times = Request(b"GET", b"/"), {"request_time": 0.0, "response_time": 0.0}
    shared = decide_storing(request, response, **times, policy=Policy())
    alone = decide_storing_privately(request, response, **times, policy=Policy())
    assert alone.allowed >= shared.allowed
