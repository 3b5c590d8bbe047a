"""Carries a case out and judges every answer: what the case says of it, and what holds for all answers."""

from __future__ import annotations

import itertools
import re
import socket
import time
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

import http_sf

from tests.conformance.origin import Origin, Script, sent_lines
from tests.conformance.script import (
    CACHED,
    FELL_BACK,
    FORWARDED,
    MADE_HERE,
    VALIDATED,
    Ask,
    Case,
    Line,
    Reply,
)
from tests.conformance.wire import PATIENCE, BrokenMessageError, Message, Wire, head_bytes

NAME = "pellucid"
CONDITIONS = ("If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range")
HOP_BY_HOP = (
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-authentication-info",
)
IMF = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")

_serial = itertools.count()


@dataclass(frozen=True)
class Bench:
    """A proxy listening on `port`, and the origin behind it."""

    origin: Origin
    port: int

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def authorities(self) -> dict[str, str]:
        return {"<proxy>": self.authority, "<origin>": f"127.0.0.1:{self.origin.port}"}


def carry_out(case: Case, bench: Bench) -> list[Message]:
    """Do what the case says, and give the responses that came whole.

    Raises AssertionError where something comes out differently.
    """
    name = f"case-{next(_serial)}"
    placeholders = {**bench.authorities, "<case>": name}
    script = bench.origin.scripts[name] = Script(name, float(int(time.time())), placeholders)
    numbers = itertools.count()
    asks = [
        replace(
            one,
            reply=_numbered(one.reply, numbers),
            then=_numbered(one.then, numbers),
            background=_numbered(one.background, numbers),
        )
        for one in case.asks
    ]
    replies = [reply for one in asks for reply in (one.reply, one.then, one.background) if reply is not None]
    run = _Run(bench, script, {reply.number: reply for reply in replies})
    try:
        for number, one in enumerate(asks):
            try:
                run.step(one)
            except AssertionError as error:
                seen = "\n".join(f"  {_shown(message)}" for message in script.seen)
                raise AssertionError(f"request {number}: {error}\nthe origin saw:\n{seen}") from None
    finally:
        run.close()
        del bench.origin.scripts[name]
    return run.answers


def _numbered(reply: Reply | None, numbers: itertools.count[int]) -> Reply | None:
    return None if reply is None else replace(reply, number=next(numbers))


def _shown(message: Message) -> str:
    return f"{message.head.start} {list(message.head.lines)} {message.body[:80]!r}"


class _Run:
    """One case under way."""

    def __init__(self, bench: Bench, script: Script, replies: dict[int, Reply]) -> None:
        self._bench = bench
        self._script = script
        self._replies = replies
        self._wire: Wire | None = None
        self.answers: list[Message] = []

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()

    def step(self, one: Ask) -> None:
        if one.wait:
            time.sleep(one.wait)
        script = self._script
        script.replies = [reply for reply in (one.reply, one.then) if reply is not None]
        script.sticky = one.reply is not None and one.reply.framing in ("nothing", "reset")
        before = len(script.seen)
        if one.background is not None:
            script.replies, script.sticky = [one.background], True
        try:
            answer = self._exchange(one)
        except BrokenMessageError as error:
            if not one.breaks:
                raise AssertionError(f"the response broke off: {error}") from None
            return
        self.answers.append(answer)
        assert not one.breaks, f"the response came whole: {_shown(answer)}"
        seen = script.seen[before:]
        if one.background is not None:
            self._await_background(one, before)
            seen, validation = [], script.seen[before]
            _check_fields(one.seen, validation, "the validation that the origin saw")
        try:
            self._judge(one, answer, seen)
        except AssertionError as error:
            raise AssertionError(f"{error}\nthe client got:\n  {_shown(answer)}") from None

    def _exchange(self, one: Ask) -> Message:
        if self._wire is None or self._wire.ended:
            self.close()
            self._wire = Wire(socket.create_connection(("127.0.0.1", self._bench.port)))
        lines = list(self._script.rendered(one.lines))
        if one.body and not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in lines):
            lines.append(("Content-Length", str(len(one.body))))
        start = f"{one.method} /{self._script.name}{one.path} HTTP/1.1"
        host = [("Host", self._bench.authority)] if all(name != "Host" for name, _ in lines) else []
        self._wire.send(head_bytes(start, [*host, *lines]) + one.body)
        return self._wire.response(one.method)

    def _await_background(self, one: Ask, before: int) -> None:
        """Wait until the validation was asked for, and what it brought can be had."""
        script = self._script
        with script.arrived:
            came = script.arrived.wait_for(lambda: len(script.seen) > before, PATIENCE)
        assert came, "no validation was seen in the background"
        if one.background is None or one.background.status >= 500:
            time.sleep(0.3)  # nothing tells a client when a validation came to nothing
            return
        fresh = ("Cache-Control", "only-if-cached, max-age=99999999")
        wanted = replace(one, lines=(*(line for line in one.lines if "-" not in line[0]), fresh))
        end = time.monotonic() + PATIENCE
        while self._exchange(wanted).status == 504:
            assert time.monotonic() < end, "what the validation brought was not stored"

    def _judge(self, one: Ask, answer: Message, seen: list[Message]) -> None:
        of = self._reply_of(one)
        assert answer.head.get("Reply") != "-1", "the origin was asked, and nobody expected that"
        _check_how(one, answer, seen)
        if one.status is not None or of is not None:
            expected = one.status or (of.status if of is not None else 0)
            assert answer.status == expected, f"status {answer.status} instead of {expected}"
        _check_date(answer)
        _check_cache_status(one, answer, seen)
        if seen:
            _check_fields(one.seen, seen[0], "the request that the origin saw")
            method = one.seen_method or one.method
            assert seen[0].method == method, f"forwarded as {seen[0].method}"
        _check_fields(one.has, answer, "the response")
        if one.interims is not None:
            assert tuple(int(head.start[1]) for head in answer.interims) == one.interims
        self._check_content(one, answer, of)
        if of is not None and answer.status == of.status:
            self._check_passed_on(one, answer, of)
        if one.age is not None:
            age = answer.head.get("Age")
            assert age is not None, "no Age"
            slack = time.time() - self._script.began - 1  # however long this machine took
            assert one.age[0] <= int(age) <= one.age[1] + max(0.0, slack), f"Age: {age}"

    def _reply_of(self, one: Ask) -> Reply | None:
        """The reply whose content the client has to get."""
        if one.how is MADE_HERE:
            return None
        if one.of >= 0:
            return self._replies[one.of]
        return one.then or one.reply if one.how is FORWARDED else self._replies[0]

    def _check_content(self, one: Ask, answer: Message, of: Reply | None) -> None:
        if one.text is not None:
            assert answer.body == one.text, f"content {answer.body!r}"
        elif one.method == "HEAD" or answer.status in (204, 304):
            assert answer.body == b""
        elif of is not None and answer.status == of.status:
            assert answer.body == self._script.content(of), f"content {answer.body!r}, not of {of.number}"

    def _check_passed_on(self, one: Ask, answer: Message, of: Reply) -> None:
        """The fields of the reply come in their order, untouched, and with nothing of one hop only."""
        connection = {
            option.strip().lower()
            for name, value in self._script.rendered(of.lines)
            if name.lower() == "connection"
            for option in value.split(",")
        }
        connection -= {name.lower() for name, value in one.has if value is not None} | {"close", "age"}
        names = {name.lower() for name in one.lacks}
        for name in (*HOP_BY_HOP, *names, *connection):
            if name != "connection":
                assert answer.head.get(name) is None or name == "transfer-encoding", f"{name} is there"
        if one.updated or one.how is VALIDATED:
            return
        own = {
            "age",
            "cache-status",
            "via",
            "date",
            "content-length",
            "content-range",
            "trailer",
            *HOP_BY_HOP,
        }
        gone = own | names | connection
        wanted = [line for line in sent_lines(self._script, of) if line[0].lower() not in gone]
        kept = {name.lower() for name, _ in wanted}
        got = [line for line in answer.head.lines if line[0].lower() in kept]
        assert got == wanted, f"the fields are not those of the reply: {got} instead of {wanted}"


def _check_how(one: Ask, answer: Message, seen: list[Message]) -> None:
    asked = seen
    own = {name.lower() for name, _ in one.lines}
    added = {
        name for message in asked for name in CONDITIONS if message.head.get(name) and name.lower() not in own
    }
    times = 1 if one.then is None else 2
    match one.how:
        case how if how is FORWARDED:
            assert len(asked) == times, f"the origin was asked {len(asked)} times"
        case how if how is CACHED:
            assert not asked, "the origin was asked"
            age = answer.head.all("Age")
            assert answer.status == 416 or len(age) == 1, f"Age: {age}"
            assert all(re.fullmatch("[0-9]+", value) for value in age), f"Age: {age}"
        case how if how is VALIDATED:
            assert len(asked) == 1, f"the origin was asked {len(asked)} times"
            assert added or any(name.lower() in own for name in CONDITIONS), "it was asked unconditionally"
        case how if how is FELL_BACK:
            assert asked, "the origin was not asked"
            assert answer.head.get("Age") is not None, "no Age"
        case how if how is MADE_HERE:
            assert answer.head.get("Reply") is None, "the response is not the proxy's own"


def _check_date(answer: Message) -> None:
    """RFC 9110 §6.6.1: a recipient with a clock adds the Date that is missing."""
    dates = answer.head.all("Date")
    assert dates, "no Date"
    if IMF.fullmatch(dates[0]):
        parsedate_to_datetime(dates[0])


def _check_cache_status(one: Ask, answer: Message, seen: list[Message]) -> None:
    """RFC 9211: the last member is ours, and true."""
    values = answer.head.get("Cache-Status")
    if one.how is MADE_HERE:
        assert values is None, "Cache-Status in a response that was made here"
        return
    assert values is not None, "no Cache-Status"
    name, parameters = http_sf.parse(values.encode("latin-1"), tltype="list")[-1]
    assert str(name) == NAME
    assert isinstance(name, http_sf.Token)
    hit = parameters.get("hit", False)
    in_vain = one.reply is not None and one.reply.framing in ("nothing", "reset")
    if one.how is CACHED or (one.how is FELL_BACK and in_vain):
        assert hit is True, f"not a hit: {values}"
        assert "fwd" not in parameters, f"fwd in a hit: {values}"
    else:
        assert not hit, f"a hit: {values}"
        assert isinstance(parameters["fwd"], http_sf.Token)
        if one.reply is not None:
            status = (one.then or one.reply).status
            assert parameters.get("fwd-status", answer.status) == status, values
    if one.fwd is not None:
        assert parameters.get("fwd") == one.fwd, f"{values} instead of fwd={one.fwd}"


def _check_fields(wanted: tuple[tuple[str, object], ...], message: Message, what: str) -> None:
    for name, expected in wanted:
        value = message.head.get(name)
        if callable(expected):
            assert value is not None, f"{what} lacks {name}"
            assert expected(value), f"{what} has {name}: {value}"
        else:
            assert value == expected, f"{what} has {name}: {value} instead of {expected}"


__all__ = ["Bench", "Line", "carry_out"]
