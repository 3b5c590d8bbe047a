"""The load generator of ours: `python -m proxy.commands.comparing.load.generator`.

It reads a plan (a line of JSON) from standard input, opens its connections and says `ready`; at the next line
it starts, and says what came of it; it holds its connections until standard input ends.

With a rate, requests are due at even intervals whatever the server does, and their time runs from when they
were due: one that had to wait for a slow one before it shows that wait. The generator never sleeps meanwhile,
so that it sends each on time.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import socket
import struct
import sys
import time
from array import array
from collections import deque
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import msgspec

from proxy.commands.comparing.load.connection import Connection
from proxy.commands.comparing.load.outcome import Outcome, Plan
from proxy.commands.comparing.load.requests import complete, read
from proxy.commands.comparing.spread import percentile

_TOGETHER = 100
"""Connections that are opened at once."""

_PATIENCE = 20.0
"""Seconds without any answer after which none is waited for."""

_SAID = 5


class Load:
    """All connections, and what has come over them."""

    def __init__(self, plan: Plan, clock: Callable[[], float] = time.perf_counter) -> None:
        self.plan = plan
        self.clock = clock
        self.requests = read(Path(plan.requests))
        self.times = array("d")
        self.errors = 0
        self.complaints: list[str] = []
        self.open: list[Connection] = []
        self._next = cycle(self.requests).__next__
        self._trace = time.time_ns()
        self.on_answer: Callable[[Connection], None] = lambda connection: None

    async def connect(self, number: int) -> list[Connection]:
        """Open so many connections. Raises OSError where one can't be."""
        opened: list[Connection] = []
        while len(opened) < number:
            some = min(_TOGETHER, number - len(opened))
            opened += await asyncio.gather(*(self._connect() for _ in range(some)))
        self.open += opened
        return opened

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        made = lambda: Connection(self.plan.length, self._answered, self._lost)  # noqa: E731
        transport, connection = await loop.create_connection(made, "127.0.0.1", self.plan.port)
        line = transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # no TIME_WAIT
        return connection

    def request(self) -> bytes:
        """What is to be asked next."""
        if not self.plan.traced:
            return self._next()
        self._trace += 1
        return complete(self._next(), self._trace)

    def ask(self, connection: Connection) -> None:
        """Ask the next thing now."""
        connection.ask(self.request(), self.clock())

    def _answered(self, connection: Connection, good: bool) -> None:
        self.times.append(self.clock() - connection.asked)
        if not good:
            self.complain("an answer other than 200, or with other content")
        self.on_answer(connection)

    def _lost(self, connection: Connection) -> None:
        if connection.busy:
            connection.busy = False
            self.complain("a connection broke off before the answer")
            self.times.append(self.clock() - connection.asked)
            self.on_answer(connection)

    def complain(self, what: str) -> None:
        """Count an error; the first ones are told in words."""
        self.errors += 1
        if len(self.complaints) < _SAID and what not in self.complaints:
            self.complaints.append(what)


async def closed_loop(load: Load, lines: list[Connection]) -> float:
    """Each connection asks anew as soon as it is answered; the seconds that it took."""
    until = load.clock() + load.plan.seconds
    over = asyncio.Event()

    def again(connection: Connection) -> None:
        if connection.asked < until and connection.transport is not None:
            load.ask(connection)
        elif not any(line.busy for line in lines):
            over.set()

    load.on_answer = again
    began = load.clock()
    for line in lines:
        load.ask(line)
    await _within(over, load, lines, _PATIENCE)
    return load.clock() - began


async def each_once(load: Load, lines: list[Connection], total: int) -> float:
    """Ask so many requests in all, all lines at once; the seconds that it took."""
    over = asyncio.Event()
    left = total

    def again(connection: Connection) -> None:
        nonlocal left
        if left and connection.transport is not None:
            left -= 1
            load.ask(connection)
        elif not any(line.busy for line in lines):
            over.set()

    load.on_answer = again
    began = load.clock()
    first = lines[:total]
    left -= len(first)
    for line in first:
        load.ask(line)
    await _within(over, load, lines, _PATIENCE)
    return load.clock() - began


async def at_rate(load: Load, lines: list[Connection], rate: float) -> tuple[float, list[float]]:
    """Ask at even intervals; the seconds that it took, and how late each request was sent."""
    free = deque(lines)
    waiting: deque[float] = deque()
    late = array("d")

    def done(connection: Connection) -> None:
        if connection.transport is None:
            return
        if waiting:
            connection.ask(load.request(), waiting.popleft())
        else:
            free.append(connection)

    load.on_answer = done
    began = load.clock()
    due, total = 0, int(rate * load.plan.seconds)
    while due < total:
        now = load.clock()
        while due < total and (moment := began + due / rate) <= now:
            due += 1
            if free:
                free.popleft().ask(load.request(), moment)
                late.append(load.clock() - moment)
            else:
                waiting.append(moment)
        await asyncio.sleep(0)
    await asyncio.sleep(max(0.0, began + load.plan.seconds - load.clock()))  # the last one is due before
    end = load.clock() + _PATIENCE / 4
    while any(line.busy for line in lines) and load.clock() < end:  # noqa: ASYNC110 - nothing tells when
        await asyncio.sleep(0.001)
    for moment in waiting:
        load.complain("a request that could not even be sent in time")
        load.times.append(load.clock() - moment)
    return load.clock() - began, sorted(late)


async def _within(over: asyncio.Event, load: Load, lines: list[Connection], patience: float) -> None:
    """Wait until it's over; where nobody is answered for so long, who hasn't been by then never will be."""
    answered = -1
    while answered < len(load.times):
        answered = len(load.times)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await over.wait()
                return
    for line in lines:
        if line.busy:
            load.complain("no answer in time")
            load.times.append(load.clock() - line.asked)


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def run(plan: Plan, say: Callable[[bytes], None], heard: Callable[[], str]) -> None:
    """Carry out a plan: say what there is to say, and wait at each step until something is heard."""
    loop = asyncio.get_running_loop()
    load = Load(plan)
    idle: list[Connection] = []
    if plan.idle:
        idle = await load.connect(plan.idle)
        await each_once(load, idle, plan.idle)
        load.times = array("d")
    lines = await load.connect(plan.connections)
    say(b'"ready"')
    await loop.run_in_executor(None, heard)
    gc.collect()
    gc.freeze()
    gc.disable()
    used = _processor()
    late: list[float] = []
    if plan.rate is not None:
        seconds, late = await at_rate(load, lines, plan.rate)
    elif plan.once:
        seconds = await each_once(load, lines, len(load.requests))
    elif plan.burst:
        seconds = await each_once(load, lines, len(lines))
    else:
        seconds = await closed_loop(load, lines)
    used = _processor() - used
    gone = sum(line.transport is None for line in idle)
    if gone:
        load.complain(f"{gone:,} idle connections were closed")
    say(msgspec.json.encode(_outcome(load, seconds, used, late)))
    await loop.run_in_executor(None, heard)
    for line in load.open:
        if line.transport is not None:
            line.transport.abort()


def _outcome(load: Load, seconds: float, used: float, late: list[float]) -> Outcome:
    ordered = sorted(load.times) or [0.0]
    answered = max(0, len(load.times) - load.errors)
    return Outcome(
        requests=answered,
        seconds=seconds,
        errors=load.errors,
        content=answered * load.plan.length,
        p50=percentile(ordered, 0.5),
        p99=percentile(ordered, 0.99),
        p999=percentile(ordered, 0.999),
        processor=used,
        late=percentile(late, 0.99) if late else None,
        complaints=load.complaints,
    )


def _say(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Carry out the plan that stands in the first line of standard input."""
    plan = msgspec.json.decode(sys.stdin.readline(), type=Plan)
    running = run(plan, _say, sys.stdin.readline)
    try:
        import uvloop
    except ImportError:
        asyncio.run(running)
    else:
        uvloop.run(running)


if __name__ == "__main__":
    main()
