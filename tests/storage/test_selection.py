"""What is meant by a selection, and which patterns are taken."""

from __future__ import annotations

import msgspec
import pytest

from proxy.message.errors import PellucidError
from proxy.storage.selection import LONGEST_PATTERN, BadPattern, Selection

KEY = b"GET https://example.org/items/1?page=2"
QUERY = b"QUERY https://example.org/items/1\nabcdef\n=text/plain"


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        (Selection(), False),
        (Selection(keys=(b"GET x", KEY)), True),
        (Selection(keys=(KEY[:-1],)), False),
        (Selection(labels=(b"one",)), True),
        (Selection(labels=(b"on",)), False),
        (Selection(prefixes=(b"https://example.org/it",)), True),
        (Selection(prefixes=(b"GET",)), False),
        (Selection(prefixes=(b"example.org",)), False),
        (Selection(patterns=(b"^https://[^/]+/items/[0-9]+",)), True),
        (Selection(patterns=(rb"/items/\d+$",)), False),
        (Selection(patterns=(b"GET",)), False),
        (Selection(everything=True), True),
    ],
)
def test_what_is_meant(wanted: Selection, meant: bool) -> None:
    assert wanted.meant(KEY, (b"one", b"two")) is meant


def test_the_content_of_a_query_is_no_part_of_its_uri() -> None:
    assert Selection(patterns=(b"/items/1$",)).meant(QUERY, ())
    assert not Selection(patterns=(b"abcdef|text",)).meant(QUERY, ())


def test_any_byte_may_be_meant() -> None:
    assert Selection(patterns=(rb"/\xe9$", b"\xff")).meant(b"GET http://h/\xe9", ())


@pytest.mark.parametrize(
    ("wanted", "direct"),
    [
        (Selection(keys=(b"k",), labels=(b"l",)), True),
        (Selection(), True),
        (Selection(prefixes=(b"p",)), False),
        (Selection(patterns=(b"p",)), False),
        (Selection(everything=True), False),
    ],
)
def test_what_takes_going_through_all(wanted: Selection, direct: bool) -> None:
    assert wanted.direct is direct


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (b"(", "missing )"),
        (b"[z-a]", "range"),
        (rb"(a)\1", r"\1"),
        (b"(?=a)", "(?="),
        (b"(?<!a)b", "(?<"),
        (b"((a{1,100}){1,100}){1,100}", "repetition"),
        (b"x" * (LONGEST_PATTERN + 1), "longer than"),
    ],
)
def test_patterns_that_are_refused(pattern: bytes, why: str) -> None:
    with pytest.raises(BadPattern) as caught:
        Selection(patterns=(b"fine", pattern))
    assert isinstance(caught.value, PellucidError)
    assert caught.value.pattern == pattern
    assert why in str(caught.value)


@pytest.mark.parametrize("pattern", [b"(a+)+$", b"(x+x+)+y", b"(a|aa)+$", b"^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_patterns_that_would_run_for_ever_elsewhere(pattern: bytes) -> None:
    assert not Selection(patterns=(pattern,)).meant(b"GET http://h/" + b"a" * 8000 + b"x!", ())


def test_it_can_be_sent() -> None:
    wanted = Selection((b"k\xff",), (b"l",), (b"p",), (b"r+",), True)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(wanted), type=Selection) == wanted
    with pytest.raises(msgspec.ValidationError, match="missing"):
        msgspec.msgpack.decode(msgspec.msgpack.encode({"patterns": [b"("]}), type=Selection)
