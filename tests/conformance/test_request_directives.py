"""What a client wishes of caches (RFC 9111 §5.2.1, §5.4; RFC 5861 §4)."""

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
    not_reused,
    reply,
    reused,
    stale,
    unchanged,
)


def wish(section: str, value: str, answered: object = None, **named: object) -> Case:
    """A wish that a fresh response of no age satisfies."""
    return reused(section, f"satisfied by what is fresh: {value}", fresh(), Cache_Control=value)


def refuse(section: str, value: str, age: str = "10") -> Case:
    """A wish that a fresh response does not satisfy."""
    return case(
        section,
        f"not satisfied at age {age}: {value}",
        ask(fresh(Age=age)),
        ask(reply(), FORWARDED, Cache_Control=value, seen={"Cache-Control": value}, fwd="request"),
    )


MAX_AGE = [
    wish("RFC 9111 §5.2.1.1", "max-age=3600"),
    wish("RFC 9111 §5.2.1.1", "max-age=5"),
    wish("RFC 9111 §5.2.1.1", 'max-age="5"'),
    wish("RFC 9111 §5.2.1.1", "MAX-AGE=60"),
    wish("RFC 9111 §5.2.1.1", "max-age=99999999999"),
    refuse("RFC 9111 §5.2.1.1", "max-age=0"),
    refuse("RFC 9111 §5.2.1.1", "max-age=5"),
    refuse("RFC 9111 §5.2.1.1", "max-age=5, max-stale"),
    case(
        "RFC 9111 §5.2.1.1",
        "max-age=0 has it validated",
        ask(fresh(Age="10", ETag='"x"')),
        ask(
            unchanged(ETag='"x"'),
            VALIDATED,
            Cache_Control="max-age=0",
            seen={"If-None-Match": '"x"'},
            fwd="request",
        ),
    ),
    case(
        "RFC 9111 §5.2.1.1",
        "max-age greater than the lifetime does not permit stale use",
        ask(stale()),
        ask(unchanged(ETag='"one"'), VALIDATED, Cache_Control="max-age=99999"),
    ),
]

MAX_STALE = [
    wish("RFC 9111 §5.2.1.2", "max-stale"),
    wish("RFC 9111 §5.2.1.2", "max-stale=0"),
    *(
        case(
            "RFC 9111 §5.2.1.2",
            f"stale by 3540 s: {value}",
            ask(stale()),
            ask(Cache_Control=value, age=(3600, 3602)),
        )
        for value in (
            "max-stale",
            "max-stale=3600",
            "max-stale=99999999999",
            'max-stale="3600"',
            "Max-Stale=3600",
        )
    ),
    *(
        case(
            "RFC 9111 §5.2.1.2",
            f"too stale: {value}",
            ask(stale()),
            ask(unchanged(ETag='"one"'), VALIDATED, Cache_Control=value),
        )
        for value in (
            "max-stale=0",
            "max-stale=60",
            "max-stale=x",
            "max-stale=-1",
            "max-stale=",
            "max-stale=99999.5",
        )
    ),
    *(
        case(
            "RFC 9111 §4.2.4",
            f"max-stale does not override {directive}",
            ask(stale(f"max-age=60, {directive}")),
            ask(unchanged(ETag='"one"'), VALIDATED, Cache_Control="max-stale"),
        )
        for directive in ("must-revalidate", "proxy-revalidate", "s-maxage=60", "no-cache")
    ),
]

MIN_FRESH = [
    wish("RFC 9111 §5.2.1.3", "min-fresh=0"),
    wish("RFC 9111 §5.2.1.3", "min-fresh=3000"),
    refuse("RFC 9111 §5.2.1.3", "min-fresh=3595"),
    refuse("RFC 9111 §5.2.1.3", "min-fresh=3600"),
    refuse("RFC 9111 §5.2.1.3", "min-fresh=99999999999"),
    refuse("RFC 9111 §5.2.1.3", "min-fresh=1000", age="3000"),
]

NO_CACHE = [
    refuse("RFC 9111 §5.2.1.4", "no-cache"),
    refuse("RFC 9111 §5.2.1.4", "No-Cache"),
    refuse("RFC 9111 §5.2.1.4", "foo, no-cache"),
    case(
        "RFC 9111 §5.2.1.4",
        "no-cache has it validated by entity tag",
        ask(fresh(ETag='"x"')),
        ask(unchanged(ETag='"x"'), VALIDATED, Cache_Control="no-cache", seen={"If-None-Match": '"x"'}),
    ),
    case(
        "RFC 9111 §5.2.1.4",
        "no-cache has it validated by date",
        ask(fresh(Last_Modified=At(-1000))),
        ask(
            unchanged(),
            VALIDATED,
            Cache_Control="no-cache",
            seen={"If-Modified-Since": lambda v: v.endswith("GMT"), "Cache-Control": "no-cache"},
        ),
    ),
    case(
        "RFC 9111 §5.2.1.4",
        "what no-cache brought is what others get",
        ask(fresh()),
        ask(fresh(), FORWARDED, Cache_Control="no-cache"),
        ask(of=1),
    ),
]

NO_STORE = [
    case(
        "RFC 9111 §5.2.1.5", "no-store in the request", ask(fresh(), Cache_Control="no-store"), ask(reply())
    ),
    reused("RFC 9111 §5.2.1.5", "what is stored may answer no-store", fresh(), Cache_Control="no-store"),
    case(
        "RFC 9111 §5.2.1.5",
        "no-store, and then another request",
        ask(fresh(), Cache_Control="no-store"),
        ask(fresh()),
        ask(of=1),
    ),
]

ONLY_IF_CACHED = [
    wish("RFC 9111 §5.2.1.7", "only-if-cached"),
    case(
        "RFC 9111 §5.2.1.7",
        "nothing stored",
        ask(None, MADE_HERE, status=504, Cache_Control="only-if-cached"),
    ),
    case(
        "RFC 9111 §5.2.1.7",
        "stored but stale",
        ask(stale()),
        ask(None, MADE_HERE, status=504, Cache_Control="only-if-cached"),
    ),
    case(
        "RFC 9111 §5.2.1.7", "stale but wanted", ask(stale()), ask(Cache_Control="only-if-cached, max-stale")
    ),
    case(
        "RFC 9111 §5.2.1.7",
        "stored for other request fields",
        ask(fresh(Vary="Foo"), Foo="1"),
        ask(None, MADE_HERE, status=504, Cache_Control="only-if-cached", Foo="2"),
    ),
    case(
        "RFC 9111 §5.2.1.7",
        "HEAD",
        ask(None, MADE_HERE, method="HEAD", status=504, Cache_Control="only-if-cached", text=b""),
    ),
    case(
        "RFC 9111 §4",
        "unsafe methods go forward all the same",
        ask(reply(), method="POST", Cache_Control="only-if-cached"),
    ),
]

STALE_IF_ERROR = [
    case(
        "RFC 5861 §4",
        "the request's stale-if-error, and a 503",
        ask(stale()),
        ask(reply(None, 503), FELL_BACK, Cache_Control="stale-if-error=3600"),
    ),
    case(
        "RFC 5861 §4",
        "the request's stale-if-error has passed",
        ask(stale()),
        ask(reply(None, 503), Cache_Control="stale-if-error=60"),
    ),
]

PRAGMA = [
    case(
        "RFC 9111 §5.4",
        "Pragma: no-cache without Cache-Control",
        ask(fresh(ETag='"x"')),
        ask(unchanged(ETag='"x"'), VALIDATED, Pragma="no-cache", seen={"Pragma": "no-cache"}),
    ),
    reused("RFC 9111 §5.4", "Pragma: foo", fresh(), Pragma="foo"),
    case(
        "RFC 9111 §5.4",
        "Cache-Control makes Pragma mean nothing",
        ask(fresh()),
        ask(Pragma="no-cache", Cache_Control="max-age=60"),
    ),
]

OTHER = [
    wish("RFC 9111 §5.2.3", "foobar"),
    wish("RFC 9111 §5.2.3", "foobar=1, x="),
    wish("RFC 9111 §5.2.1.6", "no-transform"),
    wish("RFC 9111 §5.2.1", "s-maxage=0"),
    wish("RFC 9111 §5.2.1", "private"),
    wish("RFC 9111 §5.2.1", "must-revalidate"),
    case(
        "RFC 9111 §5.2",
        "directives are passed on",
        ask(fresh(), Cache_Control="max-age=5, foobar=x", seen={"Cache-Control": "max-age=5, foobar=x"}),
    ),
    not_reused(
        "RFC 9111 §5.2.1.1", "an invalid max-age restricts", fresh(Age="10"), Cache_Control="max-age=x"
    ),
    case(
        "RFC 9111 §4.2.4",
        "out of reach, max-age of the request forbids stale use",
        ask(stale()),
        ask(gone(), MADE_HERE, Cache_Control="max-age=60", status=502),
    ),
]

CASES = [
    *MAX_AGE,
    *MAX_STALE,
    *MIN_FRESH,
    *NO_CACHE,
    *NO_STORE,
    *ONLY_IF_CACHED,
    *STALE_IF_ERROR,
    *PRAGMA,
    *OTHER,
]


@pytest.mark.parametrize("one", CASES, ids=str)
def test_request_directives(one: Case, bench: Bench) -> None:
    carry_out(one, bench)
