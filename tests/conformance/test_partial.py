"""Ranges: taken from what is stored, stored as parts, and combined (RFC 9111 §3.3, §3.4; RFC 9110 §13.1.5, §14)."""

from __future__ import annotations

import re

import pytest

from tests.conformance.judge import Bench, carry_out
from tests.conformance.script import FORWARDED, VALIDATED, At, Case, Reply, Value, ask, case, fresh, reply, stale, unchanged

BODY = b"0123456789"
WHOLE = fresh(body=BODY, ETag='"x"')

S = "RFC 9110 §14.2"


def part(first: int, last: int, total: int | str = 10, cache_control: str = "max-age=3600", **named: Value) -> Reply:
    """A 206 with these bytes of `BODY`."""
    return reply(
        cache_control,
        206,
        body=BODY[first : last + 1],
        **{"Content_Range": f"bytes {first}-{last}/{total}", "ETag": '"x"', **named},  # type: ignore[arg-type]
    )


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

FROM_WHOLE = [
    *(
        case(
            S,
            f"Range: {value}",
            ask(WHOLE),
            ask(
                status=206,
                Range=value,
                text=BODY[first : last + 1],
                has={"Content-Range": f"bytes {first}-{last}/10", "Content-Length": str(last + 1 - first), "ETag": '"x"'},
            ),
        )
        for value, (first, last) in SATISFIED.items()
    ),
    *(case(S, f"ignored, Range: {value or 'nothing'}", ask(WHOLE), ask(Range=value, has={"Content-Range": None})) for value in IGNORED),
    *(
        case(S, f"not satisfiable, Range: {value}", ask(WHOLE), ask(status=416, Range=value, text=b"", has={"Content-Range": "bytes */10"}))
        for value in ("bytes=10-", "bytes=10-20", "bytes=99999999999999999999-", "bytes=-0", "bytes=10-, 20-")
    ),
    case(S, "two Range lines", ask(WHOLE), ask(lines=[("Range", "bytes=0-1"), ("Range", "bytes=2-3")])),
    case(S, "HEAD has no ranges", ask(WHOLE), ask(method="HEAD", Range="bytes=2-4")),
    case(S, "a redirect has no ranges", ask(fresh(status=301, body=BODY)), ask(Range="bytes=2-4")),
    case(S, "a 404 has no ranges", ask(fresh(status=404, body=BODY)), ask(Range="bytes=2-4")),
    case(S, "empty content has no ranges", ask(fresh(body=b"")), ask(Range="bytes=0-")),
    case(S, "chunked content has ranges too", ask(fresh(body=BODY, framing="chunked")), ask(status=206, Range="bytes=-3", text=b"789")),
    case(S, "without any validator", ask(fresh(body=BODY)), ask(status=206, Range="bytes=-3", text=b"789")),
    case(
        "RFC 9110 §15.3.7",
        "the fields of the whole come with a part",
        ask(fresh(body=BODY, Content_Type="text/plain", Foo="1", Vary="Bar", Expires=At(60))),
        ask(
            status=206,
            Range="bytes=2-4",
            text=b"234",
            age=(0, 1),
            has={"Content-Type": "text/plain", "Foo": "1", "Vary": "Bar", "Cache-Control": "max-age=3600"},
        ),
    ),
    case("RFC 9110 §13.2.2", "If-None-Match first", ask(WHOLE), ask(status=304, Range="bytes=2-4", If_None_Match='"x"')),
    case("RFC 9110 §13.2.2", "If-None-Match that is true", ask(WHOLE), ask(status=206, Range="bytes=2-4", If_None_Match='"y"', text=b"234")),
    case("RFC 9211 §2.1", "it is a hit", ask(WHOLE), ask(status=206, Range="bytes=2-4", text=b"234", has={"Cache-Status": lambda v: "hit" in v})),
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
    case("RFC 9110 §14.2", "many small ranges are an attack", ask(WHOLE), ask(Range="bytes=" + ",".join(["0-"] * 100))),
]

IF_RANGE = [
    case("RFC 9110 §13.1.5", "the same entity tag", ask(WHOLE), ask(status=206, Range="bytes=2-4", If_Range='"x"', text=b"234")),
    case("RFC 9110 §13.1.5", "another entity tag", ask(WHOLE), ask(Range="bytes=2-4", If_Range='"y"')),
    case("RFC 9110 §13.1.5", "a weak entity tag", ask(WHOLE), ask(Range="bytes=2-4", If_Range='W/"x"')),
    case("RFC 9110 §13.1.5", "both are weak", ask(fresh(body=BODY, ETag='W/"x"')), ask(Range="bytes=2-4", If_Range='W/"x"')),
    case("RFC 9110 §13.1.5", "none is stored", ask(fresh(body=BODY)), ask(Range="bytes=2-4", If_Range='"x"')),
    case("RFC 9110 §13.1.5", "an ill-formed one", ask(WHOLE), ask(Range="bytes=2-4", If_Range="x")),
    case(
        "RFC 9110 §13.1.5",
        "the same date",
        ask(fresh(body=BODY, Last_Modified=At(-3600))),
        ask(status=206, Range="bytes=2-4", If_Range=At(-3600), text=b"234"),
    ),
    case(
        "RFC 9110 §13.1.5",
        "a later date is not the same",
        ask(fresh(body=BODY, Last_Modified=At(-3600))),
        ask(Range="bytes=2-4", If_Range=At(-1800)),
    ),
    case(
        "RFC 9110 §13.1.5",
        "a date that is not strong",
        ask(fresh(body=BODY, Last_Modified=At(0), date=At(0))),
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
    case(S, "the origin ignores it, and all is stored", ask(WHOLE, Range="bytes=2-4"), ask(status=206, Range="bytes=5-6", text=b"56"), ask(of=0)),
    case(
        "RFC 9110 §15.5.17",
        "a 416 is for that request alone",
        ask(reply("max-age=60", 416, Content_Range="bytes */10"), Range="bytes=20-"),
        ask(WHOLE),
    ),
    case(
        S,
        "what is stale is validated before ranges are taken from it",
        ask(stale(body=BODY)),
        ask(unchanged("max-age=60", ETag='"one"'), VALIDATED, Range="bytes=2-4", status=206, text=b"234"),
    ),
]

P = "RFC 9111 §3.3"

PARTS = [
    case(P, "the same range again", ask(part(2, 4), Range="bytes=2-4"), ask(status=206, Range="bytes=2-4", text=b"234", has={"Content-Range": "bytes 2-4/10"})),
    case(P, "a range within it", ask(part(2, 6), Range="bytes=2-6"), ask(status=206, Range="bytes=3-4", text=b"34", has={"Content-Range": "bytes 3-4/10"})),
    case(P, "a suffix within it", ask(part(5, 9), Range="bytes=-5"), ask(status=206, Range="bytes=-3", text=b"789")),
    case(P, "the same suffix again", ask(part(5, 9), Range="bytes=-5"), ask(status=206, Range="bytes=-5", text=b"56789")),
    case(P, "a suffix, and then by positions", ask(part(5, 9), Range="bytes=-5"), ask(status=206, Range="bytes=6-8", text=b"678")),
    case(P, "an open range within it", ask(part(5, 9), Range="bytes=5-"), ask(status=206, Range="bytes=7-", text=b"789")),
    case(P, "without any validator", ask(part(2, 6, ETag=""), Range="bytes=2-6"), ask(status=206, Range="bytes=3-4", text=b"34")),
    case(P, "all of it, as a part", ask(part(0, 9), Range="bytes=0-"), ask(of=0, status=200, text=BODY, has={"Content-Range": None, "Content-Length": "10"})),
    case(P, "a part is not the whole", ask(part(2, 4, ETag=""), Range="bytes=2-4"), ask(fresh(body=BODY), fwd="partial"), ask(of=1)),
    case(P, "what it lacks is asked for", ask(part(2, 4, ETag=""), Range="bytes=2-4"), ask(part(5, 6, ETag=""), Range="bytes=5-6", fwd="partial")),
    case(P, "HEAD is not answered from a part's length", ask(part(2, 4), Range="bytes=2-4"), ask(fresh(body=BODY), method="HEAD")),
    case(P, "no-store", ask(part(2, 4, cache_control="no-store"), Range="bytes=2-4"), ask(part(2, 4), Range="bytes=2-4")),
    case(
        P,
        "a stale part is validated for its range",
        ask(part(2, 4, cache_control="max-age=60", Age="100"), Range="bytes=2-4"),
        ask(unchanged("max-age=60", ETag='"x"'), VALIDATED, Range="bytes=2-4", status=206, text=b"234", seen={"If-None-Match": '"x"', "Range": "bytes=2-4"}),
        ask(status=206, Range="bytes=2-4", text=b"234", updated=True),
    ),
    case(
        P,
        "If-Range with the entity tag of the part",
        ask(part(2, 4), Range="bytes=2-4"),
        ask(status=206, Range="bytes=2-4", If_Range='"x"', text=b"234"),
        ask(WHOLE, Range="bytes=2-4", If_Range='"y"'),
    ),
]

V = "RFC 9111 §3.3"
BYTERANGES = "multipart/byteranges; boundary=B"
TWO = (
    b"--B\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n--B\r\nContent-Range: bytes 8-9/10\r\n\r\n89\r\n--B--\r\n"
)

VERBATIM = [
    case(
        V,
        "several parts, asked for in the same way",
        ask(reply("max-age=60", 206, body=TWO, Content_Type=BYTERANGES), Range="bytes=0-1,8-9"),
        ask(of=0, Range="bytes=0-1,8-9"),
    ),
    case(
        V,
        "several parts, asked for in another way",
        ask(reply("max-age=60", 206, body=TWO, Content_Type=BYTERANGES), Range="bytes=0-1,8-9"),
        ask(part(0, 1), Range="bytes=0-1"),
    ),
    case(
        V,
        "a part of what has no known length, asked for in the same way",
        ask(part(2, 4, total="*"), Range="bytes=2-4"),
        ask(of=0, Range="bytes=2-4"),
    ),
    case(
        V,
        "a part of what has no known length, asked for in another way",
        ask(part(2, 4, total="*"), Range="bytes=2-4"),
        ask(part(2, 3, total="*"), Range="bytes=2-3"),
    ),
    case(
        V,
        "a part of what has no known length is not the whole",
        ask(part(0, 9, total="*"), Range="bytes=0-"),
        ask(fresh(body=BODY)),
        ask(of=1),
    ),
    case(
        V,
        "a part that is not as long as it says, asked for in the same way",
        ask(reply("max-age=60", 206, body=b"56789", Content_Range="bytes 4-9/10"), Range="bytes=-5"),
        ask(of=0, Range="bytes=-5"),
        ask(part(6, 8), Range="bytes=6-8"),
    ),
    case(
        V,
        "for another entity tag in If-Range all is had",
        ask(reply("max-age=60", 206, body=TWO, Content_Type=BYTERANGES, ETag='"x"'), Range="bytes=0-1,8-9"),
        ask(of=0, Range="bytes=0-1,8-9", If_Range='"x"'),
        ask(WHOLE, Range="bytes=0-1,8-9", If_Range='"y"'),
    ),
]

C = "RFC 9111 §3.4"

COMBINED = [
    case(
        C,
        "the rest is asked for and both make the whole",
        ask(part(0, 4), Range="bytes=0-4"),
        ask(part(5, 9), FORWARDED, status=200, text=BODY, seen={"Range": "bytes=5-", "If-Range": '"x"'}, has={"Content-Range": None, "Content-Length": "10"}),
        ask(of=0, status=200, text=BODY),
    ),
    case(
        C,
        "the beginning is asked for and both make the whole",
        ask(part(5, 9), Range="bytes=-5"),
        ask(part(0, 4), FORWARDED, status=200, text=BODY, seen={"Range": "bytes=0-4", "If-Range": '"x"'}),
        ask(of=0, status=200, text=BODY),
    ),
    case(
        C,
        "a longer range",
        ask(part(0, 4), Range="bytes=0-4"),
        ask(part(5, 7), FORWARDED, Range="bytes=2-7", status=206, text=b"234567", seen={"Range": "bytes=5-7"}, has={"Content-Range": "bytes 2-7/10"}),
        ask(of=1, Range="bytes=0-7", status=206, text=b"01234567"),
    ),
    case(
        C,
        "the representation has changed meanwhile",
        ask(part(0, 4), Range="bytes=0-4"),
        ask(fresh(body=b"abc", ETag='"y"'), FORWARDED, seen={"If-Range": '"x"'}),
        ask(of=1),
    ),
    case(
        C,
        "two parts that came separately",
        ask(part(0, 4), Range="bytes=0-4"),
        ask(part(5, 9), Range="bytes=5-9"),
        ask(of=0, status=200, text=BODY),
    ),
    case(
        C,
        "two parts that overlap",
        ask(part(0, 6), Range="bytes=0-6"),
        ask(part(7, 9), Range="bytes=4-9", status=206, text=BODY[4:], seen={"Range": "bytes=7-"}),
        ask(of=0, status=200, text=BODY),
    ),
    case(
        C,
        "two parts that do not touch",
        ask(part(0, 2), Range="bytes=0-2"),
        ask(part(6, 9), Range="bytes=6-9"),
        ask(of=0, Range="bytes=1-2", status=206, text=b"12"),
        ask(of=1, Range="bytes=-2", status=206, text=b"89"),
    ),
    case(
        C,
        "other entity tags are never combined",
        ask(part(0, 4), Range="bytes=0-4"),
        ask(part(6, 9, ETag='"y"'), Range="bytes=6-9"),
        ask(WHOLE),
    ),
    case(
        C,
        "weak entity tags are never combined",
        ask(part(0, 4, ETag='W/"x"'), Range="bytes=0-4"),
        ask(part(5, 9, ETag='W/"x"'), Range="bytes=5-9"),
        ask(WHOLE, seen={"Range": None}),
    ),
    case(
        C,
        "the fields of the later part hold",
        ask(part(0, 4, a="1"), Range="bytes=0-4"),
        ask(part(5, 9, a="2"), FORWARDED, status=200, text=BODY, has={"a": "2"}),
        ask(of=0, status=200, text=BODY, has={"a": "2"}),
    ),
    case(
        C,
        "combined by a strong date",
        ask(part(0, 4, ETag="", Last_Modified=At(-3600)), Range="bytes=0-4"),
        ask(part(5, 9, ETag="", Last_Modified=At(-3600)), FORWARDED, status=200, text=BODY, seen={"If-Range": lambda v: v.endswith("GMT")}),
        ask(of=0, status=200, text=BODY),
    ),
    case(C, "a part leaves the whole", ask(stale(body=BODY)), ask(part(2, 4, ETag='"one"'), Range="bytes=2-4"), ask(unchanged("max-age=60", ETag='"one"'), VALIDATED, status=200, text=BODY)),
]

CASES = [*FROM_WHOLE, *SEVERAL, *IF_RANGE, *FORWARDING, *PARTS, *VERBATIM, *COMBINED]


@pytest.mark.parametrize("one", CASES, ids=str)
def test_partial(one: Case, bench: Bench) -> None:
    carry_out(one, bench)


def test_parts_come_in_the_order_asked_for(bench: Bench) -> None:
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
