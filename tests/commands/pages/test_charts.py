"""Charts: what is drawn has the size of what it shows."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.commands.pages.charts import WIDTH, Series, bars, before_and_after, nice, stacked
from proxy.commands.pages.rendering import coded, duration, moment, number, percent, size
from proxy.commands.shown import shown


def heights(drawn: str, kind: str) -> list[float]:
    return [float(tall) for tall in re.findall(rf'<rect class="{kind}"[^>]* height="([0-9.]+)"', drawn)]


def test_areas_stand_one_on_the_other() -> None:
    drawn = stacked([Series("a", [10, 0], "cache"), Series("b", [10, 5], "bad")], ["x", "y"], "t", height=100)
    assert heights(drawn, "cache") == [50.0]
    assert heights(drawn, "bad") == [50.0, 25.0]
    assert "a: 10, b: 10" in drawn


def test_nothing_to_draw() -> None:
    assert stacked([], [], "t") == ""
    assert "rect" in stacked([Series("a", [0], "cache")], ["x"], "t")


def test_labels_are_text() -> None:
    drawn = bars([("<b>&", 1, '"<i>')], "<title>")
    assert "<b>" not in drawn
    assert "<i>" not in drawn
    assert 'aria-label="&lt;title&gt;"' in drawn


def test_the_longest_bar_fits() -> None:
    widths = [
        float(w)
        for w in re.findall(r'class="bar"[^>]* width="([0-9.]+)"', bars([("a", 2, ""), ("b", 1, "")], "t"))
    ]
    assert widths[0] == 2 * widths[1] < WIDTH


def test_a_gain_is_drawn_behind_what_there_was() -> None:
    drawn = before_and_after(0.25, 0.75, "t")
    assert 'class="gain" x="0" y="0" width="180.0"' in drawn
    assert 'class="cache" x="0" y="0" width="60.0"' in drawn


@given(st.floats(min_value=0.5, max_value=1e15))
def test_an_axis_ends_above_what_it_shows_and_not_far(value: float) -> None:
    assert value <= nice(value) <= 5 * value + 1


def test_what_is_shown_can_be_seen() -> None:
    assert shown("Grüße → 25 %") == "Grüße → 25 %"
    assert shown("a\u202eb\x1b[2J\x85\u2028") == "a\\u{202e}b\\u{1b}[2J\\u{85}\\u{2028}"


def test_code_in_sentences() -> None:
    assert coded("Say `a<b` & `c`.") == "Say <code>a&lt;b</code> &amp; <code>c</code>."
    assert coded("one ` alone") == "one ` alone"


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (number(1234567), "1\u202f234\u202f567"),
        (percent(0.5), "50 %"),
        (percent(0.0123), "1.2 %"),
        (percent(1.0), "100 %"),
        (percent(0.9999), "100.0 %"),
        (percent(None), "–"),
        (size(999), "999 B"),
        (size(1_500), "1.5 kB"),
        (size(2.5e12), "2.5 TB"),
        (size(5e15), "5000 TB"),
        (duration(1.5e-5), "15 µs"),
        (duration(0.0123), "12.3 ms"),
        (duration(90), "90 s"),
        (duration(3600), "60 min"),
        (duration(86400), "24 h"),
        (duration(None), "–"),
        (moment(0), "1970-01-01 00:00:00 UTC"),
        (moment(1e18), "–"),
        (moment(None), "–"),
    ],
)  # fmt: skip
def test_numbers_as_people_read_them(made: str, shown: str) -> None:
    assert made == shown
