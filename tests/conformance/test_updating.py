"""Which stored fields a 304 or a response to HEAD replaces (RFC 9111 §3.2, §4.3.4, §4.3.5)."""

from __future__ import annotations

import pytest

from tests.conformance.judge import Bench, carry_out
from tests.conformance.script import (
    FORWARDED,
    VALIDATED,
    At,
    Case,
    Value,
    ask,
    case,
    fresh,
    reply,
    stale,
    unchanged,
)

UPDATED: dict[str, tuple[Value, Value]] = {
    "Test-Header": ("a", "b"),
    "X-Test-Header": ("a", "b"),
    "Content-Foo": ("a", "b"),
    "X-Content-Foo": ("a", "b"),
    "Content-Location": ("/a", "/b"),
    "Content-MD5": ("rL0Y20zC+Fzt72VPzMSk2A==", "N7UdGUp1E+RbVvZSTy1R8g=="),
    "Content-Security-Policy": ("default-src 'self'", "default-src 'self' example.com"),
    "Content-Type": ("text/plain", "text/plain;charset=utf-8"),
    "Content-Language": ("en", "de"),
    "Content-Disposition": ("inline", "attachment"),
    "Clear-Site-Data": ('"cache"', '"cookies"'),
    "Expires": (At(-100), At(7200)),
    "Allow": ("GET", "GET, HEAD"),
    "Link": ("</a>; rel=next", "</b>; rel=next"),
    "Location": ("/a", "/b"),
    "P3P": ("a", "b"),
    "Public-Key-Pins": ("a", "b"),
    "Retry-After": ("1", "2"),
    "Server": ("a/1", "b/2"),
    "Set-Cookie": ("a=b", "a=c"),
    "Set-Cookie2": ("a=b", "a=c"),
    "Strict-Transport-Security": ("max-age=1", "max-age=2"),
    "Access-Control-Allow-Origin": ("*", "https://example.org"),
    "Warning": ('110 - "a"', '111 - "b"'),
    "WWW-Authenticate": ("Basic realm=a", "Basic realm=b"),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": ("1", "0"),
    "ETag-Foo": ('"a"', '"b"'),
}

NOT_UPDATED = {
    "Content-Encoding": ("x-own", "x-other"),
    "Content-Length": ("10", "36"),
    "Content-Range": ("bytes 0-9/10", "bytes 1-2/36"),
}
"""What the stored content depends upon, or what is said of the 304 alone."""

HOP_BY_HOP = {
    "Connection": "x-foo",
    "Keep-Alive": "timeout=5",
    "Proxy-Authenticate": "Basic realm=a",
    "Proxy-Authentication-Info": "a=b",
    "Proxy-Authorization": "Basic eDp5",
    "Proxy-Connection": "keep-alive",
    "TE": "trailers",
    "Upgrade": "foo/1",
}

S = "RFC 9111 §3.2"
BODY = b"0123456789"


def both(name: str, first: Value, second: Value) -> list[Case]:
    """A field that comes with a 304, one that doesn't, and one that comes with HEAD."""
    shown = None if isinstance(second, At) else second
    has = {name: shown} if shown is not None else {name: lambda value: value.endswith("GMT")}
    kept = {name: first} if not isinstance(first, At) else {}
    return [
        case(
            S,
            f"{name} in a 304 by entity tag",
            ask(stale(lines=[(name, first)])),
            ask(unchanged("max-age=60", ETag='"one"', lines=[(name, second)]), VALIDATED, has=has),
            ask(updated=True, has=has),
        ),
        case(
            S,
            f"{name} in a 304 by date",
            ask(reply("max-age=60", Age="100", Last_Modified=At(-3600), lines=[(name, first)])),
            ask(unchanged("max-age=60", Last_Modified=At(-3600), lines=[(name, second)]), VALIDATED, has=has),
            ask(updated=True, has=has),
        ),
        case(
            S,
            f"{name} stays where a 304 has none",
            ask(stale(lines=[(name, first)])),
            ask(unchanged("max-age=60", ETag='"one"'), VALIDATED, has=kept),
            ask(updated=True, has=kept),
        ),
        case(
            S,
            f"{name} is new with a 304",
            ask(stale()),
            ask(unchanged("max-age=60", ETag='"one"', lines=[(name, second)]), VALIDATED, has=has),
            ask(updated=True, has=has),
        ),
        case(
            "RFC 9111 §4.3.5",
            f"{name} in a response to HEAD",
            ask(stale(lines=[(name, first)])),
            ask(
                reply("max-age=60", ETag='"one"', lines=[(name, second)], framing="none"),
                FORWARDED,
                method="HEAD",
            ),
            ask(updated=True, has=has, of=0),
        ),
    ]


CASES: list[Case] = [one for name, (first, second) in UPDATED.items() for one in both(name, first, second)]

for name, (first, second) in NOT_UPDATED.items():
    CASES += [
        case(
            S,
            f"{name} of a 304 tells nothing of what is stored",
            ask(stale(lines=[(name, first)], body=BODY)),
            ask(
                unchanged("max-age=60", ETag='"one"', lines=[(name, second)]),
                VALIDATED,
                has={name: first},
                text=BODY,
            ),
            ask(updated=True, has={name: first}, text=BODY),
        ),
    ]

for name, value in HOP_BY_HOP.items():
    CASES += [
        case(
            "RFC 9111 §3.1",
            f"{name} of a 304 goes no further",
            ask(stale()),
            ask(unchanged("max-age=60", ETag='"one"', lines=[(name, value)]), VALIDATED, has={name: None}),
            ask(updated=True, has={name: None}),
        ),
    ]

CASES += [
    case(
        S,
        "Cache-Control in a 304",
        ask(stale("max-age=60")),
        ask(unchanged("max-age=3600", ETag='"one"'), VALIDATED, has={"Cache-Control": "max-age=3600"}),
        ask(updated=True, has={"Cache-Control": "max-age=3600"}),
    ),
    case(
        S,
        "a field that Connection of a 304 lists",
        ask(stale(a="1", b="1")),
        ask(
            unchanged("max-age=60", ETag='"one"', a="2", b="2", Connection="a"),
            VALIDATED,
            has={"a": "1", "b": "2"},
        ),
        ask(updated=True, has={"a": "1", "b": "2"}),
    ),
    case(
        S,
        "several lines of one name are replaced as one",
        ask(stale(lines=[("a", "1"), ("a", "2")])),
        ask(unchanged("max-age=60", ETag='"one"', a="3"), VALIDATED, has={"a": "3"}),
        ask(updated=True, has={"a": "3"}),
    ),
    case(
        S,
        "one line is replaced by several, whatever the case of the name",
        ask(stale(a="1")),
        ask(
            unchanged("max-age=60", ETag='"one"', lines=[("A", "2"), ("A", "3")]),
            VALIDATED,
            has={"a": "2, 3"},
        ),
        ask(updated=True, has={"a": "2, 3"}),
    ),
    case(
        S,
        "a new entity tag in a 304 by date",
        ask(reply("max-age=60", Age="100", Last_Modified=At(-3600), ETag='"one"')),
        ask(unchanged("max-age=60", Last_Modified=At(-3600), ETag='"two"'), VALIDATED, has={"ETag": '"two"'}),
        ask(updated=True, has={"ETag": '"two"'}),
    ),
    case(
        S,
        "a new Last-Modified in a 304 by entity tag",
        ask(stale(Last_Modified="Sun, 06 Nov 1994 08:49:37 GMT")),
        ask(unchanged("max-age=60", ETag='"one"', Last_Modified="Sun, 06 Nov 1994 08:49:38 GMT"), VALIDATED),
        ask(updated=True, has={"Last-Modified": "Sun, 06 Nov 1994 08:49:38 GMT"}),
    ),
    case(
        S,
        "Date is that of the 304",
        ask(stale(date=At(-1000))),
        ask(unchanged("max-age=60", ETag='"one"', date=At(-5)), VALIDATED),
        ask(updated=True, age=(5, 7)),
    ),
    case(
        S,
        "Set-Cookie of a 304 that may not be stored goes to nobody else",
        ask(stale(Set_Cookie="a=1")),
        ask(unchanged("private", ETag='"one"', Set_Cookie="a=2"), VALIDATED),
        ask(fresh(), has={"Set-Cookie": None}),
    ),
    case(
        "RFC 9110 §6.6.1",
        "Date stays as it came",
        ask(fresh(date=At(-10)), has={"Date": lambda v: True}),
        ask(age=(10, 12)),
    ),
    case(
        "RFC 9110 §6.6.1",
        "an odd Date is left as it is",
        ask(fresh(date="foo"), has={"Date": "foo"}),
        ask(has={"Date": "foo"}),
    ),
]

S = "RFC 9111 §4.3.5"
LONG = fresh(ETag='"one"', a="1")

CASES += [
    case(
        S,
        "HEAD refreshes what is stale",
        ask(stale()),
        ask(reply("max-age=3600", ETag='"one"'), FORWARDED, method="HEAD"),
        ask(of=0, updated=True, age=(0, 1)),
    ),
    case(
        S,
        "HEAD refreshes what has no validator",
        ask(reply("max-age=1, stale-if-error=60")),
        ask(reply("max-age=3600", framing="none"), FORWARDED, method="HEAD", wait=1.2),
        ask(of=0, updated=True),
    ),
    case(
        S,
        "HEAD with another entity tag",
        ask(LONG),
        ask(reply("max-age=60", ETag='"two"'), FORWARDED, method="HEAD", Cache_Control="no-cache"),
        ask(fresh()),
        ask(of=2),
    ),
    case(
        S,
        "HEAD with another Last-Modified",
        ask(fresh(Last_Modified=At(-3600))),
        ask(
            reply("max-age=60", Last_Modified=At(-1800), framing="none"),
            FORWARDED,
            method="HEAD",
            Cache_Control="no-cache",
        ),
        ask(fresh()),
    ),
    case(
        S,
        "HEAD with another length",
        ask(fresh(body=BODY)),
        ask(reply("max-age=60", Content_Length="11"), FORWARDED, method="HEAD", Cache_Control="no-cache"),
        ask(fresh()),
    ),
    case(
        S,
        "HEAD with the same length",
        ask(fresh(body=BODY, a="1")),
        ask(
            reply("max-age=60", Content_Length="10", a="2"),
            FORWARDED,
            method="HEAD",
            Cache_Control="no-cache",
        ),
        ask(of=0, updated=True, has={"a": "2"}),
    ),
    *(
        case(
            S,
            f"a {code} to HEAD says that what is stored is no longer good",
            ask(fresh()),
            ask(reply("max-age=60", code), FORWARDED, method="HEAD", Cache_Control="no-cache"),
            ask(fresh()),
        )
        for code in (404, 410)
    ),
    *(
        case(
            S,
            f"a {code} to HEAD says nothing of what is stored",
            ask(fresh()),
            ask(reply(None, code), FORWARDED, method="HEAD", Cache_Control="no-cache"),
            ask(of=0),
        )
        for code in (500, 503, 429)
    ),
    case(
        S,
        "HEAD updates the variant that it is about",
        ask(stale(Vary="Foo", a="1"), Foo="1"),
        ask(stale(Vary="Foo", a="1", ETag='"two"'), Foo="2"),
        ask(reply("max-age=60", ETag='"one"', Vary="Foo", a="2"), FORWARDED, method="HEAD", Foo="1"),
        ask(of=0, Foo="1", updated=True, has={"a": "2"}),
        ask(unchanged("max-age=60", ETag='"two"'), VALIDATED, of=1, Foo="2", has={"a": "1"}),
    ),
    case(S, "HEAD is answered from a GET", ask(fresh(a="1")), ask(method="HEAD", has={"a": "1"})),
    case(
        S,
        "HEAD has the length of a GET",
        ask(fresh(body=BODY)),
        ask(method="HEAD", has={"Content-Length": "10"}),
    ),
    case(S, "GET is not answered from a HEAD", ask(fresh(), method="HEAD"), ask(fresh()), ask(of=1)),
]


@pytest.mark.parametrize("one", CASES, ids=str)
def test_updating(one: Case, bench: Bench) -> None:
    carry_out(one, bench)
