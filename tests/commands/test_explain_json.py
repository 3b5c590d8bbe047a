"""The explanation as JSON: its form is stable and described, and holds no credential."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs.pages.explain import schema
from proxy.caching.policy import Policy
from proxy.commands.explaining.explanation import explain
from proxy.commands.explaining.shape import FORMAT, Explanation
from proxy.commands.explaining.wanted import perhaps_secret
from proxy.visibility.redaction import Redaction
from tests.commands.explained import explained, had

VALIDATOR = jsonschema.Draft202012Validator(schema(), format_checker=jsonschema.FormatChecker())
SECRET = "31d4d96e407aad42"


def as_json(explanation: Explanation) -> Any:
    return json.loads(msgspec.json.encode(explanation))


def test_the_form_is_that_of_its_name() -> None:
    """What is added needs no other name; what is taken away or renamed does."""
    shown = as_json(explained("Cache-Control: max-age=60", 'ETag: "a"', "Vary: Accept"))
    assert shown["format"] == FORMAT == "pellucid-explanation/1"
    assert set(shown) == {
        "format",
        "uri",
        "time",
        "request",
        "response",
        "storing",
        "freshness",
        "validators",
        "vary",
        "situations",
        "private_cache",
        "suggestions",
        "findings",
        "credentials",
    }
    assert set(shown["storing"]) == {"stored", "verdict", "key", "cache_status", "reasons", "note"}
    assert shown["storing"]["reasons"][0] == {
        "slug": "max-age",
        "section": "RFC 9111 §5.2.2.1",
        "sentence": "max-age says how long the response stays fresh.",
        "evidence": "max-age=60",
    }
    assert shown["freshness"]["lifetime_seconds"] == 60
    assert shown["freshness"]["ttl_seconds"] == 60
    assert shown["vary"]["by"][0]["name"] == "accept"
    assert shown["situations"][0]["name"] == "again"
    assert shown["situations"][0]["cache_status"] == "pellucid;hit;ttl=60;detail=fresh"
    assert shown["situations"][1]["conditions"] == [["If-None-Match", '"a"']]
    assert shown["suggestions"][0]["steps"][0]["field"] == "Cache-Control"


def test_odd_ages_are_told() -> None:
    shown = explained("Cache-Control: max-age=60", "Age: 5, 7")
    assert [reason.slug for reason in shown.freshness.reasons] == ["max-age", "age-several"]
    assert shown.freshness.age_seconds == 5


LINES = st.lists(
    st.sampled_from(
        [
            "Cache-Control: max-age=60",
            "Cache-Control: no-store",
            "Cache-Control: private, no-cache",
            "Cache-Control: s-maxage=60, stale-while-revalidate=5",
            'ETag: W/"a"',
            "Last-Modified: Tue, 14 Nov 2023 21:13:20 GMT",
            "Expires: 0",
            "Vary: *",
            "Vary: Accept, Cookie",
            "Set-Cookie: a=b",
            'No-Vary-Search: params=("a")',
            "Cache-Status: elsewhere; hit",
            "X-\u00e4: \u00e4",
        ]
    ),
    max_size=5,
)


@given(LINES, st.sampled_from([200, 204, 206, 302, 404, 503]), st.booleans())
def test_law_every_explanation_follows_the_schema(lines: list[str], status: int, ended: bool) -> None:
    explanation = explained(*lines, status=status, ended=ended)
    VALIDATOR.validate(as_json(explanation))
    assert msgspec.json.decode(msgspec.json.encode(explanation), type=Explanation) == explanation


def test_another_caches_status_is_not_taken_for_ours() -> None:
    shown = explained("Cache-Control: max-age=60", "Cache-Status: elsewhere; hit")
    assert shown.storing.cache_status is not None
    assert shown.storing.cache_status.startswith("pellucid;")


@pytest.mark.parametrize(
    "asked",
    [
        f"Authorization: Bearer {SECRET}",
        f"Authorization: {SECRET}",
        f"Cookie: sid={SECRET}; theme=dark",
        f"X-Api-Key: {SECRET}",
        f"X-Nobody-Knows: {SECRET}",
        f"Referer: https://example.org/?access_token={SECRET}",
    ],
)
def test_no_credential_is_shown_wherever_it_stands(asked: str) -> None:
    """Not in the request, nor where the server repeats it."""
    exchange = had(
        "Cache-Control: max-age=60",
        "Vary: Authorization, Cookie, X-Api-Key, X-Nobody-Knows, Referer",
        f'ETag: "{SECRET}"',
        f"Location: /?sid={SECRET}",
        f"X-Echo: {SECRET}",
        asked=[asked],
        target=f"/things?token={SECRET}",
    )
    secret = perhaps_secret(exchange.request.fields)
    explanation = explain(exchange, Policy(key_in_status=True), Redaction("", secret))
    assert SECRET not in msgspec.json.encode(explanation).decode()
    assert explanation.request.fields[0][0] == asked.partition(":")[0]


def test_what_a_response_sets_is_not_shown_either() -> None:
    shown = msgspec.json.encode(explained(f"Set-Cookie: sid={SECRET}; Path=/")).decode()
    assert SECRET not in shown
    assert "Path=/" in shown
