"""Purges from outside: PURGE at the proxy's own port, and POST /purge at the admin address."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web

from proxy.caching.policy import Policy
from proxy.message.errors import ConfigurationError
from proxy.server.app import Proxy
from proxy.server.configuration import Settings
from proxy.server.settings import ServerSettings
from proxy.upstream.address import Server
from proxy.visibility.account import Account
from proxy.visibility.record import to_record
from proxy.visibility.redaction import Redaction


@dataclass
class Kept:
    """In the place of the log: the accounts themselves."""

    accounts: list[Account] = field(default_factory=list)
    lost: int = 0

    def put(self, account: Account) -> None:
        self.accounts.append(account)

    def put_lines(self, lines: bytes) -> None:
        pass

    def slugs(self) -> list[str]:
        return [
            account.decision.reasons[0].reason.slug
            for account in self.accounts
            if account.decision is not None and account.received and account.received.method == b"PURGE"
        ]


@dataclass
class Site:
    """A proxy, its admin address, and a client of both."""

    url: str
    admin: str
    session: aiohttp.ClientSession
    kept: Kept
    asked: list[str]

    async def get(self, path: str) -> tuple[str, str]:
        """The content, and what Cache-Status says."""
        async with self.session.get(self.url + path) as response:
            return await response.text(), response.headers["Cache-Status"]

    async def hit(self, path: str) -> bool:
        return ";hit" in (await self.get(path))[1]

    async def purge(self, path: str, **fields: str) -> tuple[int, dict[str, Any]]:
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        async with self.session.request("PURGE", self.url + path, headers=named) as response:
            return response.status, json.loads(await response.text())

    async def post(self, wish: object, **fields: str) -> tuple[int, dict[str, Any]]:
        async with self.session.post(self.admin + "/purge", json=wish, headers=fields) as response:
            return response.status, json.loads(await response.text())


Starting = Callable[..., Any]


@pytest.fixture
async def start() -> AsyncIterator[Starting]:
    """Starts a site: `await start(purge_from=("127.0.0.1",))`."""
    ending: list[Callable[[], Any]] = []
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.method)
        tags = {"Surrogate-Key": f"all {request.path.strip('/').partition('/')[0]}"}
        return web.Response(text=request.path, headers={"Cache-Control": "max-age=60", **tags})

    async def begin(policy: Policy | None = None, **settings: Any) -> Site:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        ending.append(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        kept = Kept()
        proxy = Proxy(
            Settings(server=ServerSettings(**settings), cache=policy or Policy()),
            Server("http", "127.0.0.1", runner.addresses[0][1]),
            log=cast(Any, kept),
            terminal=None,
        )
        host, port = await proxy.start(("127.0.0.1", 0))
        ending.append(proxy.stop)
        admin = await proxy.start_admin(("127.0.0.1", 0), Redaction())
        session = aiohttp.ClientSession(skip_auto_headers=["User-Agent"])
        ending.append(session.close)
        return Site(f"http://{host}:{port}", "http://{}:{}".format(*admin), session, kept, asked)

    yield begin
    for end in reversed(ending):
        await end()


class TestMethod:
    async def test_removes_its_target(self, start: Starting) -> None:
        site = await start(purge_from=("127.0.0.0/8",))
        for path in ("/a", "/b"):
            await site.get(path)
        status, told = await site.purge("/a")
        assert (status, told["entries"], told["missing"]) == (200, {"memory": 1}, [])
        assert [await site.hit(path) for path in ("/a", "/b")] == [False, True]
        assert site.asked == ["GET", "GET", "GET"]

    @pytest.mark.parametrize("named", ["t" * 1025, " ".join(f"t{n}" for n in range(257))])
    async def test_more_than_counts_is_refused_rather_than_left_out(
        self, start: Starting, named: str
    ) -> None:
        site = await start(purge_from=("127.0.0.1",))
        await site.get("/a")
        status, told = await site.purge("/a", Surrogate_Key=named)
        assert status == 400
        assert "at most 256 tags of 1024 bytes" in told["detail"]
        assert await site.hit("/a")

    async def test_ends_what_the_fast_lane_remembers(self, start: Starting) -> None:
        site = await start(purge_from=("127.0.0.1",))
        for _ in range(6):
            await site.get("/a")
        await site.purge("/a")
        assert not await site.hit("/a")
        for _ in range(6):
            assert await site.hit("/a")
        await site.purge("/", Surrogate_Key="a", Pellucid_Purge="soft")
        assert not await site.hit("/a")

    async def test_says_what_was_not_there(self, start: Starting) -> None:
        site = await start(purge_from=("127.0.0.1",))
        status, told = await site.purge("/none?x=1")
        assert (status, told["entries"]) == (200, {"memory": 0})
        assert told["missing"] == [f"url {site.url}/none?x=1"]
        assert site.kept.slugs() == ["nothing-purged"]

    async def test_softly(self, start: Starting) -> None:
        site = await start(purge_from=("127.0.0.1",))
        await site.get("/a")
        _, told = await site.purge("/a", Pellucid_Purge="Soft")
        assert (told["soft"], told["entries"]) == (True, {"memory": 1})
        assert "fwd=stale" in (await site.get("/a"))[1]
        assert (await site.purge("/a", Fastly_Soft_Purge="1"))[1]["soft"]
        assert site.kept.slugs() == ["purged-softly", "purged-softly"]

    async def test_by_tags_and_by_prefix(self, start: Starting) -> None:
        site = await start(purge_from=("127.0.0.1",))
        for path in ("/a/1", "/a/2", "/b/1"):
            await site.get(path)
        assert (await site.purge("/", Pellucid_Purge="dry-run", Cache_Tag="all"))[1]["entries"] == {
            "memory": 3
        }
        assert (await site.purge("/", Surrogate_Key="b none"))[1]["missing"] == ["tag none"]
        assert (await site.purge("/a/", Pellucid_Purge="prefix, soft"))[1]["entries"] == {"memory": 2}
        assert [await site.hit(path) for path in ("/a/1", "/b/1")] == [False, False]
        assert site.kept.slugs() == ["purge-counted", "purged", "purged-softly"]

    async def test_of_another_host_by_its_name(self, start: Starting) -> None:
        site = await start(purge_from=("127.0.0.1",))
        await site.get("/a")
        assert (await site.purge("/a", Host="elsewhere.example"))[1]["entries"] == {"memory": 0}
        assert await site.hit("/a")

    async def test_a_word_that_is_not_known(self, start: Starting) -> None:
        site = await start(purge_from=("127.0.0.1",))
        await site.get("/a")
        status, told = await site.purge("/a", Pellucid_Purge="softly")
        assert (status, "softly" in told["detail"]) == (400, True)
        assert await site.hit("/a")
        assert site.kept.slugs() == ["purge-not-understood"]

    async def test_from_elsewhere_it_is_refused(self, start: Starting) -> None:
        site = await start(purge_from=("192.0.2.0/24", "::1"))
        await site.get("/a")
        status, told = await site.purge("/a")
        assert (status, told["title"]) == (403, "Forbidden")
        assert await site.hit("/a")
        assert site.asked == ["GET"]
        assert site.kept.slugs() == ["purge-refused"]

    @pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
    async def test_what_came_through_another_proxy_is_refused(self, start: Starting, name: str) -> None:
        site = await start(purge_from=("127.0.0.1", "192.0.2.1"))
        await site.get("/a")
        value = {"Forwarded": "for=192.0.2.1", "Via": "1.1 front"}.get(name, "192.0.2.1")
        status, told = await site.purge("/a", **{name: value})
        assert (status, name.lower() in told["detail"]) == (403, True)
        assert await site.hit("/a")

    async def test_without_the_setting_it_is_a_method_like_any_other(self, start: Starting) -> None:
        site = await start()
        async with site.session.request("PURGE", site.url + "/a") as response:
            assert await response.text() == "/a"
        assert site.asked == ["PURGE"]

    async def test_the_connection_goes_on(self, start: Starting) -> None:
        site = await start(purge_from=("127.0.0.1",))
        reader, writer = await asyncio.open_connection(*site.url.removeprefix("http://").split(":"))
        one = b"PURGE /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
        writer.write(one + one)
        for _ in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"application/json" in head
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            assert json.loads(await reader.readexactly(length))["entries"] == {"memory": 0}
        writer.close()
        await writer.wait_closed()

    @pytest.mark.parametrize("text", ["localhost", "10.0.0.0/99", "", "*"])
    async def test_an_address_that_is_none(self, start: Starting, text: str) -> None:
        with pytest.raises(ConfigurationError, match=r"server\.purge_from"):
            await start(purge_from=(text,))

    async def test_tags_by_origin(self, start: Starting) -> None:
        site = await start(Policy(tags_by_origin=True), purge_from=("127.0.0.1",))
        await site.get("/a")
        _, told = await site.purge("/", Host="other.example", Surrogate_Key="a")
        assert told["entries"] == {"memory": 0}
        assert (await site.purge("/", Surrogate_Key="a"))[1]["entries"] == {"memory": 1}

    async def test_bytes_that_are_no_characters(self, start: Starting) -> None:
        site = await start(purge_from=("127.0.0.1",))
        reader, writer = await asyncio.open_connection(*site.url.removeprefix("http://").split(":"))
        writer.write(b"PURGE /\xe9 HTTP/1.1\r\nHost: h\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        assert json.loads(await reader.readexactly(length))["missing"] == ["url http://h/\ufffd"]
        writer.write(b"PURGE / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nCache-Tag: \xe9\r\n\r\n")
        assert b"tag \xef\xbf\xbd" in await reader.read()
        writer.close()
        await writer.wait_closed()


class TestAdmin:
    async def test_removes_what_is_named(self, start: Starting) -> None:
        site = await start()
        for path in ("/a/1", "/a/2", "/b/1"):
            await site.get(path)
        wish = {"urls": [site.url + "/b/1", site.url + "/c"], "tags": ["a"], "dry": True}
        assert (await site.post(wish))[1]["entries"] == {"memory": 3}
        status, told = await site.post({**wish, "dry": False})
        assert (status, told["entries"], told["missing"]) == (200, {"memory": 3}, [f"url {site.url}/c"])
        assert not await site.hit("/a/1")
        assert told["items"][0] == {"kind": "url", "value": site.url + "/b/1", "entries": {"memory": 1}}

    async def test_is_recorded_without_what_a_query_may_hide(self, start: Starting) -> None:
        site = await start()
        await site.post({"urls": [site.url + "/a?token=s3cr3t"], "tags": ["a"]})
        (account,) = site.kept.accounts
        record = to_record(account, Redaction())
        assert record.request is not None
        assert record.decision is not None
        assert (record.request.method, record.decision.outcome) == ("PURGE", "local")
        (reason,) = record.decision.reasons
        assert reason.slug == "nothing-purged"
        assert reason.evidence == f"url {site.url}/a; tag a: memory 0"

    @pytest.mark.parametrize(
        ("wish", "status", "said"),
        [
            ({}, 400, "nothing is named"),
            ({"urls": "http://h/"}, 400, "array"),
            ({"url": ["http://h/"]}, 400, "url"),
            ({"urls": ["/a"]}, 400, "http://HOST/PATH"),
            ({"match": ["(a"]}, 400, "missing )"),
            ({"match": [r"(a+)\1"]}, 400, "escape"),
            ({"groups": ["g"]}, 400, "origin"),
            ([], 400, "object"),
            ({"urls": ["http://h/"] * 10_001}, 413, "10000"),
        ],
    )
    async def test_bad_input_changes_nothing(
        self, start: Starting, wish: object, status: int, said: str
    ) -> None:
        site = await start()
        await site.get("/a")
        got, told = await site.post(wish)
        assert (got, said in told["detail"]) == (status, True), told
        assert await site.hit("/a")

    async def test_only_json_is_taken(self, start: Starting) -> None:
        site = await start()
        for content, kind, status in (
            (b'{"all": true}', "text/plain", 415),
            (b"{", "application/json", 400),
            (b"\xff", "application/json", 400),
            (io.BytesIO(b" " * (5 << 20)), "application/json", 413),
        ):
            async with site.session.post(
                site.admin + "/purge", data=content, headers={"Content-Type": kind}
            ) as response:
                assert response.status == status

    async def test_other_sites_pages_may_not(self, start: Starting) -> None:
        site = await start()
        await site.get("/a")
        assert (await site.post({"all": True}, **{"Sec-Fetch-Site": "cross-site"}))[0] == 403
        assert (await site.post({"all": True}, Host="rebound.example"))[0] == 421
        assert await site.hit("/a")

    async def test_a_pattern_that_would_run_for_ever_elsewhere(self, start: Starting) -> None:
        site = await start()
        await site.get("/" + "a" * 3000)
        status, told = await site.post({"match": [r"(a+)+$b", r"^(([a-z/:.0-9])+)+!"]})
        assert (status, told["entries"]) == (200, {"memory": 0})


class TestTags:
    async def test_clients_get_them(self, start: Starting) -> None:
        site = await start()
        for _ in range(4):
            async with site.session.get(site.url + "/a") as response:
                assert response.headers["Surrogate-Key"] == "all a"

    async def test_unless_they_are_hidden(self, start: Starting) -> None:
        site = await start(Policy(hide_tags=True))
        for path in ("/a", "/a", "/a", "/a"):
            async with site.session.get(site.url + path) as response:
                assert "Surrogate-Key" not in response.headers
        assert (await site.post({"tags": ["a"]}))[1]["entries"] == {"memory": 1}

    async def test_hidden_also_in_what_is_not_stored(self, start: Starting) -> None:
        site = await start(Policy(hide_tags=True))
        for _ in range(5):
            async with site.session.post(site.url + "/a") as response:
                assert "Surrogate-Key" not in response.headers
            async with site.session.get(site.url + "/a", headers={"Cache-Control": "no-store"}) as response:
                assert "Surrogate-Key" not in response.headers
