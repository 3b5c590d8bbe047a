"""What is stored of a response, and how it comes back (RFC 9111 §3.1, §3.3; RFC 9110 §5, §6.5, §15.2)."""

from __future__ import annotations

import pytest

from tests.conformance.judge import Bench, carry_out
from tests.conformance.script import VALIDATED, At, Case, ask, case, fresh, reply, stale, unchanged

S = "RFC 9111 §3.1"

STORED = {
    "Test-Header": "a",
    "X-Test-Header": "a b,  c",
    "Content-Foo": "a",
    "X-Content-Foo": "a",
    "Accept-Ranges": "bytes",
    "Access-Control-Allow-Origin": "*",
    "Alt-Svc": 'h3=":443"',
    "Allow": "GET",
    "Clear-Site-Data": '"cache"',
    "Content-Disposition": "attachment",
    "Content-Encoding": "gzip",
    "Content-Language": "de",
    "Content-Location": "/x",
    "Content-MD5": "rL0Y20zC+Fzt72VPzMSk2A==",
    "Content-Security-Policy": "default-src 'self'",
    "Content-Type": "text/plain;charset=utf-8",
    "Content-Digest": "sha-256=:d435Qo+nKZ+gLcUHn7GQtQ72hiBVAgqoLsZnZPiTGPk=:",
    "ETag": '"abc"',
    "Expires": At(3600),
    "Last-Modified": At(-3600),
    "Link": "</x>; rel=preload",
    "Location": "/x",
    "P3P": "x",
    "Pragma": "no-cache",
    "Public-Key-Pins": "x",
    "Retry-After": "5",
    "Server": "x/1 (y)",
    "Set-Cookie": "a=b; Expires=Thu, 18 Aug 2050 02:01:18 GMT",
    "Set-Cookie2": "a=b",
    "Strict-Transport-Security": "max-age=5",
    "Surrogate-Control": "max-age=5",
    "Timing-Allow-Origin": "*",
    "Via": "1.1 elsewhere",
    "Warning": '110 x "y"',
    "WWW-Authenticate": "Basic",
    "X-Cache": "MISS",
    "X-Frame-Options": "deny",
    "X-XSS-Protection": "1",
    "x-lower": "a",
    "X-UPPER": "A",
    "X-Empty": "",
    "X-Obs-Text": "caf\xe9 \xff",
    "X-UTF8": "é".encode().decode("latin-1"),
    "X-Quoted": '"a, \\"b\\", c"',
    "X-Long": "x" * 8000,
    "!#$%&'*+-.^_`|~": "a token may look like this",
}

NOT_STORED = {
    "Keep-Alive": "timeout=5",
    "Proxy-Authenticate": "Basic",
    "Proxy-Authentication-Info": "a=b",
    "Proxy-Authorization": "Basic eDp5",
    "Proxy-Connection": "keep-alive",
    "TE": "trailers",
    "Upgrade": "foo/1",
}

FIELDS = [
    *(
        case(S, f"{name} is stored", ask(fresh(lines=[(name, value)])), ask())
        for name, value in STORED.items()
    ),
    *(
        case(
            S,
            f"{name} is for one hop",
            ask(fresh(lines=[(name, value)]), has={name: None}),
            ask(has={name: None}),
        )
        for name, value in NOT_STORED.items()
    ),
    case(
        S,
        "what Connection lists is for one hop",
        ask(fresh(Connection="a, B", a="1", b="2", c="3"), has={"a": None, "b": None, "c": "3"}),
        ask(has={"a": None, "b": None, "c": "3"}),
    ),
    case(
        S,
        "what a second line of Connection lists",
        ask(fresh(lines=[("Connection", "a"), ("connection", "b")], a="1", b="2", c="3")),
        ask(has={"a": None, "b": None, "c": "3"}),
    ),
    case(
        S,
        "Connection can't take away what tells how to cache",
        ask(
            fresh(Connection="cache-control, vary, age", Vary="Foo"),
            Foo="1",
            has={"Cache-Control": "max-age=3600", "Vary": "Foo"},
        ),
        ask(Foo="1", has={"Cache-Control": "max-age=3600", "Vary": "Foo"}),
        ask(reply(), Foo="2"),
    ),
    case(
        "RFC 9110 §5.3",
        "the order and the case of names stay",
        ask(fresh(lines=[("b", "1"), ("A", "2"), ("B", "3"), ("a", "4"), ("b", "5")])),
        ask(),
    ),
    case(
        "RFC 9110 §5.3", "a hundred fields", ask(fresh(lines=[(f"X-{n}", str(n)) for n in range(100)])), ask()
    ),
    case("RFC 9110 §5.5", "white space within a value stays", ask(fresh(Foo="a\t b   c")), ask()),
    case(
        "RFC 9211 §2",
        "the members of other caches stay before ours",
        ask(fresh(Cache_Status="Other; hit"), has={"Cache-Status": lambda v: v.startswith("Other; hit, ")}),
        ask(has={"Cache-Status": lambda v: v.startswith("Other; hit, ") and v.count("pellucid") == 1}),
        ask(has={"Cache-Status": lambda v: v.count("pellucid") == 1}),
    ),
    case(
        "RFC 9110 §7.6.3",
        "Via is added once",
        ask(fresh(), has={"Via": "1.1 pellucid"}),
        ask(has={"Via": "1.1 pellucid"}),
    ),
]

CODED = b"\x1f\x8b\x08\x00not really"

CONTENT = [
    case(
        "RFC 9110 §7.7",
        "coded content is not touched",
        ask(fresh(Content_Encoding="gzip", body=CODED)),
        ask(text=CODED),
    ),
    case(
        "RFC 9111 §5.2.2.6",
        "no-transform",
        ask(reply("max-age=60, no-transform", Content_Encoding="gzip", body=CODED)),
        ask(text=CODED),
    ),
    case(
        "RFC 9112 §7",
        "chunked content is stored",
        ask(fresh(framing="chunked")),
        ask(has={"Transfer-Encoding": None}),
    ),
    case(
        "RFC 9112 §6.3", "content that ends with the connection is stored", ask(fresh(framing="close")), ask()
    ),
    case(
        "RFC 9112 §6.3",
        "empty content is stored",
        ask(fresh(body=b"")),
        ask(text=b"", has={"Content-Length": "0"}),
    ),
    case("RFC 9112 §6.3", "HTTP/1.0 is understood", ask(fresh(framing="close", version="1.0")), ask()),
    case(
        "RFC 9111 §3.3",
        "large content",
        ask(fresh(body=b"0123456789" * 20000)),
        ask(text=b"0123456789" * 20000),
    ),
    case(
        "RFC 9111 §3.3",
        "large chunked content",
        ask(fresh(body=b"01234567\r\n" * 20000, framing="chunked")),
        ask(),
    ),
    case(
        "RFC 9111 §3.3",
        "shorter than it says",
        ask(fresh(framing="short"), breaks=True),
        ask(fresh()),
        ask(of=1),
    ),
    case(
        "RFC 9111 §3.3",
        "chunks without an end",
        ask(fresh(framing="broken chunks"), breaks=True),
        ask(fresh()),
        ask(of=1),
    ),
    case(
        "RFC 9111 §3.3",
        "what broke off leaves what was stored before",
        ask(stale()),
        ask(fresh(framing="short"), breaks=True),
        ask(unchanged("max-age=60", ETag='"one"'), VALIDATED),
    ),
]

TRAILERS = [
    case(
        "RFC 9111 §3.1",
        "trailer fields are no header fields",
        ask(
            fresh(framing="chunked", trailers=[("Foo", "1"), ("Cache-Control", "no-store")]),
            has={"Foo": None},
        ),
        ask(has={"Foo": None, "Cache-Control": "max-age=3600"}),
    ),
    case(
        "RFC 9110 §6.5",
        "an ETag in a trailer is no validator",
        ask(reply("max-age=60, stale-if-error=9", Age="100", framing="chunked", trailers=[("ETag", '"x"')])),
        ask(reply(), seen={"If-None-Match": None}),
    ),
]

INTERIM = [
    *(
        case(
            "RFC 9110 §15.2",
            f"{code} is passed on and not stored",
            ask(fresh(interims=[(code, (("Foo", "1"),))]), interims=(code,), has={"Foo": None}),
            ask(interims=(), has={"Foo": None}),
        )
        for code in (100, 102, 103, 104, 199)
    ),
    case(
        "RFC 8297",
        "hints may come more than once, and tell nothing of the response",
        ask(
            fresh(
                interims=[
                    (103, (("Link", "</a>; rel=preload"),)),
                    (103, (("Link", "</b>; rel=preload"), ("Vary", "*"))),
                ]
            ),
            interims=(103, 103),
            has={"Link": None},
        ),
        ask(interims=(), has={"Link": None, "Vary": None}),
    ),
    case(
        "RFC 9111 §3",
        "Cache-Control of an interim response is not the response's",
        ask(reply(None, interims=[(103, (("Cache-Control", "max-age=3600"),))]), interims=(103,)),
        ask(reply()),
    ),
]

CASES = [*FIELDS, *CONTENT, *TRAILERS, *INTERIM]


@pytest.mark.parametrize("one", CASES, ids=str)
def test_fields(one: Case, bench: Bench) -> None:
    carry_out(one, bench)
