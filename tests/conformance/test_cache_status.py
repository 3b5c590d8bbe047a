"""What Cache-Status says, exactly (RFC 9211); that it is true is judged in the cases of all modules."""

from __future__ import annotations

import socket

import http_sf
import pytest

from tests.conformance.judge import Bench, carry_out
from tests.conformance.script import (
    DIGITS,
    FELL_BACK,
    FORWARDED,
    MADE_HERE,
    VALIDATED,
    At,
    Case,
    ask,
    case,
    fresh,
    gone,
    part,
    reply,
    stale,
    unchanged,
)
from tests.conformance.wire import Wire


def says(*absent: str, **wanted: object) -> dict[str, object]:
    """The last member has these parameters (`_` for `-`), and lacks those that are `absent`."""

    def right(value: str) -> bool:
        _, parameters = http_sf.parse(value.encode(), tltype="list")[-1]
        found = {name.replace("-", "_"): given for name, given in parameters.items()}
        ttl = wanted.get("ttl")
        close = ttl is None or abs(found.pop("ttl", 10**9) - ttl) <= 2  # type: ignore[operator]
        expected = {name: value for name, value in wanted.items() if name != "ttl"}
        return close and found | expected == found and not any(name in found for name in absent)

    return {"Cache-Status": right}


HIT = says("fwd", "fwd_status", "stored", "collapsed", hit=True, ttl=3600)

CASES = [
    case("RFC 9211 §2.1", "a hit", ask(fresh()), ask(has=HIT)),
    case(
        "RFC 9211 §2.1",
        "a hit with 304",
        ask(fresh(ETag='"x"')),
        ask(has=HIT, If_None_Match='"x"', status=304),
    ),
    case(
        "RFC 9211 §2.1",
        "a hit with 206",
        ask(fresh(body=DIGITS)),
        ask(has=HIT, Range="bytes=2-4", status=206, text=b"234"),
    ),
    case("RFC 9211 §2.1", "a hit with HEAD", ask(fresh()), ask(has=HIT, method="HEAD")),
    case(
        "RFC 9211 §2.2",
        "uri-miss",
        ask(fresh(), has=says("hit", fwd="uri-miss", fwd_status=200, stored=True, ttl=3600)),
    ),
    case(
        "RFC 9211 §2.2",
        "vary-miss",
        ask(fresh(Vary="Foo"), Foo="1"),
        ask(fresh(Vary="Foo"), Foo="2", has=says("hit", fwd="vary-miss", stored=True)),
    ),
    case(
        "RFC 9211 §2.2",
        "stale",
        ask(stale()),
        ask(fresh(), has=says("hit", fwd="stale", fwd_status=200, stored=True, ttl=3600)),
    ),
    case(
        "RFC 9211 §2.2",
        "request",
        ask(fresh()),
        ask(fresh(), Cache_Control="no-cache", has=says("hit", fwd="request", stored=True)),
    ),
    case(
        "RFC 9211 §2.2",
        "partial, for the whole",
        ask(part(2, 4, ETag=""), Range="bytes=2-4"),
        ask(fresh(body=DIGITS), has=says("hit", fwd="partial", fwd_status=200)),
    ),
    case(
        "RFC 9211 §2.2",
        "partial, for another range",
        ask(part(2, 4), Range="bytes=2-4"),
        ask(part(6, 8), Range="bytes=6-8", has=says("hit", fwd="partial", fwd_status=206)),
    ),
    *(
        case(
            "RFC 9211 §2.2",
            f"method: {name}",
            ask(reply(), method=name, has=says("hit", fwd="method", stored=False)),
        )
        for name in ("POST", "PUT", "DELETE", "OPTIONS", "FOO")
    ),
    case("RFC 9211 §2.2", "bypass", ask(reply(), body=b"abc", has=says("hit", fwd="bypass", stored=False))),
    case(
        "RFC 9211 §2.3",
        "the status of a validation",
        ask(stale()),
        ask(
            unchanged("max-age=60", ETag='"one"'),
            VALIDATED,
            has=says("hit", fwd="stale", fwd_status=304, ttl=60),
        ),
    ),
    case(
        "RFC 9211 §2.3",
        "the status of an error that a stale response stands for",
        ask(stale("max-age=60, stale-if-error=99999")),
        ask(reply(None, 503), FELL_BACK, has=says("hit", fwd="stale", fwd_status=503, ttl=-3540)),
    ),
    case(
        "RFC 9211 §2.4",
        "a heuristic lifetime",
        ask(reply(Last_Modified=At(-36000))),
        ask(has=says(hit=True, ttl=3600)),
    ),
    case("RFC 9211 §2.4", "what is left", ask(fresh(Age="600")), ask(has=says(hit=True, ttl=3000))),
    case(
        "RFC 9211 §2.4",
        "none is left",
        ask(stale()),
        ask(gone(), FELL_BACK, has=says("fwd", hit=True, ttl=-3540)),
    ),
    case(
        "RFC 9211 §2.5", "not stored", ask(reply("no-store"), has=says("hit", fwd="uri-miss", stored=False))
    ),
    case(
        "RFC 9211 §2",
        "a hit behind another cache's miss",
        ask(fresh(Cache_Status="Other; fwd=uri-miss; stored")),
        ask(has={"Cache-Status": lambda v: v.startswith("Other; fwd=uri-miss; stored, pellucid;hit")}),
    ),
    case("RFC 9211 §2", "nobody's response", ask(gone(), MADE_HERE, status=502)),
    case(
        "RFC 9211 §2",
        "a 304 of the origin",
        ask(unchanged(ETag='"x"'), FORWARDED, If_None_Match='"x"', has=says(fwd="uri-miss")),
    ),
]


@pytest.mark.parametrize("one", CASES, ids=str)
def test_cache_status(one: Case, bench: Bench) -> None:
    carry_out(one, bench)


def test_an_answer_to_what_is_no_request_has_none(bench: Bench) -> None:
    with socket.create_connection(("127.0.0.1", bench.port)) as connection:
        wire = Wire(connection)
        wire.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        answer = wire.response("GET")
    assert answer.status == 400
    assert answer.head.get("Cache-Status") is None
