"""CDN-Cache-Control, the field that is addressed to this cache (RFC 9213)."""

from __future__ import annotations

import pytest

from tests.conformance.judge import Bench, carry_out
from tests.conformance.script import (
    FELL_BACK,
    MADE_HERE,
    VALIDATED,
    At,
    Case,
    Reply,
    ask,
    case,
    gone,
    not_reused,
    reply,
    reused,
    unchanged,
)

LONG = At(-(10**8))


def targeted(value: str, cache_control: str | None = None, **named: object) -> Reply:
    return reply(cache_control, CDN_Cache_Control=value, **named)  # type: ignore[arg-type]


REUSABLE = {
    "alone": targeted("max-age=3600"),
    "before max-age=0": targeted("max-age=3600", "max-age=0"),
    "before no-store": targeted("max-age=3600", "no-store"),
    "before no-cache": targeted("max-age=3600", "no-cache"),
    "before private": targeted("max-age=3600", "private"),
    "before s-maxage=0": targeted("max-age=3600", "s-maxage=0"),
    "before an invalid max-age": targeted("max-age=3600", "max-age=x"),
    "before a past Expires": targeted("max-age=3600", Expires=At(-100)),
    "before an invalid Expires": targeted("max-age=3600", Expires="0"),
    "longer than max-age": targeted("max-age=3600", "max-age=60", Age="1800"),
    "an unknown directive": targeted("max-age=3600, foobar"),
    "an unknown directive of any type": targeted(
        'max-age=3600, foo=1.5, bar="x", baz=:AA==:, qux=(a b), z=?0'
    ),
    "a parameter": targeted("max-age=3600;foo=bar"),
    "several members of one name: the last counts": targeted("max-age=0, max-age=3600"),
    "the greatest integer": targeted("max-age=999999999999999"),
    "2147483647": targeted("max-age=2147483647"),
    "2147483648": targeted("max-age=2147483648"),
    "99999999999": targeted("max-age=99999999999"),
    "leading zeros": targeted("max-age=003600"),
    "s-maxage": targeted("s-maxage=3600"),
    "s-maxage before max-age": targeted("s-maxage=3600, max-age=0"),
    "no-store that is false": targeted("max-age=3600, no-store=?0"),
    "no-cache for a field": targeted('max-age=3600, no-cache="foo"'),
    "private for a field": targeted('max-age=3600, private="foo"'),
    "public": targeted("public", Last_Modified=LONG),
    "an unknown directive alone, and a heuristic": targeted("none", Last_Modified=LONG),
    "an unknown directive alone in the place of no-store": targeted("none", "no-store", Last_Modified=LONG),
    "the name of the field has no case": reply(lines=[("cdn-CACHE-control", "max-age=3600")]),
    "white space around": targeted("max-age=3600 , foobar"),
    "empty, so Cache-Control holds": targeted("", "max-age=3600"),
    "empty, so Expires holds": targeted("", Expires=At(3600)),
    "ill-formed, so Cache-Control holds": targeted("no-store, &&&", "max-age=3600"),
    "a comma at the end is ill-formed": targeted("no-store,", "max-age=3600"),
    "a comma at the beginning is ill-formed": targeted(",no-store", "max-age=3600"),
    "capital letters are ill-formed": targeted("No-Store", "max-age=3600"),
    "white space before = is ill-formed": targeted("max-age =0", "max-age=3600"),
    "white space after = is ill-formed": targeted("max-age= 0", "max-age=3600"),
    "an open string is ill-formed": targeted('no-store, foo="x', "max-age=3600"),
    "two lines": reply(lines=[("CDN-Cache-Control", "foobar"), ("CDN-Cache-Control", "max-age=3600")]),
    "a field of another target": reply("max-age=3600", Other_Cache_Control="no-store"),
    "Surrogate-Control is of another kind": reply("max-age=3600", Surrogate_Control="no-store"),
}

NOT_REUSABLE = {
    "max-age=0": targeted("max-age=0"),
    "max-age=0 before max-age": targeted("max-age=0", "max-age=3600"),
    "max-age=0 before Expires": targeted("max-age=0", Expires=At(3600)),
    "shorter than max-age": targeted("max-age=60", "max-age=3600", Age="1800"),
    "no-store": targeted("no-store"),
    "no-store before max-age": targeted("no-store", "max-age=3600"),
    "no-store before public": targeted("no-store", "public, max-age=3600"),
    "no-cache before max-age": targeted("no-cache", "max-age=3600"),
    "no-cache makes max-age inoperative": targeted("no-cache, max-age=3600"),
    "no-store makes max-age inoperative": targeted("max-age=3600, no-store"),
    "private before max-age": targeted("private", "max-age=3600"),
    "private and max-age": targeted("private, max-age=3600"),
    "no-store with a parameter": targeted("no-store;foo=bar", "max-age=3600"),
    "an unknown directive alone takes the place of max-age": targeted("none", "max-age=3600"),
    "an unknown directive alone takes the place of Expires": targeted("none", Expires=At(3600)),
    "a string is no duration": targeted('max-age="3600"'),
    "a decimal is no duration": targeted("max-age=3600.0"),
    "a token is no duration": targeted("max-age=abc"),
    "a boolean is no duration": targeted("max-age"),
    "false is no duration": targeted("max-age=?0"),
    "a list is no duration": targeted("max-age=(3600)"),
    "a negative duration": targeted("max-age=-3600"),
    "a string is no duration, also before Cache-Control": targeted('max-age="3600"', "max-age=3600"),
    "ill-formed, so Cache-Control holds": targeted("max-age=3600, &&&", "no-store"),
    "ill-formed, and nothing else": targeted("max-age=3600, &&&"),
    "a comma at the end is ill-formed": targeted("max-age=3600,"),
    "capital letters are ill-formed": targeted("Max-Age=3600"),
    "white space before = is ill-formed": targeted("max-age =3600"),
    "white space after = is ill-formed": targeted("max-age= 3600"),
    "an integer of sixteen digits is ill-formed": targeted("max-age=9999999999999999"),
    "semicolons are no commas": targeted("no-store; max-age=3600", "max-age=3600"),
    "two lines": reply(lines=[("CDN-Cache-Control", "max-age=3600"), ("CDN-Cache-Control", "no-store")]),
    "a field of another target": reply(Other_Cache_Control="max-age=3600"),
    "Surrogate-Control is of another kind": reply(Surrogate_Control="max-age=3600"),
    "Cache-Control is not read beside it": targeted("must-revalidate", "max-age=3600"),
}

S = "RFC 9213 §2"

CASES = [
    *(reused(S, f"reusable: {what}", answered) for what, answered in REUSABLE.items()),
    *(not_reused(S, f"not reusable: {what}", answered) for what, answered in NOT_REUSABLE.items()),
    case(
        "RFC 9213 §3",
        "the field is passed on",
        ask(targeted("max-age=3600", "max-age=60"), has={"CDN-Cache-Control": "max-age=3600"}),
        ask(has={"CDN-Cache-Control": "max-age=3600", "Cache-Control": "max-age=60"}),
    ),
    case(
        "RFC 9213 §2.3",
        "Age tells the truth all the same",
        ask(targeted("max-age=3600", "max-age=60", Age="600")),
        ask(age=(600, 601)),
    ),
    case(
        S,
        "must-revalidate",
        ask(targeted("max-age=60, must-revalidate", "max-age=3600", Age="100", ETag='"x"')),
        ask(gone(), MADE_HERE, status=504),
    ),
    case(
        S,
        "must-revalidate of Cache-Control counts for nothing",
        ask(targeted("max-age=60", "max-age=60, must-revalidate", Age="100", ETag='"x"')),
        ask(gone(), FELL_BACK),
    ),
    case(
        S,
        "stale-while-revalidate",
        ask(targeted("max-age=60, stale-while-revalidate=3600", "no-store", Age="100", ETag='"x"')),
        ask(background=reply("max-age=60")),
    ),
    case(
        S,
        "stale-if-error",
        ask(targeted("max-age=60, stale-if-error=3600", Age="100", ETag='"x"')),
        ask(reply(None, 503), FELL_BACK),
    ),
    case(
        S,
        "a validation updates it",
        ask(targeted("max-age=60", Age="100", ETag='"x"')),
        ask(unchanged(None, CDN_Cache_Control="max-age=3600", ETag='"x"'), VALIDATED),
        ask(updated=True),
    ),
    case(
        S,
        "an authenticated request may be shared",
        ask(targeted("max-age=60, public", "private"), Authorization="Basic eDp5"),
        ask(),
    ),
    case(
        S,
        "a permission in Cache-Control is none where the field speaks",
        ask(targeted("max-age=60", "public"), Authorization="Basic eDp5"),
        ask(reply()),
    ),
    case(
        S,
        "fields that private lists",
        ask(targeted('max-age=60, private="a"', 'private="b"', a="1", b="2")),
        ask(lacks=["a"]),
    ),
]


@pytest.mark.parametrize("one", CASES, ids=str)
def test_targeted(one: Case, bench: Bench) -> None:
    carry_out(one, bench)
