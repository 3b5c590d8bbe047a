from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message import structured
from proxy.message.structured import Token


def test_a_dictionary_over_several_lines() -> None:
    assert structured.parse_dictionary([b"a=1;x, b", b'c="s"; q=0.5', b"d=(e f)"]) == {
        "a": (1, {"x": True}),
        "b": (True, {}),
        "c": ("s", {"q": Decimal("0.5")}),
        "d": ([(Token("e"), {}), (Token("f"), {})], {}),
    }


def test_the_last_of_equal_keys_counts() -> None:
    assert structured.parse_dictionary([b"a=1, a=2"]) == {"a": (2, {})}


def test_a_list_and_an_item() -> None:
    assert structured.parse_list([b"sugar, tea", b"rum"]) == [
        (Token("sugar"), {}),
        (Token("tea"), {}),
        (Token("rum"), {}),
    ]
    assert structured.parse_item([b"?1;a=:aGk=:"]) == (True, {"a": b"hi"})


def test_nothing_is_an_empty_dictionary_and_an_empty_list_but_no_item() -> None:
    assert structured.parse_dictionary([]) == {}
    assert structured.parse_dictionary([b"  "]) == {}
    assert structured.parse_list([]) == []
    assert structured.parse_item([]) is None


@pytest.mark.parametrize(
    "value",
    [
        b"A=1",
        b"a=1,",
        b"a = 1",
        b"a=1 b=2",
        b'a="b',
        b"a=\xff",
        b"a=1000000000000000",
        b"a=1.",
        b",a",
        b"a;=1",
    ],
)
def test_one_error_voids_the_whole_field(value: bytes) -> None:
    assert structured.parse_dictionary([b"ok=1", value]) is None


@pytest.mark.parametrize("value", [b"@99999999999999", b"@1.5", b"@-999999999999999"])
def test_dates_that_cannot_be_dates_do_not_raise(value: bytes) -> None:
    assert structured.parse_item([value]) is None


def test_serialising() -> None:
    assert structured.serialise({"a": 1, "b": True, "c": Token("x")}) == b"a=1, b, c=x"
    assert structured.serialise(["s", (Token("t"), {"q": Decimal("0.5")})]) == b'"s", t;q=0.5'
    assert structured.serialise((Token("hit"), {})) == b"hit"


@pytest.mark.parametrize("structure", [{}, [], {"UPPER": 1}, 10**15, Token("no token"), "non-ASCII: é"])
def test_what_cannot_be_serialised_is_refused(structure: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        structured.serialise(structure)  # type: ignore[arg-type]


@given(st.lists(st.binary(max_size=24), max_size=3))
def test_reading_never_raises(values: list[bytes]) -> None:
    structured.parse_dictionary(values)
    structured.parse_list(values)
    structured.parse_item(values)


PIECES = st.sampled_from(
    [
        b"a",
        b"*b",
        b"=",
        b"1",
        b"-",
        b".5",
        b'"',
        b"\\",
        b":",
        b"aGk=",
        b"?",
        b"@",
        b"(",
        b")",
        b";",
        b",",
        b" ",
    ]
)


@given(st.lists(PIECES, max_size=16).map(b"".join))
def test_what_looks_like_a_structured_field_is_read_or_refused(value: bytes) -> None:
    dictionary = structured.parse_dictionary([value])
    if dictionary:
        assert structured.parse_dictionary([structured.serialise(dictionary)]) == dictionary
    members = structured.parse_list([value])
    if members:
        assert structured.parse_list([structured.serialise(members)]) == members
    item = structured.parse_item([value])
    if item:
        assert structured.parse_item([structured.serialise(item)]) == item
