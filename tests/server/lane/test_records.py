"""What the lane has answered stands in the log, the figures and all else as if it had gone the long way."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.server.admin.figures import Figures
from proxy.server.admin.histogram import Histogram
from proxy.server.admin.recent import KEPT, WAITING, Recent
from proxy.server.ids import prefix, take_numbers
from proxy.server.lane.answers import Rendering
from proxy.server.lane.records import AT_ONCE, Hit, Late, LogOutlet, Records, lines
from proxy.server.log.records import RecordLog
from proxy.server.log.terminal import Terminal
from proxy.visibility.record import Redaction, decode

NOON = 1_700_000_000.0
BEFORE = b'{"method":"GET","target":"/a","scheme":"http","authority":"h","version":"1.1","fields":['
AFTER = (
    '],"content_bytes":0},"raw":null,"response":{"status":200,"reason":"OK","version":"1.1","fields":[],'
    '"content_bytes":7,"digest":null,"complete":true},"decision":{"outcome":"hit","reasons":[{"slug":"fresh",'
    '"section":"RFC 9111 §4.2","evidence":""}],"until":null,"forward":null,"forward_status":null,'
    '"ttl_seconds":9,"stored":null,"collapsed":null},"upstream":null,"error":null}\n'
)


def hit(started: float = NOON, seconds: float = 0.000012, target: str = "/a") -> Hit:
    rendering = Rendering(b"", "", AFTER.encode(), "", ("hit", 200, "fresh"), 7)
    before = BEFORE.replace(b"/a", target.encode())
    return started, seconds, b'"192.0.2.1:5000"', before, b'["Host","h"]', rendering


def test_a_line_is_a_record() -> None:
    made = lines([hit(NOON + 0.25), hit(NOON + 0.9999999, 1.5)], 10)
    first, second = map(decode, made.splitlines())
    assert (first.id, second.id) == (f"{prefix()}00000000000a", f"{prefix()}00000000000b")
    assert (first.time, second.time) == ("2023-11-14T22:13:20.250000Z", "2023-11-14T22:13:21.000000Z")
    assert (first.client, first.duration_seconds, first.first_byte_seconds) == (
        "192.0.2.1:5000",
        1.2e-5,
        1.2e-5,
    )
    assert first.request is not None
    assert (first.request.target, first.request.fields) == ("/a", (("Host", "h"),))


@pytest.mark.parametrize("first", [1, 255, 256, 4095, 65_535, (1 << 48) - 2])
def test_numbers_go_on(first: int) -> None:
    found = [
        decode(line).id for line in lines([hit(), hit(), hit()][: (1 << 48) - first], first).splitlines()
    ]
    assert found == [f"{prefix()}{number:012x}" for number in range(first, first + len(found))]


@given(
    started=st.floats(0, 4e9),
    seconds=st.one_of(st.floats(0, 100), st.integers(0, 2000).map(lambda micro: micro / 1e6)),
)
@settings(max_examples=200)
def test_times_are_told_to_the_microsecond(started: float, seconds: float) -> None:
    moments = [started, started + 0.4, started + 1, max(started - 1, 0.0)]
    made = lines([hit(one, seconds) for one in moments], 1).splitlines()
    for line, moment in zip(made, moments, strict=True):
        record = decode(line)
        told = datetime.fromisoformat(record.time)
        assert told == datetime.fromtimestamp(0, UTC) + timedelta(microseconds=round(moment * 1e6))
        assert record.time[-8:] == f".{round(moment * 1e6) % 1_000_000:06d}Z"
        assert record.duration_seconds == record.first_byte_seconds
        assert record.duration_seconds == pytest.approx(seconds, abs=0.51e-6)


async def test_who_cannot_take_them_keeps_them_from_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    came: list[int] = []

    class Broken:
        def put_hits(self, hits: list[Hit], first: int) -> None:
            raise ValueError("no")

    class Whole:
        def put_hits(self, hits: list[Hit], first: int) -> None:
            came.append(len(hits))

    records = Records([Broken(), Whole()])
    records.waiting += [hit(), hit()]
    records.flush()
    assert (came, records.waiting) == ([2], [])
    assert "could not be recorded" in caplog.text


async def test_hits_are_recorded_soon_and_many_at_once() -> None:
    batches: list[tuple[int, int]] = []

    class Outlet:
        def put_hits(self, hits: list[Hit], first: int) -> None:
            batches.append((len(hits), first))

    records = Records([Outlet()])
    loop = asyncio.get_running_loop()
    for _ in range(AT_ONCE + 1):
        records.waiting.append(hit())
        records.more(loop)
    assert [count for count, _ in batches] == [AT_ONCE]
    async with asyncio.timeout(5):
        while len(batches) < 2:  # noqa: ASYNC110 - it is a timer that is tested
            await asyncio.sleep(0.005)
    assert batches[1] == (1, batches[0][1] + AT_ONCE)
    records.waiting.append(hit())
    records.close()
    assert len(batches) == 3
    assert take_numbers(1) > batches[2][1]


def test_the_log_has_them(tmp_path: Path) -> None:
    log = RecordLog(str(tmp_path / "log"), Redaction())
    LogOutlet(log.put_lines).put_hits([hit(), hit(target="/b")], 1)
    log.put(b'{"another":1}')
    log.close()
    found = [json.loads(line) for line in (tmp_path / "log").read_bytes().splitlines()]
    assert [one.get("request", {}).get("target") for one in found] == ["/a", "/b", None]


def test_lines_that_are_lost_are_counted_one_by_one(tmp_path: Path) -> None:
    log = RecordLog(str(tmp_path / "log"), Redaction(), capacity=10, say=lambda _: None)
    LogOutlet(log.put_lines).put_hits([hit(), hit()], 1)
    assert log.lost == 2
    log.close()


def test_a_pipe_gets_whole_lines(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    log = RecordLog(str(tmp_path / "pipe"), Redaction())
    LogOutlet(log.put_lines).put_hits([hit()] * 20, 1)
    log.close()
    data = os.read(reader, 1 << 16)
    os.close(reader)
    assert len([decode(line) for line in data.splitlines()]) == 20


def test_the_figures_count_them() -> None:
    figures, long_way = Figures(NOON), Figures(NOON)
    hits = [hit(NOON + 0.1, 0.00002), hit(NOON + 0.2, 0.3), hit(NOON + 0.95, 0.1)]
    figures.put_hits(hits, 1)
    for one in hits:
        long_way.put_hits([one], 1)
    snapshot = figures.snapshot(NOON + 2)
    assert snapshot == long_way.snapshot(NOON + 2)
    assert snapshot["exchanges"]["by_outcome"]["hit"] == snapshot["exchanges"]["by_source"]["cache"] == 3
    assert snapshot["exchanges"]["by_reason"] == {"fresh": 3}
    assert snapshot["bytes"]["sent"]["cache"] == 21
    assert snapshot["seconds"]["cache"][-3:] == [2, 1, 0]
    assert snapshot["latency"]["count"] == 3


async def test_the_last_ones_are_kept_and_shown() -> None:
    recent = Recent()
    with recent.watch() as watcher:
        recent.put_hits([hit(target=f"/{number}") for number in range(KEPT + 30)], 1)
        assert [late.id for late in recent.last(2)] == [f"{prefix()}{KEPT + n:012x}" for n in (29, 30)]
        assert len(recent.last(KEPT)) == KEPT
        found = recent.find(f"{prefix()}{KEPT:012x}")
        assert isinstance(found, Late)
        assert (request := found.record().request) is not None
        assert request.target == f"/{KEPT - 1}"
        seen = await watcher.look()
        assert (len(seen.accounts), seen.lost) == (WAITING, KEPT + 30 - WAITING)
    for number in range(KEPT):
        recent.put_hits([hit()], number)
    assert len(recent._kept) == KEPT


def test_a_terminal_shows_what_it_can(tmp_path: Path) -> None:
    with (tmp_path / "terminal").open("w") as stream:
        terminal = Terminal(stream, Redaction(), color="never")
        terminal.put_hits([hit(target=r"/a?x=\u001b")] * 60, 1)
        terminal.close()
    shown = (tmp_path / "terminal").read_text().splitlines()
    assert shown[0] == "GET /a?x=\\x1b 200 hit fresh 0.0 ms"
    assert shown[-1] == "… 10 more not shown"
    assert len(shown) == 51


@pytest.mark.parametrize("durations", [[], [0.0, 1e-5, 1.1e-5, 0.5, 61.0, 61.0]])
def test_durations_are_counted_together_as_one_by_one(durations: list[float]) -> None:

    together, each = Histogram(), Histogram()
    found = together.add_all(durations)
    for one in durations:
        each.add(one)
    assert together.counts == each.counts
    assert together.sum == pytest.approx(each.sum)
    assert sum(number for _, number in found) == len(durations)
