"""One exchange as one line of JSON, and back."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from functools import lru_cache

import msgspec

from proxy.caching.decision import Decision
from proxy.message.errors import PellucidError
from proxy.message.fields import Fields
from proxy.visibility.account import Account
from proxy.visibility.redaction import Redaction
from proxy.visibility.shape import (
    FORMAT,
    DecisionRecord,
    ReasonRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    UpstreamRecord,
)

__all__ = ["FORMAT", "MalformedRecord", "Record", "Redaction", "decode", "encode", "rfc3339", "to_record"]

_LAST_SECOND = 253402300799
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)
# What moves the cursor of a terminal, and what some readers take for the end of a line.
_CONTROL = re.compile(rb"\xc2[\x80-\x9f]")
_LINE_END = re.compile(rb"\xe2\x80[\xa8\xa9]")
_UNSAFE = re.compile(rb"\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]|\x7f")


class MalformedRecord(PellucidError):  # noqa: N818 - as MalformedMessage
    """A line that is not a record. The message says what is wrong with it, and where in the line."""


class _AnyFormat(msgspec.Struct):
    format: str


def encode(record: Record) -> bytes:
    """The record as one line of JSON in UTF-8, without the end of the line and without control characters."""
    return escape(_encoder.encode(record))


def encode_piece(value: object) -> bytes:
    """A part of a record as it stands in the record's line."""
    return escape(_encoder.encode(value))


def escape(line: bytes) -> bytes:
    """JSON without the control characters that JSON itself permits in strings (RFC 8259 §7)."""
    if b"\x7f" in line or (not line.isascii() and (_CONTROL.search(line) or _LINE_END.search(line))):
        return _UNSAFE.sub(_escape, line)
    return line


def _escape(found: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % ord(found[0].decode())


def decode(line: bytes | str) -> Record:
    """The record in a line, whether or not its end is with it. Raises MalformedRecord."""
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedRecord(_what(line, error)) from error


def _what(line: bytes | str, error: Exception) -> str:
    if not line.strip():
        return "an empty line is not a record"
    try:
        found = msgspec.json.decode(line, type=_AnyFormat).format
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return f"the line is not a record: {error}"
    if found != FORMAT:
        return f"the line has the format {found[:40]!r}, not {FORMAT!r}"
    return f"the line is not a record: {error}"


def to_record(account: Account, redaction: Redaction) -> Record:
    """What `account` says, without credentials. The account may not change any more afterwards."""
    known: list[str] = []
    request = _request(account, redaction, known)
    response = _response(account, redaction, known)
    return Record(
        FORMAT,
        account.id,
        rfc3339(account.started),
        account.client,
        _rounded(account.first_byte),
        _rounded(account.duration),
        request,
        redaction.raw(account.raw) if account.raw else None,
        response,
        None if account.decision is None else _decision(account.decision, redaction, known),
        _upstream(account) if account.server else None,
        redaction.text(account.error, known) if account.error else None,
    )


def rfc3339(seconds: float) -> str:
    """Seconds since the epoch as a time of RFC 3339: in UTC, to the microsecond, in 9999 at the latest."""
    second, micro = divmod(round(min(max(seconds, 0.0), _LAST_SECOND) * 1e6), 1_000_000)
    return f"{date_and_time(second)}.{micro:06d}Z"


@lru_cache(64)
def date_and_time(second: int) -> str:
    """A second since the epoch as a time of RFC 3339 begins, without fraction and zone: in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def _rounded(seconds: float | None) -> float | None:
    # A clock that was set back must not make a line that can't be read again.
    return None if seconds is None else round(max(seconds, 0.0), 6)


@lru_cache(64)
def _version(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _request(account: Account, redaction: Redaction, known: list[str]) -> RequestRecord | None:
    request = account.received
    if request is None:
        return None
    target, found = redaction.target(request.target)
    known += found
    return RequestRecord(
        request.method.decode("latin-1"),
        target,
        request.scheme.decode("latin-1"),
        redaction.authority(request.authority),
        _version(request.version),
        _lines(request.fields, redaction, known),
        account.request_bytes,
    )


def _response(account: Account, redaction: Redaction, known: list[str]) -> ResponseRecord | None:
    response = account.response
    if response is None:
        return None
    return ResponseRecord(
        response.status,
        response.reason.decode("latin-1"),
        _version(response.version),
        _lines(response.fields, redaction, known),
        account.response_bytes,
        account.digest or None,
        account.complete,
    )


def _lines(fields: Fields, redaction: Redaction, known: list[str]) -> tuple[tuple[str, str], ...]:
    lines = []
    redacted = redaction.line
    for name, value in fields:
        line, found = redacted(name, value)
        lines.append(line)
        if found:
            known += found
    return tuple(lines)


def _decision(decision: Decision, redaction: Redaction, known: Iterable[str]) -> DecisionRecord:
    hidden = set(known)
    return DecisionRecord(
        decision.outcome,
        tuple(
            ReasonRecord(
                because.reason.slug,
                because.reason.section,
                redaction.text(because.evidence, hidden) if because.evidence else "",
            )
            for because in decision.reasons
        ),
        None if decision.until is None else rfc3339(decision.until),
        decision.forward,
        decision.forward_status,
        decision.ttl,
        decision.stored,
        decision.collapsed,
    )


def _upstream(account: Account) -> UpstreamRecord:
    return UpstreamRecord(
        account.server,
        account.attempts,
        account.reused,
        round(max(account.connect, 0.0), 6),
        _rounded(account.upstream_first_byte),
        account.upstream_status,
        account.tried,
        account.retry or None,
    )
