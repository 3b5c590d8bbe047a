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

from backend.cli import main
from backend.records.opening import move_in, open_records
from backend.valkeys import at_once

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


@pytest.mark.parametrize("style", ["sessions", "resources", "tokens", "flask"])
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


@pytest.mark.parametrize(("style", "path"), [("resources", "/carts"), ("flask", "/logout")])
async def test_requests_under_way_finish_when_it_is_stopped(start, style, path):
    process, url = await start("--style", style, "--latency", "300")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    head = f"POST {path} HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n"
    writer.write(head.encode())
    assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
    process.send_signal(signal.SIGTERM)
    rest = (await reader.read()).lstrip(b"\r\n")
    assert rest.startswith(b"HTTP/1.1 20")
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
        (["--token-limit", "4096"], "--token-limit"),
        (["--rate", "-1"], "--rate"),
        (["--key", "long enough", "--key", "short"], "--key"),
        (["--style", "tokens", "--keys", "/nowhere/keys"], "/nowhere/keys: No such file"),
        (["--style", "flask", "--keys", "/nowhere/keys"], "/nowhere/keys: No such file"),
        (["--state", "sessions.db"], "--state"),
        (["--state", "http://127.0.0.1:1"], "--state"),
        (["--data", "redis://127.0.0.1:1"], "--data"),
        (["--data", "valkey://:secret@"], "--data"),
        (["--data", "valkey://127.0.0.1:x"], "--data"),
        (["--data", "unix://"], "--data"),
        (["--data", "shop.db", "--state", "valkey://127.0.0.1:1"], "not both"),
        (["--data", "valkey://:secret@127.0.0.1:1/0"], "can't keep records in valkey://127.0.0.1:1/0: "),
        (["--style", "sessions", "--state", "unix:///nowhere/s"], "can't keep records in unix:///nowhere/s"),
        (
            ["--style", "flask", "--data", "valkey://127.0.0.1:1"],
            "can't keep records in valkey://127.0.0.1:1",
        ),
        (["--list-orders", "--data", "valkey://127.0.0.1:1"], "can't read records in valkey://127.0.0.1:1"),
        (["--session-minutes", "nan"], "--session-minutes"),
        (["--frobnicate"], "--frobnicate"),
        (["something"], "something"),
    ],
)
def test_what_can_not_be_used_is_said_in_one_line(arguments, about, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("python -m backend: ")
    assert about in err
    assert "secret@" not in err


def test_it_is_the_same_as_a_process():
    result = run("--style", "cookies")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("python -m backend: Invalid value for '--style'")


def test_a_store_of_another_shop_is_said_in_one_line(tmp_path, capsys):
    data = str(tmp_path / "shop.db")
    at_once(move_in(records := open_records(data, 10), "2/200"))
    at_once(records.close())
    assert main(["--data", data]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"python -m backend: the records in {data} are of another shop, "
        "with seed/products 2/200 and not 1/200"
    ]


WITHOUT = "import sys; sys.modules[sys.argv.pop(1)] = None; from backend.cli import main; sys.exit(main())"


@pytest.mark.parametrize(
    ("arguments", "missing", "said"),
    [
        (["--style", "flask"], "flask", "the style flask needs flask: pip install 'pellucid[demo]'"),
        (["--style", "flask"], "cheroot.wsgi", "the style flask needs cheroot"),
        (["--style", "tokens", "--tokens", "encrypted"], "joserfc", "encrypted tokens need joserfc"),
    ],
)
def test_what_is_not_installed_is_said_in_one_line(arguments, missing, said):
    command = [sys.executable, "-c", WITHOUT, missing, *arguments, "--listen", "127.0.0.1:0"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert said in result.stderr


@pytest.mark.parametrize("style", ["tokens", "flask"])
async def test_sighup_has_the_keys_read_again(start, tmp_path, style):
    keys = tmp_path / "keys"
    keys.write_text("the old key")
    process, url = await start("--style", style, "--keys", str(keys))
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        await (await http.post(f"{url}/cart/items", json={"sku": "P0003"})).read()
        keys.write_text("short")
        process.send_signal(signal.SIGHUP)
        said = (await process.stderr.readline()).decode()
        assert said == "The keys stay as they were: a secret has at least 8 characters\n"
        assert (await (await http.get(f"{url}/cart")).json())["count"] == 1
        keys.write_text("another key")
        process.send_signal(signal.SIGHUP)
        for _ in range(3_000):
            if (await (await http.get(f"{url}/cart")).json()).get("count") != 1:
                break
            await asyncio.sleep(0.01)
        else:
            pytest.fail("the old key still reads")
    process.send_signal(signal.SIGTERM)
    assert await ended(process) == (0, "")


@pytest.mark.parametrize("style", ["resources", "flask"])
def test_a_port_in_use_is_said_in_one_line(style, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--style", style, "--listen", f"127.0.0.1:{port}"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        f"python -m backend: can't listen on 127.0.0.1:{port}: Address already in use"
    ]


def test_help_says_that_replicas_need_the_same_secret(capsys):
    assert main(["--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "Give all replicas the same one" in text
    for option in ("--style", "--listen", "--latency", "--seed", "--products", "--secret", "--data"):
        assert option in text
