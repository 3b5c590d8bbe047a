"""What each contender is told: its configuration, its command, and how it is found."""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
from importlib import metadata
from pathlib import Path

import pytest

from proxy.commands.comparing.contenders import caddy, finding, haproxy, nginx, squid, varnish
from proxy.commands.comparing.contenders.contract import Contender, Found, Part, Place
from proxy.commands.comparing.contenders.everyone import EVERYONE
from proxy.commands.comparing.errors import ComparisonError

PLACE = Place(Path("/somewhere"), 8080, 8090, 7000)
BY_NAME = {one.name: one for one in EVERYONE}


def flat(text: str) -> str:
    return " ".join(text.split())


def test_names_are_said_once() -> None:
    assert len(BY_NAME) == len(EVERYONE)
    assert {"pellucid", "nginx", "varnish", "haproxy", "squid", "caddy", "mitmproxy", "aiohttp"} <= set(
        BY_NAME
    )


@pytest.mark.parametrize("contender", EVERYONE, ids=lambda one: one.name)
def test_everyone_hears_of_both_ports_and_writes_a_log(contender: Contender) -> None:
    launch = contender.launch(Found("/the/program", "1", "the system"), PLACE)
    told = " ".join([*launch.command, *launch.files.values(), *(launch.helper or [])])
    assert launch.command[0] == "/the/program"
    assert "8080" in told
    assert "8090" in told
    on_output = contender.name in ("haproxy", "mitmproxy")
    assert on_output or str(PLACE.log) in told
    assert contender.log
    for name in launch.files:
        assert f"/somewhere/{name}" in told


def test_who_has_no_cache_only_forwards() -> None:
    forwarding = {one.name for one in EVERYONE if Part.HITS not in one.parts}
    assert forwarding == {"caddy", "mitmproxy"}
    assert all({Part.PASSING, Part.START} <= one.parts for one in EVERYONE)
    assert Part.STAMPEDE not in BY_NAME["aiohttp"].parts


def test_nginx_caches_with_one_worker_and_keeps_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    text = nginx.config(PLACE)
    assert text.startswith("worker_processes 1;\n")
    assert "keys_zone=responses:64m" in text
    assert "proxy_cache responses;" in text
    assert "proxy_cache_lock on;" in text
    assert 'proxy_set_header Connection "";' in text
    assert "keepalive 256;" in text
    assert "access_log /somewhere/access.log combined;" in text
    assert "worker_connections 14000;" in text
    assert text.count("{") == text.count("}")
    assert "listen 127.0.0.1:8080" in text


def test_nginx_of_root_stays_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert re.match(r"user \S+ \S+;\nworker_processes", nginx.config(PLACE))


def test_nginx_can_gather_its_log() -> None:
    launch = nginx.BUFFERED.launch(Found("nginx", "1", "the system"), PLACE)
    assert "combined buffer=64k flush=1s;" in launch.files["nginx.conf"]


def test_haproxy_caches_in_one_thread() -> None:
    text = flat(haproxy.config(PLACE))
    for part in ("nbthread 1", "maxconn 7000", "cache responses", "process-vary on", "option httplog"):
        assert part in text
    assert "http-request cache-use responses http-response cache-store responses" in text
    assert int(re.search(r"max-object-size (\d+)", text)[1]) > 10 << 20  # type: ignore[index]


def test_squid_keeps_responses_in_memory_and_is_never_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    text = squid.config(PLACE)
    for line in ("workers 1", "cache_mem 512 MB", "collapsed_forwarding on", "pinger_enable off"):
        assert line in text.splitlines()
    assert "cache_dir" not in text
    assert "cache_effective_user" not in text
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "cache_effective_user nobody" in squid.config(PLACE).splitlines()
    assert squid.SQUID.launch(Found("squid", "5", "the system"), PLACE).owner == "nobody"


def test_varnish_runs_without_a_jail_and_varnishncsa_writes_its_log() -> None:
    launch = varnish.VARNISH.launch(Found("varnishd", "7", "the system"), PLACE)
    told = " ".join(launch.command)
    assert "-F -n /somewhere/state -j none -a 127.0.0.1:8080" in told
    assert "-s malloc,512m" in told
    assert launch.helper is not None
    assert launch.helper[1:] == ["-n", "/somewhere/state", "-a", "-w", "/somewhere/access.log"]
    assert flat(varnish.rules(PLACE)).startswith("vcl 4.1; backend origin {")


def test_caddy_forwards_on_one_core_and_nothing_more() -> None:
    found = json.loads(json.dumps(caddy.config(PLACE)))
    server = found["apps"]["http"]["servers"]["api"]
    assert server["listen"] == ["127.0.0.1:8080"]
    assert server["automatic_https"] == {"disable": True}
    assert server["routes"][0]["handle"][0]["upstreams"] == [{"dial": "127.0.0.1:8090"}]
    assert found["admin"]["disabled"] is True
    assert found["logging"]["logs"]["access"]["writer"]["filename"] == "/somewhere/access.log"
    launch = caddy.CADDY.launch(Found("caddy", "2", "the system"), PLACE)
    assert launch.env["GOMAXPROCS"] == "1"
    assert launch.env["HOME"] == "/somewhere"


def test_pellucid_is_started_as_a_user_starts_it() -> None:
    found = BY_NAME["pellucid"].find()
    launch = BY_NAME["pellucid"].launch(found, PLACE)
    told = " ".join(launch.command)
    assert f"{sys.executable} -m proxy serve --upstream http://127.0.0.1:8090" in told
    assert "--log /somewhere/access.log" in told
    assert "server.connections_per_client=7000" in told


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program on the PATH that tells its version on standard error."""
    path = tmp_path / "bin" / "some-server"
    path.parent.mkdir()
    path.write_text('#!/bin/sh\necho "some-server version: some/1.2.3 ($1)" >&2\n')
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")
    return path


def test_a_program_of_the_system(program: Path) -> None:
    found = finding.find("some-server", "-v", r"some/(\S+)", wheel="no-such-wheel")
    assert found == Found(str(program), "1.2.3", "the system")
    assert finding.find("some-server", "-v", r"other/(\S+)").version == "unknown version"


def test_a_program_that_is_nowhere() -> None:
    with pytest.raises(ComparisonError, match=r"no-such-server is not installed$"):
        finding.find("no-such-server", "-v", "")
    with pytest.raises(ComparisonError, match="and the wheel no-such-wheel isn't either"):
        finding.find("no-such-server", "-v", "", wheel="no-such-wheel")


def test_a_program_that_can_t_be_run(program: Path) -> None:
    program.write_text("#!/no/such/interpreter\n")
    with pytest.raises(ComparisonError, match="can't be run"):
        finding.find("some-server", "-v", r"some/(\S+)")


def test_a_program_of_this_environment_is_not_the_system_s(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "_SCRIPTS", program.parent)
    assert finding.in_system("some-server") is None
    monkeypatch.setattr(metadata, "version", lambda wheel: "1.2.3")
    found = finding.find("some-server", "-v", r"some/(\S+)", wheel="some-wheel")
    assert found == Found(str(program), "1.2.3", "the wheel some-wheel")


def test_a_program_in_a_wheel_s_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "some_wheel" / "bin" / "linux" / "some-server"
    path.parent.mkdir(parents=True)
    (tmp_path / "some_wheel" / "__init__.py").write_text("")
    path.write_text("#!/bin/sh\necho some/4\n")
    path.chmod(0o755)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    monkeypatch.setattr(metadata, "version", lambda wheel: "4")
    found = finding.find("some-server", "-v", r"some/(\S+)", wheel="some-wheel")
    assert found == Found(str(path), "4", "the wheel some-wheel")
