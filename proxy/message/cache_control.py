"""Cache-Control: directives of requests and responses (RFC 9111 §5.2), read without ever raising.

What is ill-formed may restrict a cache, it may never loosen it: a member that doesn't follow the grammar
keeps its name and loses its argument, and is dropped where its presence could only permit something.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

DELTA_MAX = 2**31
"""What a delta-seconds beyond 31 bits is taken for (RFC 9111 §1.2.2)."""

Pair = tuple[bytes, bytes | None]
"""A directive's name in lower case, and its argument without quotes."""

_KNOWN = frozenset(
    b"max-age max-stale min-fresh must-revalidate must-understand no-cache no-store no-transform"
    b" only-if-cached private proxy-revalidate public s-maxage"  # RFC 9111 §8.2
    b" stale-while-revalidate stale-if-error"  # RFC 5861
    b" immutable".split()  # RFC 8246
)
LOOSENING = frozenset(
    b"public must-understand immutable stale-while-revalidate stale-if-error max-stale".split()
)
"""Directives that permit more than their absence does: of no effect where they are ill-formed."""

_LISTING = frozenset((b"private", b"no-cache"))
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_MEMBER = re.compile(rb'(?:[^",]|"(?:[^"\\]|\\.)*")*', re.DOTALL)
_FIELD_NAMES = re.compile(rb"[ \t,]*(?:%s[ \t]*(?:,[ \t,]*|\Z))+" % _TOKEN.pattern)


class Directives:
    """The directives of one message, an immutable value; names are looked up in lower case.

    `small` says whether what is worked out from them may be remembered with them.
    """

    __slots__ = ("_hash", "_index", "_pairs", "_problems", "small")

    def __init__(self, pairs: Iterable[Pair] = (), problems: Iterable[str] = ()) -> None:
        self._pairs = tuple(pairs)
        self._problems = tuple(problems)
        index: dict[bytes, list[bytes | None]] = {}
        for name, argument in self._pairs:
            index.setdefault(name, []).append(argument)
        self._index = {name: tuple(arguments) for name, arguments in index.items()}
        self._hash = hash(self._pairs)
        self.small = sum(len(name) + len(argument or b"") for name, argument in self._pairs) <= 512

    def __contains__(self, name: object) -> bool:
        return name in self._index

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __eq__(self, other: object) -> bool:
        """Whether both say the same in the same order; how it was written, and badly, doesn't count."""
        return isinstance(other, Directives) and self._pairs == other._pairs

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Directives({list(self._pairs)!r})"

    def argument(self, name: bytes) -> bytes | None:
        """The argument of the first directive of that name; None where there is none."""
        return self._index.get(name, (None,))[0]

    def arguments(self, name: bytes) -> tuple[bytes | None, ...]:
        """The arguments of every directive of that name, in order; None for each that has none."""
        return self._index.get(name, ())

    def seconds(self, name: bytes) -> int | None:
        """The delta-seconds of a directive; None where it is absent, or tells no duration for certain.

        It tells none where an argument is missing or isn't 1*DIGIT. Of a directive that is repeated, and well
        each time, the first occurrence counts (RFC 9111 §4.2.1). Beyond 31 bits it is `DELTA_MAX` (§1.2.2).
        """
        found = [parse_delta_seconds(argument) for argument in self._index.get(name, (None,))]
        return None if None in found else found[0]

    def field_names(self, name: bytes) -> frozenset[bytes] | None:
        """The field names that `private` or `no-cache` lists, in lower case.

        None where the directive is absent or unqualified. It counts as unqualified where one of its
        occurrences is, or lists no field names that can be read (RFC 9111 §4.2.1: the most restrictive).
        """
        listed: set[bytes] = set()
        for argument in self._index.get(name, (None,)):
            if argument is None or not _FIELD_NAMES.fullmatch(argument):
                return None
            listed.update(_TOKEN.findall(argument.lower()))
        return frozenset(listed)

    def unqualified(self, name: bytes) -> bool:
        """Whether the directive is there and holds for the whole response (RFC 9111 §5.2.2.4, §5.2.2.7)."""
        return name in self._index and self.field_names(name) is None

    def unknown(self) -> tuple[bytes, ...]:
        """The names that no specification followed here defines, in order: they are ignored (§5.2.3)."""
        return tuple(name for name in self._index if name not in _KNOWN)

    def problems(self) -> tuple[str, ...]:
        """What was ill-formed, each in a few words."""
        return self._problems


NO_DIRECTIVES = Directives()
"""No directives at all."""


def parse_delta_seconds(value: bytes | None) -> int | None:
    """A delta-seconds (RFC 9111 §1.2.2), at most `DELTA_MAX`; None where `value` isn't one."""
    if value is None or not value.isdigit():
        return None
    digits = value.lstrip(b"0")
    return min(int(digits), DELTA_MAX) if 0 < len(digits) <= 10 else (DELTA_MAX if digits else 0)


def parse_cache_control(values: Sequence[bytes]) -> Directives:
    """The directives in the values of all field lines, in order (RFC 9111 §5.2). Never raises."""
    if not values:
        return NO_DIRECTIVES
    if sum(map(len, values)) > 512:  # what is remembered stays small
        return _parse(tuple(values))
    return _remembered(tuple(values))


def _parse(values: tuple[bytes, ...]) -> Directives:
    pairs: list[Pair] = []
    problems: list[str] = []
    for number, value in enumerate(values):
        if not _parse_line(value, pairs, problems):
            # A string that one line opens another may close (RFC 9110 §5.3): what stands there may be in it.
            for rest in values[number + 1 :]:
                _keep_names(rest, pairs)
            break
    return Directives(pairs, problems)


_remembered = lru_cache(maxsize=1024)(_parse)


def _parse_line(line: bytes, pairs: list[Pair], problems: list[str]) -> bool:
    """Read one line; False where a quoted-string in it has no end."""
    position = 0
    while position < len(line):
        match = _MEMBER.match(line, position)
        end = match.end() if match else position
        if end < len(line) and line[end : end + 1] == b'"':
            problems.append(f"unterminated quoted-string: {_shown(line[position:].lstrip())}")
            _keep_names(line[position:], pairs)
            return False
        _parse_member(line[position:end].strip(b" \t"), pairs, problems)
        position = end + 1
    return True


def _parse_member(member: bytes, pairs: list[Pair], problems: list[str]) -> None:
    if not member:
        return
    token = _TOKEN.match(member)
    if token is None:
        problems.append(f"not a directive: {_shown(member)}")
        return
    name, rest = token[0].lower(), member[token.end() :]
    if not rest:
        pairs.append((name, None))
        return
    value = rest[1:] if rest[:1] == b"=" else b""
    if _TOKEN.fullmatch(value):
        pairs.append((name, value))
        return
    quoted = _QUOTED.fullmatch(value)
    if quoted is not None:
        pairs.append((name, _ESCAPED.sub(rb"\1", quoted[1])))
        return
    problems.append(f"ill-formed argument: {_shown(member)}")
    _keep_names(member, pairs)


def _keep_names(damaged: bytes, pairs: list[Pair]) -> None:
    """Keep what could be the name of a directive that restricts, as no quote is to be trusted."""
    for part in damaged.split(b","):
        token = _TOKEN.match(part.lstrip(b" \t"))
        if token is not None and token[0].lower() not in LOOSENING:
            pairs.append((token[0].lower(), None))


def _shown(evidence: bytes) -> str:
    return evidence[:80].decode("latin-1")


def print_directives(directives: Directives) -> bytes:
    """The field value that says these directives: reading it gives an equal value back.

    An argument goes as a token where it can, except where RFC 9111 asks for a quoted-string.
    """
    return b", ".join(_print(name, argument) for name, argument in directives)


def _print(name: bytes, argument: bytes | None) -> bytes:
    if argument is None:
        return name
    if name not in _LISTING and _TOKEN.fullmatch(argument):
        return name + b"=" + argument
    return name + b'="' + argument.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
