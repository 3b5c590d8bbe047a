"""One of several servers, with its connections and its condition."""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.upstream.address import Server
from proxy.upstream.contract import Overloaded, Unreachable, UpstreamError
from proxy.upstream.fleet.health import Health, Sign
from proxy.upstream.pool import Pool


@dataclass(slots=True, eq=False)
class Member:
    """A server that requests are spread over. `draining`: it gets no new ones."""

    server: Server
    weight: float
    pool: Pool
    health: Health = field(default_factory=Health)
    outstanding: int = 0
    answered: int = 0
    draining: bool = False

    @property
    def name(self) -> str:
        return str(self.server)


def sign_of(error: UpstreamError) -> Sign | None:
    """What an error says of the server's condition; None where it's our own limit that was reached."""
    if isinstance(error, Overloaded):
        return None
    return Sign.GONE if isinstance(error, Unreachable) and not error.sent else Sign.BAD
