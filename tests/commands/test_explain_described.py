"""The findings and the credentials in an explanation: those that reports on logs have too."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from proxy.caching.policy import Policy
from proxy.commands.explaining.described import observed
from proxy.commands.explaining.explanation import explain
from proxy.commands.explaining.rendering import render
from proxy.commands.explaining.shape import Explanation
from proxy.visibility.findings.of_message import findings
from proxy.visibility.observation import Held, Part
from tests.commands.explained import REDACTION, explained, had
from tests.visibility.sessions.values import erlang, mac, url64

HEX = "31d4d96e407aad42fe6ad8e5f4d3a0b1"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4iLCJleHAiOjQwMDAwMDAwMDB9.c2lnbmF0dXJlc2lnbmF0dXJl"


def text(explanation: Explanation, width: int = 100) -> str:
    file = io.StringIO()
    render(explanation, Console(file=file, width=width, force_terminal=False))
    return file.getvalue()


def test_findings_are_those_of_reports() -> None:
    one = had("Vary: *", "Expires: 0", asked=[f"Cookie: sid={HEX}"])
    told = explained("Vary: *", "Expires: 0", asked=[f"Cookie: sid={HEX}"]).findings
    expected = findings(observed(one, REDACTION), Held("message", ~Part(0)))
    assert [(was.slug, was.sentence, was.evidence) for was in told] == [
        (is_.slug, is_.sentence, is_.evidence) for is_ in expected
    ]
    assert {"vary-all", "session-key", "httplint:BAD_DATE_SYNTAX"} <= {was.slug for was in told}


def test_content_is_looked_at() -> None:
    one = had("Content-Type: application/json", content=17)
    seen = observed(replace(one, beginning=b'{"error": "gone"}'), REDACTION)
    assert "error-in-success" in {found.slug for found in findings(seen, Held("message", ~Part(0)))}


def test_credentials_are_classed() -> None:
    told = explained(
        f"Set-Cookie: session={HEX}; Path=/",
        "Set-Cookie: gone=; Max-Age=0",
        asked=[f"Authorization: Bearer {JWT}", "Cookie: lang=de"],
    ).credentials
    assert [(one.message, one.where, one.name, one.kind) for one in told] == [
        ("request", "authorization", "authorization", "client-held"),
        ("request", "cookie", "lang", "preference"),
        ("response", "cookie", "session", "server-held"),
    ]
    assert (told[0].format, told[0].signed, told[0].keys) == ("jwt", True, ("sub", "exp"))
    assert told[0].expires == "2096-10-02T07:06:40.000000Z"
    assert (told[0].degree, told[0].evidence != ()) == ("certain", True)


def test_what_is_read_out_of_values_is_shown_only_where_asked_for() -> None:
    one = had(
        'Set-Cookie: state={"cart":["P1"]}', asked=[f"Authorization: Bearer {JWT}", f"Cookie: sid={HEX}"]
    )
    shown = explain(one, Policy(), REDACTION, reveal=True)
    assert [told.payload for told in shown.credentials] == [
        '{"sub":"ann","exp":4000000000}', None, '{"cart":["P1"]}',
    ]  # fmt: skip
    assert '\n    {"cart":["P1"]}\n' in text(shown)
    hidden = explain(one, Policy(), REDACTION)
    assert [told.payload for told in hidden.credentials] == [None, None, None]
    assert "P1" not in text(hidden)


def test_both_are_told_as_text() -> None:
    shown = text(explained("Vary: *", f"Set-Cookie: sid={HEX}", asked=["Cookie: lang=de"]))
    assert (
        "Credentials\n  · lang (cookie): preference, certain\n    lang is a known name for a preference"
        in shown
    )
    assert "  · sid (set by the response): server-held, likely\n" in shown
    assert "What the exchange fails to say\n" in shown
    assert (
        "    medium, vary-all, RFC 9110 §12.5.5, vary: *\n    → Name the fields that it varies by.\n" in shown
    )
    assert HEX not in shown


def test_what_weighs_little_is_only_counted() -> None:
    shown = explained(
        "Cache-Control: max-age=60",
        'ETag: "a"',
        "Content-Type: application/octet-stream",
        asked=["Cookie: lang=de"],
    )
    assert [one.severity for one in shown.findings] == ["info", "info"]
    assert "What the exchange fails to say\n  (2 of little weight: see --format json)\n" in text(shown)


def test_where_there_is_nothing_to_tell_nothing_is_told() -> None:
    shown = explained("Cache-Control: max-age=60", 'ETag: "a"', "Content-Type: text/plain")
    assert (shown.findings, shown.credentials) == ((), ())
    assert "Credentials" not in text(shown)
    assert "What the exchange fails to say" not in text(shown)


def test_it_can_be_read_on_a_narrow_screen() -> None:
    shown = text(explained("Vary: *", asked=[f"Cookie: sid={HEX}"]), 40)
    assert max(map(len, shown.splitlines())) <= 40


def test_what_json_has_no_words_for_is_shown_all_the_same() -> None:
    token = f"SFMyNTY.{url64(erlang({('a', 1): 'x'}))}.{url64(mac('x'))}"
    one = had(asked=[f"Authorization: Bearer {token}"])
    (told,) = explain(one, Policy(), REDACTION, reveal=True).credentials
    assert (told.format, told.payload) == ("phoenix-signed", """{"('a', 1)":"x"}""")
