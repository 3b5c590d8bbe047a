"""What has to be known of a contender."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

MEMORY = 512
"""What each may take for stored responses, in MiB."""

IDLE = 600
"""Seconds that a connection may be idle, of clients and to the origin."""

CONNECTIONS = 8000
"""Clients' connections that each is told to expect, where it asks and the machine allows it."""


class Part(StrEnum):
    """What a contender takes part in."""

    HITS = "hits"
    PASSING = "passing"
    STAMPEDE = "stampede"
    START = "start"
    LANE = "lane"
    DISK = "disk"
    SHARED = "shared"
    RESTART = "restart"
    PURGE = "purge"
    FLEET = "fleet"
    TAG = "tag"


EVERYTHING = frozenset({Part.HITS, Part.PASSING, Part.STAMPEDE, Part.START})
"""What any proxy can be compared in; the rest is about where Pellucid keeps responses."""

FORWARDING = frozenset({Part.PASSING, Part.START})
"""For who doesn't cache."""


@dataclass(frozen=True, slots=True)
class Found:
    """An installed program: `source` says where it comes from (the system, or the name of a wheel)."""

    path: str
    version: str
    source: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is to listen and to write, and the origin's port. Both ports are on 127.0.0.1.

    `connections` is how many of clients' it should be able to take, each of which may need one upstream.
    """

    folder: Path
    port: int
    origin: int
    connections: int = CONNECTIONS

    @property
    def log(self) -> Path:
        """Where its access log belongs."""
        return self.folder / "access.log"


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start it: the files to write first (name in its folder: text), then the command.

    `env` is what its environment has beside ours, or (None) has not. `helper` is a command that is started
    once it is ready, and whose processor time counts as its own: it writes the log. `owner` is a user to whom
    the folder has to belong.
    """

    command: list[str]
    files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str | None] = field(default_factory=dict)
    helper: list[str] | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Contender:
    """Who is compared. `find` raises ComparisonError where it isn't installed; `log` says what its log is."""

    name: str
    title: str
    parts: frozenset[Part]
    log: str
    find: Callable[[], Found]
    launch: Callable[[Found, Place], Launch]
    note: str = ""
