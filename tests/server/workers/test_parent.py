"""A parent with small processes of its own, as a program that is told what they do."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PROGRAM = """
import os, signal, sys, time
from proxy.message.errors import ConfigurationError
from proxy.server.workers.job import Job
from proxy.server.workers.parent import NoWorkers, Parent
from proxy.server.workers.post import Alive, Ready, Servers

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def stays(place):
    place.post.send(Ready())
    say("up", place.serial, os.getpid())
    while True:
        try:
            message = place.post.receive()
        except BlockingIOError:
            time.sleep(0.01)
        else:
            say("told", type(message[0]).__name__ if message else "nothing more")
            if message is None or type(message[0]).__name__ == "Stop":
                return

def refuses(place):
    raise ConfigurationError("not like that", evidence="x")

def breaks(place):
    os.kill(os.getpid(), signal.SIGKILL)

def hangs(place):
    place.post.send(Ready())
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("up", place.serial, os.getpid())
    while True:
        time.sleep(1)

def lives(place):
    place.post.send(Ready())
    say("up", place.serial, os.getpid())
    while place.post.send(Alive()):
        time.sleep(0.1)

jobs = [Job(f"worker {n}", globals()[name], n) for n, name in enumerate(sys.argv[1:])]
try:
    patience = 1.0 if "lives" in sys.argv else 0.0
    parent = Parent(jobs, Servers(()), grace=0.0, crashed=lambda: say("crashed"), patience=patience)
    parent.run(lambda: say("all up"))
except (ConfigurationError, NoWorkers) as error:
    say(type(error).__name__, error)
say("over")
"""


class Program:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def says(self, stream: int = 1) -> str:
        source = self.process.stdout if stream == 1 else self.process.stderr
        assert source is not None
        async with asyncio.timeout(30):
            return (await source.readline()).decode().strip()

    async def until_all_are_up(self, workers: int) -> list[int]:
        """Their process ids."""
        lines = [await self.says() for _ in range(workers + 1)]
        assert "all up" in lines
        return [int(line.split()[2]) for line in lines if line.startswith("up")]


THIRD_FORK_FAILS = """
import errno, os
forks = []

def fork(real=os.fork):
    forks.append(real)
    if len(forks) == 3:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
    return real()

os.fork = fork
"""


@asynccontextmanager
async def program(*works: str, first: str = "") -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", first + PROGRAM, *works),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        process._transport.close()  # type: ignore[attr-defined]


async def test_one_that_dies_again_and_again_is_replaced_later_each_time() -> None:
    async with program("stays", "stays") as running:
        dying, _ = await running.until_all_are_up(2)
        for wait in ("", " in 0.1 s", " in 0.2 s"):
            os.kill(dying, signal.SIGKILL)
            said = await running.says(2)
            assert said.endswith(f"was killed by SIGKILL; another takes its place{wait}")
            assert f"process {dying}" in said
            dying = int((await running.says()).split()[2])
        running.process.terminate()
        told = sorted([await running.says() for _ in range(3)])
        assert told == ["over", "told Stop", "told Stop"]


async def test_where_the_system_has_no_process_left_it_is_tried_again_later() -> None:
    async with program("stays", "stays", first=THIRD_FORK_FAILS) as running:
        dying, _ = await running.until_all_are_up(2)
        os.kill(dying, signal.SIGKILL)
        assert (await running.says(2)).endswith("another takes its place")
        why = "can't be started (Resource temporarily unavailable); tried again in 0.2 s"
        assert (await running.says(2)).endswith(why)
        assert (await running.says()).startswith("up 3 ")
        running.process.terminate()
        assert sorted([await running.says() for _ in range(3)]) == ["over", "told Stop", "told Stop"]


async def test_where_there_is_none_from_the_beginning_all_end() -> None:
    async with program("stays", "stays", "stays", first=THIRD_FORK_FAILS) as running:
        said = {await running.says() for _ in range(4)}
        assert "NoWorkers worker 2 can't be started: Resource temporarily unavailable" in said
        assert "over" in said


async def test_what_one_can_t_do_is_said_once_and_ends_all() -> None:
    async with program("stays", "refuses", "refuses") as running:
        said = [await running.says() for _ in range(3)]
        assert "ConfigurationError not like that: x" in said
        assert "all up" not in said


async def test_one_that_dies_before_it_serves_ends_all() -> None:
    async with program("breaks") as running:
        assert await running.says() == "NoWorkers worker 0 ended before it served anybody"
        assert await running.says() == "over"


async def test_all_are_told_to_open_the_log_anew() -> None:
    async with program("stays", "stays") as running:
        await running.until_all_are_up(2)
        running.process.send_signal(signal.SIGHUP)
        assert [await running.says() for _ in range(2)] == ["told Reopen"] * 2


async def test_one_that_hangs_is_ended_by_force() -> None:
    async with program("hangs") as running:
        await running.until_all_are_up(1)
        for _ in range(3):
            running.process.terminate()
            await asyncio.sleep(0.1)
        assert await running.says() == "over"


async def test_without_the_parent_they_are_told_that_nothing_more_comes() -> None:
    async with program("stays") as running:
        await running.until_all_are_up(1)
        running.process.kill()
        assert await running.says() == "told nothing more"


async def test_a_crash_is_told_of_before_another_takes_its_place() -> None:
    async with program("stays") as running:
        (process,) = await running.until_all_are_up(1)
        for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT):
            os.kill(process, number)
            assert await running.says() == "crashed"
            process = int((await running.says()).split()[2])
        os.kill(process, signal.SIGKILL)
        assert (await running.says()).startswith("up ")


async def test_all_that_die_at_once_are_all_replaced() -> None:
    async with program("stays", "stays") as running:
        dying = await running.until_all_are_up(2)
        for _ in range(3):
            for process in dying:
                os.kill(process, signal.SIGKILL)
            dying = [int((await running.says()).split()[2]) for _ in dying]
        running.process.terminate()
        assert sorted([await running.says() for _ in range(3)]) == ["over", "told Stop", "told Stop"]


async def test_one_that_gives_no_sign_is_ended_and_replaced() -> None:
    async with program("lives", "lives") as running:
        one, other = await running.until_all_are_up(2)
        os.kill(one, signal.SIGSTOP)
        said = await running.says(2)
        assert said.endswith(f"(process {one}) hung for 1 s; another takes its place")
        assert (await running.says()).startswith("up 3 ")
        os.kill(other, 0)
