"""The command as a person meets it: what it says, how it stops, one clear line where something is wrong."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from proxy.commands.serving import several
from proxy.server.workers.parent import NoWorkers
from tests.commands.calling import call, refused
from tests.real.running import Running, free_port, pellucid


async def run(*arguments: str) -> tuple[int, str]:
    """The exit status, and what was printed to standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "proxy", *arguments), stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, errors.decode()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["serve"], "--upstream"),
        (["serve", "--upstream", "ftp://a.example"], "ftp"),
        (["serve", "--upstream", "http://"], "http://"),
        (["serve", "--upstream", "http://a.example:99999"], "99999"),
        (["serve", "--upstream", "http://user:secret@a.example"], "upstream"),
        (["serve", "--upstream", "http://127.0.0.1:1", "--listen", "nowhere"], "nowhere"),
        (["serve", "--upstream", "http://127.0.0.1:1", "--memory", "lots"], "lots"),
        (["serve", "--upstream", "http://127.0.0.1:1", "--memory", "63KiB"], "64KiB of memory at least"),
        (["serve", "--upstream", "http://127.0.0.1:1", "--store", "tape:"], "tape"),
        (["serve", "--upstream", "http://127.0.0.1:1", "--store", "disk:/dev/null"], "it is no folder"),
        (["serve", "--upstream", "http://127.0.0.1:1", "--store", "disk:/dev"], "something else: /dev"),
        (["serve", "--upstream", "http://127.0.0.1:1", "--store", "disk:a,disk:b"], "one folder"),
        (["serve", "--upstream", "http://127.0.0.1:1", "--store", "valkey://me:secret@"], "no host"),
        (["serve", "--upstream", "http://127.0.0.1:1", "--store", "valkey://me:secret@a:b"], "no port"),
        (["purge", "--match", "("], "pattern"),
        (["purge", "--match", r"(a)\1"], "pattern"),
        (["purge", "--group", "g"], "origin"),
        (["serve", "--upstream", "http://127.0.0.1:1", "--set", "server.idel=3"], "server.idel"),
        (
            ["serve", "--upstream", "http://127.0.0.1:1", "--log", "/no/such/folder/log"],
            "/no/such/folder/log",
        ),
        (["serve", "--upstream", "http://127.0.0.1:1", "--config", "/no/such/file"], "/no/such/file"),
        (["serve", "--nonsense"], "--nonsense"),
        (["sevre"], "sevre"),
    ],
)
def test_what_can_t_be_done_is_said_in_one_line(arguments: list[str], complaint: str) -> None:
    listen = ["--listen", "127.0.0.1:0"] if arguments[0] == "serve" and "--listen" not in arguments else []
    assert "secret" not in refused(*arguments, *listen, about=complaint).err


def test_processes_that_can_t_be_started_are_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> None:
        raise NoWorkers("worker 1 can't be started", evidence="Cannot allocate memory")

    monkeypatch.setattr(several, "serve_with", none_left)
    run = call("serve", "--upstream", "http://127.0.0.1:1", "--workers", "2")
    assert (run.status, run.out) == (1, "")
    assert run.err == "pellucid: worker 1 can't be started: Cannot allocate memory\n"


async def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for option in ("--listen", "--admin"):
            others = ["--listen", "127.0.0.1:0"] if option == "--admin" else []
            status, errors = await run("serve", "--upstream", "http://127.0.0.1:1", *others, option, address)
            assert (status, len(errors.splitlines())) == (2, 1)
            assert address in errors


async def test_an_upstream_that_is_down_is_no_reason_not_to_start(tmp_path: Path) -> None:
    port = free_port()
    async with (
        pellucid(f"http://127.0.0.1:{port}", tmp_path) as proxy,
        aiohttp.ClientSession() as client,
    ):
        async with client.get(proxy.url) as response:
            assert response.status == 502
            assert response.content_type == "application/problem+json"
            assert "connection_refused" in response.headers["Proxy-Status"]
        server = await origin(port)
        async with client.get(proxy.url) as response:
            assert (response.status, await response.text()) == (200, "here now")
        await server.cleanup()


async def origin(port: int, delay: float = 0.0) -> web.ServerRunner:
    async def answer(_: web.BaseRequest) -> web.Response:
        await asyncio.sleep(delay)
        return web.Response(text="here now")

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


async def test_sigterm_lets_exchanges_finish(tmp_path: Path) -> None:
    port = free_port()
    server = await origin(port, delay=0.5)
    async with (
        pellucid(f"http://127.0.0.1:{port}", tmp_path) as proxy,
        aiohttp.ClientSession() as client,
    ):
        asking = asyncio.ensure_future(client.get(proxy.url))
        await asyncio.sleep(0.2)
        proxy.process.send_signal(signal.SIGTERM)
        response = await asking
        assert await response.text() == "here now"
        assert await proxy.process.wait() == 0
        assert len(proxy.records()) == 1
    await server.cleanup()


async def test_an_idle_proxy_stops_at_once(tmp_path: Path) -> None:
    async with pellucid("http://127.0.0.1:1", tmp_path) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        proxy.process.send_signal(signal.SIGINT)
        assert await proxy.process.wait() == 0
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


async def test_the_log_is_opened_anew_when_it_was_moved_away(tmp_path: Path) -> None:
    port = free_port()
    server = await origin(port)
    async with (
        pellucid(f"http://127.0.0.1:{port}", tmp_path) as proxy,
        aiohttp.ClientSession() as client,
    ):
        await ask(client, proxy)
        await proxy.records_of(1)
        assert proxy.log is not None
        proxy.log.rename(tmp_path / "yesterday.jsonl")
        proxy.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(10):
            while not proxy.log.exists():  # noqa: ASYNC110 - nothing tells when a file is there
                await asyncio.sleep(0.02)
        await ask(client, proxy)
        await proxy.records_of(1)
    await server.cleanup()


async def ask(client: aiohttp.ClientSession, proxy: Running) -> None:
    async with client.get(proxy.url) as response:
        assert response.status == 200
