"""A variant as it stands: its replicas, the store that they share, the proxy in front of them."""

from __future__ import annotations

import contextlib
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from proxy.commands.comparing.asking import Told, ask, get
from proxy.commands.comparing.children import Child
from proxy.commands.comparing.contenders.contract import Found
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.procfs import anonymous_bytes, exact_seconds
from proxy.commands.comparing.state.stage.replica import Replica
from proxy.commands.comparing.state.stage.store import Store, start_store
from proxy.commands.comparing.state.variants import Variant

FIRST_BYTE = 1.5
"""Seconds after which the proxy takes a replica for hung."""

_LISTENS = re.compile(r"listens on http://127\.0\.0\.1:([0-9]+) .*dashboard at http://127\.0\.0\.1:([0-9]+)/")
_RELAY = "proxy.commands.comparing.state.stage.relay"
_PATIENCE = 15.0
_READY, _FILLED_A_SECOND = 30.0, 500
"""Seconds that a replica may take to be ready, and how many shoppers' state it makes in one at least."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a measurement has to work with: a folder, cores, the store's program, and what it shall be like.

    `rate` is the requests per second that each replica is held to, 0 for no limit; `fill` of how many
    shoppers there is state from the beginning. `settings` are further ones of the proxy.
    """

    folder: Path
    cores: tuple[int, ...]
    store: Found | None
    rate: float = 0.0
    fill: int = 0
    settings: tuple[str, ...] = ()


class Stage:
    """To be had from `staged`."""

    def __init__(self, variant: Variant, workshop: Workshop, *, relayed: int | None = None) -> None:
        self.variant = variant
        self._workshop = workshop
        self._relayed = relayed
        self._children: list[Child] = []
        self.folder = workshop.folder
        self.store: Store | None = None
        self.replicas: list[Replica] = []
        self.relay: Child | None = None
        self._relay_port = 0
        self.port = 0
        self.admin = 0

    def start_replicas(self, count: int) -> None:
        """So many, all at once, with the store that they share. Raises ComparisonError."""
        if self.store is None and self._workshop.store is not None:
            self.store = start_store(self._workshop.store, self.folder, self._workshop.cores)
        arguments = self.variant.command(self.store.url if self.store else str(self.folder / "shop.db"))
        arguments += ["--session-limit", "1000000", "--record-limit", "10000000"]
        if self._workshop.fill:
            arguments += ["--fill", str(self._workshop.fill)]
        if self._workshop.rate:
            arguments += ["--rate", f"{self._workshop.rate:g}"]
        first = len(self.replicas)
        for number in range(first, first + count):
            self.replicas.append(Replica(number, arguments, self.folder, self._workshop.cores))
        for replica in self.replicas[first:]:
            replica.wait(_READY + self._workshop.fill / _FILLED_A_SECOND)

    def start_proxy(self, behind: int) -> None:
        """The proxy in front of the first `behind` replicas, with a log. Raises ComparisonError."""
        if self._relayed is not None:
            self._start_relay(self.replicas[self._relayed])
        command = [
            sys.executable,
            "-m",
            "proxy",
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--admin",
            "127.0.0.1:0",
        ]
        for place in range(behind):
            command += ["--upstream", self.url(place)]
        command += ["--balance", self.variant.balance, "--log", str(self.log), "--watch", "never"]
        command += ["--set", f"upstream.first_byte={FIRST_BYTE:g}s", "--set", "upstream.connect=0.5s"]
        for setting in self._workshop.settings:
            command += ["--set", setting]
        child = Child("proxy", command, self.folder, cores=self._workshop.cores)
        self._children.append(child)
        said = self.folder / "proxy.stdout"
        child.wait_until(lambda: _LISTENS.search(said.read_text(errors="replace")) is not None)
        found = _LISTENS.search(said.read_text(errors="replace"))
        assert found is not None
        self.port, self.admin = int(found[1]), int(found[2])

    def _start_relay(self, replica: Replica) -> None:
        command = [sys.executable, "-m", _RELAY, str(replica.port)]
        self.relay = Child("relay", command, self.folder, cores=self._workshop.cores, pipes=True)
        self._children.append(self.relay)
        self._relay_port = int(self.relay.receive())

    def tell_relay(self, command: str) -> None:
        """One of the relay's commands, and wait until it is done. Raises ComparisonError."""
        assert self.relay is not None
        self.relay.send(command)
        self.relay.receive()

    @property
    def log(self) -> Path:
        """Where the proxy's records are."""
        return self.folder / "exchanges.jsonl"

    def name(self, place: int) -> str:
        """What the proxy calls a replica."""
        port = self._relay_port if place == self._relayed else self.replicas[place].port
        return f"127.0.0.1:{port}"

    def url(self, place: int) -> str:
        """Where the proxy reaches a replica."""
        return f"http://{self.name(place)}"

    # The servers that the proxy knows.

    def upstreams(self) -> list[dict[str, Any]]:
        """How each is, as the proxy says it. Raises ComparisonError."""
        told = get(self.admin, "/upstreams")
        try:
            return msgspec.json.decode(told.content, type=list[dict[str, Any]])
        except msgspec.MsgspecError as error:
            raise ComparisonError(
                "the proxy doesn't tell its servers", evidence=repr(told.content[:200])
            ) from error

    def add(self, place: int) -> None:
        """Have the proxy ask one replica more. Raises ComparisonError."""
        content = msgspec.json.encode({"url": self.url(place)})
        self._change(
            f"POST /upstreams HTTP/1.1\r\nHost: 127.0.0.1:{self.admin}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode()
            + content
        )

    def drain(self, place: int) -> None:
        """Have the proxy ask a replica no more, and wait until it has left. Raises ComparisonError."""
        name = self.name(place)
        self._change(
            (
                f"DELETE /upstreams/{name} HTTP/1.1\r\nHost: 127.0.0.1:{self.admin}\r\n"
                "Connection: close\r\n\r\n"
            ).encode()
        )
        until = time.monotonic() + _PATIENCE
        while any(one["server"] == name for one in self.upstreams()):
            if time.monotonic() > until:
                raise ComparisonError("the proxy doesn't let a drained server go", evidence=name)
            time.sleep(0.02)

    def _change(self, request: bytes) -> None:
        told: Told = ask(self.admin, request)
        if told.status not in (201, 202):
            raise ComparisonError("the proxy doesn't change its servers", evidence=repr(told.content[:200]))

    # What it takes of the machine.

    def replica_seconds(self) -> float:
        """Processor time of all replicas so far."""
        return sum(one.processor_seconds() for one in self.replicas)

    def store_seconds(self) -> float:
        """Processor time of the store so far."""
        return exact_seconds([self.store.pid]) if self.store else 0.0

    def store_bytes(self) -> int:
        """Memory that the store holds."""
        return anonymous_bytes([self.store.pid]) if self.store else 0

    def end(self) -> None:
        """Everything, the proxy first."""
        for child in reversed(self._children):
            child.end()
        for replica in self.replicas:
            replica.end()
        if self.store is not None:
            self.store.end()


@contextlib.contextmanager
def staged(
    variant: Variant,
    workshop: Workshop,
    *,
    replicas: int,
    behind: int | None = None,
    relayed: int | None = None,
) -> Iterator[Stage]:
    """Replicas of a variant and, in front of `behind` of them (0: of none), the proxy.

    `relayed` is the number of a replica that is reached by a relay. Raises ComparisonError.
    """
    stage = Stage(variant, workshop, relayed=relayed)
    try:
        stage.start_replicas(replicas)
        if behind is None or behind:
            stage.start_proxy(replicas if behind is None else behind)
        yield stage
    finally:
        stage.end()
