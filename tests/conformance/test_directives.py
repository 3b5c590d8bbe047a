"""What response directives forbid and permit (RFC 9111 §5.2.2, RFC 8246)."""

from __future__ import annotations

import pytest

from tests.conformance.judge import Bench, carry_out
from tests.conformance.script import (
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

LONG = At(-(10**8))

NO_STORE = [
    not_reused("RFC 9111 §5.2.2.5", "no-store", reply("no-store")),
    not_reused("RFC 9111 §5.2.2.5", "no-store with a validator", reply("no-store", ETag='"x"')),
    case(
        "RFC 9111 §5.2.2.5",
        "no-store is not validated either",
        ask(reply("no-store, max-age=60", ETag='"x"')),
        ask(reply(), seen={"If-None-Match": None, "If-Modified-Since": None}),
    ),
    case(
        "RFC 9111 §4.3.3",
        "a later no-store has what is stored and fresh validated before it is used again",
        ask(fresh()),
        ask(reply("no-store"), FORWARDED, Cache_Control="no-cache"),
        ask(fresh()),
        ask(of=2),
    ),
    case(
        "RFC 9111 §5.2.2.5",
        "a later no-store goes to the client that asked",
        ask(stale()),
        ask(reply("no-store"), FORWARDED),
        ask(reply("no-store"), FORWARDED),
    ),
    not_reused(
        "RFC 9111 §5.2.2.3", "must-understand alone makes nothing cacheable", reply("must-understand", 201)
    ),
]

NO_CACHE = [
    not_reused("RFC 9111 §5.2.2.4", "no-cache", reply("no-cache, max-age=60")),
    case(
        "RFC 9111 §5.2.2.4",
        "no-cache is validated by entity tag",
        ask(reply("no-cache", ETag='"x"')),
        ask(unchanged("no-cache", ETag='"x"'), VALIDATED, seen={"If-None-Match": '"x"'}, fwd="stale"),
        ask(unchanged("no-cache", ETag='"x"'), VALIDATED),
    ),
    case(
        "RFC 9111 §5.2.2.4",
        "no-cache is validated by date, also where it has an explicit lifetime",
        ask(reply("no-cache, max-age=3600", Last_Modified=LONG)),
        ask(
            unchanged("no-cache, max-age=3600"),
            VALIDATED,
            seen={"If-Modified-Since": lambda v: v.endswith("GMT")},
        ),
    ),
    case(
        "RFC 9111 §5.2.2.4",
        "no-cache has no stale use when the origin is out of reach",
        ask(reply("no-cache", ETag='"x"')),
        ask(gone(), MADE_HERE, status=504),
    ),
    reused("RFC 9111 §5.2.2.4", "no-cache for a field that isn't there", reply('max-age=60, no-cache="foo"')),
    reused("RFC 9111 §5.2.2.4", "no-cache for a field, as a token", reply("max-age=60, no-cache=foo")),
    case(
        "RFC 9111 §5.2.2.4",
        "a field listed in no-cache is not reused",
        ask(reply('max-age=60, no-cache="a"', a="1", b="2"), has={"a": "1"}),
        ask(has={"b": "2"}, lacks=["a"]),
    ),
    case(
        "RFC 9111 §5.2.2.4",
        "no-cache lists several fields, in any case and with any white space",
        ask(reply('max-age=60, no-cache="A ,\tB,,c"', a="1", b="2", c="3", d="4")),
        ask(has={"d": "4"}, lacks=["a", "b", "c"]),
    ),
    case(
        "RFC 9111 §5.2.2.4",
        "the fields of two no-cache directives",
        ask(reply('max-age=60, no-cache="a"', lines=[("Cache-Control", 'no-cache="b"')], a="1", b="2")),
        ask(lacks=["a", "b"]),
    ),
    case(
        "RFC 9111 §5.2.2.4",
        "a field of no-cache comes again with a validation",
        ask(reply('max-age=60, no-cache="a"', a="1", Age="100", ETag='"x"')),
        ask(unchanged('max-age=60, no-cache="a"', a="2", ETag='"x"'), VALIDATED, has={"a": "2"}),
        ask(has={"a": None}, updated=True, lacks=["a"]),
    ),
    not_reused(
        "RFC 9111 §5.2.2.4", "no-cache with and without fields", reply('max-age=60, no-cache="a", no-cache')
    ),
    not_reused(
        "RFC 9111 §5.2.2.4", "no-cache with what is no field name", reply('max-age=60, no-cache="a b"')
    ),
    case(
        "RFC 9111 §5.2.2.4",
        "Set-Cookie listed in no-cache",
        ask(reply('max-age=60, no-cache="set-cookie"', Set_Cookie="a=b"), has={"Set-Cookie": "a=b"}),
        ask(lacks=["Set-Cookie"]),
    ),
]

PRIVATE = [
    not_reused("RFC 9111 §5.2.2.7", "private", reply("private")),
    case(
        "RFC 9111 §5.2.2.7",
        "private is not validated either",
        ask(reply("private, max-age=60", ETag='"x"')),
        ask(reply(), seen={"If-None-Match": None}),
    ),
    not_reused("RFC 9111 §5.2.2.7", "private and public", reply("private, public, max-age=60")),
    not_reused("RFC 9111 §5.2.2.7", "private and s-maxage", reply("private, s-maxage=60")),
    reused("RFC 9111 §5.2.2.7", "private for a field that isn't there", reply('max-age=60, private="foo"')),
    case(
        "RFC 9111 §5.2.2.7",
        "a field listed in private is not stored",
        ask(reply('max-age=60, private="a, B"', A="1", b="2", c="3"), has={"A": "1", "b": "2"}),
        ask(has={"c": "3"}, lacks=["a", "b"]),
    ),
    case(
        "RFC 9111 §5.2.2.7",
        "Set-Cookie listed in private",
        ask(reply('max-age=60, private="Set-Cookie"', Set_Cookie="a=b")),
        ask(lacks=["Set-Cookie"]),
    ),
    not_reused(
        "RFC 9111 §5.2.2.7", "private with and without fields", reply('max-age=60, private="a", private')
    ),
    not_reused(
        "RFC 9111 §5.2.2.7",
        "private for one field and for no field",
        reply('max-age=60, private="a", private=""'),
    ),
]

PUBLIC = [
    reused("RFC 9111 §5.2.2.9", "public with a heuristic lifetime", reply("public", 201, Last_Modified=LONG)),
    not_reused("RFC 9111 §5.2.2.9", "public without any lifetime", reply("public")),
    not_reused(
        "RFC 9111 §5.2.2.9", "public does not outweigh no-store", reply("public, no-store, max-age=60")
    ),
    not_reused(
        "RFC 9111 §5.2.2.9", "public does not outweigh no-cache", reply("public, no-cache, max-age=60")
    ),
]

MUST_REVALIDATE = [
    reused("RFC 9111 §5.2.2.2", "must-revalidate while fresh", reply("max-age=60, must-revalidate")),
    reused("RFC 9111 §5.2.2.8", "proxy-revalidate while fresh", reply("max-age=60, proxy-revalidate")),
    *(
        case(
            "RFC 9111 §5.2.2.2",
            f"{directive} once stale, with a validator",
            ask(stale(f"max-age=60, {directive}")),
            ask(
                unchanged(f"max-age=60, {directive}", ETag='"one"'),
                VALIDATED,
                seen={"If-None-Match": '"one"'},
            ),
            ask(updated=True),
        )
        for directive in ("must-revalidate", "proxy-revalidate", "s-maxage=60")
    ),
]

IMMUTABLE = [
    reused("RFC 8246 §2", "immutable while fresh", reply("max-age=60, immutable")),
    reused(
        "RFC 8246 §2",
        "a reload of what is immutable",
        reply("max-age=60, immutable", Age="5"),
        Cache_Control="max-age=0",
    ),
    case(
        "RFC 8246 §2",
        "no-cache asks for validation all the same",
        ask(reply("max-age=60, immutable", ETag='"x"')),
        ask(unchanged(ETag='"x"'), VALIDATED, Cache_Control="no-cache"),
    ),
    case(
        "RFC 8246 §2",
        "stale is stale",
        ask(stale("max-age=60, immutable")),
        ask(unchanged(ETag='"one"'), VALIDATED),
    ),
    not_reused("RFC 8246 §2", "immutable is no lifetime", reply("immutable")),
    reused("RFC 8246 §2", "immutable with an argument", reply("max-age=60, immutable=1")),
]

SET_COOKIE = [
    case(
        "RFC 9111 §7.3",
        "Set-Cookie does not inhibit caching",
        ask(fresh(Set_Cookie="a=b")),
        ask(has={"Set-Cookie": "a=b"}),
    ),
    case(
        "RFC 9111 §7.3",
        "each Set-Cookie line stays a line of its own",
        ask(fresh(lines=[("Set-Cookie", "a=b"), ("Set-Cookie", "c=d; Path=/")])),
        ask(),
    ),
]

REQUEST_FIELDS = [
    reused("RFC 9111 §4", "Cookie in both requests", fresh(), Cookie="a=b"),
    case("RFC 9111 §4", "another Cookie", ask(fresh(), Cookie="a=b"), ask(Cookie="c=d")),
    case(
        "RFC 9111 §4",
        "other request fields don't matter",
        ask(fresh(), Foo="1"),
        ask(Foo="2", Accept="text/html"),
    ),
]

CASES = [*NO_STORE, *NO_CACHE, *PRIVATE, *PUBLIC, *MUST_REVALIDATE, *IMMUTABLE, *SET_COOKIE, *REQUEST_FIELDS]


@pytest.mark.parametrize("one", CASES, ids=str)
def test_directives(one: Case, bench: Bench) -> None:
    carry_out(one, bench)
