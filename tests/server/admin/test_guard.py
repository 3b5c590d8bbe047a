"""Who may read the admin address, and what browsers are told."""

from __future__ import annotations

import pytest

from proxy.server.admin.guard import Hosts
from proxy.server.admin.site import make_admin
from tests.server.running import Client, Running, Serve, problem, send


@pytest.fixture
def running() -> Running:
    return Running()


@pytest.fixture
async def client(running: Running, aiohttp_client: Serve) -> Client:
    return await aiohttp_client(make_admin(running.sources))


class TestWhoMayRead:
    @pytest.mark.parametrize(
        "host",
        [
            "localhost",
            "LOCALHOST:8081",
            "localhost.:1",
            "127.0.0.1:80",
            "127.8.9.1",
            "[::1]:8081",
            "[::1]",
            "a.localhost",
        ],
    )
    def test_loopback_names_are_always_allowed(self, host: str) -> None:
        assert Hosts("127.0.0.1").allows(host)

    @pytest.mark.parametrize(
        "host",
        [
            "",
            "evil.example",
            "evil.example:8081",
            "localhost.evil.example",
            "127.0.0.1.evil",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "[::1",
            "x[::1]",
            "[::1]x",
            "localhost:x",
            "localhost:1:2",
        ],
    )
    def test_others_are_not(self, host: str) -> None:
        assert not Hosts("127.0.0.1").allows(host)

    def test_the_address_it_listens_at_is_allowed(self) -> None:
        hosts = Hosts("192.0.2.7", names=["Cache.internal"])
        assert hosts.allows("192.0.2.7:8081")
        assert hosts.allows("cache.internal:8081")
        assert not hosts.allows("192.0.2.8:8081")
        assert Hosts("cache.internal").allows("cache.internal")

    @pytest.mark.parametrize("bound", ["", "0.0.0.0", "::"])
    def test_listening_everywhere_any_address_is_allowed_but_no_name(self, bound: str) -> None:
        hosts = Hosts(bound)
        assert hosts.allows("198.51.100.4:8081")
        assert hosts.allows("[2001:db8::1]:8081")
        assert not hosts.allows("evil.example:8081")

    @pytest.mark.parametrize("path", ["/", "/figures", "/live", "/exchanges", "/health", "/nothing"])
    async def test_a_name_pointed_at_this_machine_reads_nothing(self, client: Client, path: str) -> None:
        assert "that host" in await problem(await client.get(path, headers={"Host": "evil.example"}), 421)

    async def test_an_absolute_target_does_not_get_around_it(self, client: Client) -> None:
        status, body = await send(
            client, b"GET http://evil.example/figures HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )
        assert status == 421
        assert b"that host" in body

    async def test_a_request_without_a_host_is_no_browsers(self, client: Client) -> None:
        status, _ = await send(client, b"GET /health HTTP/1.0\r\n\r\n")
        assert status == 200
        status, _ = await send(client, b"GET /health HTTP/1.1\r\n\r\n")
        assert status == 400

    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    async def test_pages_of_other_origins_read_nothing(self, client: Client, site: str) -> None:
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}
        assert "other origins" in await problem(await client.get("/exchanges", headers=headers), 403)

    async def test_its_own_page_does_and_a_link_leads_to_it(self, client: Client) -> None:
        for headers in (
            {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        ):
            assert (await client.get("/", headers=headers)).status == 200

    @pytest.mark.parametrize(
        "path", ["/", "/dashboard.js", "/figures", "/exchanges", "/nothing", "/exchanges/x", "/live"]
    )
    async def test_every_answer_tells_browsers_to_keep_it_to_themselves(
        self, client: Client, path: str
    ) -> None:
        async with client.get(path, headers={"Origin": "http://evil.example"}) as response:
            told = response.headers
            assert told["X-Content-Type-Options"] == "nosniff"
            assert told["Cache-Control"] == "no-store"
            assert told["Cross-Origin-Resource-Policy"] == "same-origin"
            policy = told["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert not [name for name in told if name.lower().startswith("access-control-")]
            assert told["Server"] == "Pellucid"

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
    async def test_nothing_can_be_changed(self, client: Client, method: str) -> None:
        response = await client.request(method, "/figures")
        assert "GET, HEAD" in await problem(response, 405)
        assert response.headers["Allow"] == "GET, HEAD"

    async def test_what_is_not_there_is_not_found(self, client: Client) -> None:
        await problem(await client.get("/admin.py"), 404)
        await problem(await client.get("/%2e%2e/admin.py"), 404)
