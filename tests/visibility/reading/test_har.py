"""HARs of several browsers, whole and broken off."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from math import isnan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.visibility.observation import Part
from proxy.visibility.reading.harscan import Scanner
from tests.visibility.reading.conftest import Read

TEXT = '{"name": "René"}'

CHROME: dict[str, Any] = {
    "_connectionId": "142",
    "_fromCache": "disk",
    "_initiator": {"type": "script"},
    "_priority": "High",
    "_resourceType": "fetch",
    "cache": {},
    "connection": "443",
    "pageref": "page_1",
    "request": {
        "method": "GET",
        "url": "https://api.example.org/me?access_token=SECRET-TOKEN#part",
        "httpVersion": "http/2.0",
        "headers": [
            {"name": ":authority", "value": "api.example.org"},
            {"name": ":method", "value": "GET"},
            {"name": "accept", "value": "application/json"},
            {"name": "cookie", "value": "sid=SECRET-COOKIE; theme=dark"},
        ],
        "queryString": [{"name": "access_token", "value": "SECRET-TOKEN"}],
        "cookies": [{"name": "sid", "value": "SECRET-COOKIE", "path": "/"}],
        "headersSize": -1,
        "bodySize": 0,
    },
    "response": {
        "status": 200,
        "statusText": "",
        "httpVersion": "http/2.0",
        "headers": [
            {"name": "content-type", "value": "application/json"},
            {"name": "set-cookie", "value": "a=SECRET-A; Path=/\nb=SECRET-B"},
        ],
        "cookies": [],
        "content": {"size": 17, "mimeType": "application/json", "text": TEXT},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
        "_transferSize": 0,
        "_error": None,
    },
    "serverIPAddress": "[2001:db8::7]",
    "startedDateTime": "2026-11-23T07:17:28.123Z",
    "time": 12.5,
    "timings": {"blocked": -1, "dns": -1, "connect": -1, "send": 0, "wait": 12, "receive": 0.5, "ssl": -1},
}
FIREFOX: dict[str, Any] = {
    "startedDateTime": "2026-11-23T08:17:29.000+01:00",
    "request": {
        "bodySize": 9,
        "method": "POST",
        "url": "http://127.0.0.1:8080/login",
        "httpVersion": "HTTP/1.1",
        "headers": [{"name": "Host", "value": "127.0.0.1:8080"}],
        "cookies": [{"name": "sid", "value": "SECRET-COOKIE"}],
        "queryString": [],
        "headersSize": 380,
        "postData": {"mimeType": "application/x-www-form-urlencoded", "params": [], "text": "user=anna"},
    },
    "response": {
        "status": 302,
        "statusText": "Found",
        "httpVersion": "HTTP/1.1",
        "headers": [{"name": "X-Cache", "value": "MISS from cache.example"}],
        "cookies": [],
        "content": {"mimeType": "text/plain", "size": 0, "text": ""},
        "redirectURL": "/",
        "headersSize": 120,
        "bodySize": 0,
    },
    "cache": {},
    "timings": {"blocked": 0, "dns": 0, "connect": 0, "ssl": 0, "send": 0, "wait": 3, "receive": 0},
    "time": 3,
    "_securityState": "insecure",
    "serverIPAddress": "127.0.0.1",
    "connection": "8080",
}
SAFARI: dict[str, Any] = {
    "pageref": "page_0",
    "startedDateTime": "2026-11-23T07:17:30.000Z",
    "time": 40.1,
    "request": {
        "method": "GET",
        "url": "https://www.example.org",
        "httpVersion": "h2",
        "headers": [],
        "cookies": [],
    },
    "response": {
        "status": 200,
        "headers": [],
        "content": {"size": 4, "mimeType": "image/png", "text": "iVBORw==", "encoding": "base64"},
        "bodySize": 300,
    },
    "_fetchType": "Network Load",
}
BARE: dict[str, Any] = {
    "startedDateTime": None,
    "time": None,
    "request": {"method": "GET", "url": "http://a.example/x"},
    "response": {"status": 0, "_error": "net::ERR_ABORTED"},
}


def har(*entries: dict[str, Any], indent: int | None = None) -> str:
    log = {"version": "1.2", "creator": {"name": "entries", "version": "[{"}, "pages": [{"id": "}"}]}
    return json.dumps({"log": log | {"entries": list(entries), "comment": '"entries": ['}}, indent=indent)


def test_chrome(read: Read) -> None:
    log = read(har(CHROME))
    assert log.format == "har"
    (found,) = log.observations
    assert found.method == "GET"
    assert (found.scheme, found.authority, found.version) == ("https", "api.example.org", "2.0")
    assert found.target.startswith("/me?access_token=~")
    assert "#" not in found.target
    assert [name for name, _ in found.request_fields] == ["accept", "cookie"]
    assert [value.partition("=")[0] for name, value in found.response_fields if name == "set-cookie"] == [
        "a",
        "b",
    ]
    assert (found.outcome, found.from_cache) == ("hit", True)
    assert (found.response_bytes, found.duration, found.upstream) == (17, 0.0125, "2001:db8::7")
    assert found.content == TEXT.encode()
    assert found.digest == f"sha-256=:{base64.b64encode(sha256(TEXT.encode()).digest()).decode()}:"
    assert "SECRET" not in repr(found)
    assert Part.CONTENT | Part.DIGEST | Part.UPSTREAM | Part.OUTCOME in log.held.parts
    assert Part.CLIENT not in log.held.parts


def test_firefox(read: Read) -> None:
    (found,) = read(har(FIREFOX, indent=2)).observations
    assert found.time == 1795418249.0
    assert (found.request_bytes, found.response_bytes, found.status) == (9, 0, 302)
    assert (found.outcome, found.forward, found.from_cache) == ("forwarded", "miss", False)
    cookie = dict(found.request_fields)["Cookie"]
    assert cookie.startswith("sid=~")


def test_safari(read: Read) -> None:
    (found,) = read(har(SAFARI)).observations
    assert found.target == "/"
    assert found.version == "2.0"
    assert found.content == b"\x89PNG"
    assert found.response_bytes == 300
    assert found.from_cache is None


def test_members_may_be_missing(read: Read) -> None:
    log = read(har(BARE))
    (found,) = log.observations
    assert isnan(found.time)
    assert isnan(found.duration)
    assert (found.status, found.complete, found.response_bytes, found.content) == (0, False, -1, None)
    assert Part.CONTENT not in log.held.parts


def test_what_was_not_kept_whole_has_no_digest(read: Read) -> None:
    content = {"size": 5000, "mimeType": "text/plain", "text": "the beginning"}
    (found,) = read(har({**SAFARI, "response": {"status": 200, "content": content}})).observations
    assert (found.content, found.digest, found.response_bytes) == (b"the beginning", "", 5000)


def test_what_is_not_http_is_left_out(read: Read) -> None:
    log = read(har({**BARE, "request": {"method": "GET", "url": "data:text/plain,x"}}, BARE, indent=1))
    assert len(log.observations) == 1
    assert [fault.why for fault in log.faults] == ["the entry is no request over HTTP"]
    assert log.faults[0].line > 1


@pytest.mark.parametrize("indent", [None, 2])
def test_a_har_that_breaks_off_is_read_as_far_as_it_is_whole(read: Read, indent: int | None) -> None:
    text = har(CHROME, FIREFOX, SAFARI, indent=indent)
    log = read(text[: text.rindex("iVBORw")])
    assert [each.method for each in log.observations] == ["GET", "POST"]
    assert log.left_out == 1
    assert log.faults[0].why == "the HAR breaks off; 2 entries before that were read"
    assert log.faults[0].line == text[: text.rindex("iVBORw")].count("\n") + 1


def test_an_entry_that_is_no_json_is_left_out(read: Read) -> None:
    text = har(FIREFOX, SAFARI).replace('"status": 302', '"status": oops')
    log = read(text)
    assert [each.method for each in log.observations] == ["GET"]
    assert [fault.why for fault in log.faults] == ["the entry is no JSON"]


def test_with_a_byte_order_mark_and_in_utf_16(read: Read) -> None:
    text = har(CHROME, FIREFOX)
    plain = read(text).observations
    assert read(b"\xef\xbb\xbf" + text.encode()).observations == plain
    assert read(text.encode("utf-16")).observations == plain


@given(st.data())
def test_however_it_comes_the_entries_are_the_same(data: st.DataObject) -> None:
    text = har(CHROME, FIREFOX, SAFARI, BARE).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    scanner = Scanner()
    found = [
        entry
        for first, last in zip([0, *cuts], [*cuts, len(text)], strict=True)
        for entry in scanner.feed(text[first:last])
    ]
    assert [json.loads(entry.data) for entry in found] == [CHROME, FIREFOX, SAFARI, BARE]
    assert scanner.ended


def test_an_entry_that_is_too_large_is_left_out_without_being_held() -> None:
    scanner = Scanner(largest=2000)
    large = {**FIREFOX, "comment": "x" * 5000}
    found = [entry for byte in har(FIREFOX, large, SAFARI).encode() for entry in scanner.feed(bytes([byte]))]
    assert [bool(entry.data) for entry in found] == [True, False, True]


@given(st.binary(max_size=400))
def test_any_bytes_after_the_beginning(junk: bytes) -> None:
    scanner = Scanner()
    assert all(entry.line >= 1 for entry in scanner.feed(b'{"log":{"entries":[' + junk))
