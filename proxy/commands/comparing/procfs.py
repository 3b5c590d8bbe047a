"""What processes have taken of the machine, as Linux's /proc tells it: proc(5)."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
TICK = 1 / os.sysconf("SC_CLK_TCK")
"""The resolution of processor time, in seconds."""

_QUIET = 0.1
_PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class Process:
    """One line of /proc/PID/stat: processor time in seconds, `began` in ticks since the machine was started.

    `reaped` is the processor time of its children that have ended and were waited for.
    """

    pid: int
    parent: int
    session: int
    cpu: float
    reaped: float
    began: int

    @property
    def identity(self) -> tuple[int, int]:
        """What tells it from a later process with the same number."""
        return self.pid, self.began


def parse_stat(line: str) -> Process:
    """One process, of the text of its `stat` file. The name may contain anything, brackets and spaces too."""
    pid = int(line[: line.index(" ")])
    fields = line[line.rindex(")") + 2 :].split()
    user, system, reaped_user, reaped_system = (int(field) for field in fields[11:15])
    return Process(
        pid,
        parent=int(fields[1]),
        session=int(fields[3]),
        cpu=(user + system) * TICK,
        reaped=(reaped_user + reaped_system) * TICK,
        began=int(fields[19]),
    )


def processes() -> list[Process]:
    """Every process that can be seen at this moment."""
    found = []
    for folder in _PROC.iterdir():
        if folder.name.isdecimal():
            with suppress(OSError, ValueError):  # it may end while we look
                found.append(parse_stat((folder / "stat").read_text(errors="replace")))
    return found


def family(leaders: Iterable[int], among: list[Process] | None = None) -> list[Process]:
    """The leaders, all that descends from them, and all that is in their sessions."""
    left = processes() if among is None else list(among)
    known = set(leaders)
    sessions = set(known)
    members: list[Process] = []
    while True:
        more = [one for one in left if one.pid in known or one.parent in known or one.session in sessions]
        if not more:
            return members
        members += more
        known.update(one.pid for one in more)
        left = [one for one in left if one.pid not in known]


def processor_seconds(leaders: Iterable[int]) -> float:
    """User and system time so far of these processes and their children, ended ones included."""
    return sum(one.cpu + one.reaped for one in family(leaders))


def exact_seconds(leaders: Iterable[int]) -> float:
    """Processor time of these processes' living threads, without their children: to the nanosecond.

    By ticks where the kernel doesn't keep count (no schedstat).
    """
    total = 0.0
    for leader in leaders:
        try:
            for task in (_PROC / str(leader) / "task").iterdir():
                total += int((task / "schedstat").read_text().split()[0]) / 1e9
        except (OSError, ValueError, IndexError):
            total += processor_seconds([leader])
    return total


def settled_seconds(leaders: Iterable[int]) -> float:
    """The same, once they have come to rest: what writes a log may lag behind what answers."""
    leaders = list(leaders)
    until = time.monotonic() + _PATIENCE
    before = processor_seconds(leaders)
    while True:
        time.sleep(_QUIET)
        now = processor_seconds(leaders)
        if now - before <= 1.5 * TICK or time.monotonic() > until:
            return now
        before = now


def machine_seconds() -> float:
    """Processor time that the whole machine has spent so far on anything, over all its cores."""
    user, nice, system, _, _, *interrupts = (
        int(field) for field in (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:8]
    )
    return (user + nice + system + sum(interrupts)) * TICK


def resident_bytes(leaders: Iterable[int]) -> int:
    """Memory that they hold together; pages that several share count once where the system tells."""
    return sum(_held(one.pid) for one in family(leaders))


def anonymous_bytes(leaders: Iterable[int]) -> int:
    """Memory that these processes hold by themselves: not what they share with files and other processes."""
    total = 0
    for leader in leaders:
        with suppress(OSError):
            match = re.search(
                r"^RssAnon:\s+([0-9]+) kB", (_PROC / str(leader) / "status").read_text(), re.MULTILINE
            )
            total += int(match[1]) * 1024 if match else _held(leader)
    return total


def _held(pid: int) -> int:
    with suppress(OSError):  # of somebody else's process, or it has ended
        match = re.search(
            r"^Pss:\s+([0-9]+) kB", (_PROC / str(pid) / "smaps_rollup").read_text(), re.MULTILINE
        )
        if match:
            return int(match[1]) * 1024
    with suppress(OSError, IndexError, ValueError):
        return int((_PROC / str(pid) / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0
