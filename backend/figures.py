"""What one replica has done and holds, for those who compare."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import msgspec

from backend.settings import Settings

URL = "/_shop/figures"
TERMS = "no-store"


class Figures:
    """Counts from when it is made; `started` in seconds since 1970."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._started = time.time()
        self.requests = 0

    def report(self, *, sessions: int, carts: int, orders: int) -> bytes:
        """JSON; what is held is what this process holds, and memory is its resident set in bytes."""
        report: dict[str, Any] = {
            "style": self._settings.style,
            "variant": self._settings.variant,
            "shop": self._settings.shop,
            "pid": os.getpid(),
            "started": self._started,
            "processor_seconds": time.process_time(),
            "memory_bytes": _memory(),
            "requests": self.requests,
            "sessions": sessions,
            "carts": carts,
            "orders": orders,
        }
        return msgspec.json.encode(report)


def _memory() -> int:
    """The resident set now, where the system tells it; the largest that it has been elsewhere."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
