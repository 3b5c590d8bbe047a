"""A response as a frozen value."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.message.fields import NO_FIELDS, Fields


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response, interim or final, without its content (RFC 9110 §3.4, §15).

    `reason` holds the reason phrase's bytes as received; it may be empty.
    """

    status: int
    fields: Fields = NO_FIELDS
    reason: bytes = b""
    version: tuple[int, int] = (1, 1)
