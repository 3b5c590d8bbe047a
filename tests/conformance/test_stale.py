"""When a stale response may be served, and when it must not be (RFC 9111 §4.2.4, §4.3.3; RFC 5861)."""

from __future__ import annotations

import pytest

from tests.conformance.judge import Bench, carry_out
from tests.conformance.script import (
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
    reply,
    stale,
    unchanged,
)

FORBIDDING = (
    "must-revalidate",
    "proxy-revalidate",
    "s-maxage=60",
    "no-cache",
    "Must-Revalidate",
    "s-maxage=0",
)
ERRORS = (500, 502, 503, 504)
NO_ERRORS = (400, 403, 404, 410, 429, 501, 505)

WAYS = {"nothing": "closes without a word", "reset": "resets the connection"}

OUT_OF_REACH = [
    *(
        case(
            "RFC 9111 §4.2.4",
            f"the origin {what}",
            ask(stale()),
            ask(reply(framing=way), FELL_BACK, age=(3600, 3603)),
            ask(unchanged("max-age=60", ETag='"one"'), VALIDATED),
            ask(updated=True),
        )
        for way, what in WAYS.items()
    ),
    case("RFC 9111 §4.2.4", "nothing is stored", ask(gone(), MADE_HERE, status=502)),
    case(
        "RFC 9111 §4.2.4",
        "no Warning is made up (§5.5)",
        ask(stale()),
        ask(gone(), FELL_BACK, has={"Warning": None}),
    ),
    case(
        "RFC 9111 §5.5",
        "a Warning that came is kept",
        ask(fresh(Warning='199 a "b"')),
        ask(has={"Warning": '199 a "b"'}),
    ),
    case(
        "RFC 9211 §2.1",
        "a negative ttl",
        ask(stale()),
        ask(gone(), FELL_BACK, has={"Cache-Status": lambda v: "ttl=-35" in v}),
    ),
    case("RFC 9111 §4.2.4", "HEAD", ask(stale()), ask(gone(), FELL_BACK, method="HEAD", text=b"")),
    case(
        "RFC 9111 §4.2.4",
        "what is stale without any validator",
        ask(reply("max-age=1")),
        ask(gone(), FELL_BACK, wait=1.2),
    ),
    *(
        case(
            "RFC 9111 §5.2.2",
            f"{directive} forbids it, out of reach",
            ask(stale(f"max-age=60, {directive}")),
            ask(gone(), MADE_HERE, status=504),
        )
        for directive in FORBIDDING
    ),
    case(
        "RFC 9111 §5.2.2.2",
        "must-revalidate while still fresh",
        ask(fresh()),
        ask(),
    ),
    case(
        "RFC 9111 §4.2.4",
        "a no-cache of the request forbids it",
        ask(stale()),
        ask(gone(), MADE_HERE, Cache_Control="no-cache", status=502),
    ),
    case(
        "RFC 9111 §4.2.4",
        "fresh, but the client wants it validated, and the origin is out of reach",
        ask(fresh()),
        ask(gone(), MADE_HERE, Cache_Control="no-cache", status=502),
        ask(of=0),
    ),
]

STALE_IF_ERROR = [
    *(
        case(
            "RFC 5861 §4",
            f"{code} in time",
            ask(stale("max-age=60, stale-if-error=86400")),
            ask(reply(None, code), FELL_BACK),
        )
        for code in ERRORS
    ),
    *(
        case(
            "RFC 5861 §4",
            f"{code} is no error that it speaks of",
            ask(stale("max-age=60, stale-if-error=86400")),
            ask(reply(None, code)),
        )
        for code in NO_ERRORS
    ),
    *(
        case(
            "RFC 5861 §4",
            f"{code} too late",
            ask(stale("max-age=60, stale-if-error=60")),
            ask(reply(None, code)),
        )
        for code in ERRORS
    ),
    case(
        "RFC 5861 §4",
        "the origin closes, in time",
        ask(stale("max-age=60, stale-if-error=86400")),
        ask(gone(), FELL_BACK),
    ),
    case(
        "RFC 5861 §4",
        "the origin closes, too late",
        ask(stale("max-age=60, stale-if-error=60")),
        ask(gone(), MADE_HERE, status=502),
    ),
    *(
        case(
            "RFC 9111 §4.2.4",
            f"{directive} forbids stale-if-error",
            ask(stale(f"max-age=60, {directive}, stale-if-error=86400")),
            ask(reply(None, 503)),
        )
        for directive in FORBIDDING
    ),
    case(
        "RFC 9111 §4.3.3",
        "without stale-if-error an error goes to the client",
        ask(stale()),
        ask(reply(None, 503)),
        ask(unchanged("max-age=60", ETag='"one"'), VALIDATED),
    ),
    case(
        "RFC 9111 §4.3.3",
        "an error with no-store does not unmake what is stored",
        ask(stale("max-age=60, stale-if-error=86400")),
        ask(reply("no-store", 503), FELL_BACK),
        ask(unchanged("max-age=60", ETag='"one"'), VALIDATED),
    ),
    case(
        "RFC 5861 §4",
        "without a validator",
        ask(reply("max-age=1, stale-if-error=60")),
        ask(reply(None, 500), FELL_BACK, wait=1.2),
    ),
    *(
        case(
            "RFC 5861 §4",
            f"ill-formed: stale-if-error{value}",
            ask(stale(f"max-age=60, stale-if-error{value}")),
            ask(reply(None, 500)),
        )
        for value in ("", "=", "=x", "=-1", "=86400.5")
    ),
]

AGAIN = unchanged("max-age=60, stale-while-revalidate=86400", ETag='"one"')

STALE_WHILE_REVALIDATE = [
    case(
        "RFC 5861 §3",
        "a stale response at once, and a validation behind it",
        ask(
            stale("max-age=60, stale-while-revalidate=86400"),
        ),
        ask(background=AGAIN, seen={"If-None-Match": '"one"'}, age=(3600, 3602)),
        ask(updated=True, age=(0, 2)),
    ),
    case(
        "RFC 5861 §3",
        "what the validation brings is what comes next",
        ask(stale("max-age=60, stale-while-revalidate=86400")),
        ask(background=fresh()),
        ask(of=1),
    ),
    case(
        "RFC 5861 §3",
        "without a validator",
        ask(reply("max-age=60, stale-while-revalidate=86400", Age="100")),
        ask(background=fresh(), seen={"If-None-Match": None}),
        ask(of=1),
    ),
    case(
        "RFC 5861 §3",
        "an error behind it leaves what is stored",
        ask(stale("max-age=60, stale-while-revalidate=86400")),
        ask(background=reply(None, 500)),
        ask(background=fresh()),
        ask(of=2),
    ),
    case(
        "RFC 5861 §3",
        "the validation is the client's request without its conditions",
        ask(stale("max-age=60, stale-while-revalidate=86400", Vary="Foo"), Foo="1"),
        ask(
            background=AGAIN,
            Foo="1",
            If_None_Match='"two"',
            seen={"Foo": "1", "If-None-Match": '"one"', "If-Modified-Since": None, "Range": None},
        ),
    ),
    case(
        "RFC 5861 §3",
        "not after its time",
        ask(stale("max-age=60, stale-while-revalidate=60")),
        ask(unchanged("max-age=60", ETag='"one"'), VALIDATED),
    ),
    case(
        "RFC 5861 §3",
        "the client gets a 304 of what is stale",
        ask(stale("max-age=60, stale-while-revalidate=86400")),
        ask(background=AGAIN, If_None_Match='"one"', status=304),
    ),
    *(
        case(
            "RFC 9111 §4.2.4",
            f"{directive} forbids stale-while-revalidate",
            ask(stale(f"max-age=60, {directive}, stale-while-revalidate=86400")),
            ask(unchanged("max-age=60", ETag='"one"'), VALIDATED),
        )
        for directive in FORBIDDING
    ),
    *(
        case(
            "RFC 9111 §5.2.1",
            f"the client's {directive} refuses it",
            ask(stale("max-age=60, stale-while-revalidate=86400")),
            ask(unchanged("max-age=60", ETag='"one"'), VALIDATED, Cache_Control=directive),
        )
        for directive in ("no-cache", "max-age=0", "min-fresh=1", "max-stale=60")
    ),
    *(
        case(
            "RFC 5861 §3",
            f"ill-formed: stale-while-revalidate{value}",
            ask(stale(f"max-age=60, stale-while-revalidate{value}")),
            ask(unchanged("max-age=60", ETag='"one"'), VALIDATED),
        )
        for value in ("", "=", "=x", "=-1", "=86400.5")
    ),
    case(
        "RFC 5861 §3",
        "where the lifetime is a heuristic",
        ask(reply("stale-while-revalidate=86400", Last_Modified=At(-1000), Age="500")),
        ask(background=fresh()),
        ask(of=1),
    ),
    case(
        "RFC 9111 §4.3.3",
        "a response that replaces a stale one",
        ask(stale()),
        ask(fresh(), FORWARDED),
        ask(of=1),
    ),
]

CASES = [*OUT_OF_REACH, *STALE_IF_ERROR, *STALE_WHILE_REVALIDATE]


@pytest.mark.parametrize("one", CASES, ids=str)
def test_stale(one: Case, bench: Bench) -> None:
    carry_out(one, bench)
