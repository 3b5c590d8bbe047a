"""The page: whole, from here alone, and safe from what exchanges bring."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import proxy.server.admin
from proxy.caching.decision import Outcome
from proxy.server.admin.site import make_admin
from tests.server.running import Client, Running, Serve

DASHBOARD = Path(proxy.server.admin.__file__).with_name("dashboard")


@pytest.fixture
async def client(aiohttp_client: Serve) -> Client:
    return await aiohttp_client(make_admin(Running().sources))


class TestDashboard:
    @pytest.mark.parametrize(
        ("path", "media_type"),
        [
            ("/", "text/html"),
            ("/dashboard.css", "text/css"),
            ("/dashboard.js", "text/javascript"),
            ("/icon.svg", "image/svg+xml"),
        ],
    )
    async def test_the_page_and_its_parts_are_served(
        self, client: Client, path: str, media_type: str
    ) -> None:
        response = await client.get(path)
        assert response.headers["Content-Type"] == f"{media_type}; charset=utf-8"
        assert len(await response.read()) > 100

    async def test_all_that_the_page_asks_for_is_there(self, client: Client) -> None:
        page = await (await client.get("/")).text()
        asked = set(re.findall(r'(?:src|href)="([^"]+)"', page))
        for script in DASHBOARD.glob("*.js"):
            text = script.read_text()
            asked |= {name.removeprefix("./") for name in re.findall(r'from "([^"]+)"', text)}
            asked |= set(re.findall(r'fetch\("([^"?]+)', text))
        assert {"dashboard.js", "dashboard.css", "figures", "exchanges", "reasons"} <= asked
        for name in asked:
            assert (await client.get(f"/{name}")).status == 200, name

    def test_nothing_comes_from_elsewhere_and_nothing_stands_inline(self) -> None:
        page = (DASHBOARD / "index.html").read_text()
        assert re.search(r"https?:|//[a-z]", page) is None
        assert re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", page) is None
        assert re.search(r"@import|url\(", (DASHBOARD / "dashboard.css").read_text()) is None

    def test_text_from_exchanges_can_only_become_text(self) -> None:
        for script in DASHBOARD.glob("*.js"):
            text = script.read_text()
            found = re.search(
                r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc", text
            )
            assert found is None, f"{script.name}: {found}"

    def test_every_place_that_the_scripts_fill_is_on_the_page(self) -> None:
        places = set(re.findall(r'\sid="([^"]+)"', (DASHBOARD / "index.html").read_text()))
        for script in DASHBOARD.glob("*.js"):
            used = set(re.findall(r'(?:byId|show)\("([a-z-]+)"', script.read_text()))
            assert used <= places, script.name

    def test_the_page_knows_every_outcome(self) -> None:
        listed = re.search(r"OUTCOMES = \[([^\]]+)\]", (DASHBOARD / "exchanges.js").read_text())
        assert listed is not None
        assert re.findall(r'"([a-z]+)"', listed[1]) == [str(outcome) for outcome in Outcome]
