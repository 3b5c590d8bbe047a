from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message.cache_control import (
    DELTA_MAX,
    LOOSENING,
    NO_DIRECTIVES,
    Directives,
    parse_cache_control,
    parse_delta_seconds,
    print_directives,
)


def read(*values: bytes) -> Directives:
    return parse_cache_control(values)


def test_names_have_no_case_and_arguments_keep_theirs() -> None:
    directives = read(b"Max-Age=60, PRIVATE, Foo=Bar")
    assert list(directives) == [(b"max-age", b"60"), (b"private", None), (b"foo", b"Bar")]
    assert b"private" in directives
    assert b"public" not in directives
    assert directives.problems() == ()


def test_all_lines_are_one_list() -> None:
    assert read(b"max-age=60", b"no-cache, public") == read(b"max-age=60, no-cache, public")


def test_no_line_and_an_empty_line_say_nothing() -> None:
    assert read() == read(b"") == read(b" , ,\t,") == NO_DIRECTIVES
    assert read(b",,").problems() == ()


def test_empty_members_and_white_space_around_members_do_not_count() -> None:
    assert list(read(b",\t no-store ,, \t,max-age=1\t,")) == [(b"no-store", None), (b"max-age", b"1")]


def test_an_argument_may_be_a_token_or_a_quoted_string() -> None:
    assert read(b'max-age="60"') == read(b"max-age=60")
    assert read(b'a="x\\"y\\\\z\\q"').argument(b"a") == b'x"y\\zq'
    assert read(b'a=""').argument(b"a") == b""


def test_commas_and_directives_within_quotes_are_content() -> None:
    directives = read(b'ext="max-age=3600, no-store", max-age=1, a="\\", public", b')
    assert directives.argument(b"ext") == b"max-age=3600, no-store"
    assert directives.seconds(b"max-age") == 1
    assert b"no-store" not in directives
    assert b"public" not in directives
    assert b"b" in directives


@pytest.mark.parametrize(
    "member",
    [
        b"max-age =60",
        b"max-age= 60",
        b"max-age=",
        b"max-age=60 60",
        b"max-age=60; no-store",
        b'max-age="60',
        b'max-age="60"0',
        b"max-age:60",
        b"max-age=\xff",
        b"max-age==60",
    ],
)
def test_an_ill_formed_member_keeps_its_name_and_loses_its_argument(member: bytes) -> None:
    directives = read(b"public", member)
    assert list(directives) == [(b"public", None), (b"max-age", None)]
    assert directives.seconds(b"max-age") is None
    assert len(directives.problems()) == 1


@pytest.mark.parametrize("name", sorted(LOOSENING))
def test_an_ill_formed_member_that_would_loosen_is_dropped(name: bytes) -> None:
    assert name in read(name)
    assert name not in read(name + b"; max-age=60")
    assert name not in read(name + b" =60")


def test_a_restriction_survives_the_semicolon_after_it() -> None:
    directives = read(b"private; max-age=60")
    assert directives.unqualified(b"private")
    assert b"max-age" not in directives


@pytest.mark.parametrize(
    ("damaged", "problem"),
    [
        (b'ext="x, no-store, public, max-age=60, private=y', "unterminated quoted-string: "),
        (b'ext="x, no-store, public, max-age=60, private="y', "ill-formed argument: "),
    ],
)
def test_what_follows_a_damaged_quote_restricts_but_permits_nothing(damaged: bytes, problem: str) -> None:
    directives = read(b"a=1, " + damaged, b"must-revalidate")
    assert list(directives) == [
        (b"a", b"1"),
        (b"ext", None),
        (b"no-store", None),
        (b"max-age", None),
        (b"private", None),
        (b"must-revalidate", None),
    ]
    assert directives.problems() == (problem + damaged.decode(),)


def test_what_is_no_directive_is_named_and_passed_over() -> None:
    directives = read(b'=5, "quoted", @, no-store')
    assert list(directives) == [(b"no-store", None)]
    assert directives.problems() == ("not a directive: =5", 'not a directive: "quoted"', "not a directive: @")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"0", 0),
        (b"60", 60),
        (b"0060", 60),
        (b"000", 0),
        (b"2147483647", 2147483647),
        (b"2147483648", DELTA_MAX),
        (b"99999999999999999999", DELTA_MAX),
        (b"9" * 5000, DELTA_MAX),
        (b"0" * 5000 + b"7", 7),
        (b"", None),
        (b"-1", None),
        (b"+1", None),
        (b"1.0", None),
        (b"1e3", None),
        (b"0x10", None),
        (b"60s", None),
        (b"'60'", None),
        (b" 60", None),
        (b"1_000", None),
        ("٣".encode(), None),
        ("²".encode("latin-1"), None),
        (None, None),
    ],
)
def test_delta_seconds(value: bytes | None, seconds: int | None) -> None:
    assert parse_delta_seconds(value) == seconds
    assert Directives([(b"max-age", value)]).seconds(b"max-age") == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"max-age=60, max-age=60", 60),
        (b'max-age=60, max-age="060"', 60),
        (b"max-age=60, max-age=1", 60),
        (b"max-age=1, max-age=60", 1),
        (b"max-age=60, max-age", None),
        (b"max-age=60, max-age=x", None),
        (b"max-age=x, max-age=60", None),
        (b"s-maxage=60", None),
    ],
)
def test_of_repeated_durations_the_first_counts(value: bytes, seconds: int | None) -> None:
    assert read(value).seconds(b"max-age") == seconds


def test_every_argument_can_be_had() -> None:
    directives = read(b"a=1, b, a, a=2")
    assert directives.arguments(b"a") == (b"1", None, b"2")
    assert directives.argument(b"a") == b"1"
    assert directives.arguments(b"c") == ()
    assert directives.argument(b"c") is None


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (b'private="Set-Cookie"', {b"set-cookie"}),
        (b"private=Set-Cookie", {b"set-cookie"}),
        (b'private="a,b , ,C"', {b"a", b"b", b"c"}),
        (b'private="a", private="b"', {b"a", b"b"}),
        (b"private", None),
        (b"public", None),
        (b'private=""', None),
        (b'private=" , "', None),
        (b'private="a b"', None),
        (b'private="a;b"', None),
        (b'private="a", private', None),
        (b'private="a', None),
        (b'private = "a"', None),
    ],
)
def test_listed_field_names(value: bytes, names: set[bytes] | None) -> None:
    assert read(value).field_names(b"private") == names
    assert read(value).unqualified(b"private") == (names is None and b"private" in value)


def test_unknown_directives_are_told() -> None:
    assert read(b"max-age=1, community=UCI, Immutable, x, x").unknown() == (b"community", b"x")


def test_a_directive_set_is_a_value() -> None:
    assert read(b"a=1, b") == read(b'A="1" ,b')
    assert hash(read(b"a=1, b")) == hash(read(b'A="1" ,b'))
    assert read(b"a, b") != read(b"b, a")
    assert read(b"a") != b"a"
    assert len(read(b"a, b")) == 2
    assert repr(read(b"a=1")) == "Directives([(b'a', b'1')])"


def test_printing() -> None:
    assert print_directives(read(b'Max-Age=60,no-cache=set-cookie , x="a b", y="c", z')) == (
        b'max-age=60, no-cache="set-cookie", x="a b", y=c, z'
    )


def test_long_fields_are_read_like_short_ones() -> None:
    assert read(b"no-store, " + b"x" * 1000) == Directives([(b"no-store", None), (b"x" * 1000, None)])


NAMES = st.sampled_from(
    [b"max-age", b"no-cache", b"private", b"public", b"x-y", b"stale-if-error", b"!#$%&'*+.^_`|~0"]
)
SETS = st.lists(st.tuples(NAMES, st.none() | st.binary(max_size=12)), max_size=6).map(Directives)


@given(SETS)
def test_what_is_printed_is_read_back(directives: Directives) -> None:
    assert parse_cache_control([print_directives(directives)]) == directives
    assert parse_cache_control([print_directives(directives)]).problems() == ()


PIECES = st.sampled_from(
    [
        b"max-age",
        b"private",
        b"public",
        b"=",
        b"60",
        b'"',
        b"\\",
        b",",
        b" ",
        b"\t",
        b";",
        b"x",
        b"\xff",
        b"-",
    ]
)
VALUES = st.lists(st.binary(max_size=20) | st.lists(PIECES, max_size=12).map(b"".join), max_size=3)


@given(VALUES)
def test_reading_never_raises_and_means_the_same_once_printed(values: list[bytes]) -> None:
    directives = parse_cache_control(values)
    assert parse_cache_control([print_directives(directives)]) == directives
    for name, _ in directives:
        directives.seconds(name)
        directives.field_names(name)


LINES = st.sampled_from([b"max-age=60", b's-maxage="60"', b'private="a"', b'private="b"', b"no-store", b"x"])


@given(st.lists(LINES, max_size=8), st.randoms())
def test_the_order_of_lines_does_not_change_what_they_say(lines: list[bytes], random: Random) -> None:
    shuffled = list(lines)
    random.shuffle(shuffled)
    first, second = parse_cache_control(lines), parse_cache_control(shuffled)
    assert set(first) == set(second)
    assert first.seconds(b"max-age") == second.seconds(b"max-age")
    assert first.field_names(b"private") == second.field_names(b"private")


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        ([b'x="a', b'max-age=60, y"'], [(b"x", None), (b"max-age", None), (b"y", None)]),
        ([b'x="a', b"no-store"], [(b"x", None), (b"no-store", None)]),
        ([b'x="a', b"public, immutable"], [(b"x", None)]),
        ([b"max-age=60", b'x="a', b"s-maxage=5"], [(b"max-age", b"60"), (b"x", None), (b"s-maxage", None)]),
    ],
)
def test_a_string_may_go_on_in_the_next_line(
    lines: list[bytes], kept: list[tuple[bytes, bytes | None]]
) -> None:
    assert list(parse_cache_control(lines)) == kept
