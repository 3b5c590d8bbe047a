"""Each finding of our own catalogue: an exchange that shows it, and one much like it that doesn't."""

from __future__ import annotations

import re

import pytest

from proxy.visibility.findings.catalogue import catalogue
from proxy.visibility.findings.finding import Finding, declare
from proxy.visibility.findings.of_message import findings
from proxy.visibility.observation import Held, Observation, Part
from proxy.visibility.redaction import Redaction

REDACTION = Redaction("one key for these tests")
EVERYTHING = Held("pellucid", ~Part(0))
HEX = "31d4d96e407aad42fe6ad8e5f4d3a0b1"
EXPIRED = "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjEwMDAwMDAwMDB9.c2lnbmF0dXJlc2lnbmF0dXJl"
CURRENT = "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjQwMDAwMDAwMDB9.c2lnbmF0dXJlc2lnbmF0dXJl"
PAST = "Max-Age=0"
GOOD = 'Cache-Control: max-age=60 | ETag: "a" | Content-Type: application/json'


def observed(text: str, content: bytes | None = None, sent_bytes: int = 0, received: int = -1) -> Observation:
    """An exchange as `GET /path | Field: value > 200 | Field: value`; it has a Date."""
    asked, _, answered = text.partition(" > ")
    (line, *request), (status, *response) = asked.split(" | "), answered.split(" | ")
    method, _, target = line.partition(" ")

    def lines(given: list[str]) -> tuple[tuple[str, str], ...]:
        pairs = (one.partition(": ") for one in given if one)
        return tuple(REDACTION.line(name.encode(), value.encode())[0] for name, _, value in pairs)

    dated = [] if "undated" in response else ["Date: Tue, 14 Nov 2023 22:13:20 GMT"]
    return Observation(
        time=1_700_000_000.0,
        method=method,
        target=REDACTION.target((target or "/").encode())[0],
        request_fields=lines(request),
        request_bytes=sent_bytes,
        status=int(status),
        response_fields=lines([*dated, *(one for one in response if one != "undated")]),
        response_bytes=len(content) if content is not None else received if received >= 0 else 10,
        content=content,
    )


def of(text: str, content: bytes | None = None, **about: int) -> dict[str, Finding]:
    """What is found, by slug."""
    return {one.slug: one for one in findings(observed(text, content, **about), EVERYTHING)}


CASES: dict[str, tuple[str, str]] = {
    "session-key": (f"GET / | Cookie: sid={HEX} > 200", "GET / | Cookie: lang=de > 200"),
    "session-in-uri": (f"GET /a;jsessionid={HEX} > 200", f"GET /a | Cookie: JSESSIONID={HEX} > 200"),
    "credential-in-uri": (f"GET /?access_token={HEX} > 200", f"GET / | Authorization: Bearer {HEX} > 200"),
    "session-given": (f"GET / > 200 | Set-Cookie: sid={HEX}", "GET / > 200 | Set-Cookie: lang=de"),
    "cookie-given-again": (
        f"GET / | Cookie: sid={HEX} > 200 | Set-Cookie: sid={HEX}",
        f"GET / | Cookie: sid={HEX} > 200 | Set-Cookie: sid={HEX[::-1]}",
    ),
    "cookie-on-cacheable": (
        "GET / > 200 | Set-Cookie: lang=de | Cache-Control: max-age=60",
        "GET / > 200 | Set-Cookie: lang=de | Cache-Control: private, max-age=60",
    ),
    "affinity": ("GET / | Cookie: SERVERID=s1 > 200", "GET / | Cookie: theme=s1 > 200"),
    "of-the-connection": (
        "GET / | Authorization: NTLM TlRM > 200",
        "GET / | Authorization: Basic YTpi > 200",
    ),
    "unsigned-state": ('GET / | Cookie: state={"a":1} > 200', f"GET / | Cookie: state={CURRENT} > 200"),
    "expired-credential": (
        f"GET / | Authorization: Bearer {EXPIRED} > 401", f"GET / | Authorization: Bearer {CURRENT} > 401",
    ),
    "preference-in-cookie": ("GET / | Cookie: lang=de > 200", f"GET / | Cookie: sid={HEX} > 200"),
    "method-unknown": ("FETCH / > 200", "PROPFIND / > 207"),
    "method-overridden": ("POST /a | X-HTTP-Method-Override: DELETE > 204", "DELETE /a > 204"),
    "post-reads": ("POST /products/_search > 200", "POST /products/create-search > 200"),
    "operation-in-content": ("POST /graphql > 200", "GET /graphql > 200"),
    "safe-method-changes": (
        "GET /items/7/delete > 302 | Location: /",
        "POST /items/7/delete > 302 | Location: /",
    ),
    "safe-method-ends-session": (
        f"GET /leave > 200 | Set-Cookie: sid={HEX}; {PAST}",
        f"POST /leave > 200 | Set-Cookie: sid={HEX}; {PAST}",
    ),
    "status-unknown": ("GET / > 299", "GET / > 203"),
    "media-type-missing": ("GET / > 200", "HEAD / > 200"),
    "media-type-generic": (
        "GET / > 200 | Content-Type: application/octet-stream", "GET / > 200 | Content-Type: image/png",
    ),
    "created-without-location": ("POST /a > 201", "POST /a > 201 | Location: /a/1"),
    "redirect-without-location": ("GET / > 302", "GET / > 302 | Location: /a"),
    "login-by-redirect": (
        "GET /cart > 302 | Location: /login?next=/cart",
        "GET /login > 302 | Location: /login/2",
    ),
    "challenge-missing": ("GET / > 401", "GET / > 401 | WWW-Authenticate: Bearer"),
    "allow-missing": ("PUT / > 405", "PUT / > 405 | Allow: GET"),
    "upgrade-missing": ("GET / > 426", "GET / > 426 | Upgrade: h2c"),
    "content-range-missing": ("GET / > 206", "GET / > 206 | Content-Range: bytes 0-1/2"),
    "freshness-missing": ("GET / > 200", "GET / > 200 | Cache-Control: no-cache"),
    "audience-missing": (f"GET / | Cookie: sid={HEX} > 200", "GET / | Cookie: lang=de > 200"),
    "shared-with-session": (
        f"GET / | Cookie: sid={HEX} > 200 | {GOOD}",
        f"GET / | Cookie: sid={HEX} > 200 | {GOOD} | Vary: Cookie",
    ),
    "validator-missing": ("GET / > 200 | Cache-Control: max-age=60", "GET / > 200 | Cache-Control: no-store"),
    "contradicting-directives": (
        "GET / > 200 | Cache-Control: no-store, max-age=60",
        "GET / > 200 | Cache-Control: no-store, max-age=0",
    ),
    "pragma-alone": (
        "GET / > 200 | Pragma: no-cache",
        "GET / > 200 | Pragma: no-cache | Cache-Control: no-cache",
    ),
    "vary-all": ("GET / > 200 | Vary: *", "GET / > 200 | Vary: Accept"),
    "vary-wide": ("GET / > 200 | Vary: User-Agent", "POST / > 200 | Vary: User-Agent"),
    "coding-undeclared": (
        "GET / > 200 | Content-Encoding: gzip",
        "GET / > 200 | Content-Encoding: gzip | Vary: accept-encoding",
    ),
    "language-undeclared": (
        "GET / | Accept-Language: de > 200 | Content-Language: de", "GET / > 200 | Content-Language: de",
    ),
    "origin-undeclared": (
        "GET / > 200 | Access-Control-Allow-Origin: https://a.example",
        "GET / > 200 | Access-Control-Allow-Origin: *",
    ),
    "date-missing": ("GET / > 200 | undated", "GET / > 200"),
}  # fmt: skip
WITH_CONTENT: dict[str, tuple[tuple[str, bytes], tuple[str, bytes]]] = {
    "error-in-success": (
        ("GET / > 200 | Content-Type: application/json", b'{"error": "no such user"}'),
        ("GET / > 404 | Content-Type: application/json", b'{"error": "no such user"}'),
    ),
    "json-ill-formed": (
        ("GET / > 200 | Content-Type: application/json", b"<!DOCTYPE html><title>Error</title>"),
        ("GET / > 200 | Content-Type: application/json", b'{"a": 1}'),
    ),
    "json-undeclared": (
        ("GET / > 200 | Content-Type: text/html", b'{"a": 1}'),
        ("GET / > 200 | Content-Type: text/html", b"<p>{}</p>"),
    ),
}


@pytest.mark.parametrize("slug", sorted(CASES))
def test_each_is_found_where_it_is_and_only_there(slug: str) -> None:
    shown, other = CASES[slug]
    assert slug in of(shown)
    assert slug not in of(other)


@pytest.mark.parametrize("slug", sorted(WITH_CONTENT))
def test_each_is_found_in_content(slug: str) -> None:
    shown, other = WITH_CONTENT[slug]
    assert slug in of(*shown)
    assert slug not in of(*other)
    assert slug not in of(shown[0])


def test_a_page_that_asks_first_changes_nothing() -> None:
    assert "safe-method-changes" not in of("GET /items/7/delete > 200 | Content-Type: text/html")
    assert "safe-method-changes" in of("GET /items/7/delete > 200 | Content-Type: application/json")


def test_content_in_a_get() -> None:
    assert "get-with-content" in of("GET / > 200", sent_bytes=5)
    assert "get-with-content" not in of("GET / > 200")
    assert "get-with-content" not in of("POST / > 200", sent_bytes=5)


def test_every_entry_has_its_case() -> None:
    assert catalogue().keys() == CASES.keys() | WITH_CONTENT.keys() | {"get-with-content", "not-linted"}


@pytest.mark.parametrize("slug", sorted(catalogue()))
def test_every_entry_says_what_to_do_and_where_it_is_written(slug: str) -> None:
    entry = catalogue()[slug]
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", slug)
    assert entry.sentence.endswith(".")
    assert (entry.sentence + entry.advice).isascii()  # a terminal is shown nothing else
    assert entry.advice.endswith(".")
    assert re.fullmatch(r"(RFC \d{4}|Fielding 2000|Fetch) §[0-9.]+", entry.source)


def test_two_entries_cannot_have_one_slug() -> None:
    entry = catalogue()["session-key"]
    with pytest.raises(ValueError, match="declared twice"):
        declare("session-key", entry.severity, entry.part, "", "", "")


def test_a_message_that_says_everything_has_no_findings() -> None:
    good = (
        "GET /products/1 | Accept: */* > 200 | Content-Type: application/json | Vary: Accept"
        ' | Cache-Control: public, max-age=60 | ETag: "a" | Content-Length: 10'
    )
    assert of(good) == {}


def test_evidence_shows_no_credential() -> None:
    found = of(
        f"GET /a;jsessionid={HEX}?token={HEX} | Cookie: sid={HEX} > 200 | Set-Cookie: sid={HEX}; Path=/"
    )
    assert found["session-key"].evidence == "the cookie sid"
    assert found["session-in-uri"].evidence == "jsessionid in the path"
    assert HEX not in repr(found)
    assert "~" not in repr(found)
