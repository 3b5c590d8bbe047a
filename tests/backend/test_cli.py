"""python -m backend, as a process."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import subprocess
import sys

import aiohttp
import pytest

COMMAND = [sys.executable, "-m", "backend"]
READY = re.compile(
    r"The shop \(\w+, \d+ products, seed \d+\) accepts connections on http://127\.0\.0\.1:\d+\n"
)


@pytest.fixture
async def start():
    """Starts a replica and waits until it accepts connections: gives the process and its URL."""
    processes = []

    async def started(*arguments):
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            "--listen",
            "127.0.0.1:0",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        processes.append(process)
        line = (await process.stdout.readline()).decode()
        assert READY.fullmatch(line), line or (await process.stderr.read()).decode()
        return process, line.split()[-1]

    yield started
    for process in processes:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def ended(process):
    """Its exit status, and whatever it still said."""
    said = await process.communicate()
    return process.returncode, b"".join(said).decode()


@pytest.mark.parametrize("style", ["sessions", "resources", "tokens"])
async def test_it_says_when_it_is_ready_serves_its_style_and_ends_cleanly_on_sigterm(start, style):
    process, url = await start("--style", style, "--products", "10")
    async with aiohttp.ClientSession() as http, http.get(f"{url}/") as response:
        assert (await response.json())["style"] == style
        process.send_signal(signal.SIGTERM)
        assert await ended(process) == (0, "")


async def test_sigint_ends_it_as_cleanly(start):
    process, _ = await start()
    process.send_signal(signal.SIGINT)
    assert await ended(process) == (0, "")


async def test_requests_under_way_finish_when_it_is_stopped(start):
    process, url = await start("--latency", "300")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(b"POST /carts HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n")
    assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
    process.send_signal(signal.SIGTERM)
    rest = await reader.read()
    assert rest.startswith(b"\r\nHTTP/1.1 201 Created\r\n")
    assert b'"title":"Your cart"' in rest
    writer.close()
    await writer.wait_closed()
    assert await ended(process) == (0, "")


async def test_replicas_with_the_same_seed_serve_the_same(start):
    replicas = [await start("--seed", "9", "--products", "30") for _ in range(2)]
    async with aiohttp.ClientSession() as http:
        answers = [await http.get(f"{url}/catalogue") for _, url in replicas]
        bodies = [await answer.read() for answer in answers]
    assert bodies[0] == bodies[1]
    assert answers[0].headers["ETag"] == answers[1].headers["ETag"]
    for process, _ in replicas:
        process.send_signal(signal.SIGTERM)
        assert await ended(process) == (0, "")


def run(*arguments, **options):
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, **options)


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        (["--style", "cookies"], "--style"),
        (["--listen", "8090"], "--listen"),
        (["--listen", "127.0.0.1:99999"], "--listen"),
        (["--listen", "127.0.0.1:"], "--listen"),
        (["--listen", "::1:80"], "--listen"),
        (["--listen", "256.256.256.256:0"], "listen"),
        (["--latency", "-1"], "--latency"),
        (["--latency", "nan"], "--latency"),
        (["--products", "0"], "--products"),
        (["--products", "many"], "--products"),
        (["--seed", "1.5"], "--seed"),
        (["--secret", "short"], "--secret"),
        (["--data", "/nowhere/at/all.db"], "/nowhere/at/all.db"),
        (["--session-limit", "0"], "--session-limit"),
        (["--token-minutes", "0"], "--token-minutes"),
        (["--token-minutes", "inf"], "--token-minutes"),
        (["--session-minutes", "nan"], "--session-minutes"),
        (["--frobnicate"], "--frobnicate"),
        (["something"], "something"),
    ],
)
def test_what_can_not_be_used_is_said_in_one_line(arguments, about):
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("python -m backend: ")
    assert about in result.stderr


def test_a_port_in_use_is_said_in_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("--listen", f"127.0.0.1:{port}")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        f"python -m backend: can't listen on 127.0.0.1:{port}: Address already in use"
    ]


def test_help_says_that_replicas_need_the_same_secret():
    result = run("--help")
    assert result.returncode == 0
    text = " ".join(result.stdout.split())
    assert "Give all replicas the same one" in text
    for option in ("--style", "--listen", "--latency", "--seed", "--products", "--secret", "--data"):
        assert option in text
