"""One replica of the shop: started, stopped, killed, held, and started again at the same port."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from proxy.commands.comparing.asking import accepts, free_port
from proxy.commands.comparing.children import Child
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.procfs import anonymous_bytes, exact_seconds

_TAKEN, _TRIES = "in use", 3
_READY = re.compile(r"accepts connections on http://127\.0\.0\.1:([0-9]+)")


class Replica:
    """A process of `python -m backend`; `number` counts from 0."""

    def __init__(self, number: int, arguments: Sequence[str], folder: Path, cores: tuple[int, ...]) -> None:
        self._arguments = [sys.executable, "-m", "backend", *arguments]
        self._folder = folder
        self._cores = cores
        self._past = 0.0
        self.name = f"replica-{number}"
        self.port = free_port()
        self._child = self._start()

    def _start(self) -> Child:
        command = [*self._arguments, "--listen", f"127.0.0.1:{self.port}"]
        with contextlib.suppress(OSError):
            (self._folder / f"{self.name}.stdout").unlink()
        return Child(self.name, command, self._folder, cores=self._cores)

    @property
    def pid(self) -> int:
        return self._child.pid

    def wait(self, patience: float) -> None:
        """Until it accepts connections. Raises ComparisonError, with its last words, where it never does."""
        for attempt in range(1, _TRIES + 1):
            try:
                self._child.wait_until(self._ready, patience)
                return
            except ComparisonError as error:
                self._child.end()
                if attempt == _TRIES or _TAKEN not in str(error).lower():
                    raise
                self.port = free_port()
                self._child = self._start()

    def _wait_again(self) -> None:
        self._child.wait_until(self._ready)

    def _ready(self) -> bool:
        try:
            found = _READY.search((self._folder / f"{self.name}.stdout").read_text(errors="replace"))
        except OSError:
            return False
        if found:
            self.port = int(found[1])
        return bool(found)

    def processor_seconds(self) -> float:
        """Of all its lives so far."""
        return self._past + exact_seconds([self.pid])

    def resident_bytes(self) -> int:
        """Memory that it holds."""
        return anonymous_bytes([self.pid])

    def kill(self) -> None:
        """SIGKILL: it has no time for anything."""
        self._past += exact_seconds([self.pid])
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._child.end()

    def stop(self) -> None:
        """SIGTERM, and wait for its end."""
        self._past += exact_seconds([self.pid])
        self._child.end()

    def start_again(self) -> None:
        """A new process at the same port, once it is ready. Raises ComparisonError."""
        patience = time.monotonic() + 5
        while True:
            self._child = self._start()
            try:
                self._wait_again()
                return
            except ComparisonError:
                self._child.end()
                if time.monotonic() > patience:
                    raise

    def hold(self) -> None:
        """SIGSTOP: its connections stay open, and nothing comes from it."""
        os.kill(self.pid, signal.SIGSTOP)

    def let_go(self) -> None:
        """SIGCONT."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)

    def answers(self) -> bool:
        """Whether it accepts connections."""
        return accepts(self.port)

    def end(self) -> None:
        """Whatever state it is in."""
        self.let_go()
        self._child.end()
