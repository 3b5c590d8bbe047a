"""A process that was started by the parent, as it sees itself: its orders, and how it becomes one."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from proxy.message.errors import ConfigurationError
from proxy.server.workers.post import (
    Alive,
    Failed,
    Leaving,
    Lend,
    Link,
    Message,
    Post,
    Ready,
    Reopen,
    Return,
    Servers,
    Stop,
)
from proxy.server.workers.watch import BEAT

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
"""The signals that the parent does something about."""

STARTED, CRASHED, REFUSED = 0, 1, 2
"""Exit statuses."""


class Orders:
    """What the parent orders, for a process whose loop runs.

    `asked` is set when it is to stop, and when the parent is gone, `all_stop` where all others are to stop
    too; `hurried` is set when it's not to wait for what is under way. SIGTERM stops this process alone;
    SIGINT and SIGHUP, which a terminal sends to all, are the parent's to understand.
    """

    def __init__(
        self,
        post: Post,
        *,
        reopen: Callable[[], None] = lambda: None,
        servers: Callable[[Servers], None] = lambda _: None,
        link: Callable[[Link, int], None] = lambda _, file: os.close(file),
        lend: Callable[[int, Sequence[int]], None] | None = None,
        give_back: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.asked, self.hurried = asyncio.Event(), asyncio.Event()
        self.all_stop = False
        self.post = post
        self._reopen = reopen
        self._servers = servers
        self._link = link
        self._lend = lend
        self._give_back = give_back
        self._beat: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_signal_handler(signal.SIGTERM, self._leave)
        self._loop.add_reader(post.fileno(), self._read)

    def ready(self, address: tuple[str, int] | None = None) -> None:
        """Tell the parent that clients are served, and from then on that they still are."""
        self.post.send(Ready(address))
        self._live()

    def _leave(self) -> None:
        self.post.send(Leaving())
        self.asked.set()

    def _live(self) -> None:
        self.post.send(Alive())
        self._beat = self._loop.call_later(BEAT, self._live)

    def close(self) -> None:
        """Follow no more orders."""
        self._loop.remove_reader(self.post.fileno())
        if self._beat is not None:
            self._beat.cancel()

    def _read(self) -> None:
        try:
            received = self.post.receive()
        except BlockingIOError:
            return
        if received is None:
            self.close()
            self.all_stop = True
            self.asked.set()
        else:
            self._follow(*received)

    def _follow(self, message: Message, files: list[int]) -> None:
        match message:
            case Stop(hurried):
                self.all_stop = True
                self.asked.set()
                if hurried:
                    self.hurried.set()
            case Reopen():
                self._reopen()
            case Servers():
                self._servers(message)
            case Link() if files:
                self._link(message, files.pop())
            case Lend(worker) if files and self._lend is not None:
                self._lend(worker, files.copy())
                files.clear()
            case Return(worker):
                self._give_back(worker)
            case _:
                pass
        for file in files:
            os.close(file)


def become(work: Callable[[], None], post: Post, mask: Iterable[int]) -> int:
    """Do a process' work, in a process that was just forked with `SIGNALS` blocked; its exit status.

    `mask` is what is to be blocked. What hinders it from starting is told to the parent, which says it once
    for all.
    """
    signal.set_wakeup_fd(-1)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    status = STARTED
    try:
        work()
    except ConfigurationError as error:
        post.send(Failed(str(error), True))
        status = REFUSED
    except BaseException as error:  # nothing of this process may go on as if it were the parent
        traceback.print_exc()
        post.send(Failed(type(error).__name__, False))
        status = CRASHED
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
        sys.stderr.flush()
    return status
