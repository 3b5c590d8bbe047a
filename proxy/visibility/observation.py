"""One exchange as a log tells of it: what reports are made from, whichever program wrote the log."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, auto
from math import nan

from msgspec import Struct

Lines = tuple[tuple[str, str], ...]
"""Field lines: names as written, values as ISO-8859-1 with credentials replaced by their keyed digests."""


class Part(Flag):
    """The parts of an exchange that one log holds and another lacks."""

    TIME = auto()
    CLIENT = auto()
    AUTHORITY = auto()
    REQUEST_FIELDS = auto()
    """Every field of the request; else only those that `Held.request_fields` names."""
    RESPONSE_FIELDS = auto()
    """Every field of the response; else only those that `Held.response_fields` names."""
    REQUEST_BYTES = auto()
    RESPONSE_BYTES = auto()
    DIGEST = auto()
    DURATION = auto()
    OUTCOME = auto()
    """Whether the answer came from a cache."""
    REASONS = auto()
    UPSTREAM = auto()
    CONTENT = auto()
    """The content of responses, or its beginning."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a log holds of each exchange. The names of fields are in lower case.

    `hidden` are the fields whose values the log's writer has replaced, so that only their presence shows.
    """

    format: str
    parts: Part
    request_fields: frozenset[str] = frozenset()
    response_fields: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()

    def has_request_field(self, name: str) -> bool:
        """Whether the log tells of the request field `name` (lower case), be it that it is absent."""
        if name in self.hidden:
            return False
        return Part.REQUEST_FIELDS in self.parts or name in self.request_fields

    def has_response_field(self, name: str) -> bool:
        """Whether the log tells of the response field `name` (lower case), be it that it is absent."""
        if name in self.hidden:
            return False
        return Part.RESPONSE_FIELDS in self.parts or name in self.response_fields


class Observation(Struct, frozen=True, gc=False):
    """One exchange. What the log does not hold has the value below; `Held` tells this from what was empty.

    `time` is when the request began, in seconds since the epoch, or when it was logged where only that is
    told; `duration` is in seconds, sizes are those of the content in bytes. `client` is an address without a
    port. `method` is empty where what came was no request. `status` is 0 where the client got no response.
    `digest` is that of the content sent, as in RFC 9530 (`sha-256=:…:`). `outcome` is one of `Outcome`,
    `forward` why it went forward (RFC 9211 §2.2), `reasons` the slugs of the catalogue, the main one first.
    `upstream` is the server that was asked. `from_cache` says whether a cache answered and spared the origin
    the request; None where that is not known, or where a proxy answered by itself. `content` is the beginning
    of the response's content; it may hold credentials and is never to be shown.
    """

    time: float = nan
    client: str = ""
    method: str = ""
    scheme: str = ""
    authority: str = ""
    target: str = ""
    version: str = ""
    request_fields: Lines = ()
    request_bytes: int = -1
    status: int = 0
    response_fields: Lines = ()
    response_bytes: int = -1
    digest: str = ""
    duration: float = nan
    complete: bool = True
    from_cache: bool | None = None
    outcome: str = ""
    forward: str = ""
    reasons: tuple[str, ...] = ()
    stored: bool | None = None
    upstream: str = ""
    error: str = ""
    id: str = ""
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that could not be read: its number (from 1), and why, without a credential in it."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Some exchanges of one log, in its order, that were all written in one format.

    `faults` are the lines left out meanwhile, of which at most the first few are kept; `left_out` counts all
    of them. `done` is the number of bytes of the source that have been read so far, `lines` that of lines.
    """

    held: Held
    observations: list[Observation]
    faults: tuple[Fault, ...] = ()
    left_out: int = 0
    done: int = 0
    lines: int = 0
