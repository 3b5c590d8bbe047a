"""What the process takes of the machine, and how it is set up for that."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

_STATM = Path("/proc/self/statm")

_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # the C library's numbers for them, mallopt(3)
_LARGE = 256 << 10
_SPARE = 4 << 20

SPARE_FILES = 64
"""Files that are open beside connections: the log, listening sockets, the loop's own."""


def process_figures() -> dict[str, Any]:
    """`pid`, `cpu` (user and system time in seconds), `rss` (bytes; None where the system does not say)."""
    return {"pid": os.getpid(), "cpu": time.process_time(), "rss": _resident()}


def _resident() -> int | None:
    try:
        pages = int(_STATM.read_bytes().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def return_large_blocks() -> None:
    """Have the C library give blocks of 256 KiB and more back to the system as soon as they are free.

    Otherwise it raises that limit with each one that is freed, and the gaps that large contents leave in the
    heap come on top of the store's budget. What is smaller may stay, up to 4 MiB: log lines take and leave
    that much all the time, and to have each page of it given anew costs more than to write on it.
    """
    with suppress(OSError, AttributeError):  # another C library manages by other means
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, _LARGE)
        library.mallopt(_TRIM_THRESHOLD, _SPARE)


def collect_seldom() -> None:
    """Have Python look for cycles in what is new less often, and never again in what is there by now.

    An exchange leaves no cycles behind unless it fails: to look for them after every few exchanges takes a
    tenth of all processor time.
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def hold_standard_streams() -> None:
    """Put something harmless in the place of standard streams that are closed: writing to it fails.

    The next file or socket would take their numbers, and get what is meant for the user.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)  # the lowest number that is free: this one


def print_line(line: str, stream: int = 1) -> None:
    """One line on standard output (1) or error (2); whoever should read it may be gone."""
    with suppress(OSError):
        os.write(stream, f"{line}\n".encode("utf-8", "replace"))


def allow_files(wanted: int) -> int:
    """Let the process open `wanted` files if it may; how many it can."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return wanted if soft == resource.RLIM_INFINITY else soft
