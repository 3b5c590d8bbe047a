"""`pellucid audit` against the shop in its three styles, from a recording of one shopper's visit."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from backend.app import build, runner
from backend.settings import Settings
from proxy.visibility.auditing.shape import Dependence
from tests.commands.calling import call, called
from tests.visibility.auditing.browsing import Browser

SECRET = "a secret for tests only"


@asynccontextmanager
async def replicas(style: str, folder: Path, count: int = 2) -> AsyncIterator[list[str]]:
    """So many servers of one shop, as they are run in earnest: with one secret and one file of records."""
    runners: list[web.AppRunner] = []
    urls = []
    try:
        for _ in range(count):
            made = runner(build(Settings(style=style, secrets=(SECRET,), data=str(folder / "shop.sqlite"))))
            runners.append(made)
            await made.setup()
            await web.TCPSite(made, "127.0.0.1", 0).start()
            urls.append("http://{}:{}".format(*made.addresses[0][:2]))
        yield urls
    finally:
        for made in runners:
            await made.cleanup()


async def visit(url: str, style: str) -> str:
    """Look around, take something, log in, look at one's own pages; as a HAR."""
    browser = Browser(url)
    async with browser.http:
        await browser.ask("GET", "/")
        await browser.ask("GET", "/catalogue?category=vases")
        product = await browser.ask("GET", "/products/P0002")
        if style == "resources":
            await browser.ask("GET", "/accounts/ann", headers={"Authorization": "Basic YW5uOmFwcGxl"})
        else:
            action = product["actions"]["add-to-cart"]
            await browser.ask(action["method"], action["href"], data={"sku": "P0002", "quantity": "1"})
            await browser.ask("GET", "/cart")
            await browser.ask("POST", "/login", data={"name": "ann", "password": "apple"})
            await browser.ask("GET", "/account")
            await browser.ask("GET", "/cart")
        for sku in ("P0003", "P0004"):
            await browser.ask("GET", f"/products/{sku}")
        await browser.ask("GET", "/logout")
    return browser.har()


async def audit(style: str, folder: Path, *arguments: str, count: int = 2) -> str:
    async with replicas(style, folder, count) as urls:
        recording = folder / "visit.har"
        recording.write_text(await visit(urls[0], style))
        upstreams = [argument for url in urls for argument in ("--upstream", url)]
        quick = ("--rate", "5000", "--pause", "0")
        run = await called("audit", *upstreams, *quick, *arguments, str(recording))
        assert (run.status, run.err) == (0, "")
        return run.out


async def verdicts(style: str, folder: Path, count: int = 2) -> dict[str, dict[str, Any]]:
    found = json.loads(await audit(style, folder, "--format", "json", count=count))
    return {one["endpoint"]: one for one in found["endpoints"]}


@pytest.mark.parametrize("count", [1, 2], ids=["one replica", "two replicas"])
async def test_sessions_are_held_by_a_server(tmp_path: Path, count: int) -> None:
    found = await verdicts("sessions", tmp_path, count)
    assert found["GET /"]["gives"] == ["sid"]
    assert found["GET /"]["verdict"] == (Dependence.SERVER_HELD if count == 2 else Dependence.STATELESS)
    for endpoint in ("GET /cart", "GET /account"):
        assert found[endpoint]["verdict"] == Dependence.SERVER_HELD, found[endpoint]
        assert found[endpoint]["on"] == "sid"
        assert len(found[endpoint]["proof"]) == 2


async def test_resources_need_nothing_but_the_message(tmp_path: Path) -> None:
    found = await verdicts("resources", tmp_path)
    for endpoint in ("GET /", "GET /catalogue", "GET /products/{id}"):
        assert found[endpoint]["verdict"] == Dependence.STATELESS, found[endpoint]
    (account,) = (one for name, one in found.items() if name.startswith("GET /accounts"))
    assert account["verdict"] == Dependence.PERSONALISED


async def test_tokens_hold_the_state_themselves(tmp_path: Path) -> None:
    found = await verdicts("tokens", tmp_path)
    for endpoint in ("GET /cart", "GET /account"):
        assert found[endpoint]["verdict"] == Dependence.CLIENT_HELD, found[endpoint]
        assert found[endpoint]["on"] == "shop"
    for endpoint in ("GET /", "GET /catalogue", "GET /products/{id}"):
        assert found[endpoint]["verdict"] == Dependence.STATELESS, found[endpoint]


async def test_the_text_says_it_and_holds_no_credential(tmp_path: Path) -> None:
    text = await audit("sessions", tmp_path)
    entries = json.loads((tmp_path / "visit.har").read_text())["log"]["entries"]
    lines = [header for entry in entries for header in entry["request"]["headers"]]
    cookies = {one["value"].partition("=")[2] for one in lines if one["name"] == "Cookie"}
    assert cookies
    assert not [cookie for cookie in cookies if cookie in text]
    assert "GET /cart: server-held" in text
    assert "not a safe method" in text
    assert "excluded by its name" in text
    assert all(len(line) <= 100 for line in text.splitlines())


async def test_a_dry_run_sends_nothing(tmp_path: Path) -> None:
    async with replicas("tokens", tmp_path, 1) as urls:
        (tmp_path / "visit.har").write_text(await visit(urls[0], "tokens"))
    run = call("audit", "--upstream", urls[0], "--dry-run", str(tmp_path / "visit.har"))
    assert run.status == 0
    assert "GET /cart, without the cookie shop" in run.out
    assert "POST" not in run.out
    assert "Nothing was sent" in run.out


async def test_a_server_that_is_gone_makes_everything_unclear(tmp_path: Path) -> None:
    async with replicas("resources", tmp_path, 1) as urls:
        (tmp_path / "visit.har").write_text(await visit(urls[0], "resources"))
    command = [sys.executable, "-m", "proxy", "audit", "--upstream", urls[0], "--pause", "0"]
    command.append(str(tmp_path / "visit.har"))
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True)
    assert "unclear" in done.stdout
    assert "stateless" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--upstream", "127.0.0.1", "LOG"), "an upstream URL starts with http"),
        (("--upstream", "http://127.0.0.1:1", "--rate", "0", "LOG"), "--rate"),
        (("--upstream", "http://127.0.0.1:1", "--exclude", "(", "LOG"), "not a regular expression"),
        (("--upstream", "http://127.0.0.1:1", "--each", "0", "LOG"), "--each has to be 1 or more"),
        (("--upstream", "http://127.0.0.1:1", "nowhere.har"), "nowhere.har"),
        (("LOG",), "--upstream"),
        (("--upstream", "http://127.0.0.1:1"), "FILE"),
        (("--upstream", "http://127.0.0.1:1", "LOG"), "there is no request to replay"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    log = tmp_path / "log.har"
    log.write_text('{"log": {"version": "1.2", "entries": []}}')
    run = call("audit", *(str(log) if one == "LOG" else one for one in arguments))
    assert run.status in (1, 2)
    assert run.out == ""
    assert said in run.err
    assert run.err.count("\n") == 1
