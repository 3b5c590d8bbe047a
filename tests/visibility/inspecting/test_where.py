"""Conditions on exchanges: what they mean, and what is said of one that can't be read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.message.errors import PellucidError
from proxy.visibility.inspecting.where import IllFormedCondition, compile_condition
from proxy.visibility.inspecting.where.fields import NAMES
from proxy.visibility.observation import Observation
from tests.visibility.inspecting.traffic import BEGIN, exchange

ONE = exchange(
    "/users/17?page=2&sort=name",
    1.0,
    status=503,
    asked=[("Accept-Language", "de"), ("Cookie", "sid=abc; theme=dark")],
    said=[("Content-Type", "text/html"), ("Vary", "Accept"), ("vary", "Cookie")],
    reasons=("private", "nothing-stored"),
    error="it's broken",
    stored=False,
)


@pytest.mark.parametrize(
    "condition",
    [
        'response.status >= 500 and request.method == "GET"',
        "status == 503",
        "status != 200",
        "status in [500, 503]",
        "status not in [200, 404]",
        "not status < 500",
        "not not status == 503",
        'path == "/users/17"',
        'request.path matches "^/users/[0-9]+$"',
        'target contains "PAGE=2"',
        'query startswith "page" and query endswith "name"',
        'request.parameters.page == "2"',
        'request.parameters["sort"] == "name"',
        'request.fields["Accept-Language"] == "de"',
        "request.fields.accept-language == 'de'",
        "request.fields.accept == null",
        'response.fields.vary == "Accept, Cookie"',
        'request.cookies.theme == "dark"',
        "request.cookies.absent == null",
        'reasons contains "private"',
        '"private" in reasons',
        'reason == "private"',
        'not (reasons contains "fresh")',
        "error",
        'error == "it\'s broken"',
        r'error contains "it\'s"',
        "stored == false and complete",
        "from_cache == false",
        "duration > 0.001 and duration <= 0.5",
        'time >= "2027-01-15T08:00:00Z"',
        'time < "2027-01-16"',
        '"2027-01-15T08:00:00Z" <= time',
        'status == 200 or status == 404 or host == "api.example"',
        '(status == 200 or status == 503) and method in ["GET", "HEAD"]',
        'upstream startswith "192."',
        'outcome == "forwarded"',
        'method < "HEAD"',
        "bytes > -1",
    ],
)
def test_it_holds(condition: str) -> None:
    assert compile_condition(condition)(ONE)
    assert not compile_condition(f"not ({condition})")(ONE)


@pytest.mark.parametrize(
    ("condition", "at", "about"),
    [
        ("", 0, "missing"),
        ("status >", 8, "missing"),
        ("statuss == 500", 0, "did you mean status?"),
        ("response.stat == 500", 0, "response.status"),
        ("(status == 500", 14, ") is missing"),
        ("status == 500)", 13, "operator"),
        ("status == 500 path", 14, "operator"),
        ("status $ 500", 7, "'$'"),
        ('path == "abc', 8, "does not end"),
        ('path matches "("', 13, "regular expression"),
        ("path matches 5", 13, "in quotes"),
        ('time > "yesterday"', 7, "not a time"),
        ("status in [500", 14, ", or ends"),
        ("request.fields.", 15, "name of a field"),
        ('request.fields["a" == 1', 19, "] is missing"),
        ("request.fields == 1", 0, "no record has"),
        ("and", 0, "missing"),
        ("(" * 60, 51, "too many"),
        ("x" * 5_000, 4_096, "more than"),
        ("__class__ == 1", 0, "no record has"),
        ("status == 500; import os", 13, "';'"),
    ],
)
def test_what_is_wrong_is_pointed_at(condition: str, at: int, about: str) -> None:
    with pytest.raises(IllFormedCondition, match=r"at character") as caught:
        compile_condition(condition)
    assert caught.value.at == at
    assert about in caught.value.what


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_an_error(text: str) -> None:
    try:
        condition = compile_condition(text)
    except PellucidError:
        return
    assert condition(ONE) in (True, False)


WORDS = st.sampled_from(
    [
        *NAMES,
        "and",
        "or",
        "not",
        "in",
        "(",
        ")",
        "==",
        "<",
        "contains",
        "matches",
        '"a"',
        "500",
        "[",
        "]",
        "null",
    ]
)


@given(st.lists(WORDS, max_size=12))
@settings(max_examples=200)
def test_any_words_are_a_condition_or_an_error(words: list[str]) -> None:
    try:
        condition = compile_condition(" ".join(words))
    except PellucidError:
        return
    assert condition(ONE) in (True, False)
    assert condition(Observation()) in (True, False)


def test_what_a_log_does_not_hold_is_null() -> None:
    nothing = Observation()
    for name in ("time", "duration", "bytes", "status", "digest", "outcome", "upstream"):
        assert compile_condition(f"{name} == null")(nothing), name
        assert not compile_condition(f"{name} > 0")(nothing), name


def test_a_time_without_a_zone_is_utc() -> None:
    assert compile_condition('time == "2027-01-15T08:00:01"')(ONE) == (ONE.time == BEGIN + 1)


def test_long_chains_are_no_deep_ones() -> None:
    chain = " or ".join(["id"] * 600)
    assert compile_condition(chain)(ONE)
