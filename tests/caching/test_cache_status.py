"""The Cache-Status field, by the sections of RFC 9211."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.cache_status import cache_status, with_cache_status
from proxy.caching.decision import Because, Decision, Outcome, Reason
from proxy.caching.policy import Policy
from proxy.message import structured
from proxy.message.fields import Fields


def status(outcome=Outcome.HIT, name="C", **others):
    return cache_status(Decision(outcome, **others), Policy(name=name))


@pytest.mark.parametrize(  # §3
    ("decision", "value"),
    [
        (Decision(Outcome.HIT), b"C;hit"),
        (Decision(Outcome.HIT, ttl=376), b"C;hit;ttl=376"),
        (Decision(Outcome.STALE, ttl=-412), b"C;hit;ttl=-412"),
        (Decision(Outcome.FORWARDED, forward="uri-miss"), b"C;fwd=uri-miss"),
        (Decision(Outcome.VALIDATED, forward="stale", forward_status=304), b"C;fwd=stale;fwd-status=304"),
        (Decision(Outcome.HIT, forward="uri-miss", collapsed=True), b"C;fwd=uri-miss;collapsed"),
        (Decision(Outcome.FORWARDED, forward="uri-miss", collapsed=False), b"C;fwd=uri-miss;collapsed=?0"),
        (Decision(Outcome.FORWARDED, forward="uri-miss", stored=True), b"C;fwd=uri-miss;stored"),
        (Decision(Outcome.FORWARDED, forward="method", stored=False), b"C;fwd=method;stored=?0"),
    ],
)
def test_the_parameters(decision, value):
    assert cache_status(decision, Policy(name="C")) == value


def test_hit_and_fwd_exclude_each_other():
    assert status(Outcome.STALE, forward="stale", forward_status=503) == b"C;fwd=stale;fwd-status=503"
    assert status(Outcome.HIT, stored=True, collapsed=True, forward_status=200) == b"C;hit"


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.FAILED, Outcome.LOCAL])
def test_nothing_on_responses_that_are_made_here(outcome):
    assert status(outcome) is None
    assert with_cache_status(Fields(), Decision(outcome), Policy()) == Fields()


def test_the_main_reason_is_the_detail():
    because = [Because(Reason(slug, "", "")) for slug in ("fresh", "max-age")]
    assert status(reasons=tuple(because)) == b"C;hit;detail=fresh"


def test_the_key_is_shown_on_demand():
    shown = Policy(name="C", key_in_status=True)
    assert cache_status(Decision(Outcome.HIT), Policy(name="C"), b"GET /") == b"C;hit"
    assert cache_status(Decision(Outcome.HIT), shown, b'GET /"\n\xe9%') == b'C;hit;key="GET /\\"%0A%E9%25"'


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("pellucid", b"pellucid"),
        ("cache-3.example.com:80", b"cache-3.example.com:80"),
        ("A B", b'"A B"'),
        ("1", b'"1"'),
    ],
)
def test_the_cache_is_named_by_a_token_or_a_string(name, shown):
    assert status(name=name) == shown + b";hit"


def test_what_nearer_caches_said_is_kept():
    fields = Fields([(b"Cache-Status", b"Origin;hit"), (b"X", b"1")])
    added = with_cache_status(fields, Decision(Outcome.HIT), Policy(name="C"))
    assert list(added) == [*fields, (b"Cache-Status", b"C;hit")]


@given(st.text(max_size=20), st.binary(max_size=30), st.integers(-(10**14), 10**14))
def test_what_is_sent_is_always_a_list(name, key, ttl):
    value = cache_status(Decision(Outcome.HIT, ttl=ttl), Policy(name=name, key_in_status=True), key)
    assert len(structured.parse_list([value])) == 1
