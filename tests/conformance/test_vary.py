"""Selecting stored responses by the request fields that Vary nominates (RFC 9111 §4.1, RFC 9110 §12.5.5)."""

from __future__ import annotations

from itertools import chain

import pytest

from tests.conformance.judge import Bench, carry_out
from tests.conformance.script import (
    VALIDATED,
    Ask,
    At,
    Case,
    Reply,
    ask,
    case,
    fresh,
    reply,
    stale,
    unchanged,
)

S = "RFC 9111 §4.1"


def match(title: str, vary: Reply, first: dict[str, str], second: dict[str, str]) -> Case:
    return case(S, title, ask(vary, **first), ask(**second))  # type: ignore[arg-type]


def differ(title: str, vary: Reply, first: dict[str, str], second: dict[str, str]) -> Case:
    return case(S, title, ask(vary, **first), ask(fresh(Vary="Foo"), fwd="vary-miss", **second))  # type: ignore[arg-type]


FOO = fresh(Vary="Foo")

BASIC = [
    match("the same value", FOO, {"Foo": "1"}, {"Foo": "1"}),
    match("absent in both", FOO, {}, {}),
    match("the name in another case", fresh(Vary="FOO"), {"foo": "1"}, {"fOO": "1"}),
    match("white space around the value", FOO, {"Foo": "1"}, {"Foo": "  1  "}),
    match("an empty Vary", fresh(Vary=""), {"Foo": "1"}, {"Foo": "2"}),
    match("nothing but commas", fresh(Vary=", ,"), {"Foo": "1"}, {"Foo": "2"}),
    match("a field that isn't nominated", FOO, {"Foo": "1", "Bar": "1"}, {"Foo": "1", "Bar": "2"}),
    match("two fields", fresh(Vary="Foo, Bar"), {"Foo": "1", "Bar": "abc"}, {"Bar": "abc", "Foo": "1"}),
    match("three fields", fresh(Vary="Foo, Bar, Baz"), *2 * [{"Foo": "1", "Bar": "abc", "Baz": "789"}]),
    match("three fields, one absent in both", fresh(Vary="Foo, Bar, Baz"), *2 * [{"Foo": "1", "Baz": "789"}]),
    match("names listed twice", fresh(Vary="Foo, foo,Foo"), {"Foo": "1"}, {"Foo": "1"}),
    match("two lines", fresh(lines=[("Vary", "Foo"), ("Vary", "Bar")]), *2 * [{"Foo": "1", "Bar": "2"}]),
    match("Vary: Cookie", fresh(Vary="Cookie"), {"Cookie": "a=b"}, {"Cookie": "a=b"}),
    match("Vary: Host", fresh(Vary="Host"), {}, {}),
    match(
        "Vary: User-Agent",
        fresh(Vary="User-Agent"),
        {"User-Agent": "a/1 (b, c)"},
        {"User-Agent": "a/1 (b, c)"},
    ),
    differ("another value", FOO, {"Foo": "1"}, {"Foo": "2"}),
    differ("absent in the second", FOO, {"Foo": "1"}, {}),
    differ("absent in the first", FOO, {}, {"Foo": "1"}),
    differ("empty is not absent", FOO, {}, {"Foo": ""}),
    differ("absent is not empty", FOO, {"Foo": ""}, {}),
    differ("the value in another case", FOO, {"Foo": "abc"}, {"Foo": "ABC"}),
    differ("one of two fields", fresh(Vary="Foo, Bar"), {"Foo": "1", "Bar": "1"}, {"Foo": "1", "Bar": "2"}),
    differ("one of two fields, absent", fresh(Vary="Foo, Bar"), {"Foo": "1", "Bar": "1"}, {"Foo": "1"}),
    differ(
        "one of three fields",
        fresh(Vary="Foo, Bar, Baz"),
        {"Foo": "1", "Bar": "2"},
        {"Foo": "1", "Bar": "2", "Baz": "3"},
    ),
    differ(
        "the field of a second line",
        fresh(lines=[("Vary", "Foo"), ("Vary", "Bar")]),
        {"Bar": "1"},
        {"Bar": "2"},
    ),
    differ("Vary: Cookie, and another", fresh(Vary="Cookie"), {"Cookie": "a=b"}, {"Cookie": "a=c"}),
    differ("Vary: Cookie, and none", fresh(Vary="Cookie"), {"Cookie": "a=b"}, {}),
    differ(
        "Vary: User-Agent, and another",
        fresh(Vary="User-Agent"),
        {"User-Agent": "a/1"},
        {"User-Agent": "a/2"},
    ),
    differ("members in another order", FOO, {"Foo": "1, 2"}, {"Foo": "2, 1"}),
    case(
        S,
        "members that mean the same are not known to do so in an unknown field",
        ask(FOO, Foo="a;b"),
        ask(fresh(Vary="Foo"), Foo="a; b"),
    ),
]

STARS = (
    fresh(Vary="*"),
    fresh(Vary="*, *"),
    fresh(Vary="*, Foo"),
    fresh(Vary="Foo, *"),
    fresh(Vary=",*"),
    fresh(Vary="Foo,*,Bar"),
    fresh(lines=[("Vary", "*"), ("Vary", "*")]),
    fresh(lines=[("Vary", ""), ("Vary", "*")]),
    fresh(lines=[("Vary", "*"), ("Vary", "")]),
    fresh(lines=[("Vary", "Foo"), ("Vary", "*")]),
    fresh(lines=[("Vary", "*"), ("Vary", "Foo")]),
)

STAR = [
    case(S, f"a star: {one.lines[1:]}", ask(one, Foo="1", Baz="1"), ask(reply(), Foo="1", Baz="1"))
    for one in STARS
] + [
    case(S, "what is no field name", ask(fresh(Vary="Foo Bar"), Foo="1"), ask(reply(), Foo="1")),
    case(
        S,
        "a star in a validation ends the reuse",
        ask(stale()),
        ask(unchanged("max-age=60", ETag='"one"', Vary="*"), VALIDATED),
        ask(reply()),
    ),
]


def normal(title: str, name: str, *pairs: tuple[str, str]) -> list[Case]:
    return [
        case(
            S,
            f"{title}: {one!r} and {two!r}",
            ask(fresh(Vary=name), lines=[(name, one)]),
            ask(lines=[(name, two)]),
        )
        for one, two in pairs
    ]


def apart(title: str, name: str, *pairs: tuple[str, str]) -> list[Case]:
    return [
        case(
            S,
            f"{title}: {one!r} is not {two!r}",
            ask(fresh(Vary=name), lines=[(name, one)]),
            ask(fresh(Vary=name), lines=[(name, two)]),
        )
        for one, two in pairs
    ]


NORMALISED = [
    *normal("a list", "Foo", ("1, 2", "1,2"), ("1,2", "1 , 2"), ("1, 2", "1,\t2"), ("1,2", "1,  2")),
    case(S, "lines are combined", ask(FOO, lines=[("Foo", "1, 2")]), ask(lines=[("Foo", "1"), ("Foo", "2")])),
    case(S, "lines were combined", ask(FOO, lines=[("Foo", "1"), ("Foo", "2")]), ask(lines=[("foo", "1,2")])),
    *normal(
        "languages",
        "Accept-Language",
        ("en, de", "en,de"),
        ("en, de", "de, en"),
        ("en, de", "DE,EN"),
        ("en, de", "EN, De"),
        ("en-GB, en", "en-gb,EN"),
        ("en;q=0.5, de", "de, en;q=0.5"),
        ("en;q=0.5, de;q=1.0", "de, en;q=0.5"),
        ("en;q=0.5", "en; q=0.500"),
        ("en; q=0.5", "en ;Q=0.5"),
        ("de;q=1", "de"),
    ),
    *normal(
        "codings",
        "Accept-Encoding",
        ("gzip, br", "br, gzip"),
        ("gzip, deflate, br", "br,deflate,gzip"),
        ("gzip", "GZIP"),
        ("gzip", "x-gzip"),
        ("gzip;q=1.0, br;q=0.5", "br;q=0.50, gzip"),
    ),
    *normal(
        "media types",
        "Accept",
        ("text/html, */*;q=0.1", "*/*;q=0.1,text/html"),
        ("text/html", "TEXT/HTML"),
        ("a/b;q=0.5, c/d", "c/d, a/b;q=0.5"),
    ),
    *normal("charsets", "Accept-Charset", ("utf-8, a;q=0.5", "a;q=0.5, UTF-8")),
    *apart(
        "languages", "Accept-Language", ("en", "de"), ("en;q=0.5", "en"), ("en, de;q=0.5", "en;q=0.5, de")
    ),
    *apart("codings", "Accept-Encoding", ("gzip", "br"), ("gzip", "gzip;q=0"), ("gzip", "")),
    *apart("a list", "Foo", ("1, 2", "1 2"), ("1, 2", "12"), ('"1, 2"', '"1,2"')),
]


def variants(count: int) -> list[Ask]:
    """As many variants, all asked for twice."""
    first = [ask(fresh(Vary="Foo"), Foo=str(n)) for n in range(count)]
    return [*first, *(ask(of=n, Foo=str(n)) for n in reversed(range(count)))]


KEPT = [
    case(S, "two variants are kept", *variants(2)),
    case(S, "ten variants are kept", *variants(10)),
    case(
        S,
        "a variant is replaced by its own kind only",
        ask(fresh(Vary="Foo"), Foo="1"),
        ask(fresh(Vary="Foo"), Foo="2"),
        ask(fresh(Vary="Foo"), Foo="1", Cache_Control="no-cache"),
        ask(of=1, Foo="2"),
        ask(of=2, Foo="1"),
    ),
    case(
        S,
        "a request without the field, and then with it",
        ask(fresh(Vary="Foo")),
        ask(fresh(Vary="Foo"), Foo="1"),
        ask(of=0),
        ask(of=1, Foo="1"),
    ),
    case(
        S,
        "where one response lacks Vary, the one that has it is chosen",
        ask(fresh()),
        ask(fresh(Vary="Foo", date=At(-1)), Foo="1", Cache_Control="no-cache"),
        ask(of=1, Foo="1"),
    ),
    case(
        S,
        "a response without Vary is not good for other values where others vary",
        ask(fresh(Vary="Foo"), Foo="1"),
        ask(fresh(), Foo="2"),
        ask(fresh(Vary="Foo"), Foo="3"),
        ask(of=0, Foo="1"),
    ),
    case(
        "RFC 9111 §4",
        "the most recent of two that match",
        ask(fresh(Vary="Foo", date=At(-100)), Foo="1", Bar="1"),
        ask(fresh(Vary="Bar", date=At(-50)), Foo="2", Bar="2"),
        ask(of=1, Foo="1", Bar="2"),
    ),
    case(
        "RFC 9111 §4",
        "the most recent of two that match, by Date and not by arrival",
        ask(fresh(Vary="Foo", date=At(-50)), Foo="1", Bar="1"),
        ask(fresh(Vary="Bar", date=At(-100)), Foo="2", Bar="2"),
        ask(of=0, Foo="1", Bar="2"),
    ),
    case(
        S,
        "what is stored now varies by more",
        ask(fresh(Vary="Foo"), Foo="1", Bar="1"),
        ask(fresh(Vary="Foo, Bar"), Foo="1", Bar="2", Cache_Control="no-cache"),
        ask(fresh(Vary="Foo, Bar"), Foo="1", Bar="3"),
        ask(of=1, Foo="1", Bar="2"),
        ask(of=2, Foo="1", Bar="3"),
    ),
]

VALIDATION = [
    case(
        S,
        "a variant that can't be chosen is validated by its entity tag",
        ask(fresh(Vary="Foo", ETag='"one"'), Foo="1"),
        ask(
            unchanged("max-age=60", Vary="Foo", ETag='"one"'),
            VALIDATED,
            of=0,
            Foo="2",
            seen={"If-None-Match": '"one"'},
        ),
        ask(of=0, Foo="2", updated=True),
        ask(of=0, Foo="1", updated=True),
    ),
    case(
        S,
        "all entity tags are offered, and one of them is chosen",
        ask(fresh(Vary="Foo", ETag='"one"'), Foo="1"),
        ask(fresh(Vary="Foo", ETag='"two"'), Foo="2"),
        ask(
            unchanged("max-age=60", Vary="Foo", ETag='"one"'),
            VALIDATED,
            of=0,
            Foo="3",
            seen={
                "If-None-Match": lambda v: {t.strip() for t in v.split(",")} == {'"one"', '"two"'},
                "If-Modified-Since": None,
            },
        ),
        ask(of=1, Foo="2"),
    ),
    case(
        "RFC 9110 §8.8.1",
        "no weak entity tag is offered for a variant that can't be chosen, as variants may share it",
        ask(fresh(Vary="Foo", ETag='W/"one"'), Foo="1"),
        ask(fresh(Vary="Foo", ETag='W/"one"'), Foo="2", seen={"If-None-Match": None}),
        ask(of=0, Foo="1"),
        ask(of=1, Foo="2"),
    ),
    case(
        S,
        "no date is offered for a variant that can't be chosen",
        ask(fresh(Vary="Foo", Last_Modified=At(-100000)), Foo="1"),
        ask(fresh(Vary="Foo"), Foo="2", seen={"If-Modified-Since": None, "If-None-Match": None}),
    ),
    case(
        S,
        "a stale variant is validated by its own entity tag",
        ask(stale(Vary="Foo"), Foo="1"),
        ask(unchanged("max-age=60", ETag='"one"'), VALIDATED, Foo="1", seen={"If-None-Match": '"one"'}),
        ask(Foo="1", updated=True),
    ),
]

FIELDS = [
    case(
        "RFC 9110 §12.5.5",
        f"Vary: {name}",
        ask(fresh(Vary=name), lines=[(name, one)]),
        ask(fresh(Vary=name), lines=[(name, two)]),
        ask(of=0, lines=[(name, one)]),
        ask(of=1, lines=[(name, two)]),
    )
    for name, one, two in (
        ("Accept", "text/html", "application/json"),
        ("Accept-Encoding", "gzip", "identity"),
        ("Accept-Language", "en", "de"),
        ("Authorization-Hint", "a", "b"),
        ("Cookie", "a=b", "a=c"),
        ("Origin", "https://a.example", "https://b.example"),
        ("X-Requested-With", "XMLHttpRequest", "other"),
        ("User-Agent", "one", "two"),
        ("DNT", "0", "1"),
        ("Sec-CH-UA", '"A";v="1"', '"A";v="2"'),
        ("Prefer", "return=minimal", "return=representation"),
    )
]

CASES = list(chain(BASIC, STAR, NORMALISED, KEPT, VALIDATION, FIELDS))


@pytest.mark.parametrize("one", CASES, ids=str)
def test_vary(one: Case, bench: Bench) -> None:
    carry_out(one, bench)
