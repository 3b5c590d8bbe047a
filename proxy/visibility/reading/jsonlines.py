"""Access logs of one JSON object a line, whatever its members are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import msgspec

from proxy.visibility.observation import Held, Observation
from proxy.visibility.reading.aliases import role_of
from proxy.visibility.reading.columns import Columns
from proxy.visibility.reading.hiding import Hiding
from proxy.visibility.reading.lineformat import NotRead
from proxy.visibility.reading.memo import Memo
from proxy.visibility.reading.roles import Role, Says, held

_DEPTH = 4
_MEMBERS = 256
_SHAPES = 256
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_SAYS_WHICH = frozenset({Says.REQUEST, Says.TARGET, Says.PATH})
"""One of these is in every line that tells of an exchange."""

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Shape:
    """The members that lines have, and what of them is of interest."""

    names: Names
    roles: tuple[Role, ...]
    columns: Columns


class JsonFormat:
    """Lines of JSON. Members are recognized by their names, in nested objects too."""

    name = "json"

    def __init__(self, hiding: Hiding) -> None:
        self._hiding = hiding
        self._shapes: Memo[Names, _Shape] = Memo(self._shape, _SHAPES)
        self._seen: dict[Role, None] = {}
        self.held: Held = held(self.name, ())

    def read(self, lines: bytes, count: int) -> list[Observation]:
        """As LineFormat says."""
        members = [self._members(line) for line in lines.split(b"\n") if line]
        observations: list[Observation] = []
        for names, group in groupby(members, key=tuple):
            shape = self._shapes[names]
            if not shape.roles:
                raise NotRead("it is JSON without a request in it")
            rows = [_row(each, shape.names) for each in group]
            try:
                observations += shape.columns.observations(rows)
            except ValueError as error:
                raise NotRead("a number or time in it can't be read") from error
        if len(observations) != count:
            raise NotRead("an empty line")
        return observations

    def _members(self, line: bytes) -> dict[str, Any]:
        found = decoded(line)
        if str(found.get("format")).startswith("pellucid/"):
            raise NotRead("it is a record that lacks something, or of another version")
        return dict(_flattened(found)) if dict in map(type, found.values()) else found

    def _shape(self, names: Names) -> _Shape:
        chosen: dict[tuple[Says, str], tuple[int, str, Role]] = {}
        for name in names[:_MEMBERS]:
            ranked = role_of(name)
            if ranked is None:
                continue
            rank, role = ranked
            key = (role.says, role.name.lower())
            if key not in chosen or rank < chosen[key][0]:
                chosen[key] = rank, name, role
        roles = tuple(role for _, _, role in chosen.values())
        if not any(role.says in _SAYS_WHICH for role in roles):
            return _Shape((), (), Columns((), self._hiding))
        self._learn(roles)
        return _Shape(tuple(name for _, name, _ in chosen.values()), roles, Columns(roles, self._hiding))

    def _learn(self, roles: tuple[Role, ...]) -> None:
        """A member that some lines lack was empty there."""
        if len(self._seen) < _MEMBERS:
            self._seen |= dict.fromkeys(roles)
            self.held = held(self.name, self._seen)


def decoded(line: bytes) -> dict[str, Any]:
    """A line's JSON object. Raises NotRead.

    What is not UTF-8 in it is taken for ISO-8859-1; `\\xHH`, which nginx writes unless its log_format says
    escape=json, is left as it is.
    """
    try:
        return _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        mended = line if line.isascii() else line.decode("latin-1").encode()
        if b"\\x" in line:
            mended = mended.replace(b"\\x", b"\\\\x")
        if mended is line:
            raise NotRead("it is no JSON object, or cut short") from None
    try:
        return _decode(mended)
    except (msgspec.MsgspecError, RecursionError):
        raise NotRead("it is no JSON object, or cut short") from None


def _flattened(
    members: Mapping[str, Any], prefix: str = "", depth: int = _DEPTH
) -> Iterator[tuple[str, Any]]:
    for name, value in members.items():
        if isinstance(value, dict) and depth:
            yield from _flattened(value, f"{prefix}{name}.", depth - 1)
        else:
            yield prefix + name, value


def _row(members: Mapping[str, Any], names: Names) -> tuple[str, ...]:
    values = map(members.__getitem__, names)
    return tuple([value if type(value) is str and value.isascii() else _text(value) for value in values])


def _text(value: Any) -> str:
    """A member's value as text: what was UTF-8 becomes its bytes as ISO-8859-1."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("latin-1")
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(_text(each) for each in value if not isinstance(each, (dict, list)))
    return "" if isinstance(value, dict) else str(value)
