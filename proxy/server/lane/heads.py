"""Header blocks as the lane reads them: each line is judged once by the parser's grammar, and remembered.

A block that was seen before is remembered whole. One with something new in it, as a new trace id in each
request, is put together from lines that are known and the one that is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

from proxy.message.fields import Fields
from proxy.message.grammar import FIELD_LINES, WHITE_SPACE, split_field_lines
from proxy.message.head import HeadLimits
from proxy.message.hops import HOP_BY_HOP
from proxy.message.request import Request
from proxy.message.target import is_authority
from proxy.server.lane.generations import Generations
from proxy.visibility.record import encode_piece
from proxy.visibility.redaction import Redaction

LONGEST = 4096
"""Bytes of the longest line, and of the longest block, that are remembered."""

UNUSUAL = (HOP_BY_HOP - {b"connection", b"keep-alive"}) | frozenset(
    b"content-length expect trailer via cdn-loop".split()
)
"""Fields that frame a message or concern a hop: a request with one of them takes the long way."""

_JUDGED = frozenset((b"host", b"connection"))
"""Fields that are plain with some values and not with others."""

_MOST_NAMES = 1024
_LONGEST_NAME = 64
_MOST_PARTS = 8
_MOST_KNOWN = 256

_fields = re.compile(FIELD_LINES)
_simple = re.compile(rb"[\x20\x21\x23-\x3c\x3e\x3f\x41-\x5b\x5d-\x7e]*")
"""A valid field value that JSON holds as it is, and in which redaction looks for nothing."""
_HOST = 1
_SECRET = 1 << 16

Secrets = tuple[str, ...]

Part = tuple[tuple[bytes, bytes], ...]
"""Field lines: names in lower case, and values."""


class Names:
    """Names of fields in lower case. One object stands for one set of them: it is compared by identity."""

    __slots__ = ("_parts", "wanted")

    def __init__(self, wanted: frozenset[bytes]) -> None:
        self.wanted = wanted
        self._parts: dict[Part, Part] = {}

    def part(self, lines: Iterable[tuple[bytes, bytes]]) -> Part:
        """Those among `lines`, names in lower case and values, that are called so.

        Equal ones are mostly one object, which is found in a table without being compared.
        """
        wanted, parts = self.wanted, self._parts
        part = tuple([line for line in lines if line[0] in wanted])
        if len(parts) >= _MOST_KNOWN:
            parts.clear()
        return parts.setdefault(part, part)


_is_simple = _simple.fullmatch
_LINE = 500
_SEEN = 4095
_OFTEN = 256


class Line(NamedTuple):
    """A field line that may stand in a plain request.

    `item` is its name in lower case and its value, `text` how it stands in the record. `secrets` are the
    credentials in it. `weight` adds up, so that one sum tells how many of the lines are Host, and whether
    there are any secrets.
    """

    weight: int
    name: bytes
    item: tuple[bytes, bytes]
    text: bytes
    secrets: Secrets

    @property
    def size(self) -> int:
        """Bytes of memory."""
        return _LINE + 4 * len(self.text)


class Volatile(NamedTuple):
    """A field that is new in each request: how its line begins, its name, and how its text begins."""

    beginning: bytes
    name: bytes
    text: bytes


_made = partial(tuple.__new__, Line)  # in a third of the time

Read = tuple[Part, Secrets, bytes]
"""What a block says to who asks for some names: their part, all its secrets, and its text for the record."""


class Block:
    """The header block of a plain request. `text` is the list of its lines as it stands in the record.

    `reads` remembers what `read` gave. `cuts` are texts of this block for what may stand between its lines,
    by where that is.
    """

    __slots__ = ("_lines", "_secrets", "cuts", "number", "reads", "text")

    def __init__(self, lines: list[Line], text: bytes, secrets: Secrets) -> None:
        self.number = len(lines)
        self.text = text
        self.reads: dict[Names, Read] = {}
        self.cuts: dict[int, tuple[bytes, bytes]] = {}
        self._lines = lines
        self._secrets = secrets

    def around(self, raw: bytes, at: int) -> tuple[bytes, bytes]:
        """The text before and after the value of a line at `at` in `raw`, this block's bytes."""
        if len(self.cuts) >= _MOST_PARTS:
            self.cuts.clear()
        texts = [text for _, _, _, text, _ in self._lines]
        number = raw.count(b"\r\n", 0, at + 2)
        before, after = b",".join(texts[:number]), b",".join(texts[number:])
        found = self.cuts[at] = before + b",", b'"],' + after if after else b'"]'
        return found

    def opened(self, text: bytes) -> Block:
        """The same with a line more: `text` ends where its value is to follow."""
        return Block(self._lines, text, self._secrets)

    @property
    def size(self) -> int:
        """Bytes of memory."""
        return 900 + 8 * len(self._lines) + 5 * len(self.text)

    def read(self, names: Names) -> Read:
        """What it says to who asks for `names`, whose lines are in their order."""
        part = names.part([item for _, _, item, _, _ in self._lines])
        if len(self.reads) >= _MOST_PARTS:  # names come and go as resources vary
            self.reads.clear()
        found = self.reads[names] = part, self._secrets, self.text
        return found


class Blocks:
    """The blocks and lines that are remembered, in `budget` bytes. Only heads within `limits` are plain."""

    def __init__(self, redaction: Redaction, limits: HeadLimits, budget: int) -> None:
        self._redaction = redaction
        self._most = limits.fields
        self._longest = min(limits.block, LONGEST)
        self.known: Generations[bytes, Block] = Generations(3 * budget // 8)
        self._open: Generations[bytes, Block] = Generations(3 * budget // 8)
        self._lines: Generations[bytes, Line] = Generations(budget // 4)
        self._young = self._lines.young.get
        self._young_block = self.known.young.get
        self._young_open = self._open.young.get
        self._new: dict[bytes, int] = {}
        self._volatile: Volatile | None = None
        self.ends_anew = False  # whether the block that was read last was known but for its last value
        self._seen = [0] * (_SEEN + 1)
        self._ordinary: dict[bytes, tuple[bytes, bytes]] = {}

    def read(self, raw: bytes, names: Names) -> Read | None:
        """What the block with the bytes `raw`, the empty line at its end included, says to who asks for
        `names`; None where it isn't plain.

        A line is remembered from the second time on, and a block when all its lines are: what is new each
        time is not.
        """
        if len(raw) > self._longest or raw[-4:] != b"\r\n\r\n":
            return None
        if self.ends_anew and (read := self._ended(raw, names)) is not None:
            return read
        volatile = self._volatile
        if volatile is not None:
            # Clients and their libraries put it at the end.
            start, found, end = raw.rpartition(volatile[0])
            read = self._mended(start, end, names, volatile) if found else None
            if read is not None:
                return read
        self.ends_anew = False
        block = self._block(raw)
        return None if block is None else block.reads.get(names) or block.read(names)

    def _ended(self, raw: bytes, names: Names) -> Read | None:
        """What `read` gives, where nothing but the value at the end is new; else None."""
        begun, _, end = raw.rpartition(b": ")
        block = self._young_open(begun) or self._open.revived(begun)
        read = block.reads.get(names) if block is not None else None
        value = end[:-4]
        if read is None or not value.replace(b"-", b"").isalnum():
            return None
        part, secrets, text = read
        return part, secrets, b"".join((text, value, b'"]'))

    def _block(self, raw: bytes) -> Block | None:
        return self._young_block(raw) or self.known.revived(raw) or self._composed(raw)

    def _composed(self, raw: bytes) -> Block | None:
        """The block, put together from its lines."""
        pieces = raw[:-4].split(b"\r\n")
        if len(pieces) > self._most:
            return None
        lines: list[Line] = []
        weight, known = 0, True
        young = self._young
        for piece in pieces:
            line = young(piece)
            if line is None:
                known = False
                line = self._line(piece)
                if line is None:
                    return None
            weight += line[0]
            lines.append(line)
        if weight % _SECRET != _HOST:  # RFC 9112 §3.2: exactly one Host
            return None
        text = b",".join([text for _, _, _, text, _ in lines])
        secrets = tuple([one for line in lines for one in line.secrets]) if weight >= _SECRET else ()
        block = Block(lines, text, secrets)
        if known:
            self.known.put(raw, block, block.size)
        return block

    def _mended(self, start: bytes, end: bytes, names: Names, volatile: Volatile) -> Read | None:
        """What a block says that is a known one with a line more in it that is always new.

        What the line begins with stands between `start` and `end`.
        """
        _, name, shown = volatile
        value = end[: end.find(b"\r\n")]
        rest = start + end[len(value) :]
        if name in names.wanted:
            return None
        if not value.replace(b"-", b"").isalnum():
            value = value.strip(WHITE_SPACE)
            if not _is_simple(value):
                return None
        block = self._block(rest)
        if block is None or block.number >= self._most:
            return None
        part, secrets, _ = block.reads.get(names) or block.read(names)
        at = len(start)
        before, after = block.cuts.get(at) or block.around(rest, at)
        if at == len(rest) - 4:
            self._keep_open(start + volatile[0][:-2], block, before + shown).read(names)
        return part, secrets, b"".join((before, shown, value, after))

    def _keep_open(self, begun: bytes, block: Block, text: bytes) -> Block:
        """Remember a block up to the value of its last line, with which nothing else is new."""
        self.ends_anew = True
        known = self._open.get(begun)
        if known is None:
            known = block.opened(text)
            self._open.put(begun, known, known.size)
        return known

    def _line(self, raw: bytes) -> Line | None:
        """The line with these bytes, which is not among the young ones."""
        line = self._lines.revived(raw)
        if line is not None:
            return line
        name, colon, value = raw.partition(b":")
        value = value.strip(WHITE_SPACE)
        ordinary = self._ordinary.get(name) if colon else None
        if ordinary is not None and _simple.fullmatch(value):
            lowered, beginning = ordinary
            line = _made((0, lowered, (lowered, value), b'%b%b"]' % (beginning, value), ()))
        elif plain_line(raw) is None:
            return None
        else:
            line = self._judged(name, value)
        number = hash(raw)
        place = number & _SEEN
        if self._seen[place] == number:
            self._lines.put(raw, line, line.size)
        else:  # most that are seen for the first time are never seen again
            self._seen[place] = number
            if ordinary is not None and raw[len(name) + 1 : len(name) + 2] == b" ":
                self._note_new(name, *ordinary)
        return line

    def _note_new(self, name: bytes, lowered: bytes, beginning: bytes) -> None:
        """Find out which field is most often new, so that it is looked for first."""
        self._new[name] = count = self._new.get(name, 0) + 1
        if count >= _OFTEN:
            self._new.clear()
            self._volatile = Volatile(b"\r\n" + name + b": ", lowered, beginning)

    def _judged(self, name: bytes, value: bytes) -> Line:
        lowered = name.lower()
        shown, secrets = self._redaction.line_once(name, value)
        text = encode_piece(shown)
        weight = (lowered == b"host") * _HOST + bool(secrets) * _SECRET
        few = len(self._ordinary) < _MOST_NAMES and len(name) <= _LONGEST_NAME
        if few and lowered not in _JUDGED and self._redaction.shows(name):
            self._ordinary[name] = lowered, encode_piece((name.decode(), ""))[:-2]
        return Line(weight, lowered, (lowered, value), text, secrets)


def plain_line(raw: bytes) -> tuple[bytes, bytes] | None:
    """Name and value of a field line without its end; None where it isn't one (RFC 9112 §5), or not plain."""
    ended = raw + b"\r\n"
    if _fields.fullmatch(ended) is None:
        return None
    fields = split_field_lines(ended)
    if len(fields) != 1 or not is_plain(fields):
        return None
    return next(iter(fields))


def may_come_plain(received: Request) -> bool:
    """Whether `Blocks` may read a request like this one: else there is no use in being prepared for it."""
    fields = received.fields
    return (
        received.version == (1, 1)
        and received.method in (b"GET", b"HEAD")
        and received.target[:1] == b"/"
        and len(received.target) <= LONGEST
        and sum(len(name) + len(value) + 3 for name, value in fields) + 2 <= LONGEST
        and is_plain(fields)
    )


def is_plain(fields: Fields) -> bool:
    """Whether these fields mean nothing but themselves to whoever forwards or answers a request.

    `Connection` may say no more than what holds anyway in HTTP/1.1 (RFC 9112 §9.3), and Host has to be valid.
    """
    return (
        UNUSUAL.isdisjoint(fields.names())
        and all(value.lower() == b"keep-alive" for value in fields.all(b"connection"))
        and all(is_authority(value) for value in fields.all(b"host"))
    )
