"""What makes a text safe in a client's hands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from backend.problems import ShopError

LARGEST = 3_800
"""How many characters a token may have: browsers drop cookies of more than 4096 bytes with name and
attributes (RFC 6265 §6.1)."""


class BadToken(ShopError):  # noqa: N818 - what is wrong is in its message
    """The token isn't one that a holder of the keys wrote."""


class Seal(ABC):
    """Writes with the newest key, reads with any."""

    @abstractmethod
    def write(self, claims: dict[str, Any]) -> str:
        """The claims as a token of URL-safe characters."""

    @abstractmethod
    def read(self, token: str) -> Any:
        """What was written, of whatever type; raises BadToken."""
