"""Accounts of exchanges, as examples and as hypothesis strategies."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from proxy.caching.decision import Because, Decision, Outcome, Reason
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.visibility.account import Account

NOW = 1_700_000_000.123456
DIGEST = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
FRESH = Reason("fresh", "RFC 9111 §4.2", "It is fresh.")


def account(**facts: Any) -> Account:
    """A hit as it happens every day; `facts` say what is different."""
    known: dict[str, Any] = {
        "id": "0f3a",
        "started": NOW,
        "client": "192.0.2.7:50123",
        "received": Request(
            b"GET",
            b"/items/1?page=2",
            Fields([(b"Host", b"api.example.org"), (b"Accept", b"*/*"), (b"X-Name", b"Ren\xe9")]),
            authority=b"api.example.org",
        ),
        "response": Response(
            200, Fields([(b"Content-Type", b"application/json"), (b"Age", b"7"), (b"age", b"8")]), b"OK"
        ),
        "response_bytes": 1024,
        "digest": DIGEST,
        "decision": Decision(Outcome.HIT, (Because(FRESH, "max-age=60"),), until=NOW + 53, ttl=53),
        "first_byte": 0.00025,
        "duration": 0.0005,
    }
    return Account(**(known | facts))


durations = st.none() | st.floats(0, 1e6)
names = st.text("abcXYZ-", min_size=1, max_size=8).map(str.encode)
values = st.binary(max_size=20)
fields = st.lists(st.tuples(names, values), max_size=5).map(Fields)
versions = st.sampled_from([(1, 0), (1, 1)])
evidences = st.text(max_size=20)
requests = st.builds(
    Request,
    method=st.sampled_from([b"GET", b"QUERY", b"\xff"]),
    target=st.binary(max_size=30),
    fields=fields,
    version=versions,
    scheme=st.sampled_from([b"http", b"https"]),
    authority=st.binary(max_size=12),
)
responses = st.builds(
    Response, status=st.integers(100, 599), fields=fields, reason=st.binary(max_size=8), version=versions
)
decisions = st.builds(
    Decision,
    outcome=st.sampled_from(Outcome),
    reasons=st.lists(st.builds(Because, st.just(FRESH), evidences), max_size=3).map(tuple),
    until=st.none() | st.floats(allow_nan=False),
    forward=st.none() | st.sampled_from(["miss", "stale"]),
    forward_status=st.none() | st.integers(100, 599),
    ttl=st.none() | st.integers(-(2**40), 2**40),
    stored=st.none() | st.booleans(),
    collapsed=st.none() | st.booleans(),
)
accounts = st.builds(
    Account,
    id=st.text("0123456789abcdef", min_size=1, max_size=12),
    started=st.floats(0, 4e9),
    client=st.sampled_from(["192.0.2.7:50123", "[2001:db8::1]:443"]),
    received=st.none() | requests,
    raw=st.binary(max_size=256),
    request_bytes=st.integers(0, 2**53),
    response=st.none() | responses,
    response_bytes=st.integers(0, 2**53),
    digest=st.sampled_from(["", DIGEST]),
    decision=st.none() | decisions,
    server=st.sampled_from(["", "10.0.0.1:8000"]),
    attempts=st.integers(0, 5),
    reused=st.booleans(),
    connect=st.floats(0, 60),
    upstream_first_byte=durations,
    upstream_status=st.none() | st.integers(100, 599),
    first_byte=durations,
    duration=durations,
    complete=st.booleans(),
    error=evidences,
)
