"""What is known of one exchange while it goes on: filled in by those who take part, then recorded."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.caching.decision import Decision
from proxy.message.request import Request
from proxy.message.response import Response


@dataclass(slots=True)
class Account:
    """The facts of one exchange. Durations are in seconds since `started`, unless said otherwise.

    The server's shell fills in what it sees of the client (`response` is the head as sent); the engine what
    it decided and what upstream did. `raw` holds the first bytes (256 at most) of what could not be read as a
    request. `digest` is that of the content sent, as in RFC 9530 (`sha-256=:…:`). `complete` is False where
    the client did not get the message to its end; `error` then says why.
    """

    id: str
    started: float  # seconds since the epoch
    client: str  # host:port
    received: Request | None = None
    raw: bytes = b""
    request_bytes: int = 0
    response: Response | None = None
    response_bytes: int = 0
    digest: str = ""
    decision: Decision | None = None
    server: str = ""
    attempts: int = 0
    tried: tuple[str, ...] = ()  # where there are several servers: those that were asked, in order
    retry: str = ""  # why another server was or was not asked after one had failed
    affinity: bytes | None = None  # the Set-Cookie by which the client comes back to the same server
    reused: bool = False
    connect: float = 0.0  # duration of connecting upstream
    upstream_first_byte: float | None = None  # from sending upstream to its first byte
    upstream_status: int | None = None
    first_byte: float | None = None
    duration: float | None = None
    complete: bool = True
    error: str = ""
