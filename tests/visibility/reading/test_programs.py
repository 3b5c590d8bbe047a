"""Logs that the real programs wrote (`logs/`), each read without being told which program that was."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from proxy.visibility.observation import Observation, Part
from tests.visibility.reading.readout import LOGS, readout

EVERY = sorted(path.name for path in LOGS.iterdir())
OWN = (
    "$msec|$remote_addr|$request_method $scheme://$host:$server_port$request_uri|$status"
    "|$cookie_sid|$sent_http_set_cookie"
)


def formats(name: str) -> str:
    """nginx's own log_format can't be found out; all others can."""
    return OWN if name == "nginx-own.log" else ""


def asked(observations: list[Observation]) -> list[str]:
    return [f"{each.method} {each.target} {each.status}" for each in observations]


@pytest.mark.parametrize("name", EVERY)
def test_every_line_is_read(name: str) -> None:
    log = readout(LOGS / name, formats(name))
    assert len(log.observations) == len((LOGS / name).read_bytes().splitlines())
    assert log.left_out == 0
    assert log.lines == len(log.observations)
    assert log.done == (LOGS / name).stat().st_size


@pytest.mark.parametrize("name", EVERY)
def test_no_credential_comes_through(name: str) -> None:
    assert "SECRET" not in repr(readout(LOGS / name, formats(name)).observations)


@pytest.mark.parametrize("name", sorted({*EVERY} - {"squid.log"}))
def test_credentials_are_there_when_they_are_asked_for(name: str) -> None:
    assert "SECRET" in repr(readout(LOGS / name, formats(name), reveal=True).observations)


@pytest.mark.parametrize("name", EVERY)
def test_times_and_clients_are_told(name: str) -> None:
    log = readout(LOGS / name, formats(name))
    assert all(1795418200 < each.time < 1795418400 for each in log.observations)
    assert {each.client for each in log.observations} == {"127.0.0.1"}
    assert Part.TIME | Part.CLIENT in log.held.parts


def test_nginx_combined() -> None:
    log = readout(LOGS / "nginx-combined.log")
    assert log.format == "combined"
    assert replace(log.observations[0], duration=0.0) == Observation(
        time=1795418248.0,
        client="127.0.0.1",
        method="GET",
        target="/a",
        version="1.1",
        request_fields=(("User-Agent", "curl/7.88.1"),),
        status=200,
        response_bytes=6,
        duration=0.0,
    )
    assert dict(log.observations[2].request_fields) == {
        "Referer": 'http://x.example/?a="b"',
        "User-Agent": 'Mozilla/5.0 "quoted" \\back \xc3\xa9',
    }
    assert log.held.has_request_field("user-agent")
    assert not log.held.has_request_field("cookie")
    assert not log.held.has_response_field("cache-control")
    assert Part.DURATION not in log.held.parts


def test_what_was_no_request_is_an_exchange_without_a_method() -> None:
    log = readout(LOGS / "nginx-combined.log")
    assert asked(log.observations).count("  400") == 1


def test_more_at_the_end_of_the_line_is_recognized_by_its_values() -> None:
    log = readout(LOGS / "nginx-timed.log")
    assert "rt=${request_time}" in log.format
    assert [each.outcome for each in log.observations[:2]] == ["forwarded", "hit"]
    assert [each.from_cache for each in log.observations[:2]] == [False, True]
    assert log.observations[0].duration == 0.002
    assert log.observations[0].time == pytest.approx(1795418248 - 0.002)
    assert Part.DURATION | Part.OUTCOME in log.held.parts
    assert "EXPIRED" in (LOGS / "nginx-timed.log").read_text()
    assert ("forwarded", "stale") in {(each.outcome, each.forward) for each in log.observations}


def test_what_cannot_be_told_at_the_end_of_the_line_is_left_out() -> None:
    log = readout(LOGS / "nginx-main.log")
    assert log.held.request_fields == {"referer", "user-agent"}


def test_nginx_json() -> None:
    log = readout(LOGS / "nginx-json.log")
    assert log.format == "json"
    first, second = log.observations[:2]
    assert (first.authority, first.upstream, first.outcome, first.duration) == (
        "127.0.0.1",
        "127.0.0.1:18001",
        "forwarded",
        0.002,
    )
    assert (second.upstream, second.outcome, second.from_cache) == ("", "hit", True)
    assert first.response_fields == (("Cache-Control", "max-age=2"),)
    assert log.held.has_request_field("cookie")
    cookies = dict(log.observations[3].request_fields)["Cookie"]
    assert cookies.startswith("sid=~")
    assert "; lang=~" in cookies


def test_json_that_was_written_without_escape_json_is_mended() -> None:
    log = readout(LOGS / "nginx-json-unescaped.log")
    assert dict(log.observations[2].request_fields)["User-Agent"] == 'Mozilla/5.0 "quoted" \\back \xc3\xa9'


def test_a_format_string_of_nginx() -> None:
    log = readout(LOGS / "nginx-own.log", OWN)
    fourth = log.observations[3]
    assert (fourth.scheme, fourth.authority, fourth.target) == ("http", "127.0.0.1", "/set?q=%20x")
    assert fourth.request_fields[0][1].startswith("sid=~")
    assert fourth.response_fields[0][1].startswith("sid=~")
    assert fourth.response_fields[0][1].endswith("; Path=/")


def test_caddy() -> None:
    log = readout(LOGS / "caddy.log")
    assert log.format == "caddy"
    first = log.observations[0]
    assert first.authority == "127.0.0.1:18003"
    assert ("Cache-Control", "max-age=2") in first.response_fields
    assert first.duration == pytest.approx(0.001801049)
    assert log.held.has_response_field("vary")


def test_caddy_hides_credentials_itself_and_the_reader_says_so() -> None:
    log = readout(LOGS / "caddy.log")
    assert log.held.hidden == {"authorization", "cookie", "set-cookie"}
    assert not log.held.has_request_field("cookie")
    assert ("Cookie", "REDACTED") in log.observations[3].request_fields


def test_varnish() -> None:
    log = readout(LOGS / "varnish.log")
    assert log.format == "varnish"
    assert log.observations[0].scheme == "http"
    assert log.observations[0].authority == "127.0.0.1:18006"
    assert log.observations[0].target == "/a"
    assert Part.AUTHORITY in log.held.parts


def test_varnish_with_hit_or_miss() -> None:
    log = readout(LOGS / "varnish-hitmiss.log")
    assert [each.outcome for each in log.observations[:2]] == ["forwarded", "hit"]


def test_squid() -> None:
    log = readout(LOGS / "squid.log")
    assert log.format == "squid"
    second, third = log.observations[1:3]
    assert (second.outcome, second.forward, second.upstream) == ("forwarded", "miss", "127.0.0.1")
    assert (third.outcome, third.forward) == ("forwarded", "stale")
    assert second.duration == 0.001
    assert second.time == pytest.approx(1795418329.188)
    assert second.response_fields == (("Content-Type", "text/plain"),)
    assert log.observations[8].method == ""


def test_haproxy(tmp_path: Path) -> None:
    log = readout(LOGS / "haproxy.log")
    assert log.format == "haproxy"
    assert asked(log.observations)[:2] == ["GET /a 200", "GET /a 200"]
    assert log.observations[0].upstream == "s1"
    assert log.observations[0].time == pytest.approx(1795418249.723)
    by_syslog = tmp_path / "syslog"
    by_syslog.write_text(
        "".join(
            f"Nov 23 07:17:29 localhost haproxy[14389]: {line}\n"
            for line in (LOGS / "haproxy.log").read_text().splitlines()
        )
    )
    assert readout(by_syslog).observations == log.observations
