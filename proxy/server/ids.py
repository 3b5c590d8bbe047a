"""Names for exchanges that are unique among all processes, and cheap."""

from __future__ import annotations

import secrets

_random = secrets.token_hex(9)
_next = 1

PREFIX = f"{_random[:8]}-{_random[8:12]}-8{_random[12:15]}-b{_random[15:18]}-"
"""What the names of this process have in common: 70 random bits, for UUIDs of version 8 (RFC 9562 §5.8)."""


def next_id() -> str:
    """A UUID of version 8: `PREFIX`, then a number in order."""
    return id_of(take_numbers(1))


def take_numbers(count: int) -> int:
    """The first of the next `count` numbers, which nobody else gets."""
    global _next
    first = _next
    _next = first + count
    return first


def id_of(number: int) -> str:
    """The name with that number."""
    return f"{PREFIX}{number:012x}"
