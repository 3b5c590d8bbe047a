"""JSON access logs of many programs: what their members are called."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proxy.visibility.observation import Part
from tests.visibility.reading.conftest import Read

TRAEFIK = {
    "ClientAddr": "192.0.2.1:50000",
    "ClientHost": "192.0.2.1",
    "DownstreamContentSize": 42,
    "DownstreamStatus": 200,
    "Duration": 1500000,
    "RequestHost": "www.example.org",
    "RequestMethod": "GET",
    "RequestPath": "/a?b=1",
    "RequestProtocol": "HTTP/1.1",
    "RequestScheme": "https",
    "ServiceAddr": "10.0.0.1:80",
    "StartUTC": "2023-11-14T22:13:20.5Z",
    "request_User-Agent": "x",
    "downstream_Cache-Control": "no-store",
    "level": "info",
    "time": "2023-11-14T22:13:21Z",
}
ECS = {
    "@timestamp": "2023-11-14T22:13:20.500Z",
    "http": {
        "request": {"method": "GET", "referrer": "/"},
        "response": {"status_code": 200, "body": {"bytes": 42}},
        "version": "1.1",
    },
    "url": {"path": "/a", "query": "b=1", "domain": "www.example.org", "scheme": "https"},
    "source": {"ip": "192.0.2.1"},
    "user_agent": {"original": "x"},
}
GENERIC = {
    "ts": 1700000000.5,
    "ip": "192.0.2.1",
    "method": "GET",
    "host": "www.example.org",
    "uri": "/a?b=1",
    "status": "200",
    "latency_ms": 1.5,
    "size": 42,
    "request": {"headers": {"User-Agent": "x"}},
    "proto": "HTTP/1.1",
    "scheme": "https",
}


@pytest.mark.parametrize("entry", [TRAEFIK, ECS, GENERIC], ids=["Traefik", "ECS", "generic"])
def test_members_are_recognized(read: Read, entry: dict[str, Any]) -> None:
    log = read(json.dumps(entry) + "\n")
    (found,) = log.observations
    assert (found.method, found.scheme, found.authority, found.target) == (
        "GET",
        "https",
        "www.example.org",
        "/a?b=1",
    )
    assert (found.status, found.client, found.version, found.response_bytes) == (200, "192.0.2.1", "1.1", 42)
    assert found.time == pytest.approx(1700000000.5, abs=0.01)
    assert dict(found.request_fields)["User-Agent"] == "x"
    assert Part.CLIENT | Part.TIME | Part.AUTHORITY | Part.RESPONSE_BYTES in log.held.parts


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:80", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("-", ""),
    ],
)
def test_a_client_may_have_a_port(read: Read, written: str, address: str) -> None:
    log = read(json.dumps({"remote_addr": written, "request": "GET / HTTP/1.1"}))
    assert log.observations[0].client == address


def test_the_unit_of_a_duration_is_in_its_name(read: Read) -> None:
    names = ["request_time", "duration_ms", "latency_us", "elapsed_ns", "took", "Duration"]
    lines = [json.dumps({"request": "GET / HTTP/1.1", name: 2000}) for name in names]
    assert [each.duration for each in read("\n".join(lines)).observations] == pytest.approx(
        [2000, 2, 0.002, 2e-6, 2000, 2e-6]
    )


def test_members_that_some_lines_lack(read: Read) -> None:
    lines: list[dict[str, Any]] = [
        {"request": "GET / HTTP/1.1", "status": 200, "cookie": "a=SECRET"},
        {"request": "GET / HTTP/1.1", "status": 200},
        {"status": 404, "request": "GET /x HTTP/1.1", "etag": '"1"'},
    ]
    log = read("\n".join(map(json.dumps, lines)))
    assert [each.status for each in log.observations] == [200, 200, 404]
    assert log.held.request_fields == {"cookie"}
    assert log.held.response_fields == {"etag"}
    assert "SECRET" not in repr(log.observations)


def test_json_that_tells_of_no_request_is_left_out(read: Read) -> None:
    log = read('{"level": "info", "msg": "started"}\n{"request": "GET / HTTP/1.1"}\n[1, 2]\n"x"\n')
    assert len(log.observations) == 1
    assert log.left_out == 3


def test_text_beyond_ascii_is_the_bytes_that_were_sent(read: Read) -> None:
    entry = {"request": "GET /é HTTP/1.1", "status": 200}
    as_utf8 = json.dumps(entry, ensure_ascii=False).encode()
    as_latin1 = as_utf8.decode().encode("latin-1")
    assert read(as_utf8).observations[0].target == "/\xc3\xa9"
    assert read(as_latin1).observations[0].target == "/\xc3\xa9"


def test_secrets_in_members_are_hidden(read: Read) -> None:
    entry = {
        "uri": "/a",
        "args": "access_token=SECRET&b=1",
        "authorization": "Bearer SECRET",
        "x_api_key": "SECRET",
    }
    entry |= {"http_x_api_key": "SECRET", "request.headers.X-Api-Key": "SECRET"}
    log = read(json.dumps(entry))
    assert "SECRET" not in repr(log.observations)
    assert log.observations[0].target.startswith("/a?access_token=~")
