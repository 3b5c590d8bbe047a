"""Requests with Authorization: what may be shared of their responses (RFC 9111 §3.5)."""

from __future__ import annotations

import pytest

from tests.conformance.judge import Bench, carry_out
from tests.conformance.script import (
    FORWARDED,
    MADE_HERE,
    VALIDATED,
    At,
    Case,
    Reply,
    ask,
    case,
    fresh,
    gone,
    reply,
    stale,
    unchanged,
)

S = "RFC 9111 §3.5"
ALICE = {"Authorization": "Basic YWxpY2U6eA=="}
BOB = {"Authorization": "Basic Ym9iOng="}
LONG = At(-(10**8))

SHARED = {
    "public": reply("public, max-age=60"),
    "public alone": reply("public", Last_Modified=LONG),
    "must-revalidate": reply("must-revalidate, max-age=60"),
    "must-revalidate alone": reply("must-revalidate", Last_Modified=LONG),
    "s-maxage": reply("s-maxage=60"),
    "s-maxage and max-age": reply("max-age=60, s-maxage=60"),
    "public in another line": reply("max-age=60", lines=[("Cache-Control", "public")]),
    "PUBLIC": reply("PUBLIC, max-age=60"),
}

OWN = {
    "max-age": fresh(),
    "Expires": reply(None, Expires=At(3600)),
    "a heuristic": reply(None, Last_Modified=LONG),
    "proxy-revalidate": reply("proxy-revalidate, max-age=60"),
    "immutable": reply("immutable, max-age=60"),
    "must-understand": reply("must-understand, max-age=60"),
    "no-transform": reply("no-transform, max-age=60"),
    "stale-while-revalidate": reply("max-age=60, stale-while-revalidate=60"),
    "private": reply("private, public, max-age=60"),
    "no-store": reply("no-store, public, max-age=60"),
    "an invalid s-maxage": reply("s-maxage=x, max-age=60"),
    "public in quotes": reply('foo="public", max-age=60'),
    "Vary: Authorization": fresh(Vary="Authorization"),
    "an entity tag": fresh(ETag='"x"'),
}


def own(what: str, answered: Reply) -> list[Case]:
    return [
        case(S, f"not shared by {what}: nobody", ask(answered, **ALICE), ask(reply())),
        case(S, f"not shared by {what}: somebody else", ask(answered, **ALICE), ask(reply(), **BOB)),
        case(
            S,
            f"not shared by {what}: the same user",
            ask(answered, **ALICE),
            ask(reply(), **ALICE, seen={"If-None-Match": None}),
        ),
    ]


CASES: list[Case] = []

for what, answered in SHARED.items():
    CASES += [
        case(S, f"shared by {what}", ask(answered, **ALICE), ask(), ask(**BOB), ask(**ALICE)),
    ]

for what, answered in OWN.items():
    CASES += own(what, answered)

CASES += [
    case(S, "what was had without Authorization may answer a request with it", ask(fresh()), ask(**ALICE)),
    case(
        S,
        "Vary: Authorization, where it is shared",
        ask(reply("public, max-age=60", Vary="Authorization"), **ALICE),
        ask(**ALICE),
        ask(reply("public, max-age=60", Vary="Authorization"), **BOB),
        ask(of=0, **ALICE),
        ask(of=1, **BOB),
        ask(reply()),
    ),
    case(
        S,
        "must-revalidate is obeyed for it",
        ask(stale("must-revalidate, max-age=60"), **ALICE),
        ask(unchanged("must-revalidate, max-age=60", ETag='"one"'), VALIDATED, **BOB),
        ask(updated=True),
    ),
    case(
        S,
        "a validation by an authenticated request updates nothing for others, unless it is shared",
        ask(stale(a="1")),
        ask(unchanged("max-age=60", ETag='"one"', a="2"), VALIDATED, **ALICE),
        ask(unchanged("max-age=60", ETag='"one"'), VALIDATED, has={"a": "1"}),
    ),
    case(
        S,
        "a validation by an authenticated request that is shared",
        ask(stale(a="1")),
        ask(unchanged("public, max-age=60", ETag='"one"', a="2"), VALIDATED, **ALICE),
        ask(updated=True, has={"a": "2"}),
    ),
    case(
        S,
        "a new response to an authenticated request does not take the place of the stored one",
        ask(stale()),
        ask(fresh(), FORWARDED, **ALICE),
        ask(unchanged("max-age=60", ETag='"one"'), VALIDATED),
    ),
    case(
        "RFC 9110 §15.5.2",
        "a stored 401 answers nobody who has credentials",
        ask(fresh(status=401, WWW_Authenticate="Basic")),
        ask(fresh(), **ALICE, fwd="request"),
        ask(gone(), MADE_HERE, status=502, **ALICE),
        ask(of=0, status=401),
    ),
    case(S, "a 401 is not shared by an authenticated request", ask(fresh(status=401), **ALICE), ask(reply())),
    case(
        S,
        "an authenticated HEAD updates nothing",
        ask(stale(a="1")),
        ask(reply("max-age=60", ETag='"one"', a="2"), method="HEAD", **ALICE),
        ask(unchanged("max-age=60", ETag='"one"'), VALIDATED, has={"a": "1"}),
    ),
    case(S, "no name is no less a request with Authorization", ask(fresh(), Authorization=""), ask(reply())),
    case(S, "two lines", ask(fresh(), lines=[("Authorization", "a"), ("authorization", "b")]), ask(reply())),
]


@pytest.mark.parametrize("one", CASES, ids=str)
def test_authenticated(one: Case, bench: Bench) -> None:
    carry_out(one, bench)
