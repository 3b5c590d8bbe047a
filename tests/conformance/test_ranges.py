"""Ranges that are taken from what is stored (RFC 9110 §13.1.5, §14, §15.3.7)."""

from __future__ import annotations

import re

import pytest

from tests.conformance.judge import Bench, carry_out
from tests.conformance.script import (
    DIGITS,
    VALIDATED,
    At,
    Case,
    ask,
    case,
    fresh,
    part,
    reply,
    stale,
    unchanged,
)

S = "RFC 9110 §14.2"
WHOLE = fresh(body=DIGITS, ETag='"x"')

SATISFIED = {
    "bytes=0-0": (0, 0),
    "bytes=2-4": (2, 4),
    "bytes=4-9": (4, 9),
    "bytes=5-": (5, 9),
    "bytes=0-": (0, 9),
    "bytes=-5": (5, 9),
    "bytes=-1": (9, 9),
    "bytes=-10": (0, 9),
    "bytes=-100": (0, 9),
    "bytes=5-100": (5, 9),
    "bytes=9-99999999999999999999999999": (9, 9),
    "Bytes=2-4": (2, 4),
    "bytes= 2-4": (2, 4),
    "bytes=,2-4,": (2, 4),
    "bytes=02-004": (2, 4),
}

IGNORED = (
    "bytes",
    "bytes=",
    "bytes=-",
    "bytes=a-b",
    "bytes=4-2",
    "bytes=2",
    "bytes 2-4",
    "bytes=2-4;5-6",
    "bytes=--5",
    "bytes=2-4, 6",
    "lines=2-4",
    "foo=2-4",
    "",
)

DIGEST = {"Content-Digest": "sha-256=:AAAA:"}

FROM_WHOLE = [
    case(
        "RFC 9530 §2",
        "a Content-Digest is of the content that it came with",
        ask(fresh(body=DIGITS, ETag='"x"', lines=DIGEST.items())),
        ask(has=DIGEST),
        ask(status=206, Range="bytes=0-1", text=DIGITS[:2], has={"Content-Digest": None}),
        ask(method="HEAD", lacks=("Content-Digest",)),
        ask(status=304, If_None_Match='"x"', has={"Content-Digest": None}),
    ),
    *(
        case(
            S,
            f"Range: {value}",
            ask(WHOLE),
            ask(
                status=206,
                Range=value,
                text=DIGITS[first : last + 1],
                has={
                    "Content-Range": f"bytes {first}-{last}/10",
                    "Content-Length": str(last + 1 - first),
                    "ETag": '"x"',
                },
            ),
        )
        for value, (first, last) in SATISFIED.items()
    ),
    *(
        case(
            S,
            f"ignored, Range: {value or 'nothing'}",
            ask(WHOLE),
            ask(Range=value, has={"Content-Range": None}),
        )
        for value in IGNORED
    ),
    *(
        case(
            S,
            f"not satisfiable, Range: {value}",
            ask(WHOLE),
            ask(status=416, Range=value, text=b"", has={"Content-Range": "bytes */10"}),
        )
        for value in ("bytes=10-", "bytes=10-20", "bytes=99999999999999999999-", "bytes=-0", "bytes=10-, 20-")
    ),
    case(S, "two Range lines", ask(WHOLE), ask(lines=[("Range", "bytes=0-1"), ("Range", "bytes=2-3")])),
    case(S, "HEAD has no ranges", ask(WHOLE), ask(method="HEAD", Range="bytes=2-4")),
    case(S, "a redirect has no ranges", ask(fresh(status=301, body=DIGITS)), ask(Range="bytes=2-4")),
    case(S, "a 404 has no ranges", ask(fresh(status=404, body=DIGITS)), ask(Range="bytes=2-4")),
    case(S, "empty content has no ranges", ask(fresh(body=b"")), ask(Range="bytes=0-")),
    case(
        S,
        "chunked content has ranges too",
        ask(fresh(body=DIGITS, framing="chunked")),
        ask(status=206, Range="bytes=-3", text=b"789"),
    ),
    case(S, "without any validator", ask(fresh(body=DIGITS)), ask(status=206, Range="bytes=-3", text=b"789")),
    case(
        "RFC 9110 §15.3.7",
        "the fields of the whole come with a part",
        ask(fresh(body=DIGITS, Content_Type="text/plain", Foo="1", Vary="Bar", Expires=At(60))),
        ask(
            status=206,
            Range="bytes=2-4",
            text=b"234",
            age=(0, 1),
            has={"Content-Type": "text/plain", "Foo": "1", "Vary": "Bar", "Cache-Control": "max-age=3600"},
        ),
    ),
    case(
        "RFC 9110 §13.2.2",
        "If-None-Match first",
        ask(WHOLE),
        ask(status=304, Range="bytes=2-4", If_None_Match='"x"'),
    ),
    case(
        "RFC 9110 §13.2.2",
        "If-None-Match that is true",
        ask(WHOLE),
        ask(status=206, Range="bytes=2-4", If_None_Match='"y"', text=b"234"),
    ),
    case(
        "RFC 9211 §2.1",
        "it is a hit",
        ask(WHOLE),
        ask(status=206, Range="bytes=2-4", text=b"234", has={"Cache-Status": lambda v: "hit" in v}),
    ),
]


SEVERAL = [
    case(
        "RFC 9110 §15.3.7.2",
        "ranges that touch come as one",
        ask(WHOLE),
        ask(status=206, Range="bytes=0-3, 4-6", text=b"0123456", has={"Content-Range": "bytes 0-6/10"}),
    ),
    case(
        "RFC 9110 §15.3.7.2",
        "of two ranges one can be satisfied",
        ask(WHOLE),
        ask(status=206, Range="bytes=20-, 4-6", text=b"456", has={"Content-Range": "bytes 4-6/10"}),
    ),
    case(
        "RFC 9110 §14.2",
        "many small ranges are an attack",
        ask(WHOLE),
        ask(Range="bytes=" + ",".join(["0-"] * 100)),
    ),
]

IF_RANGE = [
    case(
        "RFC 9110 §13.1.5",
        "the same entity tag",
        ask(WHOLE),
        ask(status=206, Range="bytes=2-4", If_Range='"x"', text=b"234"),
    ),
    case("RFC 9110 §13.1.5", "another entity tag", ask(WHOLE), ask(Range="bytes=2-4", If_Range='"y"')),
    case("RFC 9110 §13.1.5", "a weak entity tag", ask(WHOLE), ask(Range="bytes=2-4", If_Range='W/"x"')),
    case(
        "RFC 9110 §13.1.5",
        "both are weak",
        ask(fresh(body=DIGITS, ETag='W/"x"')),
        ask(Range="bytes=2-4", If_Range='W/"x"'),
    ),
    case(
        "RFC 9110 §13.1.5", "none is stored", ask(fresh(body=DIGITS)), ask(Range="bytes=2-4", If_Range='"x"')
    ),
    case("RFC 9110 §13.1.5", "an ill-formed one", ask(WHOLE), ask(Range="bytes=2-4", If_Range="x")),
    case(
        "RFC 9110 §13.1.5",
        "the same date",
        ask(fresh(body=DIGITS, Last_Modified=At(-3600))),
        ask(status=206, Range="bytes=2-4", If_Range=At(-3600), text=b"234"),
    ),
    case(
        "RFC 9110 §13.1.5",
        "a later date is not the same",
        ask(fresh(body=DIGITS, Last_Modified=At(-3600))),
        ask(Range="bytes=2-4", If_Range=At(-1800)),
    ),
    case(
        "RFC 9110 §13.1.5",
        "a date that is not strong",
        ask(fresh(body=DIGITS, Last_Modified=At(0), date=At(0))),
        ask(Range="bytes=2-4", If_Range=At(0)),
    ),
    case("RFC 9110 §13.1.5", "without Range it means nothing", ask(WHOLE), ask(If_Range='"y"')),
]

FORWARDING = [
    case(
        S,
        "nothing stored: the range goes forward",
        ask(part(2, 4), Range="bytes=2-4", seen={"Range": "bytes=2-4"}),
    ),
    case(
        S,
        "the origin ignores it, and all is stored",
        ask(WHOLE, Range="bytes=2-4"),
        ask(status=206, Range="bytes=5-6", text=b"56"),
        ask(of=0),
    ),
    case(
        "RFC 9110 §15.5.17",
        "a 416 is for that request alone",
        ask(reply("max-age=60", 416, Content_Range="bytes */10"), Range="bytes=20-"),
        ask(WHOLE),
    ),
    case(
        S,
        "what is stale is validated before ranges are taken from it",
        ask(stale(body=DIGITS)),
        ask(unchanged("max-age=60", ETag='"one"'), VALIDATED, Range="bytes=2-4", status=206, text=b"234"),
    ),
]

CASES = [*FROM_WHOLE, *SEVERAL, *IF_RANGE, *FORWARDING]


@pytest.mark.parametrize("one", CASES, ids=str)
def test_ranges(one: Case, bench: Bench) -> None:
    carry_out(one, bench)


def test_several_parts_come_in_the_order_asked_for(bench: Bench) -> None:
    body = b"x" * 305 + b"abcde"
    pattern = rb"--(\w+)\r\nContent-Type: a/b\r\nContent-Range: bytes 305-309/310\r\n\r\nabcde\r\n--\1\r\n"
    pattern += rb"Content-Type: a/b\r\nContent-Range: bytes 0-4/310\r\n\r\nxxxxx\r\n--\1--\r\n"
    asks = (
        ask(fresh(body=body, Content_Type="a/b")),
        ask(
            status=206,
            Range="bytes=305-309, 0-4",
            has={"Content-Type": lambda v: v.startswith("multipart/byteranges"), "Content-Range": None},
        ),
    )
    answers = carry_out(case("RFC 9110 §14.6", "several parts", *asks), bench)
    assert re.fullmatch(pattern, answers[1].body)
