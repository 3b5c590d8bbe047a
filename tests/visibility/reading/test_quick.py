"""What is read by splitting is what the regular expression reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.visibility.reading.ncsa import COMBINED
from proxy.visibility.reading.patterns import compile_format
from proxy.visibility.reading.quick import combined

PATTERN, _ = compile_format(COMBINED)
LINE = '192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] "GET /a b?c HTTP/1.1" 200 6 "-" "x (y; z)"\n'
OTHER = '2001:db8::1 - - [15/Nov/2023:22:13:20 +0000] "-" 408 - "http://x.example/" ""\n'


def by_pattern(text: str) -> list[tuple[str, ...]]:
    return [tuple(column) for column in zip(*PATTERN.findall(text), strict=True)]


def test_usual_lines() -> None:
    text = LINE + OTHER + LINE
    columns = combined(text, 3)
    assert columns is not None
    assert [tuple(column) for column in columns] == by_pattern(text)
    assert combined(text.rstrip("\n"), 3) is not None


@pytest.mark.parametrize(
    "line",
    [
        LINE.replace("- -", "- anna"),
        LINE.replace("x (y", 'x \\"(y'),
        LINE.replace("+0000", "+0100"),
        LINE.replace("200 6", "200 6 "),
        LINE.replace("200 6", "2000 6"),
        LINE.replace("14/Nov", "14/11"),
        LINE.replace("\n", " \n"),
        LINE.replace('" "', '"  "'),
        LINE.replace("192.0.2.1", ""),
        LINE.replace("192.0.2.1", "a\tb"),
        LINE.replace("(y", '"(y'),
        "\n",
    ],
)
def test_whatever_is_unusual_is_left_to_the_expression(line: str) -> None:
    assert combined(LINE + line + LINE, 3) is None


@given(st.data())
def test_whenever_it_reads_lines_it_reads_the_same(data: st.DataObject) -> None:
    lines = data.draw(st.lists(st.sampled_from([LINE, OTHER]), min_size=1, max_size=4))
    text = "".join(lines)
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(text)))
        width = data.draw(st.integers(0, 3))
        text = text[:at] + data.draw(st.text('" \n\t-[]\\\\1+/x', max_size=3)) + text[at + width :]
    count = text.count("\n") + (not text.endswith("\n"))
    columns = combined(text, count)
    if columns is not None:
        assert [tuple(column) for column in columns] == by_pattern(text)
        assert {len(column) for column in columns} == {count}
