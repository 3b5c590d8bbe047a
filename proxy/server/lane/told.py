"""The field lines of responses: each is turned once into what client, log and rules are told of it."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from proxy.engine.passing import sign
from proxy.message.hops import HOP_BY_HOP
from proxy.upstream.plain import HeadLine, PlainHead
from proxy.visibility.record import encode_piece
from proxy.visibility.redaction import Redaction

RULES_HEAR = frozenset(
    b"""
    age cache-control content-range content-type date etag expires last-modified no-vary-search set-cookie
    vary
    """.split()
)
"""What the caching rules look up in a response that isn't stored: by these fields responses differ."""

_MOST_NAMES = 1024
_LONGEST_NAME = 64

_simple = re.compile(rb"[\x20-\x3c\x3e\x3f\x41-\x5b\x5d-\x7e]*")
"""A value in which redaction looks for nothing, and JSON minds nothing but quotation marks."""


Key = tuple[bytes, tuple[bytes, ...]]
Secrets = tuple[str, ...]


class _Note(NamedTuple):
    """A field line: how it goes to the client, and how it stands in the record; in neither if it's of a hop.

    `sign` is what the rules are told by it (empty: nothing), `at` the time that it names. `secrets` are the
    credentials in it.
    """

    out: bytes
    text: bytes
    sign: bytes
    at: float | None
    secrets: Secrets


_OF_A_HOP = _Note(b"", b"", b"", None, ())


class Told:
    """The lines of one response's head, without those that concern a hop.

    `out` is how they go to the client, `text` how they stand in the record's list. `key` is the line before
    them and all that the rules are told, but for the times: those are in `times`, by name. `secrets` are the
    credentials in them. `rendered` is what its user has made of it, and `said` by what.
    """

    __slots__ = ("key", "out", "rendered", "said", "secrets", "text", "times")

    def __init__(
        self, out: bytes, text: bytes, key: Key, times: dict[bytes, float], secrets: Secrets
    ) -> None:
        self.out = out
        self.text = text
        self.key = key
        self.times = times
        self.secrets = secrets
        self.said: Any = None
        self.rendered: Any = None


def _told(start: bytes, notes: list[_Note]) -> Told:
    several = [note[4] for note in notes if note[4]]
    return Told(
        b"".join([note[0] for note in notes]),
        b",".join([note[1] for note in notes if note[1]]),
        (start, tuple([note[2] for note in notes if note[2]])),
        {note[2]: note[3] for note in notes if note[3] is not None},
        tuple([secret for secrets in several for secret in secrets]) if several else (),
    )


class _Cut:
    """What is told of heads that differ in Date alone, cut where that stands."""

    __slots__ = ("key", "outs", "secrets", "texts", "times")

    def __init__(self, told: Told, before: Told, after: Told) -> None:
        self.outs = before.out, after.out
        self.texts = before.text and before.text + b",", after.text and b"," + after.text
        self.key = told.key
        self.times = told.times
        self.secrets = told.secrets

    def filled(self, date: _Note) -> Told:
        """The head with this Date."""
        (before, after), (text, rest) = self.outs, self.texts
        times = self.times.copy()
        if date.at is not None:
            times[b"date"] = date.at
        out, text = b"%b%b%b" % (before, date.out, after), b"%b%b%b" % (text, date.text, rest)
        return Told(out, text, self.key, times, self.secrets)


class Tellers:
    """Tells of heads what is in their lines. `more` are names that the rules hear beside `RULES_HEAR`."""

    def __init__(self, redaction: Redaction, more: frozenset[bytes] = frozenset()) -> None:
        self._redaction = redaction
        self.hears = RULES_HEAR | more
        self._ordinary: dict[bytes, bytes] = {}  # how the texts of lines with that name begin

    def tell(self, head: PlainHead) -> Told | None:
        """What is told of a head; None where the whole says more than its lines."""
        lines, frame = head.lines, head.frame
        if lines is None:
            return None
        told: Told
        if frame is not None and frame.note is not None:
            line = lines[frame.number]
            date = line.note or self._note(line)
            if date.sign == b"date":
                told = head.note = frame.note.filled(date)
                return told
        notes = [line.note or self._note(line) for line in lines]
        told = head.note = _told(head.start, notes)
        if frame is not None and frame.at > 0 and notes[frame.number].sign == b"date":
            number = frame.number
            frame.note = _Cut(told, _told(b"", notes[:number]), _told(b"", notes[number + 1 :]))
        return told

    def _note(self, line: HeadLine) -> _Note:
        name, lowered, value = line.name, line.lowered, line.value
        if lowered in HOP_BY_HOP:
            line.note = _OF_A_HOP
            return _OF_A_HOP
        secrets: Secrets = ()
        beginning = self._ordinary.get(name)
        if beginning is not None and _simple.fullmatch(value) is not None:
            text = b'%b%b"]' % (beginning, value.replace(b'"', b'\\"') if b'"' in value else value)
        else:
            shown, secrets = self._redaction.line_once(name, value)
            text = encode_piece(shown)
            self._get_to_know(name)
        told, at = sign(lowered, value) if lowered in self.hears else (b"", None)
        note = line.note = _Note(b"%b: %b\r\n" % (name, value), text, told, at, secrets)
        return note

    def _get_to_know(self, name: bytes) -> None:
        few = len(self._ordinary) < _MOST_NAMES and len(name) <= _LONGEST_NAME
        if few and self._redaction.shows(name):
            self._ordinary[name] = encode_piece((name.decode("latin-1"), ""))[:-2]
