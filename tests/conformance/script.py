"""How a case is written: what the client asks, what the origin answers, and what has to come of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from enum import StrEnum


@dataclass(frozen=True)
class At:
    """A moment so many seconds after the case began, in one of the forms of a date (RFC 9110 §5.6.7)."""

    seconds: float
    form: str = "imf"

    def __call__(self, began: float) -> str:
        moment = began + self.seconds
        if self.form == "imf":
            return formatdate(moment, usegmt=True)
        pattern = {"rfc850": "%A, %d-%b-%y %H:%M:%S GMT", "asctime": "%a %b %e %H:%M:%S %Y"}
        return time.strftime(pattern.get(self.form, self.form), time.gmtime(moment))


Value = str | At
Line = tuple[str, Value]


class How(StrEnum):
    """How a request has to be answered."""

    FORWARDED = "forwarded"  # the origin was asked, and the client got its answer
    CACHED = "cached"  # the origin was not asked, and the client got a stored response
    VALIDATED = "validated"  # the origin was asked by a condition, and the client got a stored response
    FELL_BACK = "fell back"  # the origin was asked in vain, and the client got a stored response
    MADE_HERE = "made here"  # the client got a response of the proxy's own


FORWARDED, CACHED, VALIDATED, FELL_BACK, MADE_HERE = How


@dataclass(frozen=True)
class Reply:
    """What the origin answers. `number` is its place among the replies of the case."""

    lines: tuple[Line, ...] = ()
    status: int = 200
    reason: str = "Reason"
    body: bytes | None = None  # None: a text that names the case and the reply
    date: At | str | None = At(0)  # At(0) is the time of sending; None: no Date at all
    delay: float = 0.0
    framing: str = "length"  # or chunked, close, short, broken chunks, nothing (which closes at once), reset
    interims: tuple[tuple[int, tuple[Line, ...]], ...] = ()
    trailers: tuple[Line, ...] = ()
    version: str = "1.1"
    number: int = 0


@dataclass(frozen=True)
class Ask:
    """One request and what is expected of it. See `ask` for what the parts mean."""

    reply: Reply | None
    how: How
    of: int
    method: str = "GET"
    path: str = ""
    lines: tuple[Line, ...] = ()
    body: bytes = b""
    status: int | None = None
    has: tuple[tuple[str, object], ...] = ()
    lacks: tuple[str, ...] = ()
    seen: tuple[tuple[str, object], ...] = ()
    seen_method: str | None = None
    text: bytes | None = None
    age: tuple[int, int] | None = None
    background: Reply | None = None
    interims: tuple[int, ...] | None = None
    fwd: str | None = None
    updated: bool = False
    wait: float = 0.0
    breaks: bool = False
    then: Reply | None = None


@dataclass(frozen=True)
class Case:
    """What one test does, and where it is written that it has to come out so."""

    section: str
    title: str
    asks: Sequence[Ask] = field(repr=False)

    def __str__(self) -> str:
        section = self.section.replace(" §", "-").replace(" ", "")  # as pytest would escape it
        return f"{section}: {self.title}"


def reply(
    cache_control: str | None = None,
    status: int = 200,
    *,
    lines: Iterable[Line] = (),
    body: bytes | None = None,
    date: At | str | None = At(0),
    delay: float = 0.0,
    framing: str = "length",
    interims: Iterable[tuple[int, tuple[Line, ...]]] = (),
    trailers: Iterable[Line] = (),
    version: str = "1.1",
    **named: Value,
) -> Reply:
    """A response with this Cache-Control, then `lines`, then what is `named` (`_` for `-`)."""
    own = [("Cache-Control", cache_control)] if cache_control is not None else []
    return Reply(
        (*own, *lines, *_named(named)),
        status,
        body=body,
        date=date,
        delay=delay,
        framing=framing,
        interims=tuple(interims),
        trailers=tuple(trailers),
        version=version,
    )


def fresh(**named: Value) -> Reply:
    """A response that may be reused for an hour."""
    return reply("max-age=3600", **named)


def stale(cache_control: str = "max-age=60", **named: Value) -> Reply:
    """A response that is stale when it comes, and has an entity tag to be validated by."""
    return reply(cache_control, **{"Age": "3600", "ETag": '"one"', **named})


DIGITS = b"0123456789"
"""A content of which each byte tells where it stands."""


def part(
    first: int, last: int, total: int | str = 10, cache_control: str = "max-age=3600", **named: Value
) -> Reply:
    """A 206 with these of the `DIGITS`."""
    content_range = {"Content_Range": f"bytes {first}-{last}/{total}", "ETag": '"x"'}
    return reply(cache_control, 206, body=DIGITS[first : last + 1], **content_range | named)


def unchanged(cache_control: str | None = None, **named: Value) -> Reply:
    """A 304."""
    return reply(cache_control, 304, **named)


def gone() -> Reply:
    """No response at all: the connection is closed."""
    return reply(framing="nothing")


def ask(
    answered: Reply | None = None,
    how: How | None = None,
    of: int | None = None,
    *,
    method: str = "GET",
    path: str = "",
    lines: Iterable[Line] = (),
    body: bytes = b"",
    status: int | None = None,
    has: dict[str, object] | None = None,
    lacks: Iterable[str] = (),
    seen: dict[str, object] | None = None,
    seen_method: str | None = None,
    text: bytes | None = None,
    age: tuple[int, int] | None = None,
    background: Reply | None = None,
    interims: tuple[int, ...] | None = None,
    fwd: str | None = None,
    updated: bool = False,
    wait: float = 0.0,
    breaks: bool = False,
    then: Reply | None = None,
    **named: Value,
) -> Ask:
    """A request for the case's own URI followed by `path`, which the origin answers so if it is asked.

    How it has to come: by default FORWARDED where there is an answer, and CACHED where there is none. `of` is
    the number of the reply whose content the client gets (by default that of this ask, or else the first).
    `has` are fields of the response: a value, a function of the value that says whether it is right, None for
    absent. `lacks` are fields of the reply that the client must not get. `seen` is the same of the request
    that reaches the origin. `text` is the content, `age` the least and the most that Age may be, `background`
    what the origin answers to a validation afterwards, `interims` the 1xx that come first, `fwd` the reason
    in Cache-Status. `updated`: fields were updated, so those of the reply are not compared. `breaks`: the
    response does not come whole. `then` is what the origin answers when it is asked a second time.
    """
    default = CACHED if answered is None else FORWARDED
    return Ask(
        answered,
        how or default,
        -1 if of is None else of,
        method,
        path,
        (*lines, *_named(named)),
        body,
        status,
        tuple((has or {}).items()),
        tuple(lacks),
        tuple((seen or {}).items()),
        seen_method,
        text,
        age,
        background,
        interims,
        fwd,
        updated,
        wait,
        breaks,
        then,
    )


def _named(named: dict[str, Value]) -> list[Line]:
    return [(name.replace("_", "-"), value) for name, value in named.items()]


def case(section: str, title: str, *asks: Ask) -> Case:
    return Case(section, title, asks)


def reused(section: str, title: str, answered: Reply, **second: Value) -> Case:
    """A response that a second request is answered with."""
    return Case(section, title, (ask(answered), ask(**second)))  # type: ignore[arg-type]


def not_reused(section: str, title: str, answered: Reply, **second: Value) -> Case:
    """A response that no second request may be answered with."""
    return Case(section, title, (ask(answered), ask(reply(), **second)))  # type: ignore[arg-type]
