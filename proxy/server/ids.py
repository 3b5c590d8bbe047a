"""Names for exchanges that are unique among all processes, and cheap."""

from __future__ import annotations

import secrets
from itertools import count

_numbers = count(1)
_random = secrets.token_hex(9)
_prefix = f"{_random[:8]}-{_random[8:12]}-8{_random[12:15]}-b{_random[15:18]}-"


def next_id() -> str:
    """A UUID of version 8 (RFC 9562 §5.8): 70 random bits of this process, then a number in order."""
    return f"{_prefix}{next(_numbers):012x}"
