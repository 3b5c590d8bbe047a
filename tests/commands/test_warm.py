"""`pellucid warm` through a proxy that runs, and what it says where something is wrong."""

from __future__ import annotations

import asyncio
import gzip
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from proxy.server.app import Proxy
from proxy.server.configuration import Settings
from proxy.server.settings import ServerSettings
from proxy.upstream.address import Server
from tests.commands.calling import Run, called


def sitemap(*urls: str, within: str = "urlset", each: str = "url") -> bytes:
    locations = "".join(f"<{each}><loc>\n{url} </loc><lastmod>x</lastmod></{each}>" for url in urls)
    return f'<?xml version="1.0"?><{within} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{locations}</{within}>'.encode()


def index(*urls: str) -> bytes:
    return sitemap(*urls, within="sitemapindex", each="sitemap")


@dataclass
class Site:
    """A proxy in front of an origin whose answers are told by the path."""

    url: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    documents: dict[str, bytes] = field(default_factory=dict)
    sent: list[web.Request] = field(default_factory=list)
    busy: int = 0
    most: int = 0

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked[request.path_qs] += 1
        self.sent.append(request)
        self.busy += 1
        self.most = max(self.most, self.busy)
        await asyncio.sleep(0)
        self.busy -= 1
        fresh = {"Cache-Control": "max-age=60"}
        match request.path.split("/")[1]:
            case "private":
                return web.Response(text="x", headers={"Cache-Control": "private"})
            case "gone":
                return web.Response(status=410, text="x")
            case "busy" if self.asked[request.path_qs] == 1:
                return web.Response(status=503, headers={"Retry-After": "0"})
            case "never":
                return web.Response(status=429, headers={"Retry-After": "86400"})
            case "varies":
                return web.Response(text="x", headers={**fresh, "Vary": "Accept-Language, Accept-Encoding"})
            case "broken":
                response = web.StreamResponse(headers={**fresh, "Content-Length": "100"})
                await response.prepare(request)
                await response.write(b"x")
                assert request.transport is not None
                request.transport.abort()
                return response
        content = self.documents.get(request.path, b"content")
        return web.Response(body=content, headers=fresh)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    found = Site()
    app = web.Application()
    app.router.add_get("/{path:.*}", found.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    settings = Settings(server=ServerSettings(keep_host=True))
    proxy = Proxy(settings, Server("http", "127.0.0.1", runner.addresses[0][1]), log=None, terminal=None)
    found.url = "http://{}:{}".format(*await proxy.start(("127.0.0.1", 0)))
    yield found
    await proxy.stop()
    await runner.cleanup()


async def warm(site: Site | None, *arguments: str, given: bytes = b"", form: str = "json") -> Run:
    through = ["--through", site.url, "--rate", "100000"] if site is not None else []
    return await called("warm", "--format", form, *through, *arguments, given=given)


async def hits(site: Site, *paths: str, **fields: str) -> list[bool]:
    found = []
    async with aiohttp.ClientSession(skip_auto_headers=["Accept-Encoding"]) as session:
        for path in paths:
            named = {name.replace("_", "-"): value for name, value in fields.items()}
            async with session.get(site.url + path, headers=named) as response:
                found.append(";hit" in response.headers["Cache-Status"])
    return found


class TestLists:
    async def test_what_is_listed_is_stored(self, site: Site) -> None:
        lines = f"/a\r\n# a comment\n\n  {site.url}/b?x=1#part \n/a\n/caf\u00e9 au lait\n"
        run = await warm(site, "-", given=lines.encode())
        assert (run.status, run.err) == (0, "")
        assert (run.told["asked"], run.told["stored"], run.told["hits"]) == (3, 3, 0)
        assert run.told["content_bytes"] == 3 * len(b"content")
        assert await hits(site, "/a", "/b?x=1", "/caf%C3%A9%20au%20lait") == [True] * 3
        again = await warm(site, "-", given=lines.encode())
        assert (again.told["stored"], again.told["hits"]) == (0, 3)

    async def test_what_becomes_of_each(self, site: Site) -> None:
        paths = ["/a", "/private/1", "/private/2", "/gone", "/broken", "/never"]
        run = await warm(site, "-", given="\n".join(paths).encode())
        assert run.status == 1
        assert run.told["stored"] == 1
        assert run.told["not_stored"] == {"private": 2}
        assert run.told["failed"] == {"410": 1, "broken off": 1, "429": 1}
        assert site.asked["/never"] == 1

    async def test_when_to_come_again_is_respected(self, site: Site) -> None:
        run = await warm(site, "-", given=b"/busy")
        assert (run.status, run.told["stored"], site.asked["/busy"]) == (0, 1, 2)

    async def test_no_more_at_one_time_than_wanted(self, site: Site) -> None:
        lines = "\n".join(f"/{number}" for number in range(60)).encode()
        run = await warm(site, "-", "--concurrency", "3", given=lines)
        assert (run.told["stored"], 1 <= site.most <= 3) == (60, True)

    async def test_other_hosts_are_left_out_unless_named(self, site: Site) -> None:
        lines = b"/a\nhttps://shop.example/a\nhttps://shop.example/b\nhttp://other.example/\nnothing\n//x/y\n"
        run = await warm(site, "-", given=lines)
        assert run.told["left_out"] == {
            "of another host: shop.example": 2,
            "of another host: other.example": 1,
            "neither a URL nor a path": 1,
        }
        site.sent.clear()
        run = await warm(site, "-", "--host", "Shop.Example", given=lines)
        assert run.told["left_out"] == {"of another host: other.example": 1, "neither a URL nor a path": 1}
        assert {request.host for request in site.sent} == {"shop.example"}
        assert (await warm(site, "-", "--any-host", given=lines)).told["left_out"] == {
            "neither a URL nor a path": 1
        }
        assert await hits(site, "/b", Host="shop.example") == [True]

    async def test_variants(self, site: Site) -> None:
        kinds = [
            word
            for value in ("Accept-Language: de", "accept-language: en", "Accept-Encoding: gzip", "X-One: 1")
            for word in ("--header", value)
        ]
        run = await warm(site, "-", *kinds, given=b"/varies\n")
        assert (run.told["asked"], run.told["stored"]) == (2, 2)
        for language in ("de", "en"):
            assert await hits(site, "/varies", Accept_Language=language, Accept_Encoding="gzip") == [True]
        assert {request.headers["X-One"] for request in site.sent[:2]} == {"1"}

    async def test_a_limit(self, site: Site) -> None:
        run = await warm(site, "-", "--limit", "2", given=b"/a\n/b\n/c\n/a\n")
        assert (run.told["asked"], run.told["left_out"]) == (2, {"beyond --limit": 1})

    async def test_for_a_person(self, site: Site) -> None:
        run = await warm(site, "-", given=b"/a\n/private\n/gone\nno\n", form="text")
        lines = run.out.splitlines()
        assert lines[0].startswith(f"Asked {site.url} for 3 responses, 9 bytes in ")
        assert [line.split() for line in lines[1:]] == [
            ["hits", "already", "0"],
            ["stored", "1"],
            ["not", "stored", "1"],
            ["1", "private"],
            ["failed", "1"],
            ["1", "410"],
            ["left", "out", "1"],
            ["1", *["neither", "a", "URL", "nor", "a", "path"]],
        ]

    async def test_what_is_no_cache(self) -> None:
        site = Site()
        app = web.Application()
        app.router.add_get("/{path:.*}", site.answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        site.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        run = await warm(site, "-", given=b"/a")
        await runner.cleanup()
        assert run.told["not_stored"] == {"no Cache-Status: is that a cache?": 1}


class TestSitemaps:
    async def test_through_the_proxy_with_all_that_it_leads_to(self, site: Site) -> None:
        base = "https://shop.example"
        site.documents = {
            "/sitemap.xml": index(
                f"{base}/one.xml", f"{base}/two.xml.gz", f"{base}/gone", "https://o.example/x", "?"
            ),
            "/one.xml": sitemap(f"{base}/a", f"{base}/b?x=1&amp;y=2"),
            "/two.xml.gz": gzip.compress(sitemap(f"{base}/c", f"{base}/a", "http://o.example/")),
        }
        run = await warm(site, "--sitemap", f"{base}/sitemap.xml")
        assert (run.status, run.told["stored"]) == (0, 3)
        assert run.told["left_out"] == {
            "a sitemap that can't be read": 1,
            "a sitemap of another host: o.example": 1,
            "a sitemap whose URL is none": 1,
            "of another host: o.example": 1,
        }
        assert await hits(site, "/b?x=1&y=2", "/c", Host="shop.example") == [True, True]
        assert {request.host for request in site.sent} == {"shop.example"}

    async def test_of_a_file(self, site: Site, tmp_path: Path) -> None:
        path = tmp_path / "sitemap.xml"
        path.write_bytes(sitemap("https://shop.example/a"))
        run = await warm(site, "--sitemap", str(path), "--host", "shop.example")
        assert (run.status, run.told["stored"]) == (0, 1)

    async def test_that_leads_to_itself(self, site: Site) -> None:
        site.documents = {"/sitemap.xml": index(f"{site.url}/sitemap.xml", f"{site.url}/one.txt")}
        site.documents["/one.txt"] = f"{site.url}/a\n{site.url}/b\n".encode()
        run = await warm(site, "--sitemap", f"{site.url}/sitemap.xml")
        assert run.told["stored"] == 2

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"<urlset><url><loc>http://h/</loc>", "not well-formed"),
            (b"<html></html>", "<html>"),
            (b'<!DOCTYPE x [<!ENTITY a "b">]><urlset/>', "document type"),
            (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><urlset/>', "document type"),
            (b"{}", "neither XML nor"),
            (gzip.compress(b"<urlset/>")[:-6], "cut short"),
            (b"\x1f\x8bnothing", "unpacked"),
            (gzip.compress(bytes(65 << 20)), "larger than 64 MiB"),
        ],
        ids=["cut", "html", "entities", "external", "json", "gzip-cut", "gzip-bad", "bomb"],
    )
    async def test_that_can_not_be_read(self, site: Site, tmp_path: Path, content: bytes, said: str) -> None:
        path = tmp_path / "sitemap.xml"
        path.write_bytes(content)
        run = await warm(site, "--sitemap", str(path))
        assert (run.status, run.out, run.err.count("\n")) == (2, "", 1)
        assert said in run.err

    async def test_that_is_not_there(self, site: Site) -> None:
        for where, said in ((f"{site.url}/gone", "410"), ("/nowhere/x.xml", "No such"), ("ftp://h/x", "URL")):
            run = await warm(site, "--sitemap", where)
            assert (run.status, said in run.err) == (2, True), run.err


class TestLogs:
    async def test_the_top_of_an_access_log(self, site: Site, tmp_path: Path) -> None:
        line = '127.0.0.1 - - [23/Nov/2026:10:00:00 +0000] "{} HTTP/1.1" {} 5 "-" "u"\n'
        asked = [("GET /often", 200)] * 3 + [("GET /seldom", 200), ("POST /often", 200), ("GET /none", 404)]
        path = tmp_path / "access.log"
        path.write_text("".join(line.format(*one) for one in [*asked, ("GET /twice?x=1", 304), asked[3]]))
        run = await warm(site, "--log", str(path), "--top", "2")
        assert (run.status, run.told["stored"]) == (0, 2)
        assert await hits(site, "/often", "/seldom", "/twice?x=1") == [True, True, False]

    async def test_records_of_its_own_less_what_is_hidden_in_them(self, site: Site, tmp_path: Path) -> None:
        line = '127.0.0.1 - - [23/Nov/2026:10:00:00 +0000] "GET {} HTTP/1.1" 200 5\n'
        path = tmp_path / "access.log"
        path.write_text(line.format("/a") + line.format("/b?token=~0123456789abcdef.12"))
        run = await warm(site, "--log", str(path))
        assert (run.told["stored"], run.told["left_out"]) == (1, {"hidden in the log": 1})

    async def test_what_is_no_log(self, site: Site, tmp_path: Path) -> None:
        path = tmp_path / "log"
        path.write_bytes(b"\x00\x01 nothing\n")
        run = await warm(site, "--log", str(path))
        assert (run.status, run.told["left_out"]) == (1, {"lines of the log that can't be read": 1})
        run = await warm(site, "--log", str(tmp_path / "none"))
        assert (run.status, run.err.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing to ask for"),
        (["-", "--rate", "0"], "--rate"),
        (["-", "--concurrency", "0"], "--concurrency"),
        (["-", "--limit", "0"], "--limit"),
        (["-", "--header", "no colon"], "Name: value"),
        (["-", "--header", "X: a\nY: b"], "Name: value"),
        (["-", "--header", "Host: x"], "can't set"),
        (["-", *[word for one in range(65) for word in ("--header", f"X: {one}")]], "variants"),
        (["-", "--host", "a b"], "--host"),
        (["-", "--host", "http://h"], "--host"),
        (["-", "--through", "nowhere"], "nowhere"),
        (["/no/such/list"], "No such file"),
    ],
)
async def test_bad_use_is_one_line(site: Site, arguments: list[str], said: str) -> None:
    run = await warm(site, *arguments)
    assert (run.status, run.out, run.err.count("\n")) == (2, "", 1), run
    assert said in run.err


async def test_a_proxy_that_is_not_there(unused_tcp_port: int) -> None:
    run = await warm(None, "-", "--through", f"http://127.0.0.1:{unused_tcp_port}", given=b"/a")
    assert (run.status, run.err.count("\n")) == (2, 1)
    assert "can't reach the proxy" in run.err


async def test_nothing_at_all_to_ask_for(site: Site) -> None:
    run = await warm(site, "-", given=b"# nothing\n")
    assert (run.status, run.told["asked"]) == (1, 0)
