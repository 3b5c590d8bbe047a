"""Conditional requests of clients, answered from what is stored (RFC 9111 §4.3.2, RFC 9110 §13)."""

from __future__ import annotations

import pytest

from tests.conformance.judge import Bench, carry_out
from tests.conformance.script import FORWARDED, VALIDATED, At, Case, ask, case, fresh, reply, stale, unchanged

S = "RFC 9111 §4.3.2"
TAG = fresh(ETag='"abcdef"')
DATED = fresh(Last_Modified=At(-3600))

MATCHING = (
    ('"abcdef"', '"abcdef"'),
    ('"abcdef"', 'W/"abcdef"'),
    ('W/"abcdef"', '"abcdef"'),
    ('W/"abcdef"', 'W/"abcdef"'),
    ('"abcdef"', '"abcdef", "1"'),
    ('"abcdef"', '"1", "abcdef"'),
    ('"abcdef"', '"1", "abcdef", "2"'),
    ('"abcdef"', '"1","abcdef","2"'),
    ('"abcdef"', '"1" ,\t"abcdef"'),
    ('"abcdef"', ',"1",, "abcdef",'),
    ('"abcdef"', 'W/"1", W/"abcdef"'),
    ('"abcdef"', 'foo, "abcdef"'),
    ('"abcdef"', "*"),
    ('W/"abcdef"', "*"),
    ('"a,b"', '"a,b"'),
    ('"a,b"', '"x", "a,b"'),
    ('"a b"'.replace(" ", "\xa0"), '"a b"'.replace(" ", "\xa0")),
    ('"\xc3\xa9"', '"\xc3\xa9"'),
    ('"a\\b"', '"a\\b"'),
    ('""', '""'),
    ('"W/"', '"W/"'),
    ('"\'"', '"\'"'),
    # Entity tags that lack their quotes match what is written the same way.
    ("abcdef", "abcdef"),
    ("abcdef", '"1", abcdef'),
)

DIFFERENT = (
    ('"abcdef"', '"ABCDEF"'),
    ('"abcdef"', '"abcde"'),
    ('"abcdef"', '"abcdefg"'),
    ('"abcdef"', '"1", "2"'),
    ('"abcdef"', '""'),
    ('"abcdef"', ""),
    ('"abcdef"', '"abcdef'),
    ('"abcdef"', 'abcdef"'),
    ('"abcdef"', 'w/"abcdef"'),
    ('"abcdef"', 'W"abcdef"'),
    ('"abcdef"', "W/abcdef"),
    ('"abcdef"', "'abcdef'"),
    ('"abcdef"', "**"),
    ('"abcdef"', '"*"'),
    ('"abcdef"', '"abcdef" "1"'),
    ('"abcdef"', "abcdef"),
    ("abcdef", '"abcdef"'),
    ('"a\\b"', '"ab"'),
    ('"a,b"', '"a", "b"'),
)

NONE_MATCH = [
    *(
        case(
            S,
            f"ETag: {held}, If-None-Match: {asked}",
            ask(fresh(ETag=held)),
            ask(status=304, If_None_Match=asked, text=b""),
        )
        for held, asked in MATCHING
    ),
    *(
        case(
            S,
            f"ETag: {held}, but If-None-Match: {asked or 'nothing'}",
            ask(fresh(ETag=held)),
            ask(If_None_Match=asked),
        )
        for held, asked in DIFFERENT
    ),
    case(
        S,
        "If-None-Match in two lines",
        ask(TAG),
        ask(status=304, lines=[("If-None-Match", '"1"'), ("If-None-Match", '"abcdef"')]),
    ),
    case(S, "no entity tag is stored", ask(fresh()), ask(If_None_Match='"abcdef"')),
    case(S, "no entity tag is stored, and any would do", ask(fresh()), ask(status=304, If_None_Match="*")),
    case(
        S,
        "two entity tags are stored",
        ask(fresh(lines=[("ETag", '"a"'), ("ETag", '"b"')])),
        ask(If_None_Match='"a"'),
    ),
    case(S, "HEAD, by entity tag", ask(TAG), ask(method="HEAD", status=304, If_None_Match='"abcdef"')),
    case(
        S,
        "nothing is stored, so it is not evaluated",
        ask(TAG, If_None_Match="*", seen={"If-None-Match": "*"}),
    ),
    case(
        S,
        "nothing is stored, so it is passed on as it came",
        ask(
            TAG,
            lines=[("If-None-Match", '"x",  W/"y"'), ("If-None-Match", "z")],
            seen={"If-None-Match": '"x",  W/"y", z'},
        ),
    ),
    case(
        S,
        "a 304 that the client asked for reaches it, and is not stored",
        ask(unchanged("max-age=60", ETag='"x"'), If_None_Match='"x"', status=304),
        ask(fresh()),
        ask(of=1),
    ),
    case(
        "RFC 9110 §13.1.2",
        "a 404 is not compared",
        ask(fresh(status=404, ETag='"x"')),
        ask(If_None_Match='"x"'),
    ),
    case(
        "RFC 9110 §13.1.2",
        "a redirect is not compared",
        ask(fresh(status=301, ETag='"x"')),
        ask(If_None_Match='"x"'),
    ),
]

SINCE = [
    case(S, "the very date", ask(DATED), ask(status=304, If_Modified_Since=At(-3600))),
    case(S, "a later date", ask(DATED), ask(status=304, If_Modified_Since=At(-3000))),
    case(S, "an earlier date", ask(DATED), ask(If_Modified_Since=At(-4000))),
    case(S, "the rfc850 form", ask(DATED), ask(status=304, If_Modified_Since=At(-3600, "rfc850"))),
    case(S, "the asctime form", ask(DATED), ask(status=304, If_Modified_Since=At(-3600, "asctime"))),
    case(
        S,
        "stored in the rfc850 form",
        ask(fresh(Last_Modified=At(-3600, "rfc850"))),
        ask(status=304, If_Modified_Since=At(-3600)),
    ),
    case(S, "HEAD, by date", ask(DATED), ask(method="HEAD", status=304, If_Modified_Since=At(-3600))),
    case(
        S,
        "Date stands for Last-Modified",
        ask(fresh(date=At(-100))),
        ask(status=304, If_Modified_Since=At(-100)),
    ),
    case(
        S,
        "Date stands for Last-Modified, which is later",
        ask(fresh(date=At(-100))),
        ask(If_Modified_Since=At(-200)),
    ),
    case(
        S,
        "the time of reception stands for both",
        ask(fresh(date=None)),
        ask(status=304, If_Modified_Since=At(100)),
    ),
    *(
        case("RFC 9110 §13.1.3", f"no date: {value or 'nothing'}", ask(DATED), ask(If_Modified_Since=value))
        for value in ("foo", "0", "", "3600", "Thu, 18 Aug 2050 02:01:18 EST", "Thu, 18 Aug 2050 02:01:18")
    ),
    case(
        "RFC 9110 §13.1.3",
        "two dates",
        ask(DATED),
        ask(lines=[("If-Modified-Since", At(-3600)), ("If-Modified-Since", At(-3600))]),
    ),
    case(
        "RFC 9110 §13.1.3",
        "a redirect is not compared",
        ask(fresh(status=301, Last_Modified=At(-3600))),
        ask(If_Modified_Since=At(-3600)),
    ),
]

BOTH = fresh(ETag='"abcdef"', Last_Modified=At(-3600))

PRECEDENCE = [
    case(
        "RFC 9110 §13.2.2",
        "both are true of it",
        ask(BOTH),
        ask(status=304, If_None_Match='"abcdef"', If_Modified_Since=At(-3600)),
    ),
    case(
        "RFC 9110 §13.2.2",
        "the tag matches, the date does not",
        ask(BOTH),
        ask(status=304, If_None_Match='"abcdef"', If_Modified_Since=At(-9000)),
    ),
    case(
        "RFC 9110 §13.2.2",
        "the date matches, the tag does not",
        ask(BOTH),
        ask(If_None_Match='"x"', If_Modified_Since=At(-3600)),
    ),
    case(
        "RFC 9110 §13.2.2",
        "the date matches, and no tag is stored",
        ask(DATED),
        ask(If_None_Match='"x"', If_Modified_Since=At(-3600)),
    ),
    case(
        "RFC 9110 §13.2.2",
        "the tag can't be read",
        ask(BOTH),
        ask(If_None_Match="x", If_Modified_Since=At(-3600)),
    ),
]

NOT_OURS = [
    case(S, "If-Match is the origin's, and what is stored may be used", ask(TAG), ask(If_Match='"abcdef"')),
    case(S, "If-Match that doesn't match is not evaluated here", ask(TAG), ask(If_Match='"x"')),
    case(S, "If-Unmodified-Since is not evaluated here", ask(DATED), ask(If_Unmodified_Since=At(-9000))),
    case(S, "If-Match is passed on", ask(TAG, If_Match='"x"', seen={"If-Match": '"x"'})),
    case(
        S,
        "conditions of a POST are passed on",
        ask(TAG),
        ask(reply(), method="POST", If_None_Match='"abcdef"', seen={"If-None-Match": '"abcdef"'}),
    ),
    case(
        S,
        "conditions of a PUT are passed on",
        ask(TAG),
        ask(reply(None, 412), method="PUT", If_Match='"abcdef"', seen={"If-Match": '"abcdef"'}),
    ),
]

FULL = fresh(
    ETag='"x"',
    Last_Modified=At(-3600),
    Content_Type="text/plain",
    Content_Language="en",
    Content_Location="/there",
    Expires=At(3600),
    Vary="Foo",
    Set_Cookie="a=b",
    Cache_Group="1",
)

HEADS = [
    case(
        "RFC 9110 §15.4.5",
        "a 304 has the fields that a 200 would have had, and no representation metadata",
        ask(FULL),
        ask(
            status=304,
            If_None_Match='"x"',
            has={
                "Cache-Control": "max-age=3600",
                "ETag": '"x"',
                "Vary": "Foo",
                "Content-Location": "/there",
                "Expires": lambda v: v.endswith("GMT"),
                "Content-Type": None,
                "Content-Language": None,
                "Content-Encoding": None,
                "Transfer-Encoding": None,
            },
        ),
    ),
    case(
        "RFC 9110 §15.4.5",
        "Last-Modified helps where there is no entity tag",
        ask(DATED),
        ask(status=304, If_Modified_Since=At(-3600), has={"Last-Modified": lambda v: v.endswith("GMT")}),
    ),
]

WHEN_STALE = [
    case(
        S,
        "both lists are joined for the origin, which says that ours is good",
        ask(stale()),
        ask(
            unchanged("max-age=60", ETag='"one"'),
            VALIDATED,
            If_None_Match='"two"',
            seen={"If-None-Match": lambda v: {t.strip() for t in v.split(",")} == {'"one"', '"two"'}},
            status=200,
        ),
        ask(updated=True),
    ),
    case(
        S,
        "both lists are joined for the origin, which says that the client's is good",
        ask(stale()),
        ask(unchanged("max-age=60", ETag='"two"'), FORWARDED, If_None_Match='"two"', status=304),
        ask(reply(), seen={"If-None-Match": '"one"'}),
    ),
    case(
        S,
        "the client has the same one",
        ask(stale()),
        ask(
            unchanged("max-age=60", ETag='"one"'),
            VALIDATED,
            If_None_Match='"one"',
            seen={"If-None-Match": '"one"'},
            status=304,
        ),
        ask(updated=True),
    ),
    case(
        S,
        "the client has the same one by date",
        ask(reply("max-age=60", Last_Modified=At(-3600), Age="100")),
        ask(
            unchanged("max-age=60", Last_Modified=At(-3600)),
            VALIDATED,
            If_Modified_Since=At(-3600),
            status=304,
        ),
        ask(updated=True),
    ),
    case(
        S,
        "the client's date is older than ours",
        ask(reply("max-age=60", Last_Modified=At(-3600), Age="100")),
        ask(
            unchanged("max-age=60", Last_Modified=At(-3600)),
            VALIDATED,
            If_Modified_Since=At(-9000),
            status=200,
        ),
        ask(updated=True),
    ),
    case(
        S,
        "a new response, but the client has it already",
        ask(reply("max-age=60", Last_Modified=At(-3600), Age="100")),
        ask(fresh(Last_Modified=At(-1800)), FORWARDED, If_Modified_Since=At(-600), status=304),
        ask(of=1),
    ),
    case(
        S,
        "a new response for everybody",
        ask(stale()),
        ask(fresh(ETag='"two"'), FORWARDED, If_None_Match='"x"'),
        ask(of=1),
    ),
    case(
        S,
        "what was validated is compared with the client's condition",
        ask(stale(Last_Modified=At(-3600))),
        ask(unchanged("max-age=60", ETag='"one"'), VALIDATED, If_Modified_Since=At(-3600), status=304),
        ask(If_None_Match='"one"', status=304),
    ),
]

CASES = [*NONE_MATCH, *SINCE, *PRECEDENCE, *NOT_OURS, *HEADS, *WHEN_STALE]


@pytest.mark.parametrize("one", CASES, ids=str)
def test_conditions(one: Case, bench: Bench) -> None:
    carry_out(one, bench)
