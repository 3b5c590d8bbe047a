"""Ordered field lines as received, looked up without case (RFC 9110 §5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

FieldLine = tuple[bytes, bytes]
"""A field name as it was written, and its value without the white space around it."""


class Fields:
    """An immutable section of field lines, in the order received.

    Every lookup takes the name in lower case: `fields.get(b"cache-control")`. The names keep the case
    in which they arrived, so that what arrives can leave as it came.
    """

    __slots__ = ("_by_name", "_lines")

    def __init__(self, lines: Iterable[FieldLine] = ()) -> None:
        self._lines: tuple[FieldLine, ...] = tuple(lines)
        self._by_name: dict[bytes, tuple[bytes, ...]] | None = None

    def __iter__(self) -> Iterator[FieldLine]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, name: object) -> bool:
        return name in (self._by_name or self._index())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fields) and self._lines == other._lines

    def __hash__(self) -> int:
        return hash(self._lines)

    def __repr__(self) -> str:
        return f"Fields({list(self._lines)!r})"

    def _index(self) -> dict[bytes, tuple[bytes, ...]]:
        index = self._by_name
        if index is None:
            lines = self._lines
            index = {name.lower(): (value,) for name, value in lines}
            if len(index) != len(lines):
                index = _several(lines)
            self._by_name = index
        return index

    def names(self) -> Iterable[bytes]:
        """The distinct field names in lower case, in order of first appearance."""
        return self._index().keys()

    def has_any(self, names: frozenset[bytes]) -> bool:
        """Whether there is a field line called any of `names`."""
        return not names.isdisjoint(self._by_name or self._index())

    def all(self, name: bytes) -> tuple[bytes, ...]:
        """Every value of the field lines called `name`, in order; empty where there is none."""
        return (self._by_name or self._index()).get(name, ())

    def get(self, name: bytes) -> bytes | None:
        """The combined field value: all values joined with a comma and a space (RFC 9110 §5.3), or None."""
        values = (self._by_name or self._index()).get(name)
        if values is None:
            return None
        return values[0] if len(values) == 1 else b", ".join(values)

    def without(self, *names: bytes) -> Fields:
        """These field lines less those called any of `names` (itself where there are none of them)."""
        return self.without_any(names)

    def without_any(self, names: Iterable[bytes]) -> Fields:
        """The same for names that are at hand as a collection."""
        index = self._index()
        gone = [name for name in names if name in index]
        if not gone:
            return self
        fewer = Fields([line for line in self._lines if line[0].lower() not in gone])
        fewer._by_name = left = index.copy()
        for name in gone:
            left.pop(name, None)
        return fewer

    def adding(self, *lines: FieldLine) -> Fields:
        """These field lines, followed by `lines`."""
        more = Fields(self._lines + lines)
        known = self._by_name
        if known is not None:
            more._by_name = index = known.copy()
            for name, value in lines:
                lowered = name.lower()
                index[lowered] = (*index.get(lowered, ()), value)
        return more

    def setting(self, name: bytes, value: bytes) -> Fields:
        """With one line `name: value` in the place of the first of that name, or at the end (or itself)."""
        lowered = name.lower()
        there = self._index().get(lowered)
        if there is None:
            return self.adding((name, value))
        if there == (value,) and (name, value) in self._lines:
            return self
        lines: list[FieldLine] = []
        placed = False
        for line in self._lines:
            if line[0].lower() != lowered:
                lines.append(line)
            elif not placed:
                lines.append((name, value))
                placed = True
        return Fields(lines)


def _several(lines: Iterable[FieldLine]) -> dict[bytes, tuple[bytes, ...]]:
    """The index of lines among which some name occurs more than once."""
    index: dict[bytes, list[bytes]] = {}
    for name, value in lines:
        index.setdefault(name.lower(), []).append(value)
    return {name: tuple(values) for name, values in index.items()}


NO_FIELDS = Fields()
"""The empty section."""
