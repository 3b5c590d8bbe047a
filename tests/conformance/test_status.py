"""Which responses are stored, by their status code (RFC 9111 §3, RFC 9110 §15)."""

from __future__ import annotations

import pytest

from tests.conformance.judge import Bench, carry_out
from tests.conformance.script import (
    VALIDATED,
    At,
    Case,
    ask,
    case,
    fresh,
    not_reused,
    reply,
    reused,
    unchanged,
)

HEURISTIC = (200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501)
"""RFC 9110 §15.1, but for 206, which needs a Content-Range."""

NOT_HEURISTIC = (
    201,
    202,
    205,
    226,
    299,
    302,
    303,
    307,
    400,
    401,
    403,
    406,
    409,
    411,
    413,
    415,
    418,
    421,
    422,
)
NOT_HEURISTIC += (423, 424, 425, 426, 451, 499, 500, 502, 503, 504, 505, 506, 507, 508, 510, 599)

UNDERSTOOD = (
    200,
    203,
    204,
    300,
    301,
    302,
    303,
    307,
    308,
    400,
    403,
    404,
    405,
    410,
    414,
    421,
    500,
    501,
    503,
    504,
)
UNKNOWN = (209, 299, 306 + 93, 419, 452, 499, 520, 599)

NEVER = (428, 429, 431, 511)
"""RFC 6585 has that caches must not store these."""

OF_ONE_REQUEST = {
    401: {"Authorization": "Basic eDp5"},
    412: {"If-Match": '"two"'},
    416: {"Range": "bytes=500-"},
    417: {"Expect": "something"},
}
"""What they say of a request with such a field holds for no other request (RFC 9110 §15.5)."""

FINAL = sorted({*HEURISTIC, *NOT_HEURISTIC, 407, 412, 416, 417})
LONG_AGO = At(-100_000_000)

CASES: list[Case] = []

for code in FINAL:
    CASES += [
        reused("RFC 9111 §3", f"{code} with max-age", fresh(status=code)),
        reused("RFC 9111 §3", f"{code} with Expires", reply(None, code, Expires=At(3600))),
        reused("RFC 9111 §3", f"{code} with s-maxage", reply("s-maxage=3600", code)),
        not_reused(
            "RFC 9111 §3", f"{code} with max-age that has passed", reply("max-age=60", code, Age="100")
        ),
        not_reused("RFC 9111 §5.2.2.5", f"{code} with no-store", reply("no-store, max-age=60", code)),
        not_reused("RFC 9111 §5.2.2.7", f"{code} with private", reply("private, max-age=60", code)),
        reused(
            "RFC 9111 §5.2.2.9", f"{code} with public alone", reply("public", code, Last_Modified=LONG_AGO)
        ),
    ]

for code in HEURISTIC:
    CASES += [
        reused(
            "RFC 9111 §4.2.2", f"{code} with Last-Modified alone", reply(None, code, Last_Modified=LONG_AGO)
        ),
        not_reused("RFC 9111 §4.2.2", f"{code} with nothing to go by", reply(None, code)),
    ]

for code in NOT_HEURISTIC:
    CASES.append(
        not_reused(
            "RFC 9111 §4.2.2", f"{code} with Last-Modified alone", reply(None, code, Last_Modified=LONG_AGO)
        )
    )

for code in UNDERSTOOD:
    CASES += [
        reused(
            "RFC 9111 §5.2.2.3", f"{code} with must-understand", reply("max-age=60, must-understand", code)
        ),
        reused(
            "RFC 9111 §5.2.2.3",
            f"{code} with must-understand and no-store",
            reply("max-age=60, must-understand, no-store", code),
        ),
        reused(
            "RFC 9111 §5.2.2.3",
            f"{code} with no-store, then must-understand in another line",
            reply("no-store", code, lines=[("Cache-Control", "must-understand, max-age=60")]),
        ),
    ]

for code in UNKNOWN:
    CASES += [
        not_reused("RFC 9111 §3", f"{code} with must-understand", reply("max-age=60, must-understand", code)),
        not_reused(
            "RFC 9111 §3",
            f"{code} with must-understand and no-store",
            reply("max-age=60, no-store, must-understand", code),
        ),
        reused("RFC 9111 §3", f"{code}, which nobody knows, with max-age", reply("max-age=60", code)),
    ]

for code in NEVER:
    CASES.append(not_reused("RFC 6585", f"{code} with max-age", reply("max-age=60", code)))

for code, named in OF_ONE_REQUEST.items():
    CASES.append(
        case(
            "RFC 9110 §15.5",
            f"{code} to a request with {next(iter(named))} is for no other",
            ask(fresh(status=code), **named),  # type: ignore[arg-type]
            ask(reply()),
        )
    )

CASES += [
    case(
        "RFC 9111 §3",
        "a 304 that nobody asked for is no response to store",
        ask(reply("max-age=60", 304)),
        ask(reply()),
    ),
    not_reused("RFC 9111 §3.3", "206 without Content-Range", fresh(status=206)),
    case(
        "RFC 9110 §15.4",
        "a redirect keeps its Location, also one to another origin",
        ask(fresh(status=301, Location="https://elsewhere.example/x")),
        ask(has={"Location": "https://elsewhere.example/x"}),
    ),
    case(
        "RFC 9110 §15.3.5",
        "204 has no content when it is reused",
        ask(fresh(status=204)),
        ask(text=b"", has={"Transfer-Encoding": None}),
    ),
    case("RFC 9110 §15.3.6", "205 has no content", ask(fresh(status=205, body=b"")), ask(text=b"")),
    case(
        "RFC 9111 §4.3.1",
        "a stale 404 with an entity tag is not asked for by a condition",
        ask(reply("max-age=60", 404, Age="100", ETag='"x"')),
        ask(reply(), seen={"If-None-Match": None}),
    ),
    case(
        "RFC 9111 §4.3.3",
        "a 404 takes the place of a 200 that was validated",
        ask(reply("max-age=60", Age="100", ETag='"x"')),
        ask(reply("max-age=60", 404), seen={"If-None-Match": '"x"'}),
        ask(of=1),
    ),
    case(
        "RFC 9111 §4.3.3",
        "a 200 takes the place of a 404",
        ask(reply("max-age=60", 404, Age="100", ETag='"x"')),
        ask(fresh(ETag='"y"')),
        ask(of=1),
    ),
    case(
        "RFC 9111 §4.3.4",
        "a 203 is validated like a 200",
        ask(reply("max-age=60", 203, Age="100", ETag='"x"')),
        ask(unchanged("max-age=60", ETag='"x"'), VALIDATED),
        ask(updated=True),
    ),
    case("RFC 9112 §4", "a reason phrase is no part of what is understood", ask(fresh(status=200)), ask()),
]


@pytest.mark.parametrize("one", CASES, ids=str)
def test_status(one: Case, bench: Bench) -> None:
    carry_out(one, bench)
