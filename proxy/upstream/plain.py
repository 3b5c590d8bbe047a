"""Responses that can be taken at a glance: whole, in one piece, and framed by a length.

A head is read by its lines. Each is judged once by the parser's grammar, and remembered: of a head that is
new each time, most lines are known.
"""

from __future__ import annotations

import re
from typing import Any

from proxy.message.errors import MalformedMessage
from proxy.message.fields import Fields
from proxy.message.framing import Kind, persistent, response_framing
from proxy.message.grammar import FIELD_LINES, VALUE, WHITE_SPACE
from proxy.message.head import HeadLimits, parse_response_head
from proxy.message.response import Response
from proxy.upstream.incoming import announces_content
from proxy.upstream.planner import idle_time

_REMEMBERED = 4 << 20
"""Bytes of heads that are remembered: most of what servers send again differs in Date alone."""

_LEAST = 3000
"""Bytes that count beside a head's own, what its user notes on it included."""

_LINES = 1 << 20
"""Bytes of lines that are remembered."""

_LINE = 700
"""Bytes that a line takes beside its texts, what its user notes on it included."""

_LONGEST = 4096
"""Bytes of a head that is remembered, and read by its lines."""

_DATE = b"\r\nDate: "
_DATED = len(b"\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT")

_MOST_STARTS = 256
_MOST_NAMES = 1024
_LONGEST_NAME = 64
_MOST_SEEN = 4096

_field = re.compile(FIELD_LINES)
_value = re.compile(VALUE)
_number = re.compile(rb"0|[1-9][0-9]{0,17}")

_FRAMING = frozenset((b"content-length", b"transfer-encoding", b"connection", b"keep-alive"))
"""The fields that say how a message is framed, and what becomes of its connection."""

_WITHOUT_CONTENT = frozenset((204, 304))

# What a line means for the framing. The kinds of a head's lines add up.
_NOTHING, _LENGTH, _IDLE = 0, 1, 1 << 10


class HeadLine:
    """A valid field line: its `name` as it came and in lower case, and its value.

    `kind` is what it means for the framing, and `number` the length that it gives. `note` is for what the
    user of the head has made of it: the same line need not be looked at twice.
    """

    __slots__ = ("kind", "lowered", "name", "note", "number", "value")

    def __init__(self, name: bytes, lowered: bytes, value: bytes, kind: int = _NOTHING) -> None:
        self.name = name
        self.lowered = lowered
        self.value = value
        self.kind = kind
        self.number = int(value) if kind == _LENGTH else 0
        self.note: Any = None


class Frame:
    """What heads have in common that differ in Date alone: its place, and the last of these heads.

    `at` is where the line before Date ends (-1: there is none), `number` how many field lines stand before
    it. `note` is for what the user of the heads has made of it.
    """

    __slots__ = ("at", "date", "head", "note", "number")

    def __init__(self, at: int, number: int, date: bytes, head: PlainHead) -> None:
        self.at = at
        self.number = number
        self.date = date
        self.head = head
        self.note: Any = None


class PlainHead:
    """A final response's head, `length` bytes of content after it, and a connection that serves again.

    `start` is its first line and `lines` are its field lines; None where it has one that could not be judged
    by itself. `idle` is for how many seconds the connection may be kept. `frame` is what is known of heads
    like it. `note` is for what the user of the head has made of it.
    """

    __slots__ = ("_begun", "frame", "idle", "length", "lines", "note", "start")

    def __init__(
        self, start: bytes, begun: Response, lines: list[HeadLine] | None, length: int, idle: float
    ) -> None:
        self.frame: Frame | None = None
        self.start = start
        self.lines = lines
        self.length = length
        self.idle = idle
        self.note: Any = None
        self._begun = begun  # without its fields where there are `lines`

    def dated(self, date: HeadLine, frame: Frame) -> PlainHead:
        """The same with another Date."""
        lines = self.lines
        assert lines is not None
        lines = lines.copy()
        lines[frame.number] = date
        made = PlainHead(self.start, self._begun, lines, self.length, self.idle)
        made.frame = frame
        return made

    @property
    def response(self) -> Response:
        """All that it says."""
        begun, lines = self._begun, self.lines
        if lines is None:
            return begun
        fields = Fields([(line.name, line.value) for line in lines])
        return Response(begun.status, fields, begun.reason, begun.version)


class PlainHeads:
    """Reads heads as `Incoming` does, and remembers those it has read more than once.

    `idle` is the longest that a connection may be kept, in seconds.
    """

    def __init__(self, limits: HeadLimits, idle: float) -> None:
        self._limits = limits
        self._longest = min(_LONGEST, limits.line, limits.block)
        self._idle = idle
        self._known: dict[bytes, Frame] = {}  # by the head without its Date
        self._known_to_head: dict[bytes, Frame] = {}
        self._size = 0
        self._lines: dict[bytes, HeadLine] = {}
        self._lines_size = 0
        self._starts: dict[bytes, Response | None] = {}
        self._names: dict[bytes, bytes] = {}  # in lower case, of fields that mean nothing for the framing
        self._seen: set[int] = set()
        self._seen_before: set[int] = set()

    def read(self, head: bytes, *, to_head: bool) -> PlainHead | None:
        """What a whole head says in answer to a GET, or a HEAD (`to_head`); None where it isn't plain."""
        known = self._known_to_head if to_head else self._known
        at = head.find(_DATE)
        end = at + _DATED
        if at < 0 or head[end : end + 2] != b"\r\n":
            at = end = -1
        date, rest = (head[at + 2 : end], head[:at] + head[end:]) if at > 0 else (b"", head)
        frame = known.get(rest)
        if frame is not None and frame.at == at:
            if date == frame.date:
                return frame.head
            line = self._lines.get(date) or self._dated(date)
            if line is not None:
                frame.date = date
                found = frame.head = frame.head.dated(line, frame)
                return found
        return self._read(head, at, date, rest, to_head=to_head)

    def _read(self, head: bytes, at: int, date: bytes, rest: bytes, *, to_head: bool) -> PlainHead | None:
        """A head that is not remembered. It is from the second time on."""
        if len(head) > self._longest:
            return self._whole(head, to_head=to_head)
        found = self._by_lines(head, to_head=to_head)
        if found is None:
            return self._whole(head, to_head=to_head)
        if self._often(rest):
            if self._size >= _REMEMBERED:
                self._known.clear()
                self._known_to_head.clear()
                self._size = 0
            number = head.count(b"\r\n", 0, at + 2) - 1
            frame = found.frame = Frame(at, number, date, found)
            (self._known_to_head if to_head else self._known)[rest] = frame
            self._size += len(rest) + _LEAST
        return found

    def _dated(self, date: bytes) -> HeadLine | None:
        """A line that begins as Date does; None where it isn't one line, and valid."""
        try:
            return self._line(date)
        except ValueError:
            return None

    def _often(self, text: bytes) -> bool:
        """Whether it has been seen before, of late: most that is new each time never comes again."""
        number = hash(text)
        if number in self._seen or number in self._seen_before:
            return True
        if len(self._seen) >= _MOST_SEEN:
            self._seen_before, self._seen = self._seen, set()
        self._seen.add(number)
        return False

    def _by_lines(self, head: bytes, *, to_head: bool) -> PlainHead | None:
        """The head where each of its lines can be judged by itself."""
        start, *pieces = head[:-4].split(b"\r\n")
        begun = self._starts.get(start) or self._start(start)
        if begun is None or len(pieces) > self._limits.fields:
            return None
        known = self._lines
        try:
            lines = [known.get(piece) or self._line(piece) for piece in pieces]
        except ValueError:
            return None
        special = [line for line in lines if line.kind]
        idle, length, kinds = self._idle, 0, 0
        for line in special:
            kinds += line.kind
            length += line.number
        if kinds >= _IDLE:
            if kinds >= 2 * _IDLE:
                return None
            idle = idle_time(Fields([(line.name, line.value) for line in special]), idle)
            kinds -= _IDLE
        if to_head or begun.status in _WITHOUT_CONTENT:
            if kinds > _LENGTH or (kinds and begun.status == 204):
                return None
            length = 0
        elif kinds != _LENGTH:
            return None
        return PlainHead(start, begun, lines, length, idle)

    def _start(self, start: bytes) -> Response | None:
        """What the first line says; None where it isn't that of a final response in HTTP/1.1."""
        if start in self._starts:
            return None
        try:
            begun = parse_response_head(start + b"\r\n\r\n", self._limits)
        except MalformedMessage:
            return None
        found = begun if _is_final(begun) and begun.version == (1, 1) else None
        if len(self._starts) >= _MOST_STARTS:
            self._starts.clear()
        self._starts[start] = found
        return found

    def _line(self, raw: bytes) -> HeadLine:
        """The line with these bytes. Raises ValueError where it can't be judged by itself."""
        name, colon, value = raw.partition(b":")
        lowered = self._names.get(name) if colon else None
        if lowered is not None and _value.fullmatch(value) is not None:
            line = HeadLine(name, lowered, value.strip(WHITE_SPACE))
        elif _field.fullmatch(raw + b"\r\n") is not None and raw:
            line = self._judged(name, value.strip(WHITE_SPACE))
        else:
            raise ValueError("not a field line")
        if self._often(raw):
            if self._lines_size >= _LINES:
                self._lines.clear()
                self._lines_size = 0
            self._lines[raw] = line
            self._lines_size += _LINE + 5 * len(raw)
        return line

    def _judged(self, name: bytes, value: bytes) -> HeadLine:
        lowered = name.lower()
        kind = _NOTHING
        if lowered not in _FRAMING:
            if len(self._names) < _MOST_NAMES and len(name) <= _LONGEST_NAME:
                self._names[name] = lowered
        elif lowered == b"content-length" and _number.fullmatch(value) is not None:
            kind = _LENGTH
        elif lowered == b"keep-alive":
            kind = _IDLE
        elif lowered != b"connection" or value.lower() != b"keep-alive":
            raise ValueError("it depends on the others")
        return HeadLine(name, lowered, value, kind)

    def _whole(self, head: bytes, *, to_head: bool) -> PlainHead | None:
        """The head where what it says can't be told from its lines one by one."""
        try:
            response = parse_response_head(head, self._limits)
            framing = response_framing(b"HEAD" if to_head else b"GET", response)
        except MalformedMessage:
            return None
        plain = (
            _is_final(response)
            and framing.kind in (Kind.NONE, Kind.LENGTH)
            and persistent(response.version, response.fields)
            and not (response.status == 204 and announces_content(response.fields))
        )
        if not plain:
            return None
        start = head.partition(b"\r\n")[0]
        idle = idle_time(response.fields, self._idle)
        return PlainHead(start, response, None, framing.length or 0, idle)


def _is_final(response: Response) -> bool:
    """Whether it is the last to a request, and not the server's farewell."""
    return response.status >= 200 and response.status != 408
