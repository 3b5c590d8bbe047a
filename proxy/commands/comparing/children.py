"""Processes that a comparison starts, and ends whatever happens."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from proxy.commands.comparing.asking import pause
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.interruption import unbroken
from proxy.commands.comparing.machine import pinned
from proxy.commands.comparing.procfs import family, processes

_LAST_WORDS = 400
_GRACE = 5.0
_PATIENCE = 30.0


_started: list[Child] = []
"""All that were started and have not been ended."""


def end_all() -> None:
    """End whoever still runs."""
    while _started:
        _started[-1].end()


class Child:
    """A process in a session of its own, so that an interrupt typed in the terminal reaches only us.

    Its output goes to files in `folder`, which are opened for appending: they can be emptied at any time.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        *,
        cores: tuple[int, ...],
        env: Mapping[str, str | None] | None = None,
        pipes: bool = False,
    ) -> None:
        self.name = name
        self.command = list(command)
        self._errors = folder / f"{name}.stderr"
        self._output = folder / f"{name}.stdout"
        pipe = subprocess.PIPE
        wanted = {**os.environ, **(env or {})}
        environment = {key: value for key, value in wanted.items() if value is not None}
        try:
            with (
                open(self._errors, "ab") as errors,
                open(self._output, "ab") as output,
                unbroken(),
                pinned(cores),
            ):
                self.began = time.perf_counter()
                self._process = subprocess.Popen(
                    self.command,
                    stdin=pipe if pipes else subprocess.DEVNULL,
                    stdout=pipe if pipes else output,
                    stderr=errors,
                    bufsize=0,  # a line at a time, and what has come is to be seen by select
                    cwd=folder,
                    env=environment,
                    start_new_session=True,
                )
                _started.append(self)
        except OSError as error:
            raise ComparisonError(f"{name} can't be started", evidence=str(error)) from error

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def wait_until(self, ready: Callable[[], bool], patience: float = _PATIENCE) -> None:
        """Wait until `ready()`. Raises ComparisonError, with its last words, where that never comes."""
        until = time.monotonic() + patience
        while not ready():
            if not self.alive():
                raise self.error(f"ended at once with status {self._process.returncode}")
            if time.monotonic() > until:
                raise self.error(f"is not ready after {patience:g} s")
            pause()

    def send(self, line: str) -> None:
        """A line to its standard input. Raises ComparisonError where it has gone."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise self.error("has gone") from error

    def receive(self, patience: float = _PATIENCE) -> str:
        """The next line of its standard output. Raises ComparisonError where none comes."""
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], patience)[0]:
            raise self.error(f"says nothing for {patience:g} s")
        line = self._process.stdout.readline()
        if not line:
            raise self.error("ended before it was done")
        return line.decode("utf-8", "replace").rstrip("\n")

    def dismiss(self) -> None:
        """End its standard input, on which it stops of its own accord."""
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()

    def finish(self, patience: float) -> str:
        """Its whole output, once it has ended of its own accord. Raises ComparisonError for a failure."""
        try:
            output, _ = self._process.communicate(timeout=patience)
        except subprocess.TimeoutExpired as error:
            raise self.error(f"is not done after {patience:g} s") from error
        if self._process.returncode != 0:
            raise self.error(f"ended with status {self._process.returncode}")
        text: str = (output or b"").decode("utf-8", "replace")
        return text

    def error(self, what: str) -> ComparisonError:
        """An error about it, with the last of what it said itself."""
        return ComparisonError(f"{self.name} {what}", evidence=self.last_words())

    def last_words(self) -> str:
        """The end of what it wrote to standard error, or else to standard output; one line."""
        for path in (self._errors, self._output):
            with contextlib.suppress(OSError):
                lines = path.read_text(errors="replace").split("\n")
                said = " | ".join(line.strip() for line in lines[-12:] if line.strip())
                if said:
                    return said[-_LAST_WORDS:]
        return ""

    def end(self) -> None:
        """SIGTERM; SIGKILL to it, and to what it started, where that is not heeded."""
        if self in _started:
            _started.remove(self)
        mine = {one.identity for one in family([self.pid])}
        self.dismiss()
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            for pid in [one.pid for one in processes() if one.identity in mine and one.pid != self.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if self._process.stdout is not None:
                self._process.stdout.close()
