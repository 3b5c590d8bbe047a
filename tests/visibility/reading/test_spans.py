"""A log read in parts is the same as the log read at once."""

from __future__ import annotations

import pickle
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.visibility.observation import Observation
from proxy.visibility.reading import Reading, Span, open_source, read_span
from proxy.visibility.reading.lines import blocks
from tests.visibility.reading.readout import KEY, LOGS, Readout, readout

READING = Reading(key=KEY)


def in_parts(spans: list[Span]) -> tuple[list[Observation], list[int], int]:
    """The exchanges, the lines of the faults in the whole file, and how many lines there are."""
    observations: list[Observation] = []
    faults: list[int] = []
    lines = 0
    for span in spans:
        part = Readout()
        for batch in read_span(pickle.loads(pickle.dumps(span)), pickle.loads(pickle.dumps(READING))):
            part.take(batch)
        observations += part.observations
        faults += [lines + fault.line for fault in part.faults]
        lines += part.lines
        assert part.done == span.last - span.first
    return observations, faults, lines


@pytest.mark.parametrize("name", ["nginx-combined.log", "nginx-json.log", "squid.log", "caddy.log"])
@pytest.mark.parametrize("parts", [1, 2, 3, 7, 50])
def test_parts_make_the_whole(tmp_path: Path, name: str, parts: int) -> None:
    path = tmp_path / "log"
    path.write_bytes((LOGS / name).read_bytes() * 3 + b"junk\n" + (LOGS / name).read_bytes().rstrip())
    whole = readout(path)
    with open_source(str(path), READING) as source:
        spans = source.spans(parts)
    assert spans[0].first == 0
    assert spans[-1].last == path.stat().st_size
    assert all(one.last == other.first for one, other in pairwise(spans))
    observations, faults, lines = in_parts(spans)
    assert repr(observations) == repr(whole.observations)
    assert faults == [fault.line for fault in whole.faults]
    assert lines == whole.lines


def test_a_part_may_end_within_a_line_that_is_too_long(tmp_path: Path) -> None:
    path = tmp_path / "log"
    line = (LOGS / "squid.log").read_bytes().splitlines(keepends=True)[1]
    path.write_bytes(line + b"x" * 5_000_000 + b"\n" + line * 2)
    with open_source(str(path), READING) as source:
        spans = source.spans(4)
    observations, _, _ = in_parts(spans)
    assert len(observations) == 3


def test_a_log_in_utf_16_is_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text((LOGS / "squid.log").read_text(), encoding="utf-16")
    with open_source(str(path), READING) as source:
        assert source.spans(2) == []


def test_a_har_is_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text('{"log": {"entries": []}}')
    with open_source(str(path), READING) as source:
        assert source.spans(2) == []


@given(st.binary(max_size=400).map(lambda data: data.replace(b"\0", b"\n")), st.data())
def test_however_the_bytes_come_the_lines_are_the_same(content: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=8)))
    chunks = [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    found = list(blocks(chunks, longest=100))
    longest = max(map(len, content.split(b"\n")))
    if longest < 50:
        assert b"".join(block.data for block in found) == content.replace(b"\r\n", b"\n")
    assert sum(block.count for block in found) == content.count(b"\n") + (content[-1:] not in (b"\n", b""))
