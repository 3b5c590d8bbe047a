"""`pellucid purge` against proxies that run, and what it says where something is wrong."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from proxy.commands.purging.sending import AT_ONCE
from proxy.server.app import Proxy
from proxy.server.configuration import Settings
from proxy.upstream.address import Server
from proxy.visibility.redaction import Redaction
from tests.commands.calling import Run, called


@dataclass
class Fleet:
    """Proxies in front of one origin, each with its own memory."""

    urls: list[str] = field(default_factory=list)
    admins: list[str] = field(default_factory=list)

    async def get(self, number: int, *paths: str) -> list[str]:
        """What each response's Cache-Status says first: whether it was a hit."""
        found = []
        async with aiohttp.ClientSession() as session:
            for path in paths:
                named = {"Host": "shop.example"}
                async with session.get(self.urls[number] + path, headers=named) as response:
                    found.append(response.headers["Cache-Status"].split(";")[1])
        return found

    @property
    def options(self) -> list[str]:
        return [word for admin in self.admins for word in ("--admin", admin)]


@pytest.fixture
async def fleet() -> AsyncIterator[Fleet]:
    async def answer(request: web.Request) -> web.Response:
        tags = {"Cache-Tag": request.path[1:2], "Cache-Groups": '"group"'}
        return web.Response(text="x", headers={"Cache-Control": "max-age=60", **tags})

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = Server("http", "127.0.0.1", runner.addresses[0][1])
    found, proxies = Fleet(), []
    for _ in range(2):
        proxy = Proxy(Settings(), server, log=None, terminal=None)
        proxies.append(proxy)
        found.urls.append("http://{}:{}".format(*await proxy.start(("127.0.0.1", 0))))
        found.admins.append("{}:{}".format(*await proxy.start_admin(("127.0.0.1", 0), Redaction())))
    yield found
    for proxy in proxies:
        await proxy.stop()
    await runner.cleanup()


async def purge(*arguments: str, given: bytes = b"") -> Run:
    return await called("purge", *arguments, given=given)


SHOP = "http://shop.example"


async def test_a_url(fleet: Fleet) -> None:
    await fleet.get(0, "/a", "/b")
    run = await purge(SHOP + "/a", "--admin", fleet.admins[0])
    assert (run.status, run.err) == (0, "")
    assert run.out == f"{fleet.admins[0]}  removed: 1 in memory\n"
    assert await fleet.get(0, "/a", "/b") == ["fwd=uri-miss", "hit"]


async def test_what_was_not_there(fleet: Fleet) -> None:
    run = await purge(SHOP + "/a?b", "--admin", fleet.admins[0])
    assert (run.status, run.err) == (1, "")
    assert run.out == f"{fleet.admins[0]}  removed: 0 in memory\nnot there:\n  url {SHOP}/a?b\n"


async def test_several_things_at_several_proxies(fleet: Fleet) -> None:
    await fleet.get(0, "/a", "/b", "/c/1", "/c/2")
    await fleet.get(1, "/a", "/d")
    run = await purge(
        SHOP + "/a", "--prefix", SHOP + "/c/", "--tag", "d", "--match", "nowhere", "--soft", *fleet.options
    )
    assert run.status == 0
    assert run.out.splitlines() == [
        f"{fleet.admins[0]}  made stale: 3 in memory",
        f"  url {SHOP}/a: 1 in memory",
        f"  prefix {SHOP}/c/: 2 in memory",
        f"{fleet.admins[1]}  made stale: 2 in memory",
        f"  url {SHOP}/a: 1 in memory",
        "  tag d: 1 in memory",
        "not there:",
        "  match nowhere",
    ]
    assert await fleet.get(0, "/a", "/b") == ["fwd=stale", "hit"]
    assert await fleet.get(1, "/d") == ["fwd=stale"]


async def test_a_group_of_an_origin_and_all(fleet: Fleet) -> None:
    await fleet.get(0, "/a", "/b")
    run = await purge("--group", "group", "--origin", SHOP, "--dry-run", *fleet.options)
    assert run.out.startswith(f"{fleet.admins[0]}  would be removed: 2 in memory\n")
    assert (await purge("--all", *fleet.options)).status == 0
    assert (await purge("--all", *fleet.options)).status == 1


async def test_as_json(fleet: Fleet) -> None:
    await fleet.get(0, "/a")
    run = await purge(SHOP + "/a", "--tag", "none", "--format", "json", *fleet.options)
    told = json.loads(run.out)
    assert {name: told[name] for name in ("format", "soft", "dry", "missing")} == {
        "format": "pellucid/purge-1",
        "soft": False,
        "dry": False,
        "missing": ["tag none"],
    }
    first, second = told["proxies"]
    assert first["admin"] == fleet.admins[0]
    assert (first["answer"]["entries"], second["answer"]["entries"]) == ({"memory": 1}, {"memory": 0})


async def test_urls_from_standard_input_and_very_many(fleet: Fleet) -> None:
    await fleet.get(0, "/a")
    urls = [f"{SHOP}/{number}" for number in range(2 * AT_ONCE + 5)] + ["", f" {SHOP}/a "]
    run = await purge("-", "--format", "json", "--admin", fleet.admins[0], given="\r\n".join(urls).encode())
    told = json.loads(run.out)
    assert (run.status, told["proxies"][0]["answer"]["entries"]) == (0, {"memory": 1})
    assert len(told["missing"]) == 2 * AT_ONCE + 5
    run = await purge("-", "--admin", fleet.admins[0], given="\n".join(urls).encode())
    assert (run.status, len(run.out.splitlines())) == (1, 23)
    assert run.out.endswith(f"  and {2 * AT_ONCE + 6 - 20:,} more\n")


async def test_a_proxy_that_can_not_be_asked(fleet: Fleet, unused_tcp_port: int) -> None:
    await fleet.get(0, "/a")
    gone = f"127.0.0.1:{unused_tcp_port}"
    run = await purge(SHOP + "/a", "--admin", gone, "--admin", fleet.admins[0])
    assert run.status == 2
    assert run.err.startswith(f"pellucid: {gone}: can't be asked (Connect")
    assert run.out == f"{fleet.admins[0]}  removed: 1 in memory\n"
    told = json.loads((await purge("--all", "--format", "json", "--admin", gone)).out)
    assert told["proxies"][0]["error"].startswith("can't be asked")


async def test_something_else_at_that_address(fleet: Fleet) -> None:
    """The proxy's own port: what is there is the origin."""
    run = await purge("--all", "--admin", fleet.urls[0].removeprefix("http://"))
    assert (run.status, run.out) == (2, "")
    assert "405" in run.err


Answering = Callable[[web.Request], Any]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"{}", "something else"), (b"\xff", "something else"), (b"[1]", "something else")],
)
async def test_an_answer_that_is_none(content: bytes, said: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=content)

    app = web.Application()
    app.router.add_post("/purge", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    run = await purge("--all", "--admin", f"127.0.0.1:{runner.addresses[0][1]}")
    await runner.cleanup()
    assert (run.status, said in run.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing is named"),
        (["--soft"], "nothing is named"),
        (["/path"], "http://HOST/PATH"),
        (["http://user:secret@h/"], "http://HOST/PATH"),
        (["--match", "(a"], "missing )"),
        (["--match", r"(a+)\1"], r"\1"),
        (["--group", "g"], "origin"),
        (["--tag", ""], "a tag has from 1"),
        (["--all", "--admin", "nowhere"], "nowhere"),
        (["--all", "--admin", "127.0.0.1:0"], "port"),
        (["http://h/\udcff"], "not UTF-8"),
        (["--format", "xml", "--all"], "xml"),
    ],
)
async def test_bad_use_is_one_line(arguments: list[str], said: str) -> None:
    run = await purge(*arguments)
    assert (run.status, run.out) == (2, "")
    assert run.err.count("\n") == 1
    assert said in run.err
    assert "secret" not in run.err
