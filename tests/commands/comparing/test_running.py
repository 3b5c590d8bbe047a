"""A comparison of servers made for it: good ones, one that won't start, one that lies, one that dies."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from proxy.commands.comparing import running
from proxy.commands.comparing.bench import Bench
from proxy.commands.comparing.contenders.contract import EVERYTHING, Contender, Found, Launch, Part, Place
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.machine import Cores
from proxy.commands.comparing.results import Result, Row, Settings
from proxy.commands.comparing.running import Entrant, benched, run_workload
from proxy.commands.comparing.standing import stand
from proxy.commands.comparing.workloads import special
from proxy.commands.comparing.workloads.all_workloads import WORKLOADS
from proxy.commands.comparing.workloads.steady import Passing
from proxy.message.errors import ConfigurationError

SERVER = """
import sys
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
port, origin, log, kind = sys.argv[1:]
stored, asked = {}, 0

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global asked
        asked += 1
        if kind == "dies" and asked > 20:
            import os
            print("out of patience", file=sys.stderr, flush=True)
            os._exit(3)
        body = stored.get(self.path)
        if body is None or kind == "forgets":
            upstream = HTTPConnection("127.0.0.1", int(origin))
            upstream.request("GET", self.path)
            body = upstream.getresponse().read()
            upstream.close()
            if not self.path.startswith("/private/"):
                stored[self.path] = body
        if kind == "lies" and asked > 1:
            body = b"x" * len(body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        with open(log, "a") as file:
            print(self.path, file=file)

class Server(ThreadingHTTPServer):
    request_queue_size = 1000
    daemon_threads = True

Server(("127.0.0.1", int(port)), Handler).serve_forever()
"""


def contender(name: str, kind: str = "caches", parts: frozenset[Part] = EVERYTHING) -> Entrant:
    """A server of a few lines, which does as it is told."""
    found = Found(sys.executable, "1", "this test")

    def launch(_: Found, place: Place) -> Launch:
        given = [str(place.port), str(place.origin), str(place.log), kind]
        return Launch([sys.executable, str(place.folder / "server.py"), *given], {"server.py": SERVER})

    return Entrant(Contender(name, name.title(), parts, "lines", lambda: found, launch), found)


def cores() -> Cores:
    every = tuple(os.sched_getaffinity(0))
    return Cores(every, every, every)


def broken() -> Entrant:
    """A server that does not understand how it was configured."""
    program = "import sys; print('unknown directive', file=sys.stderr); sys.exit(1)"
    one = contender("broken")
    launch = Launch([sys.executable, "-c", program])
    return Entrant(
        Contender("broken", "Broken", EVERYTHING, "lines", one.contender.find, lambda found, place: launch),
        one.found,
    )


SETTINGS = Settings(repeats=1, seconds=0.1, connections=4, load="own", load_version="")


def compared(
    name: str, entrants: list[Entrant], folder: Path, files: int = 1000, settings: Settings = SETTINGS
) -> Result:
    """What a workload came to; and nothing was left behind."""
    told: list[str] = []
    workload = WORKLOADS[name]()
    with benched(settings, cores(), None, files, folder) as bench:
        found = run_workload(bench, workload, entrants, lambda title, step: told.append(title))
    assert list(folder.iterdir()) == []
    assert set(told) == {workload.title}
    return found


def row_of(result: Result, contender: str) -> Row:
    row = result.row(contender)
    assert row is not None
    return row


def test_each_is_measured_and_who_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    kinds = {"fragile": "dies", "liar": "lies", "forgetful": "forgets", "nginx": "caches"}
    found = compared("hot", [broken(), *(contender(*one) for one in kinds.items())], tmp_path)

    good = row_of(found, "nginx")
    assert good.failed is None
    assert good.measures["requests_per_second"].low > 0
    assert good.measures["resident_mebibytes"].low > 0
    assert good.measures["processor_microseconds"].low >= 0
    assert good.measures["origin_requests"].high == 0
    assert good.measures["errors"].high == 0

    assert row_of(found, "broken").runs == []
    assert row_of(found, "broken").failed == "broken ended at once with status 1: unknown directive"
    assert "out of patience" in (row_of(found, "fragile").failed or "")

    assert row_of(found, "liar").measures["errors"].low == 3
    assert "an answer was not the origin's" in row_of(found, "liar").runs[0].complaints

    forgetful = row_of(found, "forgetful")
    assert any("were no hits" in one for one in forgetful.runs[0].complaints)
    ratio = forgetful.measures["requests_per_second"].ratio
    assert ratio is not None
    assert ratio.median > 0


def test_what_passes_through_reaches_the_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Passing, "targets", Passing.targets[:20])
    row = row_of(compared("passing", [contender("one")], tmp_path), "one")
    assert row.measures["origin_requests"].low > 0
    assert all("cache" not in one for one in row.runs[0].complaints)


def test_a_start_is_measured_anew_each_round(tmp_path: Path) -> None:
    twice = Settings(repeats=2, seconds=0.1, connections=4, load="own", load_version="")
    row = row_of(compared("start", [contender("one")], tmp_path, settings=twice), "one")
    assert [run.round for run in row.runs] == [0, 1]
    assert row.measures["start_milliseconds"].low > 0


def test_a_stampede_counts_what_reaches_the_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(special, "CROWD", 30)
    row = row_of(compared("stampede", [contender("one")], tmp_path), "one")
    assert row.measures["origin_requests"].low == 30
    assert row.measures["errors"].high == 0
    assert row.measures["whole_milliseconds"].low >= 200


def test_idle_connections_are_as_many_as_may_be_open(tmp_path: Path) -> None:
    found = compared("idle", [contender("one")], tmp_path, files=400)
    row = row_of(found, "one")
    assert row.measures["errors"].high == 0
    assert row.measures["connection_kibibytes"].median > 0
    assert found.warnings == ["only 50 connections: no more files may be open here (`ulimit -n`)"]


def test_half_of_full_load_is_the_same_for_all(tmp_path: Path) -> None:
    found = compared("half", [contender("one"), contender("nginx")], tmp_path)
    assert len(found.warnings) == 1
    assert "half of what Nginx did at full load" in found.warnings[0]
    assert [row.measures["p99_milliseconds"].low > 0 for row in found.rows] == [True, True]


def test_each_round_begins_with_another() -> None:
    some = [contender(name) for name in "abc"]
    orders = ["".join(one.name for one in running._in_turn(some, number)) for number in range(4)]
    assert orders == ["abc", "bca", "cab", "abc"]


def test_a_port_that_is_taken_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = contender("one")
    with benched(SETTINGS, cores(), None, 1000, tmp_path) as bench, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        free = [taken.getsockname()[1], 0]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            free[1] = probe.getsockname()[1]
        monkeypatch.setattr("proxy.commands.comparing.standing.free_port", lambda: free.pop(0))
        with stand(one.contender, one.found, place(bench), bench.cores.contender) as standing:
            assert free == []
            assert not standing.differs("/hot")


def place(bench: Bench) -> Place:
    folder = bench.folder / "one"
    folder.mkdir()
    return Place(folder, 0, bench.origin_port)


def test_logs_are_emptied_between_rounds(tmp_path: Path) -> None:
    one = contender("one")
    with benched(SETTINGS, cores(), None, 1000, tmp_path) as bench:
        where = place(bench)
        with stand(one.contender, one.found, where, bench.cores.contender) as standing:
            assert where.log.read_text() == "/hot\n"
            standing.empty_logs()
            assert where.log.read_text() == ""
            standing.differs("/item/1")
            assert where.log.read_text() == "/item/1\n"


def test_no_folder_to_write_in() -> None:
    with (
        pytest.raises(ConfigurationError, match="no folder"),
        benched(SETTINGS, cores(), None, 1000, Path("/no/such/folder")),
    ):
        pass


def test_a_contender_that_has_ended_is_noticed(tmp_path: Path) -> None:
    one = contender("one")
    with (
        benched(SETTINGS, cores(), None, 1000, tmp_path) as bench,
        stand(one.contender, one.found, place(bench), bench.cores.contender) as standing,
    ):
        os.kill(standing.pids[0], 9)
        os.waitid(os.P_PID, standing.pids[0], os.WEXITED | os.WNOWAIT)
        with pytest.raises(ComparisonError, match="one has ended"):
            standing.check()
