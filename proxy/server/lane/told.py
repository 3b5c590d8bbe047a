"""The field lines of responses: each is turned once into what the client and the log are told of it."""

from __future__ import annotations

import re

from proxy.message.grammar import FIELD_LINES, WHITE_SPACE
from proxy.message.hops import HOP_BY_HOP
from proxy.server.lane.generations import Generations
from proxy.visibility.record import encode_piece
from proxy.visibility.redaction import Redaction

_LONGEST = 4096
_fields = re.compile(FIELD_LINES)


class _Line:
    """A field line: how it goes to the client and how it stands in the record; in neither if it's of a hop.

    `plain` where it says nothing but itself: no credential, nothing of the connection.
    """

    __slots__ = ("name", "out", "plain", "size", "text", "value")

    def __init__(self, raw: bytes, redaction: Redaction) -> None:
        name, _, value = raw.partition(b":")
        self.name, self.value = name.lower(), value.strip(WHITE_SPACE)
        self.plain = _fields.fullmatch(raw + b"\r\n") is not None
        self.out, self.text = b"", ""
        if self.name in HOP_BY_HOP:
            self.plain &= self.name != b"connection" or self.value.lower() == b"keep-alive"
        else:
            shown, secrets = redaction.line_once(name, self.value)
            self.out = b"%b: %b\r\n" % (name, self.value)
            self.text = encode_piece(shown).decode()
            self.plain &= not secrets
        self.size = 500 + 4 * len(raw) + len(self.text)


class Told:
    """The lines of one response's head, without those that concern a hop.

    `out` is how they go to the client, `text` how they stand in the record's list. `start` is the line before
    them, and `length` what Content-Length says: all values there are.
    """

    __slots__ = ("length", "out", "start", "text")

    def __init__(self, start: bytes, lines: list[_Line]) -> None:
        self.start = start
        self.length = [line.value for line in lines if line.name == b"content-length"]
        self.out = b"".join([line.out for line in lines])
        self.text = ",".join([line.text for line in lines if line.text])


class Tellers:
    """Reads heads that the upstream's parser has taken already, in `budget` bytes of memory."""

    def __init__(self, redaction: Redaction, budget: int) -> None:
        self._redaction = redaction
        self._lines: Generations[bytes, _Line] = Generations(budget)

    def read(self, head: bytes) -> Told | None:
        """What is told of a head, its empty line included; None where the whole says more than its lines.

        That is where a line holds a credential, which is hidden wherever else it stands in the record; where
        Connection lists fields; and where the parser has mended something.
        """
        if len(head) > _LONGEST:
            return None
        start, *pieces = head[:-4].split(b"\r\n")
        young = self._lines.young
        lines = [young.get(piece) or self._line(piece) for piece in pieces]
        return Told(start, lines) if False not in [line.plain for line in lines] else None

    def _line(self, raw: bytes) -> _Line:
        line = self._lines.get(raw)
        if line is None:
            line = _Line(raw, self._redaction)
            self._lines.put(raw, line, line.size)
        return line
