"""Whatever stands in a file: what can be read is read, what can't is counted, and nothing is raised."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message.errors import PellucidError
from proxy.visibility.reading import NAMES, Reading, UnreadableSource, open_source
from proxy.visibility.reading.faults import FEW
from proxy.visibility.reading.formats import Formats
from proxy.visibility.reading.hiding import Hiding
from proxy.visibility.reading.lineformat import NotRead
from proxy.visibility.reading.lines import blocks
from tests.visibility.reading.conftest import Read
from tests.visibility.reading.readout import LOGS

LINE = '192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] "GET /a HTTP/1.1" 200 6 "-" "curl/7.88.1"\n'
SAMPLES = [path.read_bytes() for path in sorted(LOGS.iterdir())]


def test_an_empty_file(read: Read) -> None:
    log = read(b"")
    assert (log.observations, log.left_out, log.format) == ([], 0, "")


def test_empty_lines_are_nothing(read: Read) -> None:
    log = read(f"\n\n{LINE}\n{LINE}\r\n\n")
    assert (len(log.observations), log.left_out) == (2, 0)


@pytest.mark.parametrize("encoded", ["utf-16", "utf-8-sig"])
def test_encodings_of_windows(read: Read, encoded: str) -> None:
    log = read((LINE * 3).replace("\n", "\r\n").encode(encoded))
    assert (len(log.observations), log.left_out) == (3, 0)
    assert repr(log.observations) == repr(read(LINE * 3).observations)


def test_the_last_line_may_lack_its_end(read: Read) -> None:
    assert len(read(LINE + LINE.rstrip()).observations) == 2


def test_a_last_line_that_is_cut_short_is_a_fault(read: Read) -> None:
    log = read(LINE + LINE[:40])
    assert len(log.observations) == 1
    assert [(fault.line, fault.why) for fault in log.faults] == [
        (2, "it is not written in the format of the log")
    ]


def test_nuls_of_a_log_that_was_truncated_while_it_was_written(read: Read) -> None:
    log = read(b"\0" * 3_000_000 + LINE.encode() * 2)
    assert (len(log.observations), log.left_out) == (2, 0)


def test_lines_of_ten_megabytes_are_left_out(read: Read) -> None:
    log = read(LINE + "x" * 10_000_000 + "\n" + LINE + "y" * 2_000_000)
    assert len(log.observations) == 2
    assert [(fault.line, fault.why) for fault in log.faults] == [
        (2, "it is longer than 1 MiB"),
        (4, "it is longer than 1 MiB"),
    ]
    assert log.lines == 4


def test_what_is_too_long_is_not_held() -> None:
    pieces = (b"x" * 1000 for _ in range(5000))
    assert [(block.too_long, block.data) for block in blocks(pieces, longest=10_000)] == [(True, b"")]


def test_faults_are_counted_and_the_first_few_kept_with_their_lines(read: Read) -> None:
    log = read((LINE + "junk\n") * 100)
    assert len(log.observations) == 100
    assert log.left_out == 100
    assert [fault.line for fault in log.faults] == [2 * number for number in range(1, FEW + 1)]


def test_a_fault_quotes_nothing_of_the_line(read: Read) -> None:
    log = read(LINE + "GET /?password=hunter2\n" + '{"format": "hunter2", "time": "hunter2"}\n')
    assert log.left_out == 2
    assert "hunter2" not in repr(log.faults)


def test_a_number_that_is_none_is_a_fault(read: Read) -> None:
    log = read(LINE + LINE.replace("14/Nov", "31/Feb") + LINE.replace("22:13", "29:13") + LINE)
    assert len(log.observations) == 2
    assert [(fault.line, fault.why) for fault in log.faults] == [
        (2, "the time can't be read"),
        (3, "the time can't be read"),
    ]


def test_a_clock_that_runs_backwards_is_no_fault(read: Read) -> None:
    log = read(LINE + LINE.replace("22:13:20", "22:13:19"))
    assert log.observations[1].time == log.observations[0].time - 1


def test_several_formats_in_one_file_are_each_read_in_order(read: Read) -> None:
    mixed = []
    for number in range(5):
        at = LINE.replace("/a ", f"/{number} ")
        entry = {
            "time": 1700000000,
            "remote_addr": "192.0.2.1",
            "request": f"GET /{number} HTTP/1.1",
            "status": 200,
        }
        mixed += [at, json.dumps(entry) + "\n", at.replace(' "-" "curl/7.88.1"', "")]
    log = read("".join(mixed))
    assert log.left_out == 0
    assert [each.target for each in log.observations] == [
        f"/{number}" for number in range(5) for _ in range(3)
    ]
    assert {held.format for held in log.helds} == {"combined", "json", "common"}


def test_a_log_is_found_after_any_amount_of_junk(read: Read) -> None:
    log = read("junk\n" * 12_000 + LINE * 100)
    assert len(log.observations) > 80
    assert len(log.observations) + log.left_out == 12_100


def test_a_long_line_among_short_ones(read: Read) -> None:
    log = read(LINE + "x" * 100_000 + "\n" + "y\n" + LINE)
    assert [fault.line for fault in log.faults] == [2, 3]
    assert len(log.observations) == 2


def test_a_format_that_is_said_is_the_only_one(read: Read) -> None:
    log = read(LINE + '{"request": "GET / HTTP/1.1", "status": 200}\n', "combined")
    assert (len(log.observations), log.left_out) == (1, 1)
    assert read(LINE, "caddy").left_out == 1


@pytest.mark.parametrize("form", ["apache", "no-such-format", "$a$b", "100 %", "%{x}i%{y}i"])
def test_a_format_that_is_none(tmp_path: Path, form: str) -> None:
    path = tmp_path / "log"
    path.write_text(LINE)
    with pytest.raises(PellucidError, match="format"):
        open_source(str(path), Reading(format=form))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "directory"),
        (lambda path: path.symlink_to(path), "loop|levels"),
    ],
)
def test_what_cannot_be_opened(tmp_path: Path, make: object, why: str) -> None:
    path = tmp_path / "log"
    make(path)  # type: ignore[operator]
    with pytest.raises(UnreadableSource, match=why) as error:
        open_source(str(path), Reading())
    assert str(path) in error.value.evidence


def test_a_name_that_no_file_can_have() -> None:
    with pytest.raises(UnreadableSource):
        open_source("a\0b", Reading())


def test_a_file_that_grows_is_read_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(LINE * 5000)
    with open_source(str(path), Reading()) as source, path.open("a") as more:
        count = 0
        for batch in source.batches():
            count += len(batch.observations)
            more.write(LINE * 1000)
            more.flush()
    assert count == 5000


def test_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.pipe()
    os.write(theirs, (LINE * 10).encode())
    os.close(theirs)
    with os.fdopen(ours, "rb") as stream:
        monkeypatch.setattr("sys.stdin", stream)
        with open_source("-", Reading()) as source:
            assert source.name == "standard input"
            assert source.size is None
            assert source.spans(4) == []
            assert sum(len(batch.observations) for batch in source.batches()) == 10


START = LINE.rstrip()
MANY = 250_000


@pytest.mark.parametrize(
    "line",
    [
        START + " " * MANY + '"',
        START + ' "' * MANY,
        START.replace("/a", "/" + "%41" * MANY),
        START.replace("/a", "/?" + "a=1&" * MANY),
        START.replace("/a", "/" + "@" * MANY),
        START.replace("curl", "\\x41" * MANY),
        "192.0.2.1 - " + "a " * MANY + "[",
        "1:" * MANY + " [",
        "1700000000.000 1 192.0.2.1 TCP_MISS/200 1 GET http://a/ " + " A/" * MANY,
        "a[1]: " * 100_000,
        '{"a":' * 100_000,
        '{"request":{"method":"GET","uri":"/","headers":{' + '"a":["b"],' * 50_000,
    ],
    ids=range(12),
)
def test_lines_that_are_made_to_take_long_are_done_with_at_once(read: Read, line: str) -> None:
    log = read(f"{line}\n{LINE}")
    assert len(log.observations) + log.left_out == 2
    assert log.observations[-1].target == "/a"


@given(st.binary(max_size=300), st.sampled_from(sorted({*NAMES} - {"har"})))
def test_any_line_is_read_or_not_read(line: bytes, name: str) -> None:
    found = Formats(Hiding(Reading())).get(name)
    with suppress(NotRead):
        assert len(found.read(line, 1)) == 1


@given(st.sampled_from(SAMPLES), st.data())
def test_any_damage_to_a_log(
    tmp_path_factory: pytest.TempPathFactory, sample: bytes, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(sample)))
    damaged = (
        sample[:at] + data.draw(st.binary(max_size=60)) + sample[data.draw(st.integers(at, len(sample))) :]
    )
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(damaged)
    with open_source(str(path), Reading()) as source:
        batches = list(source.batches())
    read = sum(len(batch.observations) + batch.left_out for batch in batches)
    assert read <= damaged.count(b"\n") + 1
