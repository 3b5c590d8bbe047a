"""The load generator of ours, against an origin server and against servers that do everything wrong."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.commands.comparing.asking import get
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.load import requests
from proxy.commands.comparing.load.outcome import Outcome, Plan
from proxy.commands.comparing.load.own import generator
from proxy.commands.comparing.origin.content import cold, item

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n" + b"x" * 1024


@pytest.fixture
def asked(tmp_path: Path) -> str:
    """The path of a file with ten requests."""
    path = tmp_path / "asked"
    requests.write([requests.request(item(number), "a") for number in range(10)], path)
    return str(path)


def run(plan: Plan, folder: Path, cores: tuple[int, ...]) -> Outcome:
    with generator(plan, folder, cores) as ready:
        return ready.run()


@contextlib.contextmanager
def answering(answer: bytes, *, closing: bool = False) -> Iterator[int]:
    """A server that gives the same bytes for whatever arrives, and its port."""

    def serve(line: socket.socket) -> None:
        with line, contextlib.suppress(OSError):
            while line.recv(1 << 16):
                line.sendall(answer)
                if closing:
                    return

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = listening.accept()
                threads.append(threading.Thread(target=serve, args=(line,)))
                threads[-1].start()

    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        accepting = threading.Thread(target=accept)
        accepting.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        accepting.join()
    for thread in threads:
        thread.join()


def count(origin: int) -> int:
    return int(get(origin, "/-/count").content)


def test_as_fast_as_it_is_answered(origin: int, asked: str, tmp_path: Path, cores: tuple[int, ...]) -> None:
    plan = Plan(port=origin, requests=asked, connections=4, seconds=0.2, length=1024)
    found = run(plan, tmp_path, cores)
    assert found.errors == 0, found.complaints
    assert found.requests == count(origin) > 4
    assert found.seconds >= 0.2
    assert found.content == found.requests * 1024
    assert 0 < found.p50 <= found.p99 <= found.p999
    assert found.processor > 0


def test_each_request_once(origin: int, asked: str, tmp_path: Path, cores: tuple[int, ...]) -> None:
    found = run(Plan(port=origin, requests=asked, connections=3, once=True, length=1024), tmp_path, cores)
    assert (found.requests, found.errors, count(origin)) == (10, 0, 10)


def test_one_on_each_connection_at_once(origin: int, tmp_path: Path, cores: tuple[int, ...]) -> None:
    requests.write(requests.one(cold(1)), tmp_path / "cold")
    plan = Plan(port=origin, requests=str(tmp_path / "cold"), connections=150, burst=True, length=1024)
    found = run(plan, tmp_path, cores)
    assert (found.requests, found.errors, count(origin)) == (150, 0, 150)
    assert found.p50 >= 0.2


def test_at_a_rate(origin: int, asked: str, tmp_path: Path, cores: tuple[int, ...]) -> None:
    plan = Plan(port=origin, requests=asked, connections=8, seconds=0.5, rate=200.0, length=1024)
    found = run(plan, tmp_path, cores)
    assert (found.requests, found.errors) == (100, 0)
    assert found.late is not None


def test_idle_connections_ask_once_and_are_not_measured(
    origin: int, asked: str, tmp_path: Path, cores: tuple[int, ...]
) -> None:
    plan = Plan(port=origin, requests=asked, connections=2, seconds=0.2, rate=50.0, idle=120, length=1024)
    found = run(plan, tmp_path, cores)
    assert (found.requests, found.errors) == (10, 0)
    assert count(origin) == 130


def test_trace_ids_differ(origin: int, tmp_path: Path, cores: tuple[int, ...]) -> None:
    requests.write(requests.zipf(traced=True, length=10), tmp_path / "traced")
    plan = Plan(port=origin, requests=str(tmp_path / "traced"), connections=2, seconds=0.1, length=1024)
    plan.traced = True
    found = run(plan, tmp_path, cores)
    assert found.errors == 0
    assert found.requests == count(origin) > 0


@pytest.mark.parametrize(
    "answer", [GOOD.replace(b"200 OK", b"503 Busy"), GOOD.replace(b"1024\r\n", b"1000\r\n")[:-24]]
)
def test_wrong_answers_are_errors(answer: bytes, asked: str, tmp_path: Path, cores: tuple[int, ...]) -> None:
    with answering(answer) as port:
        plan = Plan(port=port, requests=asked, connections=2, once=True, length=1024)
        found = run(plan, tmp_path, cores)
    assert (found.requests, found.errors) == (0, 10)
    assert found.complaints == ["an answer other than 200, or with other content"]


def test_right_ones_are_none(asked: str, tmp_path: Path, cores: tuple[int, ...]) -> None:
    with answering(GOOD) as port:
        plan = Plan(port=port, requests=asked, connections=2, once=True, length=1024)
        assert run(plan, tmp_path, cores).errors == 0


def test_connections_that_break_off_are_errors(asked: str, tmp_path: Path, cores: tuple[int, ...]) -> None:
    with answering(GOOD[:100], closing=True) as port:
        plan = Plan(port=port, requests=asked, connections=2, seconds=0.1, length=1024)
        found = run(plan, tmp_path, cores)
    assert (found.requests, found.errors) == (0, 2)
    assert found.complaints == ["a connection broke off before the answer"]


def test_idle_connections_that_are_closed_are_an_error(
    asked: str, tmp_path: Path, cores: tuple[int, ...]
) -> None:
    with answering(GOOD, closing=True) as port:
        plan = Plan(port=port, requests=asked, connections=1, seconds=0.5, rate=5.0, idle=3, length=1024)
        found = run(plan, tmp_path, cores)
    assert found.errors >= 1
    assert "3 idle connections were closed" in found.complaints


def test_nobody_there(unused_tcp_port: int, asked: str, tmp_path: Path, cores: tuple[int, ...]) -> None:
    plan = Plan(port=unused_tcp_port, requests=asked, connections=2, once=True, length=1024)
    with pytest.raises(ComparisonError, match="refused"):
        run(plan, tmp_path, cores)
