"""What a user may set of the side that clients see: sizes in bytes, times in seconds, safe by default."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.message.head import HeadLimits


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Limits and time-outs of clients' connections, and how requests are marked when they are forwarded.

    A request's head may have `request_line` bytes in its first line and `header_bytes` in at most
    `header_fields` field lines; `header_time` runs from its first byte to its last. The content may have
    `content_bytes` (0: any number), with at most `content_time` between two pieces of it. A connection may be
    idle for `idle`. A client that reads nothing of what waits for it for `stall` is let go.

    `connections` may be open in all and `connections_per_client` from one address, which may well stand for
    many users behind another proxy. Of a request `read_buffer` bytes may wait for the upstream, and of an
    answer `write_buffer` bytes for the client, before whoever sends them has to wait. `drain` is how much
    content that nobody wants is read so that the connection can go on; `linger` how long a client is listened
    to after the last answer, so that it can read that answer (RFC 9112 §9.6). A client that has stopped
    sending may still want its answer, or it may be gone: `half_closed` is how long it's given for the answer
    to begin. `tunnel_idle` ends a tunnel without traffic. `grace` is what exchanges under way have left when
    the proxy stops. Of several processes one that hangs for `watchdog` is ended by force, and another takes
    its place; 0 lets it hang.

    `keep_host` forwards the client's Host rather than the upstream's authority, for applications that compare
    Origin with it (as Django does before it takes a form) or make URLs of it. `trust` says what to do with
    the Forwarded and X-Forwarded-* fields that arrive: `append` adds to the lists and sets X-Forwarded-Host
    and -Proto anew, `keep` leaves these two as well (for a trusted proxy in front), `replace` drops them all.
    `loops` is how many times a request may pass this proxy's name in Via.

    `purge_from` lists the addresses and networks (`127.0.0.1`, `10.0.0.0/8`) whose PURGE requests remove what
    is stored for their target; from all others they are refused. Where the list is empty PURGE is a method
    like any other, and forwarded.
    """

    request_line: int = 8 << 10
    header_bytes: int = 64 << 10
    header_fields: int = 256
    header_time: float = 10.0
    content_bytes: int = 1 << 30
    content_time: float = 60.0
    idle: float = 75.0
    stall: float = 60.0
    connections: int = 10_000
    connections_per_client: int = 4096
    read_buffer: int = 64 << 10
    write_buffer: int = 64 << 10
    drain: int = 256 << 10
    linger: float = 2.0
    half_closed: float = 60.0
    tunnel_idle: float = 3600.0
    grace: float = 30.0
    watchdog: float = 30.0
    keep_host: bool = False
    trust: str = "append"
    loops: int = 8
    purge_from: tuple[str, ...] = ()

    @property
    def head_limits(self) -> HeadLimits:
        """The limits of a request's head."""
        return HeadLimits(self.request_line, self.header_bytes, self.header_fields)
