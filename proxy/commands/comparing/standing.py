"""A contender that has been started and answers."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from proxy.commands.comparing.asking import ask, free_port
from proxy.commands.comparing.children import Child
from proxy.commands.comparing.contenders.contract import Contender, Found, Launch, Place
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.load.requests import agent, request
from proxy.commands.comparing.origin.content import HOT, content
from proxy.commands.comparing.procfs import family

_TAKEN = "in use"
_TRIES = 3
_HELPER = 0.3


class Standing:
    """Its processes, its port, and the seconds from starting it to the end of its first answer."""

    def __init__(self, contender: Contender, place: Place, children: list[Child], started: float) -> None:
        self.contender = contender
        self.place = place
        self.started = started
        self._children = children

    @property
    def pids(self) -> list[int]:
        """The processes that were started for it; they may have children."""
        return [child.pid for child in self._children]

    def check(self) -> None:
        """Raises ComparisonError, with its last words, where one of its processes has ended."""
        for child in self._children:
            if not child.alive():
                raise child.error("has ended")

    def differs(self, target: str) -> bool:
        """Whether it answers a target with anything but 200 and the origin's content."""
        told = ask(self.place.port, request(target, agent(0)))
        return told.status != 200 or told.content != content(target)

    def end(self, *, killed: bool = False) -> None:
        """End it before its time; by SIGKILL if it is to be `killed`, and all that it has started."""
        if killed:
            for one in family(self.pids):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one.pid, signal.SIGKILL)
        for child in self._children:
            child.end()

    def empty_logs(self) -> None:
        """Forget what has been logged: the disk is not what is measured."""
        for path in (self.place.log, *self.place.folder.glob("*.stdout")):
            with contextlib.suppress(OSError):
                os.truncate(path, 0)


@contextlib.contextmanager
def stand(contender: Contender, found: Found, place: Place, cores: tuple[int, ...]) -> Iterator[Standing]:
    """Start a contender in front of the origin, and end it afterwards; another port where that one is taken.

    Raises ComparisonError with its own words where it does not come to answer.
    """
    with contextlib.ExitStack() as stack:
        for attempt in range(1, _TRIES + 1):
            place = Place(place.folder, free_port(), place.origin, place.connections)
            try:
                standing = stack.enter_context(_started(contender, found, place, cores))
                break
            except ComparisonError as error:
                if attempt == _TRIES or _TAKEN not in str(error).lower():
                    raise
        yield standing


@contextlib.contextmanager
def _started(contender: Contender, found: Found, place: Place, cores: tuple[int, ...]) -> Iterator[Standing]:
    launch = contender.launch(found, place)
    write_files(launch, place.folder)
    with contextlib.ExitStack() as stack:
        child = stack.enter_context(
            Child(contender.name, launch.command, place.folder, cores=cores, env=launch.env)
        )
        child.wait_until(lambda: _answers(place.port))
        started = time.perf_counter() - child.began
        children = [child]
        if launch.helper is not None:
            name = f"{contender.name}-log"
            helper = Child(name, launch.helper, place.folder, cores=cores, env=launch.env)
            children.append(stack.enter_context(helper))
            time.sleep(_HELPER)
        standing = Standing(contender, place, children, started)
        standing.check()
        yield standing


def write_files(launch: Launch, folder: Path) -> None:
    """Write its configuration, and give the folder to whom it has to belong."""
    for name, text in launch.files.items():
        (folder / name).write_text(text)
    if launch.owner is not None:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, launch.owner)


def _answers(port: int) -> bool:
    try:
        return ask(port, request(HOT, agent(0)), timeout=5.0).status == 200
    except ComparisonError:
        return False
