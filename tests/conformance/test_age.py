"""Age: as it is received, counted and sent (RFC 9111 §4.2.3, §5.1)."""

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
    reused,
    stale,
    unchanged,
)

IGNORED = (
    "abc",
    "-7200",
    "+7200",
    "7200.0",
    "7200.5",
    "0.5",
    "7200s",
    "7200 s",
    "1h",
    "7200;foo=bar",
    "7200; foo=1",
    '"7200"',
    "'7200'",
    "0x1c20",
    "foo, 7200",
    "-1, 7200",
    "",
    ";7200",
    "=7200",
)
"""Invalid values, and lists whose first member is invalid: as if there were none."""

COUNTED = (
    "3600",
    "7200",
    "0007200",
    "2147483647",
    "2147483648",
    "2147483649",
    "99999999999999999999999999",
    "7200, 0",
    "7200,0",
    "7200, foo",
    "7200, 7200",
    " 7200 ",
)
"""The first member of a list counts."""

SHORT = ("0", "00", "60", "0, 7200", "0,7200", "60, foo", ", 60")

FRESH_AGES = {"0": (0, 1), "60": (60, 61), "1800": (1800, 1801), "abc": (0, 1), "60, 7200": (60, 61)}

CASES: list[Case] = [
    *(
        reused("RFC 9111 §5.1", f"Age: {value or 'nothing'} is ignored", fresh(Age=value))
        for value in IGNORED
    ),
    *(not_reused("RFC 9111 §4.2.3", f"Age: {value} is too old", fresh(Age=value)) for value in COUNTED),
    *(reused("RFC 9111 §4.2.3", f"Age: {value} is still fresh", fresh(Age=value)) for value in SHORT),
    *(
        case("RFC 9111 §5.1", f"Age: {value} is added to", ask(fresh(Age=value)), ask(age=age))
        for value, age in FRESH_AGES.items()
    ),
    not_reused(
        "RFC 9111 §5.1",
        "two lines: the first counts, and is old",
        fresh(lines=[("Age", "7200"), ("Age", "0")]),
    ),
    reused(
        "RFC 9111 §5.1",
        "two lines: the first counts, and is young",
        fresh(lines=[("Age", "0"), ("Age", "7200")]),
    ),
    reused("RFC 9111 §5.1", "two lines: the first is invalid", fresh(lines=[("Age", "x"), ("Age", "7200")])),
    case(
        "RFC 9111 §4",
        "a stored response has an Age of its own",
        ask(fresh(), has={"Age": None}),
        ask(age=(0, 1)),
    ),
    case(
        "RFC 9111 §4",
        "one Age line, in the place of all that were there",
        ask(fresh(lines=[("Age", "10"), ("age", "20")])),
        ask(age=(10, 11)),
    ),
    case(
        "RFC 9111 §5.1",
        "a response from the origin server keeps the Age of the caches before",
        ask(fresh(Age="100"), has={"Age": "100"}),
    ),
    case(
        "RFC 9111 §4.2.3",
        "the time that the response took counts as age",
        ask(fresh(delay=1.2)),
        ask(age=(1, 3)),
    ),
    case(
        "RFC 9111 §4.2.3",
        "Age counts from when the request was sent",
        ask(fresh(delay=1.2, Age="10")),
        ask(age=(11, 13)),
    ),
    case("RFC 9111 §4.2.3", "a Date in the past is age too", ask(fresh(date=At(-100))), ask(age=(100, 102))),
    case(
        "RFC 9111 §4.2.3",
        "the greater of both estimates",
        ask(fresh(date=At(-100), Age="200")),
        ask(age=(200, 202)),
    ),
    case(
        "RFC 9111 §4.2.3",
        "the greater of both estimates, the other way",
        ask(fresh(date=At(-200), Age="100")),
        ask(age=(200, 202)),
    ),
    case("RFC 9111 §4.2.3", "a Date in the future is no age", ask(fresh(date=At(1000))), ask(age=(0, 1))),
    case(
        "RFC 9111 §4.2.3",
        "a Date in the future does not make an Age less",
        ask(fresh(date=At(1000), Age="60")),
        ask(age=(60, 61)),
    ),
    not_reused("RFC 9111 §4.2.3", "a Date so far in the past that it is stale", fresh(date=At(-4000))),
    reused("RFC 9111 §4.2.3", "an invalid Date tells no age", fresh(date="yesterday")),
    reused("RFC 9111 §4.2.3", "a missing Date tells no age", fresh(date=None)),
    case("RFC 9110 §6.6.1", "a missing Date is added, and stays", ask(fresh(date=None)), ask(age=(0, 1))),
    case(
        "RFC 9111 §4.2.3",
        "Age starts anew with a validation",
        ask(stale()),
        ask(unchanged("max-age=60", ETag='"one"'), VALIDATED),
        ask(updated=True, age=(0, 1)),
    ),
    case(
        "RFC 9111 §4.2.3",
        "Age goes on from that of a validation",
        ask(stale()),
        ask(unchanged("max-age=60", ETag='"one"', Age="10"), VALIDATED),
        ask(updated=True, age=(10, 11)),
    ),
    case(
        "RFC 9111 §4.2.3",
        "a validation that is old itself does not make the response fresh",
        ask(stale()),
        ask(unchanged("max-age=60", ETag='"one"', Age="100"), VALIDATED),
        ask(unchanged("max-age=60", ETag='"one"'), VALIDATED),
    ),
    case(
        "RFC 9111 §4",
        "a 304 made from a stored response has an Age",
        ask(fresh(ETag='"x"', Age="10")),
        ask(status=304, If_None_Match='"x"', age=(10, 11)),
    ),
    case(
        "RFC 9111 §4", "HEAD is answered with an Age", ask(fresh(Age="10")), ask(method="HEAD", age=(10, 11))
    ),
    case(
        "RFC 9111 §4", "a redirect is reused with an Age", ask(fresh(status=301, Age="10")), ask(age=(10, 11))
    ),
    case("RFC 9111 §4.2.3", "time passes", ask(fresh()), ask(wait=1.1, age=(1, 2))),
]


@pytest.mark.parametrize("one", CASES, ids=str)
def test_age(one: Case, bench: Bench) -> None:
    carry_out(one, bench)
