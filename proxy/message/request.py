"""A request as a frozen value."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.message.fields import NO_FIELDS, Fields


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request without its content (RFC 9110 §3.4, §6).

    `target` holds the bytes of the request target as received (RFC 9112 §3.2). `scheme` and `authority`
    complete it to the target URI (RFC 9110 §7.1). `content_digest` stands for the content where the method
    makes it part of the cache key (QUERY), else None.
    """

    method: bytes
    target: bytes
    fields: Fields = NO_FIELDS
    version: tuple[int, int] = (1, 1)
    scheme: bytes = b"http"
    authority: bytes = b""
    content_digest: bytes | None = None
