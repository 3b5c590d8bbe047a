"""Partial responses: stored, used again and combined (RFC 9111 §3.3, §3.4)."""

from __future__ import annotations

import pytest

from tests.conformance.judge import Bench, carry_out
from tests.conformance.script import (
    DIGITS,
    FORWARDED,
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

WHOLE = fresh(body=DIGITS, ETag='"x"')

P = "RFC 9111 §3.3"

PARTS = [
    case(
        P,
        "the same range again",
        ask(part(2, 4), Range="bytes=2-4"),
        ask(status=206, Range="bytes=2-4", text=b"234", has={"Content-Range": "bytes 2-4/10"}),
    ),
    case(
        P,
        "a range within it",
        ask(part(2, 6), Range="bytes=2-6"),
        ask(status=206, Range="bytes=3-4", text=b"34", has={"Content-Range": "bytes 3-4/10"}),
    ),
    case(
        P,
        "a suffix within it",
        ask(part(5, 9), Range="bytes=-5"),
        ask(status=206, Range="bytes=-3", text=b"789"),
    ),
    case(
        P,
        "the same suffix again",
        ask(part(5, 9), Range="bytes=-5"),
        ask(status=206, Range="bytes=-5", text=b"56789"),
    ),
    case(
        P,
        "a suffix, and then by positions",
        ask(part(5, 9), Range="bytes=-5"),
        ask(status=206, Range="bytes=6-8", text=b"678"),
    ),
    case(
        P,
        "an open range within it",
        ask(part(5, 9), Range="bytes=5-"),
        ask(status=206, Range="bytes=7-", text=b"789"),
    ),
    case(
        P,
        "without any validator",
        ask(part(2, 6, ETag=""), Range="bytes=2-6"),
        ask(status=206, Range="bytes=3-4", text=b"34"),
    ),
    case(
        P,
        "all of it, as a part",
        ask(part(0, 9), Range="bytes=0-"),
        ask(of=0, status=200, text=DIGITS, has={"Content-Range": None, "Content-Length": "10"}),
    ),
    case(
        P,
        "a part is not the whole",
        ask(part(2, 4, ETag=""), Range="bytes=2-4"),
        ask(fresh(body=DIGITS), fwd="partial"),
        ask(of=1),
    ),
    case(
        P,
        "what it lacks is asked for",
        ask(part(2, 4, ETag=""), Range="bytes=2-4"),
        ask(part(5, 6, ETag=""), Range="bytes=5-6", fwd="partial"),
    ),
    case(
        P,
        "HEAD is not answered from a part's length",
        ask(part(2, 4), Range="bytes=2-4"),
        ask(fresh(body=DIGITS), method="HEAD"),
    ),
    case(
        P,
        "no-store",
        ask(part(2, 4, cache_control="no-store"), Range="bytes=2-4"),
        ask(part(2, 4), Range="bytes=2-4"),
    ),
    case(
        P,
        "a stale part is validated for its range",
        ask(part(2, 4, cache_control="max-age=60", Age="100"), Range="bytes=2-4"),
        ask(
            unchanged("max-age=60", ETag='"x"'),
            VALIDATED,
            Range="bytes=2-4",
            status=206,
            text=b"234",
            seen={"If-None-Match": '"x"', "Range": "bytes=2-4"},
        ),
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

BYTERANGES = "multipart/byteranges; boundary=B"
TWO = b"--B\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n"
TWO += b"--B\r\nContent-Range: bytes 8-9/10\r\n\r\n89\r\n--B--\r\n"

VERBATIM = [
    case(
        "RFC 9111 §4.3.2",
        "the entity tag of a part is not offered where a variant has to be found",
        ask(part(2, 4, Vary="Foo"), Range="bytes=2-4", Foo="1"),
        ask(fresh(body=DIGITS, Vary="Foo"), Foo="2", seen={"If-None-Match": None}),
    ),
    case(
        P,
        "several parts, asked for in the same way",
        ask(reply("max-age=60", 206, body=TWO, Content_Type=BYTERANGES), Range="bytes=0-1,8-9"),
        ask(of=0, Range="bytes=0-1,8-9"),
    ),
    case(
        P,
        "several parts, asked for in another way",
        ask(reply("max-age=60", 206, body=TWO, Content_Type=BYTERANGES), Range="bytes=0-1,8-9"),
        ask(part(0, 1), Range="bytes=0-1"),
    ),
    case(
        P,
        "a part of what has no known length, asked for in the same way",
        ask(part(2, 4, total="*"), Range="bytes=2-4"),
        ask(of=0, Range="bytes=2-4"),
    ),
    case(
        P,
        "a part of what has no known length, asked for in another way",
        ask(part(2, 4, total="*"), Range="bytes=2-4"),
        ask(part(2, 3, total="*"), Range="bytes=2-3"),
    ),
    case(
        P,
        "a part of what has no known length is not the whole",
        ask(part(0, 9, total="*"), Range="bytes=0-"),
        ask(fresh(body=DIGITS)),
        ask(of=1),
    ),
    case(
        P,
        "a part that is not as long as it says, asked for in the same way",
        ask(reply("max-age=60", 206, body=b"56789", Content_Range="bytes 4-9/10"), Range="bytes=-5"),
        ask(of=0, Range="bytes=-5"),
        ask(part(6, 8), Range="bytes=6-8"),
    ),
    case(
        P,
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
        ask(
            part(5, 9),
            FORWARDED,
            status=200,
            text=DIGITS,
            seen={"Range": "bytes=5-", "If-Range": '"x"'},
            has={"Content-Range": None, "Content-Length": "10"},
        ),
        ask(of=0, status=200, text=DIGITS),
    ),
    case(
        C,
        "the beginning is asked for and both make the whole",
        ask(part(5, 9), Range="bytes=-5"),
        ask(part(0, 4), FORWARDED, status=200, text=DIGITS, seen={"Range": "bytes=0-4", "If-Range": '"x"'}),
        ask(of=0, status=200, text=DIGITS),
    ),
    case(
        C,
        "a longer range",
        ask(part(0, 4), Range="bytes=0-4"),
        ask(
            part(5, 7),
            FORWARDED,
            Range="bytes=2-7",
            status=206,
            text=b"234567",
            seen={"Range": "bytes=5-7"},
            has={"Content-Range": "bytes 2-7/10"},
        ),
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
        ask(of=0, status=200, text=DIGITS),
    ),
    case(
        C,
        "two parts that overlap",
        ask(part(0, 6), Range="bytes=0-6"),
        ask(part(7, 9), Range="bytes=4-9", status=206, text=DIGITS[4:], seen={"Range": "bytes=7-"}),
        ask(of=0, status=200, text=DIGITS),
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
        ask(part(5, 9, a="2"), FORWARDED, status=200, text=DIGITS, has={"a": "2"}),
        ask(of=0, status=200, text=DIGITS, has={"a": "2"}),
    ),
    case(
        C,
        "combined by a strong date",
        ask(part(0, 4, ETag="", Last_Modified=At(-3600)), Range="bytes=0-4"),
        ask(
            part(5, 9, ETag="", Last_Modified=At(-3600)),
            FORWARDED,
            status=200,
            text=DIGITS,
            seen={"If-Range": lambda v: v.endswith("GMT")},
        ),
        ask(of=0, status=200, text=DIGITS),
    ),
    case(
        C,
        "a part leaves the whole",
        ask(stale(body=DIGITS)),
        ask(part(2, 4, ETag='"one"'), Range="bytes=2-4"),
        ask(unchanged("max-age=60", ETag='"one"'), VALIDATED, status=200, text=DIGITS),
    ),
]

CASES = [*PARTS, *VERBATIM, *COMBINED]


@pytest.mark.parametrize("one", CASES, ids=str)
def test_partial(one: Case, bench: Bench) -> None:
    carry_out(one, bench)
