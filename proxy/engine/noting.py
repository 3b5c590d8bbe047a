"""A request whose fields note which of them are asked for: what was not asked for made no difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from proxy.message.fields import FieldLine, Fields


class Noted(Fields):
    """The same field lines; `asked` are the names that were looked up, in lower case.

    `whole` is set once they were looked at in a way that doesn't tell by which names.
    """

    __slots__ = ("asked", "whole")

    def __init__(self, fields: Fields) -> None:
        super().__init__(fields)
        self.asked: set[bytes] = set()
        self.whole = False

    def __contains__(self, name: object) -> bool:
        if isinstance(name, bytes):
            self.asked.add(name)
        return super().__contains__(name)

    def all(self, name: bytes) -> tuple[bytes, ...]:
        self.asked.add(name)
        return super().all(name)

    def get(self, name: bytes) -> bytes | None:
        self.asked.add(name)
        return super().get(name)

    def has_any(self, names: frozenset[bytes]) -> bool:
        self.asked |= names
        return super().has_any(names)

    def __iter__(self) -> Iterator[FieldLine]:
        self.whole = True
        return super().__iter__()

    def __len__(self) -> int:
        self.whole = True
        return super().__len__()

    def __eq__(self, other: object) -> bool:
        self.whole = True
        return super().__eq__(other)

    def __hash__(self) -> int:
        self.whole = True
        return super().__hash__()

    def __repr__(self) -> str:
        self.whole = True
        return super().__repr__()

    def names(self) -> Iterable[bytes]:
        self.whole = True
        return super().names()

    def without(self, *names: bytes) -> Fields:
        self.whole = True
        return super().without(*names)

    def without_any(self, names: Iterable[bytes]) -> Fields:
        self.whole = True
        return super().without_any(names)

    def adding(self, *lines: FieldLine) -> Fields:
        self.whole = True
        return super().adding(*lines)

    def setting(self, name: bytes, value: bytes) -> Fields:
        self.whole = True
        return super().setting(name, value)
