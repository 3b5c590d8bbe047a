"""A record's line from parts that are encoded already: for exchanges that differ in little."""

from __future__ import annotations

import msgspec

from proxy.visibility.record import FORMAT, encode, escape, rfc3339
from proxy.visibility.shape import Record

_encode_part = msgspec.json.Encoder().encode
_HEAD = (
    '{"format":"%s","id":"%s","time":"%s","client":"%s",'
    '"first_byte_seconds":%s,"duration_seconds":%s,"request":'
)


def request_part(record: Record) -> bytes:
    """The request of `record` in its line: the same for every exchange with the same request."""
    return escape(_encode_part(record.request))


def rest_part(record: Record) -> bytes:
    """What comes after the request in the line of `record`: what was answered, and why."""
    line = encode(record)
    return line[line.index(b',"request":') + len(b',"request":') + len(request_part(record)) :]


def assemble(
    id: str,  # noqa: A002 - the record's own word
    started: float,
    client: str,
    first_byte: float,
    duration: float,
    request: bytes,
    rest: bytes,
) -> bytes:
    """The line of an exchange with this `request_part` and `rest_part`, as `encode` gives it.

    `started` is in seconds since the epoch, `first_byte` and `duration` are in seconds since then. `id` and
    `client` are written as they are: they may hold only what needs no escape in JSON.
    """
    head = _HEAD % (FORMAT, id, rfc3339(started), client, f"{first_byte:.6f}", f"{duration:.6f}")
    return b"%b%b%b" % (head.encode(), request, rest)
