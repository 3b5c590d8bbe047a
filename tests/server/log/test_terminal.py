"""The lines for a person who watches: short, safe for the terminal, and never in the way of an exchange."""

from __future__ import annotations

import io
import os
import re
import time
from collections.abc import Iterator
from typing import TextIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.caching.decision import Because, Decision, Outcome
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.server.log import terminal as module
from proxy.server.log.terminal import Terminal, escaped, line_of, render, shortened, wants_color
from proxy.visibility.account import Account
from proxy.visibility.record import Redaction
from tests.visibility.exchanges import FRESH, account, accounts

REDACTION = Redaction()
COLOR = re.compile(r"\x1b\[[0-9]+m")


def shown(width: int = 0, color: bool = False, **facts: object) -> str:
    return render(line_of(account(**facts), REDACTION), width, color)


def asked(method: bytes, target: bytes) -> dict[str, object]:
    return {"received": Request(method, target)}


class TestLine:
    def test_a_hit(self) -> None:
        assert shown() == "GET /items/1?page=2 200 hit fresh 0.5 ms"

    @pytest.mark.parametrize(
        ("facts", "line"),
        [
            ({"complete": False}, "GET /items/1?page=2 200! hit fresh 0.5 ms"),
            ({"response": None}, "GET /items/1?page=2 --- hit fresh 0.5 ms"),
            ({"decision": None}, "GET /items/1?page=2 200 - 0.5 ms"),
            ({"decision": Decision(Outcome.FAILED)}, "GET /items/1?page=2 200 failed 0.5 ms"),
            ({"duration": None}, "GET /items/1?page=2 200 hit fresh -"),
            ({"duration": 0.09994}, "GET /items/1?page=2 200 hit fresh 99.9 ms"),
            ({"duration": 3600.0}, "GET /items/1?page=2 200 hit fresh 3600 s"),
            ({"duration": 1.5}, "GET /items/1?page=2 200 hit fresh 1500 ms"),
            ({"received": None, "raw": b"\x16\x03\x01"}, r"- \x16\x03\x01 200 hit fresh 0.5 ms"),
        ],
    )
    def test_others(self, facts: dict[str, object], line: str) -> None:
        assert shown(**facts) == line

    def test_in_columns(self) -> None:
        assert shown(80) == "GET     /items/1?page=2           200  hit       fresh                    0.5 ms"
        assert shown(60) == "GET     /items/1?page=2            200  hit           0.5 ms"

    def test_a_long_target_is_shortened_in_the_middle(self) -> None:
        line = shown(80, **asked(b"GET", b"/customers/17/orders/" + b"x" * 200 + b"/items?page=3"))
        assert len(line) == 80
        assert "/customers/" in line
        assert "…" in line
        assert "ms?page=3" in line

    def test_credentials_are_not_shown(self) -> None:
        line = shown(**asked(b"GET", b"/items?access_token=abcdefgh&page=1"))
        assert re.fullmatch(r"GET /items\?access_token=~[0-9a-f]{4}&page=1 200 hit fresh 0\.5 ms", line)

    @settings(max_examples=50, deadline=None)
    @given(accounts, st.integers(42, 200))
    def test_law_no_line_is_wider_than_the_terminal(self, exchange: Account, width: int) -> None:
        line = line_of(exchange, REDACTION)
        plain = render(line, width, color=False)
        assert len(plain) <= width
        assert COLOR.sub("", render(line, width, color=True)) == plain

    @settings(max_examples=50, deadline=None)
    @given(accounts, st.sampled_from([0, 80]))
    def test_law_no_client_and_no_server_moves_the_cursor(self, exchange: Account, width: int) -> None:
        assert re.fullmatch("[ -~…]*", render(line_of(exchange, REDACTION), width, color=False))

    def test_an_escape_sequence_in_a_target_is_shown_as_text(self) -> None:
        line = shown(**asked(b"G\x1b[2JET", b"/\x1b]0;owned\x07\x9b31m\r\n\xe9"))
        assert line.startswith(r"G\x1b[2JET /\x1b]0;owned\x07\x9b31m\x0d\x0a\xe9 200")


class TestShortened:
    @pytest.mark.parametrize(
        ("width", "text"),
        [(10, "abcdefghij"), (9, "abcd…ghij"), (4, "ab…j"), (3, "a…j"), (2, "ab"), (1, "a"), (0, "")],
    )
    def test_the_middle_is_left_out(self, width: int, text: str) -> None:
        assert shortened("abcdefghij", width) == text

    @settings(deadline=None)
    @given(st.text(), st.integers(0, 20))
    def test_law_it_fits(self, text: str, width: int) -> None:
        assert len(shortened(text, width)) <= width or len(text) <= width


def test_escaped_leaves_printable_text_alone() -> None:
    printable = "".join(map(chr, range(32, 127)))
    assert escaped(printable) == printable


class TestColor:
    @pytest.mark.parametrize("outcome", list(Outcome))
    def test_every_outcome_has_one_of_its_own(self, outcome: Outcome) -> None:
        line = shown(color=True, decision=Decision(outcome))
        (code,) = re.findall(rf"\x1b\[([0-9]+)m{outcome}\x1b\[0m", line)
        others = [
            re.findall(rf"\x1b\[([0-9]+)m{other}\x1b", shown(color=True, decision=Decision(other)))[0]
            for other in Outcome
            if other is not outcome
        ]
        assert code not in others

    @pytest.mark.parametrize(
        ("facts", "code"),
        [
            ({"response": Response(101)}, "36m101"),
            ({"response": Response(200)}, "32m200"),
            ({"response": Response(304)}, "36m304"),
            ({"response": Response(404)}, "33m404"),
            ({"response": Response(500)}, "31m500"),
            ({"response": None}, "31m---"),
            ({"complete": False}, "31m200!"),
        ],
    )
    def test_statuses(self, facts: dict[str, object], code: str) -> None:
        assert f"\x1b[{code}\x1b[0m" in shown(color=True, **facts)

    @pytest.mark.parametrize(
        ("choice", "tty", "environment", "wanted"),
        [
            ("auto", True, {"TERM": "xterm"}, True),
            ("auto", True, {"TERM": "xterm", "NO_COLOR": "1"}, False),
            ("auto", True, {"TERM": "xterm", "NO_COLOR": ""}, True),
            ("auto", True, {"TERM": "dumb"}, False),
            ("auto", False, {"TERM": "xterm"}, False),
            ("always", False, {"NO_COLOR": "1"}, True),
            ("never", True, {"TERM": "xterm"}, False),
        ],
    )
    def test_when(self, choice: str, tty: bool, environment: dict[str, str], wanted: bool) -> None:
        stream = io.StringIO()
        stream.isatty = lambda: tty  # type: ignore[method-assign]
        assert wants_color(stream, choice, environment) is wanted  # type: ignore[arg-type]


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    """The reading end, not blocking, and the writing end of a pipe."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with os.fdopen(writing, "w") as stream:
        yield reading, stream
    os.close(reading)


def everything(fd: int) -> list[str]:
    data = b""
    try:
        while piece := os.read(fd, 100_000):
            data += piece
    except (BlockingIOError, OSError):
        pass
    return data.decode().splitlines()


class TestTerminal:
    def test_shows_each_exchange(self, pipe: tuple[int, TextIO]) -> None:
        reading, stream = pipe
        terminal = Terminal(stream, REDACTION)
        for number in range(5):
            terminal.put(account(**asked(b"GET", b"/%d" % number)))
        terminal.close()
        assert everything(reading) == [f"GET /{number} 200 hit fresh 0.5 ms" for number in range(5)]
        assert terminal.lost == 0

    def test_what_comes_faster_than_it_can_be_read_is_counted(self, pipe: tuple[int, TextIO]) -> None:
        reading, stream = pipe
        terminal = Terminal(stream, REDACTION)
        for _ in range(5000):
            terminal.put(account())
        terminal.close()
        lines = everything(reading)
        left_out = [
            int(found[1]) for line in lines if (found := re.fullmatch("… ([0-9]+) more not shown", line))
        ]
        assert len(lines) - len(left_out) + sum(left_out) == 5000
        assert terminal.lost == sum(left_out) > 3000

    def test_one_that_nobody_reads_holds_nothing_up(
        self, pipe: tuple[int, TextIO], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "_PATIENCE_MS", 1)
        monkeypatch.setattr(module, "_GATHER", 0.0)
        reading, stream = pipe
        terminal = Terminal(stream, REDACTION, width=200)
        while terminal.lost < 500:
            terminal.put(account())
            time.sleep(0)
        assert everything(reading)
        terminal.put(account(**asked(b"GET", b"/later")))
        terminal.close()
        lines = everything(reading)
        assert any("/later" in line for line in lines) or any("more not shown" in line for line in lines)

    def test_one_that_is_gone_is_no_trouble(self, pipe: tuple[int, TextIO]) -> None:
        reading, stream = pipe
        terminal = Terminal(stream, REDACTION)
        replaced = os.open(os.devnull, os.O_RDONLY)
        os.dup2(replaced, reading)  # which closes the reading end
        os.close(replaced)
        terminal.put(account())
        terminal.close()
        assert terminal.lost == 1

    def test_an_exchange_that_can_not_be_shown_does_not_end_the_showing(
        self, pipe: tuple[int, TextIO]
    ) -> None:
        reading, stream = pipe
        terminal = Terminal(stream, REDACTION)
        terminal.put(account(received="no request"))
        terminal.put(account())
        terminal.close()
        assert everything(reading) == [
            "… an exchange can't be shown (AttributeError)",
            "GET /items/1?page=2 200 hit fresh 0.5 ms",
        ]

    def test_on_a_terminal_lines_have_colours_and_its_width(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setattr(module.os, "get_terminal_size", lambda fd: os.terminal_size((90, 24)))
        ours, theirs = os.openpty()
        os.set_blocking(ours, False)
        with os.fdopen(theirs, "w") as stream:
            terminal = Terminal(stream, REDACTION)
            terminal.put(account())
            terminal.close()
            (line,) = everything(ours)
        os.close(ours)
        assert COLOR.search(line)
        assert len(COLOR.sub("", line)) == 90

    def test_the_reason_is_the_main_one(self) -> None:
        decision = Decision(Outcome.HIT, (Because(FRESH), Because(FRESH, "other")))
        assert shown(decision=decision).count("fresh") == 1
