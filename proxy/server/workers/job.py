"""What is to be done by processes, and who does it at the moment."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from proxy.server.workers.post import Failed, Post, Servers

TO_START = 60.0
"""Seconds that a process has to start."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a process gets that takes a place: the how-manieth of all it is, and its post."""

    serial: int
    post: Post
    servers: Servers


@dataclass(slots=True, eq=False)
class Job:
    """What one process at a time is there for. `work` is what it does; `number` counts the workers from 0.

    `gathers`: it has to reach all the others. `sockets` are those on which it accepts, where another process
    with this work may do so as well.
    """

    name: str
    work: Callable[[Place], None]
    number: int = 0
    gathers: bool = False
    sockets: Sequence[socket.socket] = ()
    process: int = 0
    serial: int = 0
    post: Post | None = None
    started: float = 0.0
    heard: float = 0.0  # when it last gave a sign that it serves, by the monotonic clock
    silence: float = 0.0  # seconds without a sign, for which it is ended by force
    ready: bool = False
    leaving: bool = False  # takes nothing more, as it was told by somebody else
    failed: Failed | None = None
    address: tuple[str, int] | None = None
    wait: float = 0.0
    due: float | None = None  # when it's to be replaced, by the monotonic clock
