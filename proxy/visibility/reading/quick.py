"""Combined lines as columns in half the time: split at what is between the pieces, and checked as a whole.

What this reads is exactly what the format's regular expression would read; where anything is unusual, such as
a user's name or an escaped character, it reads nothing, and the expression is used.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_PIECES = 6
"""Into how many a line is split by its quotation marks."""

_WORDS = 5
"""Into how many what stands before the request is split by its spaces."""

_CLIENTS = re.compile(r'[^\s"]++(?:\n[^\s"]++)*+', re.ASCII)
_TIMES = re.compile(r"(?:\[\d\d/[A-Za-z]{3}/\d{4}:\d\d:\d\d:\d\d)++", re.ASCII)
_ZONE = re.compile(r"[+-]\d{4}\]", re.ASCII)
_RESULTS = re.compile(r"(?: \d{3} (?:\d{1,19}|-) )++", re.ASCII)


def combined(text: str, count: int) -> Sequence[Sequence[str]] | None:
    """The columns of `count` lines: client, time, request, status, bytes, referer and user agent; or None."""
    if "\\" in text:
        return None
    pieces = text.split('"')
    results = "".join(pieces[2::_PIECES])
    if (
        len(pieces) != _PIECES * count + 1
        or pieces[-1] not in ("\n", "")
        or pieces[4::_PIECES].count(" ") != count
        or not _RESULTS.fullmatch(results)
    ):
        return None
    starts = _starts("".join(pieces[:-1:_PIECES]), count)
    if starts is None:
        return None
    numbers = results.split()
    return *starts, pieces[1::_PIECES], numbers[::2], numbers[1::2], pieces[3::_PIECES], pieces[5::_PIECES]


def _starts(text: str, count: int) -> tuple[list[str], list[str]] | None:
    """Clients and times, of lines without a user's name that are all of one time zone."""
    words = text.split(" ")
    if (
        len(words) != _WORDS * count + 1
        or words[1::_WORDS].count("-") != count
        or words[2::_WORDS].count("-") != count
        or text.count("\n") != count - 1
    ):
        return None
    clients, moments, zone = "".join(words[:-1:_WORDS]), words[3::_WORDS], words[4]
    if (
        not _CLIENTS.fullmatch(clients)
        or clients.count("\n") != count - 1
        or not _TIMES.fullmatch("".join(moments))
        or not _ZONE.fullmatch(zone)
        or words[4::_WORDS].count(zone) != count
    ):
        return None
    offset = f" {zone[:-1]}"
    return clients.split("\n"), [moment[1:] + offset for moment in moments]
