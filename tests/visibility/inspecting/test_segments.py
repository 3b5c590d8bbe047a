"""Which segments of a path are values, and of what kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.visibility.inspecting.segments import is_phrase, is_value, kind_of, mask_of, suffix_of


@pytest.mark.parametrize(
    ("segment", "kind"),
    [
        ("17", "{id}"),
        ("00017", "{id}"),
        ("17.json", "{id}.json"),
        ("550e8400-e29b-41d4-a716-446655440000", "{uuid}"),
        ("550E8400-E29B-41D4-A716-446655440000", "{uuid}"),
        ("2026-11-23", "{date}"),
        ("2026-11", "{date}"),
        ("d41d8cd98f00b204e9800998ecf8427e", "{hash}"),
        ("ann@example.org", "{email}"),
        ("ann%40example.org", "{email}"),
        ("eyJhbGciOiJIUzI1NiIsInR5cCI6", "{token}"),
        ("app.3f2a9c81.js", "app.{hash}.js"),
        ("x" * 200, "{text}"),
        ("users", "users"),
        ("v2", "v2"),
        ("deadbeef", "deadbeef"),
        ("", ""),
        ("users;jsessionid=abc", "users"),
        ("17;v=1", "{id}"),
        ("P0001", "P0001"),
        ("robots.txt", "robots.txt"),
    ],
)
def test_a_segment_is_a_word_or_a_value(segment: str, kind: str) -> None:
    assert kind_of(segment) == kind


@given(st.text(max_size=300))
def test_every_segment_has_a_short_kind(segment: str) -> None:
    kind = kind_of(segment)
    assert len(kind) <= 110
    assert "/" not in kind or "/" in segment


@given(st.integers(min_value=0))
def test_numbers_are_values(number: int) -> None:
    assert is_value(kind_of(str(number)))


def test_words_of_one_form_have_one_mask() -> None:
    assert mask_of("P0001") == mask_of("Q17") == "A9"
    assert mask_of("a1b2") == "A9A9"
    assert mask_of("users") == mask_of("v2") == mask_of("V1.1") == ""


def test_what_several_words_make_is_a_phrase() -> None:
    assert is_phrase("how-to-cook")
    assert is_phrase("two_words")
    assert is_phrase("a%20b")
    assert not is_phrase("users")
    assert not is_phrase("-x")
    assert not is_phrase("_x")


def test_the_suffix_names_a_format() -> None:
    assert suffix_of("a.css") == ".css"
    assert suffix_of("a.css.gz") == ".gz"
    assert suffix_of("users") == suffix_of(".htaccess") == ""
