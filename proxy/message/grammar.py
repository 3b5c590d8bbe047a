"""The pieces of grammar that every part of a message shares, as byte patterns (RFC 9110 §5)."""

from __future__ import annotations

import re

from proxy.message.fields import NO_FIELDS, Fields

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
"""One or more token characters (RFC 9110 §5.6.2)."""

VALUE = rb"[\t\x20-\x7e\x80-\xff]*+"
"""A field value with the white space around it: no control character but HTAB (RFC 9110 §5.5)."""

FIELD_LINES = rb"((?:" + TOKEN + rb":" + VALUE + rb"\r\n)*+)"
"""Whole field lines, each with its CRLF; one group (RFC 9112 §5)."""

WHITE_SPACE = b" \t"
"""Optional white space, OWS (RFC 9110 §5.6.3)."""

_token = re.compile(TOKEN)


def is_token(piece: bytes) -> bool:
    """Whether `piece` is a token (RFC 9110 §5.6.2)."""
    return _token.fullmatch(piece) is not None


def split_field_lines(block: bytes) -> Fields:
    """The field lines of `block`, which matches `FIELD_LINES`, without the white space around the values."""
    if not block:
        return NO_FIELDS
    return Fields(
        [
            (name, value.strip(WHITE_SPACE))
            for name, _, value in [line.partition(b":") for line in block[:-2].split(b"\r\n")]
        ]
    )


def list_members(value: bytes) -> list[bytes]:
    """The members of a list-based field whose members hold no quoted commas (RFC 9110 §5.6.1).

    In lower case, without the white space around them; empty members are left out.
    """
    members = [member.strip(WHITE_SPACE) for member in value.lower().split(b",")]
    return [member for member in members if member]


def shortened(piece: bytes, limit: int = 40) -> str:
    """`piece` as evidence: readable, free of control characters, no longer than `limit` bytes of it."""
    text = repr(bytes(piece[:limit]))[2:-1]
    return f"{text}…" if len(piece) > limit else text
