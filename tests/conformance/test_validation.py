"""Validating what is stored (RFC 9111 §4.3.1, §4.3.3, §4.3.4)."""

from __future__ import annotations

import pytest

from tests.conformance.judge import Bench, carry_out
from tests.conformance.script import FORWARDED, VALIDATED, At, Case, ask, case, fresh, reply, stale, unchanged

S = "RFC 9111 §4.3.1"


def dates(value: str) -> bool:
    return value.endswith("GMT")


TAGS = ('"one"', 'W/"one"', '"a,b"', '""', '"\xe9"', '"a\\"', "one", "W/one", "'one'", "abc-123")

SENT = [
    *(
        case(
            S,
            f"ETag: {tag}",
            ask(stale(ETag=tag)),
            ask(
                unchanged("max-age=60", ETag=tag),
                VALIDATED,
                seen={"If-None-Match": tag, "If-Modified-Since": None},
                fwd="stale",
            ),
            ask(updated=True),
        )
        for tag in TAGS
    ),
    case(
        S,
        "Last-Modified alone",
        ask(reply("max-age=60", Age="100", Last_Modified=At(-3600))),
        ask(unchanged("max-age=60"), VALIDATED, seen={"If-Modified-Since": dates, "If-None-Match": None}),
        ask(updated=True),
    ),
    case(
        S,
        "Last-Modified as it was written",
        ask(reply("max-age=60", Age="100", Last_Modified="Sunday, 06-Nov-94 08:49:37 GMT")),
        ask(unchanged("max-age=60"), VALIDATED, seen={"If-Modified-Since": "Sunday, 06-Nov-94 08:49:37 GMT"}),
        ask(updated=True),
    ),
    case(
        S,
        "both validators",
        ask(stale(Last_Modified=At(-3600))),
        ask(
            unchanged("max-age=60", ETag='"one"'),
            VALIDATED,
            seen={"If-Modified-Since": dates, "If-None-Match": '"one"'},
        ),
        ask(updated=True),
    ),
    case(
        S,
        "no validator at all",
        ask(reply("max-age=60, stale-if-error=9999", Age="100")),
        ask(fresh(), seen={"If-Modified-Since": None, "If-None-Match": None}),
        ask(of=1),
    ),
    case(
        S,
        "an invalid Last-Modified",
        ask(reply("max-age=60, stale-if-error=9999", Age="100", Last_Modified="foo")),
        ask(fresh(), seen={"If-Modified-Since": None}),
    ),
    case(
        S,
        "other fields of the request stay",
        ask(stale()),
        ask(unchanged(ETag='"one"'), VALIDATED, Foo="1", seen={"Foo": "1"}),
    ),
    case(
        S,
        "HEAD is forwarded as HEAD",
        ask(stale()),
        ask(reply("max-age=60", ETag='"one"'), FORWARDED, method="HEAD", seen_method="HEAD"),
    ),
    case(
        S,
        "a stale response has no part in a POST",
        ask(stale()),
        ask(reply(), method="POST", seen={"If-None-Match": None}),
    ),
]

ANSWERED = [
    case(
        "RFC 9111 §4.3.3",
        "a full response is used and stored",
        ask(stale()),
        ask(fresh(ETag='"two"'), FORWARDED),
        ask(of=1),
    ),
    case(
        "RFC 9111 §4.3.3",
        "a full response is used, and may not be stored",
        ask(stale()),
        ask(reply("no-store"), FORWARDED),
        ask(fresh()),
    ),
    case(
        "RFC 9111 §4.3.3",
        "a full response with the same entity tag",
        ask(stale()),
        ask(fresh(ETag='"one"'), FORWARDED),
        ask(of=1),
    ),
    case("RFC 9111 §4.3.3", "an error goes to the client", ask(stale()), ask(reply(None, 500), FORWARDED)),
    case(
        "RFC 9111 §4.3.3",
        "an error that may be stored",
        ask(stale()),
        ask(reply("max-age=60", 500), FORWARDED),
        ask(of=1),
    ),
    case(
        "RFC 9111 §4.3.4",
        "a 304 without any validator answers the one that was asked for",
        ask(stale()),
        ask(unchanged("max-age=60"), VALIDATED),
        ask(updated=True),
    ),
    case(
        "RFC 9111 §4.3.4",
        "a 304 without Cache-Control keeps the old",
        ask(reply("max-age=2", ETag='"one"', Age="5")),
        ask(unchanged(ETag='"one"'), VALIDATED),
        ask(updated=True),
    ),
    case(
        "RFC 9111 §4.3.4",
        "a 304 without Date",
        ask(stale()),
        ask(unchanged("max-age=60", ETag='"one"', date=None), VALIDATED),
        ask(updated=True),
    ),
    case(
        "RFC 9111 §4.3.4",
        "a weak validator of a 304",
        ask(stale(ETag='W/"one"')),
        ask(unchanged("max-age=60", ETag='W/"one"'), VALIDATED),
        ask(updated=True),
    ),
    case(
        "RFC 9111 §4.3.4",
        "a weak validator of a 304 about a strong one",
        ask(stale(ETag='"one"')),
        ask(unchanged("max-age=60", ETag='W/"one"'), VALIDATED),
        ask(updated=True),
    ),
    case(
        "RFC 9111 §4.3.4",
        "a 304 by date",
        ask(reply("max-age=60", Age="100", Last_Modified=At(-3600))),
        ask(unchanged("max-age=60", Last_Modified=At(-3600)), VALIDATED),
        ask(updated=True),
    ),
    case(
        "RFC 9111 §4.3.4",
        "no-store in a 304 ends the reuse",
        ask(stale()),
        ask(unchanged("no-store", ETag='"one"'), VALIDATED),
        ask(reply()),
    ),
    case(
        "RFC 9111 §4.3.4",
        "private in a 304 ends the reuse",
        ask(stale()),
        ask(unchanged("private", ETag='"one"'), VALIDATED),
        ask(reply()),
    ),
    case(
        "RFC 9111 §4.3.4",
        "no-cache in a 304 has it validated each time",
        ask(stale()),
        ask(unchanged("no-cache", ETag='"one"'), VALIDATED),
        ask(unchanged("max-age=60", ETag='"one"'), VALIDATED),
        ask(updated=True),
    ),
    case(
        "RFC 9111 §4.3.4",
        "a later Expires in a 304",
        ask(reply(None, Expires=At(-10), ETag='"one"')),
        ask(unchanged(None, Expires=At(3600), ETag='"one"'), VALIDATED),
        ask(updated=True),
    ),
    case(
        "RFC 9111 §4.3.4",
        "what is validated by one is good for all",
        ask(stale()),
        ask(unchanged("max-age=60", ETag='"one"'), VALIDATED, Foo="1"),
        ask(updated=True, Foo="2"),
    ),
    case(
        "RFC 9111 §4.3.4",
        "a Vary that comes with a 304",
        ask(stale(), Foo="1"),
        ask(unchanged("max-age=60", ETag='"one"', Vary="Foo"), VALIDATED, Foo="1"),
        ask(updated=True, Foo="1"),
        ask(reply(), Foo="2"),
    ),
    case(
        "RFC 9111 §4.3.4",
        "the status stays that of what is stored",
        ask(stale(status=203)),
        ask(unchanged(ETag='"one"'), VALIDATED, status=203),
    ),
    case(
        "RFC 9111 §4.3.4",
        "a 304 that speaks of nothing stored updates nothing, and the request goes as it came",
        ask(stale(a="1")),
        ask(unchanged("max-age=60", ETag='"two"', a="2"), FORWARDED, then=fresh(ETag='"three"')),
        ask(of=2, has={"ETag": '"three"', "a": None}),
    ),
    case(
        "RFC 9111 §4.3.4",
        "a 304 with a weak tag that is none of ours",
        ask(stale(ETag='W/"one"', a="1")),
        ask(unchanged("max-age=60", ETag='W/"two"', a="2"), FORWARDED, then=reply()),
    ),
    case(
        "RFC 9111 §4.3.4",
        "a 304 with another date",
        ask(reply("max-age=60", Age="100", Last_Modified=At(-3600))),
        ask(unchanged("max-age=60", Last_Modified=At(-1800)), FORWARDED, then=reply()),
    ),
    case(
        "RFC 9110 §13.1.1",
        "a 412 that the client did not ask for is not the client's answer",
        ask(stale()),
        ask(reply(None, 412), FORWARDED, then=fresh()),
        ask(of=2),
    ),
    case(
        "RFC 9111 §4.3.4",
        "two updates",
        ask(stale(a="1")),
        ask(unchanged("max-age=60", ETag='"one"', a="2", Age="100"), VALIDATED, has={"a": "2"}),
        ask(unchanged("max-age=60", ETag='"one"', a="3"), VALIDATED, has={"a": "3"}),
        ask(updated=True, has={"a": "3"}),
    ),
]

CASES = [*SENT, *ANSWERED]


@pytest.mark.parametrize("one", CASES, ids=str)
def test_validation(one: Case, bench: Bench) -> None:
    carry_out(one, bench)
