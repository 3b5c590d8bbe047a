"""Names for exchanges that are unique among all processes, and cheap."""

from __future__ import annotations

import secrets

_next = 1


def _new_prefix() -> str:
    random = secrets.token_hex(9)
    return f"{random[:8]}-{random[8:12]}-8{random[12:15]}-b{random[15:18]}-"


_prefix = _new_prefix()


def prefix() -> str:
    """What the names of this process begin with: 70 random bits, for UUIDs of version 8 (RFC 9562 §5.8)."""
    return _prefix


def renew() -> None:
    """Give names that no other process gives: to be called in a process that was just forked."""
    global _prefix
    _prefix = _new_prefix()


def next_id() -> str:
    """A UUID of version 8: the prefix, then a number in order."""
    return id_of(take_numbers(1))


def take_numbers(count: int) -> int:
    """The first of the next `count` numbers, which nobody else gets."""
    global _next
    first = _next
    _next = first + count
    return first


def id_of(number: int) -> str:
    """The name with that number."""
    return f"{_prefix}{number:012x}"
