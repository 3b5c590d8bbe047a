"""Methods and targets: what may be answered from what (RFC 9111 §2, §4; RFC 9110 §9.3; QUERY)."""

from __future__ import annotations

import pytest

from tests.conformance.judge import Bench, carry_out
from tests.conformance.script import VALIDATED, At, Case, ask, case, fresh, reply, stale, unchanged

KEY = "RFC 9111 §2"

TARGETS = [
    case(KEY, "another host", ask(fresh(), Host="a.example"), ask(fresh(), Host="b.example", fwd="uri-miss")),
    case(KEY, "another port", ask(fresh(), Host="a.example"), ask(fresh(), Host="a.example:81")),
    case(KEY, "the default port", ask(fresh(), Host="a.example"), ask(Host="a.example:80")),
    case(KEY, "a host has no case", ask(fresh(), Host="a.example"), ask(Host="A.Example")),
    case(
        KEY,
        "what is changed for one host stays for another",
        ask(fresh(), Host="a.example"),
        ask(reply(), method="POST", Host="b.example"),
        ask(of=0, Host="a.example"),
    ),
    case(
        "RFC 9111 §7.1",
        "X-Forwarded-Host is no part of the key, so the client's does not reach the origin",
        ask(fresh(), X_Forwarded_Host="evil.example", seen={"X-Forwarded-Host": lambda v: "evil" not in v}),
        ask(),
    ),
    case(KEY, "another query", ask(fresh(), path="?a=1"), ask(fresh(), path="?a=2", fwd="uri-miss")),
    case(KEY, "the same query", ask(fresh(), path="?a=1"), ask(path="?a=1")),
    case(KEY, "no query and a query", ask(fresh()), ask(fresh(), path="?a")),
    case(KEY, "an empty query is a query", ask(fresh()), ask(fresh(), path="?")),
    case(KEY, "another order of the query", ask(fresh(), path="?a=1&b=2"), ask(fresh(), path="?b=2&a=1")),
    case(KEY, "another path", ask(fresh(), path="/a"), ask(fresh(), path="/b")),
    case(KEY, "the case of the path", ask(fresh(), path="/a"), ask(fresh(), path="/A")),
    case(KEY, "a slash at the end", ask(fresh(), path="/a"), ask(fresh(), path="/a/")),
    case(KEY, "what is encoded stays encoded", ask(fresh(), path="/%41"), ask(fresh(), path="/A")),
    case(KEY, "two slashes", ask(fresh(), path="//a"), ask(fresh(), path="/a")),
    case(KEY, "a long query", ask(fresh(), path="?" + "x" * 4000), ask(path="?" + "x" * 4000)),
    case(
        KEY,
        "two long queries that differ at the end",
        ask(fresh(), path="?" + "x" * 4000 + "1"),
        ask(fresh(), path="?" + "x" * 4000 + "2"),
    ),
]

NEVER = ("OPTIONS", "PUT", "DELETE", "PATCH", "FOO", "PROPFIND", "POST")

H = "RFC 9110 §9.3.2"

HEAD = [
    case(
        H,
        "HEAD is answered from a HEAD",
        ask(fresh(a="1"), method="HEAD"),
        ask(method="HEAD", has={"a": "1"}),
    ),
    case(
        H,
        "with the length that it told",
        ask(fresh(body=b"0123456789"), method="HEAD"),
        ask(method="HEAD", has={"Content-Length": "10"}),
    ),
    case(
        H,
        "with no length where it told none",
        ask(fresh(framing="none"), method="HEAD"),
        ask(method="HEAD", has={"Content-Length": None}),
    ),
    case(H, "HEAD of a 404", ask(fresh(status=404), method="HEAD"), ask(method="HEAD")),
    case(H, "HEAD of a redirect", ask(fresh(status=301, Location="/y"), method="HEAD"), ask(method="HEAD")),
    case(H, "GET is not answered from a HEAD", ask(fresh(), method="HEAD"), ask(fresh()), ask(of=1)),
    case(
        H,
        "GET takes its place",
        ask(fresh(a="1"), method="HEAD"),
        ask(fresh(a="2")),
        ask(of=1, method="HEAD", has={"a": "2"}),
    ),
    case(H, "no-store", ask(reply("no-store"), method="HEAD"), ask(reply(), method="HEAD")),
    case(H, "private", ask(reply("private, max-age=60"), method="HEAD"), ask(reply(), method="HEAD")),
    case(
        H,
        "Authorization",
        ask(fresh(), method="HEAD", Authorization="Basic eDp5"),
        ask(reply(), method="HEAD"),
    ),
    case(
        H,
        "Vary",
        ask(fresh(Vary="Foo"), method="HEAD", Foo="1"),
        ask(method="HEAD", Foo="1"),
        ask(fresh(Vary="Foo"), method="HEAD", Foo="2"),
    ),
    case(H, "stale", ask(stale(), method="HEAD"), ask(fresh(), method="HEAD"), ask(of=1, method="HEAD")),
    case(
        H,
        "a condition",
        ask(fresh(ETag='"x"'), method="HEAD"),
        ask(method="HEAD", If_None_Match='"x"', status=304),
    ),
    case(
        H,
        "an unsafe method invalidates it",
        ask(fresh(), method="HEAD"),
        ask(reply(), method="POST"),
        ask(fresh(), method="HEAD"),
    ),
    case(
        H,
        "a stale GET goes on to be what answers",
        ask(stale()),
        ask(reply("max-age=60", ETag='"one"'), method="HEAD"),
        ask(of=0, method="HEAD", updated=True),
        ask(of=0, updated=True),
    ),
]

METHODS = [
    *(
        case(
            "RFC 9111 §3",
            f"a response to {method} is not stored",
            ask(fresh(), method=method),
            ask(fresh(), method=method),
            ask(fresh()),
        )
        for method in NEVER
    ),
    *(
        case(
            "RFC 9111 §4",
            f"{method} is not answered from a GET",
            ask(fresh()),
            ask(reply(None, 500), method=method),
            ask(of=0),
        )
        for method in NEVER
    ),
    case("RFC 9111 §4", "HEAD is answered from a GET", ask(fresh()), ask(method="HEAD")),
    *HEAD,
    case("RFC 9111 §4", "methods have a case", ask(fresh()), ask(reply(None, 501), method="get")),
    case(
        "RFC 9110 §9.3.2",
        "HEAD of a redirect that a GET brought",
        ask(fresh(status=301, Location="/x")),
        ask(method="HEAD", has={"Location": "/x"}),
    ),
    case(
        "RFC 9110 §9.3.1",
        "GET with content is not answered from one without",
        ask(fresh()),
        ask(reply(), body=b"abc"),
    ),
    case(
        "RFC 9110 §9.3.1",
        "GET with content leaves nothing for others",
        ask(fresh(), body=b"abc"),
        ask(reply()),
    ),
    case("RFC 9110 §9.3.1", "GET with content of no bytes", ask(fresh()), ask(Content_Length="0")),
]

P = "RFC 9110 §9.3.3"


POST = [
    case(
        P,
        "with an explicit lifetime and its own Content-Location, good for GET",
        ask(fresh(Content_Location="x"), method="POST", path="/x", body=b"abc"),
        ask(of=0, path="/x", has={"Content-Location": "x"}),
        ask(of=0, path="/x", method="HEAD"),
    ),
    case(
        P,
        "a POST is never answered from it",
        ask(fresh(Content_Location="x"), method="POST", path="/x", body=b"abc"),
        ask(fresh(Content_Location="x"), method="POST", path="/x", body=b"abc"),
        ask(of=1, path="/x"),
    ),
    case(
        P,
        "it takes the place of what was stored",
        ask(fresh(), path="/x"),
        ask(fresh(Content_Location="x"), method="POST", path="/x", body=b"abc"),
        ask(of=1, path="/x"),
    ),
    case(
        P,
        "with Expires",
        ask(reply(None, Expires=At(3600), Content_Location="x"), method="POST", path="/x", body=b"abc"),
        ask(of=0, path="/x"),
    ),
    case(
        P,
        "Content-Location as an absolute path, with the query of the target",
        ask(fresh(Content_Location="?a"), method="POST", path="/x?a", body=b"abc"),
        ask(of=0, path="/x?a"),
    ),
    *(
        case(
            P,
            f"Content-Location: {location}",
            ask(fresh(Content_Location=location), method="POST", path="/x", body=b"abc"),
            ask(of=0, path="/x"),
        )
        for location in (
            "/<case>/x",
            "//<proxy>/<case>/x",
            "http://<proxy>/<case>/x",
            "http://<origin>/<case>/x",
        )
    ),
    case(
        P,
        "for the same request fields",
        ask(fresh(Content_Location="x", Vary="Foo"), method="POST", path="/x", body=b"abc", Foo="1"),
        ask(of=0, path="/x", Foo="1"),
        ask(reply(), path="/x", Foo="2"),
    ),
    case(
        P,
        "validated later",
        ask(stale(Content_Location="x"), method="POST", path="/x", body=b"abc"),
        ask(unchanged("max-age=60", ETag='"one"'), VALIDATED, path="/x"),
        ask(updated=True, path="/x"),
    ),
    *(
        case(
            P,
            f"not stored: {what}",
            ask(answered, method="POST", path="/x", body=b"abc"),
            ask(reply(), path="/x"),
        )
        for what, answered in {
            "without Content-Location": fresh(),
            "with another Content-Location": fresh(Content_Location="y"),
            "with the Content-Location of another origin": fresh(
                Content_Location="http://elsewhere.example/x"
            ),
            "with the Content-Location of another path there": fresh(Content_Location="http://<origin>/x"),
            "with two Content-Locations": fresh(lines=[("Content-Location", "x"), ("Content-Location", "y")]),
            "without an explicit lifetime": reply(None, Last_Modified=At(-(10**8)), Content_Location="x"),
            "with no-store": reply("no-store, max-age=60", Content_Location="x"),
            "with private": reply("private, max-age=60", Content_Location="x"),
            "an error": fresh(status=404, Content_Location="x"),
            "a redirect": fresh(status=303, Content_Location="x"),
        }.items()
    ),
    case(
        P,
        "an authenticated POST is not shared",
        ask(fresh(Content_Location="x"), method="POST", path="/x", body=b"abc", Authorization="Basic eDp5"),
        ask(reply(), path="/x"),
    ),
    case(
        P,
        "PUT has no such rule",
        ask(fresh(Content_Location="x"), method="PUT", path="/x", body=b"abc"),
        ask(reply(), path="/x"),
    ),
    case(
        P,
        "a request with no-store",
        ask(fresh(Content_Location="x"), method="POST", path="/x", body=b"abc", Cache_Control="no-store"),
        ask(reply(), path="/x"),
    ),
]

Q = "draft-ietf-httpbis-safe-method-w-body §2.7"


def query(answered=None, *, body: bytes = b"{}", **named):  # type: ignore[no-untyped-def]
    return ask(answered, method="QUERY", body=body, **{"Content_Type": "application/json", **named})


QUERY = [
    case(Q, "the same content", query(fresh()), query()),
    case(
        Q, "other content", query(fresh()), query(fresh(), body=b"[]"), query(of=0), query(of=1, body=b"[]")
    ),
    case(Q, "another type of content", query(fresh()), query(fresh(), Content_Type="text/plain")),
    case(Q, "another coding of content", query(fresh()), query(fresh(), Content_Encoding="x")),
    case(Q, "another target", query(fresh(), path="?a"), query(fresh(), path="?b")),
    case(Q, "GET is not answered from it", query(fresh()), ask(fresh()), query(of=0), ask(of=1)),
    case(Q, "it is not answered from GET", ask(fresh()), query(fresh()), ask(of=0)),
    case(Q, "it is safe", ask(fresh()), query(reply()), ask(of=0)),
    case(Q, "an unsafe method invalidates it", query(fresh()), ask(reply(), method="POST"), query(fresh())),
    case(Q, "no-store", query(reply("no-store")), query(reply())),
    case(
        Q, "Vary", query(fresh(Vary="Foo"), Foo="1"), query(of=0, Foo="1"), query(fresh(Vary="Foo"), Foo="2")
    ),
    case(Q, "a condition of the client", query(fresh(ETag='"x"')), query(status=304, If_None_Match='"x"')),
]

CASES = [*TARGETS, *METHODS, *POST, *QUERY]


@pytest.mark.parametrize("one", CASES, ids=str)
def test_methods(one: Case, bench: Bench) -> None:
    carry_out(one, bench)
