"""One exchange is one line, which says all of it and can be read back."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given, settings

from proxy.caching.decision import Because, Decision, Outcome
from proxy.message.errors import PellucidError
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.visibility.account import Account
from proxy.visibility.record import (
    MalformedRecord,
    Record,
    Redaction,
    decode,
    encode,
    rfc3339,
    to_record,
)
from tests.visibility.exchanges import DIGEST, FRESH, NOW, account, accounts

REDACTION = Redaction(b"a key for the tests only")


def line(**facts: object) -> dict:
    """The line of an exchange as any reader of JSON sees it."""
    return json.loads(encode(to_record(account(**facts), REDACTION)))


def test_a_hit() -> None:
    assert line() == {
        "format": "pellucid/1",
        "id": "0f3a",
        "time": "2023-11-14T22:13:20.123456Z",
        "client": "192.0.2.7:50123",
        "first_byte_seconds": 0.00025,
        "duration_seconds": 0.0005,
        "request": {
            "method": "GET",
            "target": "/items/1?page=2",
            "scheme": "http",
            "authority": "api.example.org",
            "version": "1.1",
            "fields": [["Host", "api.example.org"], ["Accept", "*/*"], ["X-Name", "René"]],
            "content_bytes": 0,
        },
        "raw": None,
        "response": {
            "status": 200,
            "reason": "OK",
            "version": "1.1",
            "fields": [["Content-Type", "application/json"], ["Age", "7"], ["age", "8"]],
            "content_bytes": 1024,
            "digest": DIGEST,
            "complete": True,
        },
        "decision": {
            "outcome": "hit",
            "reasons": [{"slug": "fresh", "section": "RFC 9111 §4.2", "evidence": "max-age=60"}],
            "until": "2023-11-14T22:14:13.123456Z",
            "forward": None,
            "forward_status": None,
            "ttl_seconds": 53,
            "stored": None,
            "collapsed": None,
        },
        "upstream": None,
        "error": None,
    }


def test_a_miss_says_what_upstream_took() -> None:
    told = line(
        decision=Decision(
            Outcome.FORWARDED, (), forward="miss", forward_status=200, stored=True, collapsed=True
        ),
        server="10.0.0.1:8000",
        attempts=2,
        reused=True,
        upstream_first_byte=0.0123456789,
        upstream_status=200,
    )
    assert told["upstream"] == {
        "server": "10.0.0.1:8000",
        "attempts": 2,
        "reused": True,
        "connect_seconds": 0.0,
        "first_byte_seconds": 0.012346,
        "status": 200,
        "tried": [],
        "retry": None,
    }
    assert told["decision"]["forward"] == "miss"
    assert told["decision"]["stored"] is True
    assert told["decision"]["collapsed"] is True


def test_where_there_are_several_servers_it_says_who_was_tried() -> None:
    tried = ("10.0.0.1:80", "10.0.0.2:80")
    told = line(server=tried[1], attempts=2, tried=tried, retry="tried elsewhere: GET is idempotent")
    assert told["upstream"]["tried"] == list(tried)
    assert told["upstream"]["retry"] == "tried elsewhere: GET is idempotent"


def test_what_was_no_request_is_shown_as_it_came() -> None:
    told = line(received=None, raw=b"\x16\x03\x01\xff\x00", response=None, decision=None, error="not HTTP")
    assert told["request"] is None
    assert told["raw"].encode("latin-1") == b"\x16\x03\x01\xff\x00"
    assert (told["response"], told["decision"], told["error"]) == (None, None, "not HTTP")


def test_a_response_that_broke_off() -> None:
    told = line(complete=False, error="the client went", digest="")
    assert told["response"]["complete"] is False
    assert told["response"]["digest"] is None
    assert told["error"] == "the client went"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000000Z"),
        (1.5, "1970-01-01T00:00:01.500000Z"),
        (951_782_400.000001, "2000-02-29T00:00:00.000001Z"),
        (1_700_000_000.9999999, "2023-11-14T22:13:21.000000Z"),
        (-5.0, "1970-01-01T00:00:00.000000Z"),
        (1e300, "9999-12-31T23:59:59.000000Z"),
        (float("inf"), "9999-12-31T23:59:59.000000Z"),
    ],
)
def test_times(seconds: float, text: str) -> None:
    assert rfc3339(seconds) == text


def test_the_start_in_seconds() -> None:
    assert to_record(account(), REDACTION).started == NOW


def test_a_clock_that_was_set_back_makes_no_negative_duration() -> None:
    told = line(duration=-0.5, first_byte=-0.1)
    assert (told["duration_seconds"], told["first_byte_seconds"]) == (0, 0)


def test_field_bytes_can_be_had_back() -> None:
    every = bytes(range(256))
    told = line(received=Request(b"GET", b"/", Fields([(b"X", every)])))
    assert told["request"]["fields"][0][1].encode("latin-1") == every


def test_no_byte_of_the_line_moves_a_cursor_or_ends_a_line_for_anybody() -> None:
    awkward = bytes(range(256))
    evidence = "\u2028\u2029\u0085\x9b31m\x1b[2J\n\r\x7f"
    encoded = encode(
        to_record(
            account(
                received=Request(b"GET", awkward, Fields([(b"X", awkward)])),
                decision=Decision(Outcome.HIT, (Because(FRESH, evidence),)),
                error=evidence,
            ),
            REDACTION,
        )
    )
    assert len(encoded.decode().splitlines()) == 1
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", encoded.decode())
    assert decode(encoded).error == evidence


def test_text_that_is_no_text_is_still_recorded() -> None:
    told = line(error="lone \udcff surrogate")
    assert told["error"] == "lone ? surrogate"


@settings(max_examples=200, deadline=None)
@given(accounts)
@example(account())
def test_law_a_record_comes_back_from_its_line(exchange: Account) -> None:
    record = to_record(exchange, REDACTION)
    encoded = encode(record)
    assert b"\n" not in encoded
    assert decode(encoded) == record
    assert decode(encoded + b"\n") == record
    assert decode(encoded.decode()) == record


@settings(max_examples=100, deadline=None)
@given(accounts)
def test_law_what_is_no_credential_is_all_there(exchange: Account) -> None:
    record = to_record(exchange, REDACTION)
    assert record.id == exchange.id
    assert record.started == pytest.approx(exchange.started, abs=1e-6)
    if exchange.received is not None:
        assert record.request is not None
        given = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in exchange.received.fields
        ]
        assert [name for name, _ in record.request.fields] == [name for name, _ in given]
        if not re.search("[=@%]", str(given)):
            assert list(record.request.fields) == given
    if exchange.response is not None:
        assert record.response is not None
        assert record.response.status == exchange.response.status
        assert record.response.content_bytes == exchange.response_bytes
    if exchange.decision is not None:
        assert record.decision is not None
        assert record.decision.outcome is exchange.decision.outcome
        assert len(record.decision.reasons) == len(exchange.decision.reasons)


def changed(**changes: object) -> bytes:
    return json.dumps(line() | changes).encode()


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"GET / HTTP/1.1", "malformed"),
        (b'{"format":"pellucid/1"', "truncated"),
        (b"[]", "array"),
        (b"{}", "format"),
        (b'{"format":"pellucid/1"}', "id"),
        (b"\xff\xfe", "not a record"),
        (b"[" * 100_000, "not a record"),
        (changed(format="pellucid/2"), "'pellucid/2', not 'pellucid/1'"),
        (changed(time="yesterday"), r"\$.time"),
        (changed(duration_seconds=-1), r"\$.duration_seconds"),
        (changed(response={"status": "200"}), r"\$.response.status"),
        (changed(client=None), r"\$.client"),
    ],
)
def test_what_is_no_record_is_told_with_what_and_where(bad: bytes, what: str) -> None:
    with pytest.raises(MalformedRecord, match=what) as caught:
        decode(bad)
    assert isinstance(caught.value, PellucidError)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_what_a_later_version_adds_is_passed_over() -> None:
    assert decode(changed(weather="fine")) == to_record(account(), REDACTION)


def test_a_record_is_a_value() -> None:
    one, other = to_record(account(), REDACTION), to_record(account(), REDACTION)
    assert isinstance(one, Record)
    assert one == other
    with pytest.raises(AttributeError):
        one.id = "other"  # type: ignore[misc]


def test_a_response_without_a_reason_phrase() -> None:
    assert line(response=Response(204))["response"]["reason"] == ""
