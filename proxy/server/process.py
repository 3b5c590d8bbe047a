"""What the process itself takes of the machine."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

_STATM = Path("/proc/self/statm")


def process_figures() -> dict[str, Any]:
    """`pid`, `cpu` (user and system time in seconds), `rss` (bytes; None where the system does not say)."""
    return {"pid": os.getpid(), "cpu": time.process_time(), "rss": _resident()}


def _resident() -> int | None:
    try:
        pages = int(_STATM.read_bytes().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
