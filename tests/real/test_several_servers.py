"""Several replicas of the shop behind the proxy, which come, go and are killed while people shop."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.real.running import Running, free_port, pellucid, program

REPLICA = (sys.executable, "-m", "backend", "--style", "resources", "--secret", "a secret for tests only")


@asynccontextmanager
async def replica() -> AsyncIterator[Running]:
    port = free_port()
    async with program(*REPLICA, "--listen", f"127.0.0.1:{port}", port=port) as running:
        yield running


async def ask(http: aiohttp.ClientSession, method: str, url: str, **options: Any) -> tuple[int, Any]:
    async with http.request(method, url, **options) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_a_replica_is_killed_and_nobody_notices(tmp_path: Path) -> None:
    async with replica() as first, replica() as second, aiohttp.ClientSession() as http:
        others = ("--upstream", second.url, "--set", "cache.stale_limit=0s")
        async with pellucid(first.url, tmp_path, *others) as proxy:

            async def shop(number: int) -> list[int]:
                headers = {"Cache-Control": "no-cache", "Accept": "application/json"}
                url = f"{proxy.url}/products/P{number + 1:04}"
                return [(await ask(http, "GET", url, headers=headers))[0] for _ in range(20)]

            shoppers = [asyncio.ensure_future(shop(number)) for number in range(10)]
            await asyncio.sleep(0.05)
            first.process.send_signal(signal.SIGKILL)
            statuses = {status for visit in await asyncio.gather(*shoppers) for status in visit}
            assert statuses == {200}
            records = await proxy.records_of(200)
        gone, left = f"127.0.0.1:{first.port}", f"127.0.0.1:{second.port}"
        upstreams = [record["upstream"] for record in records if record["upstream"]]
        assert {one["server"] for one in upstreams[-20:]} == {left}
        again = [one for one in upstreams if one["retry"]]
        assert again
        assert all(one["tried"] == [gone, left] for one in again)
        assert all(one["retry"].startswith("tried elsewhere") for one in again)


async def test_servers_are_added_and_drained_at_the_admin_address(tmp_path: Path) -> None:
    admin_port = free_port()
    async with replica() as first, replica() as second, replica() as third, aiohttp.ClientSession() as http:
        extra = ("--upstream", f"{second.url},weight=2", "--admin", f"127.0.0.1:{admin_port}")
        async with pellucid(first.url, tmp_path, *extra) as proxy:
            upstreams = f"http://127.0.0.1:{admin_port}/upstreams"
            _, listed = await ask(http, "GET", upstreams)
            assert [(one["state"], one["weight"]) for one in listed] == [("well", 1), ("well", 2)]
            assert (await ask(http, "POST", upstreams, json={"url": third.url}))[0] == 201
            assert (await ask(http, "POST", upstreams, json={"url": third.url}))[0] == 409
            assert (await ask(http, "POST", upstreams, json={"url": "ftp://x"}))[0] == 400
            assert (await ask(http, "POST", upstreams, json={"URL": third.url}))[0] == 400
            assert (await ask(http, "POST", upstreams, data=f'{{"url": "{third.url}"}}'))[0] == 415
            assert (await ask(http, "DELETE", f"{upstreams}/127.0.0.1:{first.port}"))[0] == 202
            for number in range(8):
                assert (await ask(http, "GET", f"{proxy.url}/products/P{number + 1:04}"))[0] == 200
            records = await proxy.records_of(8)
            asked = {record["upstream"]["server"] for record in records}
            assert asked == {f"127.0.0.1:{second.port}", f"127.0.0.1:{third.port}"}


async def test_a_client_comes_back_to_its_server_and_nobody_else_gets_its_cookie(tmp_path: Path) -> None:
    async with replica() as first, replica() as second, aiohttp.ClientSession() as http:
        extra = ("--upstream", second.url, "--balance", "sticky")
        async with pellucid(first.url, tmp_path, *extra) as proxy:
            url = f"{proxy.url}/products/P0001"
            async with http.get(url) as answer:
                assert "pellucid-server" in answer.cookies
            async with http.get(url, cookies={}) as answer:
                assert "hit" in answer.headers["Cache-Status"]
                assert "Set-Cookie" not in answer.headers


async def test_one_server_alone_is_there_for_good(tmp_path: Path) -> None:
    admin_port = free_port()
    admin = ("--admin", f"127.0.0.1:{admin_port}")
    async with (
        replica() as only,
        aiohttp.ClientSession() as http,
        pellucid(only.url, tmp_path, *admin),
    ):
        upstreams = f"http://127.0.0.1:{admin_port}/upstreams"
        assert await ask(http, "GET", upstreams) == (200, [])
        status, problem = await ask(http, "POST", upstreams, json={"url": only.url})
        assert status == 409
        assert "--upstream twice" in problem["detail"]
