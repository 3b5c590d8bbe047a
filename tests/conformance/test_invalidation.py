"""What unsafe requests make invalid (RFC 9111 §4.4), and groups (RFC 9875)."""

from __future__ import annotations

import pytest

from tests.conformance.judge import Bench, carry_out
from tests.conformance.script import VALIDATED, Case, Value, ask, case, fresh, reply, unchanged

S = "RFC 9111 §4.4"
UNSAFE = ("POST", "PUT", "DELETE", "PATCH", "M-SEARCH", "FOO", "MKCOL", "PROPPATCH", "LOCK", "PURGE")
SAFE = ("OPTIONS", "PROPFIND", "REPORT", "SEARCH")
ERRORS = (400, 401, 403, 404, 405, 409, 410, 412, 422, 429, 500, 501, 503, 599)
NO_ERRORS = (200, 201, 202, 204, 206, 226, 299, 301, 302, 303, 307, 308, 399)

CASES: list[Case] = []

for method in UNSAFE:
    CASES += [
        case(
            S, f"{method}", ask(fresh()), ask(reply(), method=method, fwd="method"), ask(fresh()), ask(of=2)
        ),
        case(
            S, f"{method} with content", ask(fresh()), ask(reply(), method=method, body=b"abc"), ask(fresh())
        ),
        case(
            S,
            f"{method} with a response that is fresh itself",
            ask(fresh()),
            ask(fresh(), method=method),
            ask(fresh()),
            ask(of=2),
        ),
        case(S, f"{method} that fails", ask(fresh()), ask(reply(None, 500), method=method), ask(of=0)),
        case(
            S,
            f"{method} and Location",
            ask(fresh(), path="/x"),
            ask(reply(None, 201, Location="x"), method=method, path="/"),
            ask(fresh(), path="/x"),
        ),
        case(
            S,
            f"{method} and Content-Location",
            ask(fresh(), path="/x"),
            ask(reply(None, 200, Content_Location="x"), method=method, path="/"),
            ask(fresh(), path="/x"),
        ),
        case(
            S,
            f"{method} that fails with a Location",
            ask(fresh(), path="/x"),
            ask(reply(None, 400, Location="x"), method=method, path="/"),
            ask(of=0, path="/x"),
        ),
    ]

for method in SAFE:
    CASES.append(
        case(S, f"{method} is safe", ask(fresh()), ask(reply(), method=method, fwd="method"), ask(of=0))
    )

CASES += [
    *(
        case(S, f"POST answered by {code}", ask(fresh()), ask(reply(None, code), method="POST"), ask(fresh()))
        for code in NO_ERRORS
    ),
    *(
        case(S, f"POST refused by {code}", ask(fresh()), ask(reply(None, code), method="POST"), ask(of=0))
        for code in ERRORS
    ),
    case(S, "HEAD is safe", ask(fresh()), ask(method="HEAD"), ask(of=0)),
    case(
        S,
        "another path stays",
        ask(fresh(), path="/x"),
        ask(reply(), method="POST", path="/y"),
        ask(of=0, path="/x"),
    ),
    case(
        S,
        "another query stays",
        ask(fresh(), path="?a"),
        ask(reply(), method="POST", path="?b"),
        ask(of=0, path="?a"),
    ),
    case(
        S,
        "the query is part of the target",
        ask(fresh(), path="?a"),
        ask(reply(), method="POST", path="?a"),
        ask(fresh(), path="?a"),
    ),
    case(
        S,
        "all variants go",
        ask(fresh(Vary="Foo"), Foo="1"),
        ask(fresh(Vary="Foo"), Foo="2"),
        ask(reply(), method="POST", Foo="3"),
        ask(fresh(Vary="Foo"), Foo="1"),
        ask(fresh(Vary="Foo"), Foo="2"),
    ),
    case(
        S,
        "HEAD is not answered from what is invalid",
        ask(fresh()),
        ask(reply(), method="DELETE"),
        ask(reply(None, 404), method="HEAD"),
    ),
    case(
        S,
        "what is invalid is not served stale either",
        ask(fresh()),
        ask(reply(), method="POST"),
        ask(reply(None, 500)),
    ),
    case(
        S,
        "what comes after is stored again, and may be invalidated again",
        ask(fresh()),
        ask(reply(), method="POST"),
        ask(fresh()),
        ask(of=2),
        ask(reply(), method="POST"),
        ask(fresh()),
    ),
]


def located(title: str, value: str, invalid: bool) -> list[Case]:
    """Location and Content-Location that name `/x` of the case, or something else."""
    return [
        case(
            S,
            f"{name} {title}",
            ask(fresh(), path="/x"),
            ask(reply(None, 201, lines=[(name, value)]), method="POST", path="/y"),
            ask(fresh(), path="/x") if invalid else ask(of=0, path="/x"),
        )
        for name in ("Location", "Content-Location")
    ]


CASES += [
    *located("of another origin", "http://elsewhere.example/x", False),
    *located("of another scheme", "https://127.0.0.1/x", False),
    *located("of another port", "http://127.0.0.1:1/x", False),
    *located("that is no URI", "http://[/x", False),
    *located("relative to the target", "x", True),
    *located("as a path", "/<case>/x", True),
    *located("without a scheme", "//<proxy>/<case>/x", True),
    *located("as the client would call it", "http://<proxy>/<case>/x", True),
    *located("as the origin knows itself", "http://<origin>/<case>/x", True),
    *located("as the origin knows itself, but another path", "http://<origin>/x", False),
    *located("with dot segments", "z/../x", True),
    *located("with a fragment", "x#y", True),
    *located("with another query", "x?y", False),
]

G = "RFC 9875"


def groups(
    title: str, member: str, invalidating: str, gone: bool, section: str = "3", **request: Value
) -> Case:
    return case(
        f"{G} §{section}",
        title,
        ask(fresh(Cache_Groups=member), path="/x"),
        ask(reply(None, 204, Cache_Group_Invalidation=invalidating), method="POST", path="/y", **request),  # type: ignore[arg-type]
        ask(fresh(), path="/x") if gone else ask(of=0, path="/x"),
    )


# Groups are of one origin, so each case uses names of its own.
CASES += [
    groups("a group", '"g1"', '"g1"', True),
    groups("one of several groups", '"g2a", "g2b", "g2c"', '"g2b"', True),
    groups("several groups at once", '"g3b"', '"g3a", "g3b"', True),
    groups("another group", '"g4"', '"g4x"', False),
    groups("the case of names counts", '"g5"', '"G5"', False),
    groups("a token is no name of a group", '"g6"', "g6", False),
    groups("a list that is ill-formed", '"g7"', '"g7', False),
    groups("parameters are ignored", '"g8";a=1', '"g8";b', True),
    case(
        f"{G} §3",
        "a safe method invalidates no group",
        ask(fresh(Cache_Groups='"g9"'), path="/x"),
        ask(reply(None, 200, Cache_Group_Invalidation='"g9"'), path="/y"),
        ask(of=0, path="/x"),
    ),
    case(
        f"{G} §3",
        "two lines",
        ask(fresh(lines=[("Cache-Groups", '"g10a"'), ("Cache-Groups", '"g10b"')]), path="/x"),
        ask(
            reply(
                None, 204, lines=[("Cache-Group-Invalidation", '"z"'), ("Cache-Group-Invalidation", '"g10b"')]
            ),
            method="PUT",
            path="/y",
        ),
        ask(fresh(), path="/x"),
    ),
    case(
        f"{G} §2",
        "thirty-two groups with names of thirty-two characters",
        ask(fresh(Cache_Groups=", ".join(f'"{n:032}"' for n in range(32))), path="/x"),
        ask(reply(None, 204, Cache_Group_Invalidation=f'"{31:032}"'), method="POST", path="/y"),
        ask(fresh(), path="/x"),
    ),
    case(
        f"{G} §2.2.1",
        "who is invalidated takes its group along",
        ask(fresh(Cache_Groups='"g11"'), path="/x"),
        ask(fresh(Cache_Groups='"g11"'), path="/y"),
        ask(reply(None, 204), method="DELETE", path="/y"),
        ask(fresh(), path="/x"),
    ),
    case(
        f"{G} §2",
        "a response joins a group by a validation",
        ask(reply("max-age=60", Age="100", ETag='"x"'), path="/x"),
        ask(unchanged("max-age=60", ETag='"x"', Cache_Groups='"g12"'), VALIDATED, path="/x"),
        ask(of=0, path="/x", updated=True),
        ask(reply(None, 204, Cache_Group_Invalidation='"g12"'), method="POST", path="/y"),
        ask(reply(), path="/x"),
    ),
]


@pytest.mark.parametrize("one", CASES, ids=str)
def test_invalidation(one: Case, bench: Bench) -> None:
    carry_out(one, bench)
