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


class _Note(NamedTuple):
    """A field line: how it goes to the client, and how it stands in the record; in neither if it's of a hop.

    `sign` is what the rules are told by it (empty: nothing), `at` the time that it names. `secrets` are the
    credentials in it.
    """

    out: bytes
    text: bytes
    sign: bytes
    at: float | None
    secrets: tuple[str, ...]


_OF_A_HOP = _Note(b"", b"", b"", None, ())


class Told:
    """The lines of one response's head, without those that concern a hop.

    `out` is how they go to the client, `text` how they stand in the record's list. `key` is the line before
    them and all that the rules are told, but for the times: those are in `times`, by name. `secrets` are the
    credentials in them. `rendered` is what its user has made of it, and `said` by what.
    """

    __slots__ = ("key", "out", "rendered", "said", "secrets", "text", "times")

    def __init__(self, start: bytes, notes: list[_Note]) -> None:
        outs, texts, signs, times, secrets = zip(*notes, strict=True) if notes else ((), (), (), (), ())
        self.out = b"".join(outs)
        self.text = b",".join(filter(None, texts))
        self.key = start, tuple(filter(None, signs))
        self.times = {name: at for name, at in zip(signs, times, strict=True) if at is not None}
        self.secrets = tuple([one for several in secrets for one in several]) if any(secrets) else ()
        self.said: Any = None
        self.rendered: Any = None


class Tellers:
    """Tells of heads what is in their lines. `more` are names that the rules hear beside `RULES_HEAR`."""

    def __init__(self, redaction: Redaction, more: frozenset[bytes] = frozenset()) -> None:
        self._redaction = redaction
        self.hears = RULES_HEAR | more
        self._ordinary: dict[bytes, bytes] = {}  # how the texts of lines with that name begin

    def tell(self, head: PlainHead) -> Told | None:
        """What is told of a head; None where the whole says more than its lines."""
        if head.note is not None:
            return head.note  # type: ignore[no-any-return]
        if head.lines is None:
            return None
        told = head.note = Told(head.start, [line.note or self._note(line) for line in head.lines])
        return told

    def _note(self, line: HeadLine) -> _Note:
        name, lowered, value = line.name, line.lowered, line.value
        if lowered in HOP_BY_HOP:
            line.note = _OF_A_HOP
            return _OF_A_HOP
        secrets: tuple[str, ...] = ()
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
