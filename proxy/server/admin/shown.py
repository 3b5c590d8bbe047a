"""What the admin address shows, wherever it comes from: this process, or all that serve together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from proxy.server.admin.purges import Purge
from proxy.server.admin.recent import Exchange, Recent
from proxy.server.admin.servers import Servers
from proxy.server.admin.window import Window


class Shown(Protocol):
    """Lines are records as they stand in the log, without their ends, the oldest exchange first."""

    @property
    def recent(self) -> Recent:
        """Where exchanges can be watched as they end."""
        ...

    @property
    def servers(self) -> Servers | None:
        """Those behind, where there may be several."""
        ...

    @property
    def window(self) -> Window:
        """What makes reports."""
        ...

    @property
    def purge(self) -> Purge | None: ...

    @property
    def stopping(self) -> Callable[[], bool]:
        """Whether no more requests are taken."""
        ...

    def line(self, exchange: Exchange) -> bytes: ...

    async def totals(self) -> dict[str, Any]:
        """All figures, for JSON."""
        ...

    async def latest(self, limit: int) -> Sequence[bytes]:
        """The last `limit` exchanges."""
        ...

    async def one(self, identifier: str) -> bytes | None:
        """The exchange with that id, None where it's not among those kept."""
        ...

    async def minutes(self) -> Sequence[bytes]:
        """The exchanges of the last minutes."""
        ...
