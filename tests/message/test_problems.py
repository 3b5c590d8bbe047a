"""Problem documents and what `Proxy-Status` says with them."""

from __future__ import annotations

import json

import http_sf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.message.head import HeadLimits, parse_response_head, serialise_response
from proxy.message.problems import problem, proxy_status, reason_phrase

ID = "12345678-1234-8123-8123-123456789012"


def test_a_problem_is_a_whole_response() -> None:
    response, content = problem(
        502, "no answer from 127.0.0.1:9", exchange_id=ID, error_token="connection_refused", now=0.0
    )
    assert (response.status, response.reason) == (502, b"Bad Gateway")
    assert response.fields.get(b"content-type") == b"application/problem+json"
    assert response.fields.get(b"content-length") == str(len(content)).encode()
    assert response.fields.get(b"cache-control") == b"no-store"
    assert response.fields.get(b"date") == b"Thu, 01 Jan 1970 00:00:00 GMT"
    assert response.fields.get(b"proxy-status") == (
        b'pellucid;error=connection_refused;details="no answer from 127.0.0.1:9"'
    )
    assert json.loads(content) == {
        "type": "about:blank",
        "title": "Bad Gateway",
        "status": 502,
        "detail": "no answer from 127.0.0.1:9",
        "instance": f"urn:uuid:{ID}",
    }


def test_without_a_time_or_an_error_type_they_are_left_out() -> None:
    response, _ = problem(504, "", exchange_id=ID, name="edge-1", fields=[(b"Retry-After", b"5")])
    assert b"date" not in response.fields
    assert response.fields.get(b"proxy-status") == b"edge-1"
    assert response.fields.get(b"retry-after") == b"5"


@settings(max_examples=100)
@given(st.text(max_size=400))
def test_whatever_the_detail_it_stays_in_its_place(detail: str) -> None:
    response, content = problem(400, detail, exchange_id=ID, error_token="http_request_error")
    value = response.fields.get(b"proxy-status")
    assert value is not None
    [(name, parameters)] = http_sf.parse(value, tltype="list")
    assert (name, parameters["error"]) == ("pellucid", "http_request_error")
    assert parse_response_head(serialise_response(response), HeadLimits()).fields == response.fields
    assert "\n" not in json.loads(content)["detail"]
    assert len(json.loads(content)["detail"]) <= 300


@pytest.mark.parametrize(
    ("details", "value"),
    [('say "no" \\', b'p;details="say \\"no\\" \\\\"'), ("§7.1 é", b'p;details="section 7.1 ?"')],
)
def test_details_are_a_string_of_structured_fields(details: str, value: bytes) -> None:
    assert proxy_status("p", details=details) == value


def test_a_status_code_without_a_registered_phrase() -> None:
    assert reason_phrase(599) == ""
    assert reason_phrase(431) == "Request Header Fields Too Large"
