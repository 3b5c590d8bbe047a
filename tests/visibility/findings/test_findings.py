"""Findings as a whole: what a log lacks yields none, what is alike is found once, and nothing raises."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.visibility.findings.content import Content, content_of
from proxy.visibility.findings.finding import Part as Of
from proxy.visibility.findings.finding import Severity
from proxy.visibility.findings.linted import PREFIX
from proxy.visibility.findings.of_message import findings, of_signature
from proxy.visibility.findings.signature import signature
from proxy.visibility.observation import Held, Observation, Part

EVERYTHING = Held("pellucid", ~Part(0))
COMBINED = Held(
    "combined", Part.TIME | Part.CLIENT | Part.RESPONSE_BYTES, frozenset({"user-agent", "referer"})
)
NOON, LATER = "Tue, 14 Nov 2023 12:00:00 GMT", "Tue, 14 Nov 2023 12:30:00 GMT"


def answered(*lines: str, status: int = 200, method: str = "GET", target: str = "/") -> Observation:
    fields = tuple((name, value) for name, _, value in (line.partition(": ") for line in lines))
    return Observation(
        time=1_700_000_000.0,
        method=method,
        target=target,
        status=status,
        response_fields=fields,
        response_bytes=5,
    )


def slugs(observation: Observation, held: Held = EVERYTHING) -> set[str]:
    return {one.slug for one in findings(observation, held)}


def test_what_a_log_does_not_hold_yields_nothing() -> None:
    assert {"freshness-missing", "date-missing", "media-type-missing"} <= slugs(answered())
    assert slugs(answered(), COMBINED) == set()
    assert slugs(answered(method="FETCH", status=299), COMBINED) == {"method-unknown", "status-unknown"}
    with_one_field = Held("nginx", Part.TIME, response_fields=frozenset({"cache-control", "expires"}))
    assert slugs(answered(), with_one_field) == {"freshness-missing"}
    hidden = Held("caddy", ~Part(0), hidden=frozenset({"date"}))
    assert "date-missing" not in slugs(answered(), hidden)


@pytest.mark.parametrize("outcome", ["refused", "failed", "local"])
def test_answers_of_the_proxy_are_not_the_origins(outcome: str) -> None:
    assert findings(msgspec.structs.replace(answered(), outcome=outcome), EVERYTHING) == ()


def test_no_answer_has_no_findings() -> None:
    assert findings(Observation(method="GET"), EVERYTHING) == ()
    assert signature(Observation(status=200), EVERYTHING) is None


def test_what_differs_from_message_to_message_does_not_matter() -> None:
    one = answered(
        f"Date: {NOON}", f"Last-Modified: {NOON}", 'ETag: "a"', "Content-Length: 5", "Age: 3", "X-Id: 1"
    )
    other = answered(f"Date: {LATER}", f"Last-Modified: {LATER}", 'ETag: "b"', "Content-Length: 7", "X-Id: 2")
    weak = answered(f"Date: {LATER}", f"Last-Modified: {LATER}", 'ETag: W/"b"', "Content-Length: 7")
    assert signature(one, EVERYTHING) == signature(other, EVERYTHING)
    assert signature(one, EVERYTHING) != signature(weak, EVERYTHING)
    assert findings(one, EVERYTHING) is findings(other, EVERYTHING)


def test_the_worst_come_first() -> None:
    found = findings(
        answered("Set-Cookie: a=b", "Cache-Control: public, max-age=5", "Vary: Cookie"), EVERYTHING
    )
    order = list(Severity)
    places = [order.index(one.severity) for one in found]
    assert places == sorted(places)
    assert found[0].slug == "cookie-on-cacheable"


class TestHttplint:
    def test_its_ids_and_its_words_are_kept(self) -> None:
        (found,) = (
            one
            for one in findings(
                answered(f"Date: {NOON}", "Expires: 0", "Cache-Control: max-age=5"), EVERYTHING
            )
            if one.slug == f"{PREFIX}BAD_DATE_SYNTAX"
        )
        assert (found.severity, found.part, found.source) == (Severity.MEDIUM, Of.EXPLICIT, "httplint")
        assert found.evidence == "expires: 0"
        assert found.sentence == "The Expires header's value isn't a valid date."
        assert found.advice.startswith("HTTP dates have specific syntax")
        assert "<" not in found.advice

    def test_good_news_and_what_our_own_rules_say_are_left_out(self) -> None:
        found = slugs(
            answered(f"Date: {NOON}", "Cache-Control: max-age=5", 'ETag: "a"', "Content-Type: text/plain")
        )
        assert found == set()

    def test_dates_that_stand_for_others_are_not_shown(self) -> None:
        future = answered(f"Date: {NOON}", f"Last-Modified: {LATER}")
        (found,) = (one for one in findings(future, EVERYTHING) if one.slug == f"{PREFIX}LM_FUTURE")
        assert found.evidence == "last-modified"

    def test_it_may_fail_and_a_report_goes_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            raise RecursionError("too deep")

        monkeypatch.setattr("httplint.HttpResponseLinter.process_headers", fail)
        one = answered("Expires: 0", "Pragma: the first of its kind")
        (found,) = (one for one in findings(one, EVERYTHING) if one.slug == "not-linted")
        assert found.evidence == "RecursionError"

    def test_it_need_not_be_asked(self) -> None:
        one = answered("Expires: 0", "Pragma: no-cache")
        assert {slug for slug in slugs(one) if slug.startswith(PREFIX)}
        assert {found.slug for found in findings(one, EVERYTHING, lint=False)} == {
            slug for slug in slugs(one) if not slug.startswith(PREFIX)
        }

    def test_where_fields_are_missing_it_is_not_asked(self) -> None:
        held = Held("nginx", Part.TIME, response_fields=frozenset({"expires"}))
        assert slugs(answered("Expires: 0"), held) == set()


class TestContent:
    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            (b'{"a": 1}', Content("json", True)),
            (b'{"error": "x"}', Content("json", True, "error")),
            (b'{"errors": []}', Content("json", True)),
            (b'{"error": null, "data": 1}', Content("json", True)),
            (b'{"success": false}', Content("json", True, "success: false")),
            (b'{"status": "error", "message": "secret words"}', Content("json", True, "status: error")),
            (b'{"status": "shipped"}', Content("json", True)),
            (b'{"code": 404, "message": "x"}', Content("json", True, "code: 404")),
            (b'{"code": 404}', Content("json", True)),
            (b"[1, 2]", Content("json", True)),
            (b"{", Content("json", False)),
            (b'{"a": "\xff"}', Content("json", False)),
            (b"[" * 100_000, Content("json")),
            (b" <!doctype HTML>", Content("html", False)),
            (b"plain words", Content("other", False)),
            (b"17", Content("other", True)),
        ],
    )
    def test_what_it_tells(self, data: bytes, expected: Content) -> None:
        observation = Observation(status=200, content=data, response_bytes=len(data))
        assert content_of(observation, EVERYTHING) == expected

    def test_a_beginning_is_not_judged(self) -> None:
        beginning = Observation(status=200, content=b'{"a": [1,', response_bytes=1_000_000)
        assert content_of(beginning, EVERYTHING) == Content("json")
        assert content_of(msgspec.structs.replace(beginning, complete=False), EVERYTHING) is None
        assert content_of(beginning, COMBINED) is None


_NAMES = """
Cache-Control Vary ETag Expires Last-Modified Date Content-Type Set-Cookie Location Content-Range Link Pragma
WWW-Authenticate Content-Length Access-Control-Allow-Origin Content-Encoding Content-Language Allow
Retry-After Strict-Transport-Security No-Vary-Search CDN-Cache-Control X-Anything
"""
NAMES = st.sampled_from(_NAMES.split())
VALUES = st.text(st.characters(max_codepoint=255), max_size=40) | st.sampled_from(
    [
        "max-age=60",
        "private, no-store",
        "*",
        NOON,
        '"a"',
        "W/",
        "a=b; Path=/; Max-Age=x",
        "bytes 0-1/2",
        "text/html;",
    ]
)


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.tuples(NAMES, VALUES), max_size=6),
    st.lists(
        st.tuples(st.sampled_from(["Cookie", "Authorization", "X-HTTP-Method", "Range"]), VALUES), max_size=3
    ),
    st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "\xff", "a b"]),
    st.text(max_size=40),
    st.integers(1, 999),
    st.none() | st.binary(max_size=40),
    st.sampled_from([EVERYTHING, COMBINED]),
)
def test_law_nothing_raises_and_equal_signatures_have_equal_findings(
    response: list[tuple[str, str]],
    request: list[tuple[str, str]],
    method: str,
    target: str,
    status: int,
    content: bytes | None,
    held: Held,
) -> None:
    observation = Observation(
        time=1_700_000_000.0, method=method, target=target, status=status, content=content,
        request_fields=tuple(request), response_fields=tuple(response),
    )  # fmt: skip
    found = findings(observation, held)
    seen = signature(observation, held)
    assert seen is not None
    assert found == of_signature.__wrapped__(seen)
    assert all(one.slug and one.sentence and one.advice and one.source for one in found)
