"""The digest by which two contents are seen to be equal (RFC 9530 §2)."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from binascii import b2a_base64


class Digest:
    """SHA-256 over content as it passes, in the form of a `Content-Digest` member."""

    __slots__ = ("_hash",)

    def __init__(self) -> None:
        self._hash = hashlib.sha256(usedforsecurity=False)

    def update(self, data: bytes | memoryview) -> None:
        """The next piece of content."""
        self._hash.update(data)

    def value(self) -> str:
        """`sha-256=:…:` of all that was given."""
        return f"sha-256=:{b64encode(self._hash.digest()).decode()}:"


def digest_of(content: bytes) -> bytes:
    """The same of content that is at hand."""
    made = hashlib.sha256(content, usedforsecurity=False).digest()
    return b"sha-256=:%b:" % b2a_base64(made, newline=False)
