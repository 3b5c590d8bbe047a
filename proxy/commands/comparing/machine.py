"""The machine that a comparison runs on: what it is, and which of its cores does what."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from proxy.message.errors import ConfigurationError


class Cores(msgspec.Struct, frozen=True):
    """Which cores the contenders, the load generator and the origin server run on."""

    contender: tuple[int, ...]
    load: tuple[int, ...]
    origin: tuple[int, ...]

    @property
    def apart(self) -> bool:
        """Whether the contender has a core that the load does not use."""
        return not set(self.contender) & set(self.load)


class Machine(msgspec.Struct, frozen=True):
    """What figures depend on; memory in bytes."""

    processor: str
    cores: int
    memory: int
    system: str
    python: str


def describe() -> Machine:
    """This machine, as far as it tells."""
    match = re.search(r"^model name\s*:\s*(.+)$", _text("/proc/cpuinfo"), re.MULTILINE)
    total = re.search(r"^MemTotal:\s*([0-9]+) kB", _text("/proc/meminfo"), re.MULTILINE)
    return Machine(
        processor=match[1].strip() if match else platform.processor() or platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory=int(total[1]) * 1024 if total else 0,
        system=f"{platform.system()} {platform.release()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
    )


def require_linux() -> None:
    """Raises ConfigurationError where processor time can't be read as it is read here."""
    if sys.platform != "linux" or not Path("/proc/self/stat").exists():
        raise ConfigurationError("processor time is read from Linux's /proc, which is not there")


def share_out(allowed: list[int] | None = None) -> Cores:
    """The cores that this process may use, shared out: with three or more the origin has one of its own."""
    cores = _apart(sorted(os.sched_getaffinity(0))) if allowed is None else allowed
    if len(cores) == 1:
        return Cores((cores[0],), (cores[0],), (cores[0],))
    if len(cores) == 2:
        return Cores((cores[0],), (cores[1],), (cores[1],))
    return Cores((cores[0],), (cores[1],), (cores[2],))


def _apart(processors: list[int], topology: str = "/sys/devices/system/cpu") -> list[int]:
    """One processor of each core, where there are two cores: two threads of one core slow each other down."""
    first: dict[str, int] = {}
    for number in processors:
        siblings = _text(f"{topology}/cpu{number}/topology/thread_siblings_list").strip()
        first.setdefault(siblings or str(number), number)
    return list(first.values()) if len(first) > 1 else processors


@contextlib.contextmanager
def pinned(cores: tuple[int, ...]) -> Iterator[None]:
    """Let what is started meanwhile run on these cores only: a child has the affinity of who starts it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _text(path: str) -> str:
    with contextlib.suppress(OSError):
        return Path(path).read_text(errors="replace")
    return ""
