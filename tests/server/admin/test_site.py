"""The admin address: what each resource shows, and that no credential ever appears in it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from proxy import __version__
from proxy.caching.reasons import catalogue
from proxy.server.admin.recent import KEPT
from proxy.server.admin.site import make_admin
from proxy.storage.contract import Figures as StorageFigures
from tests.server.running import SECRET, Client, Running, Serve, account, events, problem


@pytest.fixture
def running() -> Running:
    return Running()


@pytest.fixture
async def client(running: Running, aiohttp_client: Serve) -> Client:
    return await aiohttp_client(make_admin(running.sources))


class TestHealth:
    async def test_it_says_that_all_is_well(self, client: Client) -> None:
        response = await client.get("/health")
        assert (response.status, await response.json()) == (200, {"status": "ok"})

    async def test_while_stopping_it_says_so(self, client: Client, running: Running) -> None:
        running.stopping = True
        assert "stopping" in await problem(await client.get("/health"), 503)


class TestFigures:
    async def test_as_json(self, client: Client, running: Running) -> None:
        running.end(account("a"), account("b", decision=None, response=None))
        told = await (await client.get("/figures")).json()
        assert told["exchanges"]["total"] == 2
        assert (told["uptime"], told["in_flight"], told["connections"]) == (100, 2, 5)
        store = {"entries": 3, "bytes": 1000, "budget": 4000, "evicted": 1, "expired": 2}
        assert told["storage"] == {**store, "tiers": {}}
        assert (told["version"], told["log"]) == (__version__, {"lost": 9})
        assert told["process"]["pid"] > 0
        assert told["process"]["cpu"] > 0
        assert told["process"]["rss"] is None or told["process"]["rss"] > 1 << 20

    async def test_for_prometheus(self, client: Client, running: Running) -> None:
        running.end(account("a"), account("b"))
        response = await client.get("/metrics")
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        text = await response.text()
        for line in (
            f'pellucid_build_info{{version="{__version__}"}} 1',
            'pellucid_exchanges_total{outcome="hit"} 2',
            'pellucid_exchanges_total{outcome="failed"} 0',
            'pellucid_responses_total{class="2xx"} 2',
            'pellucid_sent_bytes_total{source="cache"} 200',
            "pellucid_store_bytes 1000",
            "pellucid_log_lines_lost_total 9",
            "pellucid_exchange_duration_seconds_count 2",
        ):
            assert line in text.splitlines()

    async def test_every_line_for_prometheus_follows_the_format(
        self, client: Client, running: Running
    ) -> None:
        running.end(account("a"))
        text = await (await client.get("/metrics")).text()
        assert text.endswith("\n")
        label = r'[a-z_]+="(?:[^"\\\n]|\\[\\n"])*"'
        sample = re.compile(rf"([a-z_]+?)(_bucket|_sum|_count)?(?:\{{{label}(?:,{label})*\}})? [-+0-9.e]+")
        kinds: dict[str, str] = {}
        for line in text.splitlines():
            if line.startswith("# HELP "):
                helped = line.split(" ")[2]
            elif line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert name == helped, "HELP and TYPE stand together"
                assert name not in kinds, "a metric stands in one place"
                assert (kind == "counter") == name.endswith("_total")
                kinds[name] = kind
            else:
                match = sample.fullmatch(line)
                assert match is not None, line
                histogram = kinds.get(match[1]) == "histogram"
                assert (match[1] if histogram else match[1] + (match[2] or "")) == name, line


class TestExchanges:
    async def test_the_last_as_lines_of_json_the_oldest_first(self, client: Client, running: Running) -> None:
        running.end(*(account(f"{number}") for number in range(5)))
        response = await client.get("/exchanges", params={"limit": "2"})
        assert response.content_type == "application/jsonl"
        lines = (await response.text()).splitlines()
        assert [json.loads(line)["id"] for line in lines] == ["3", "4"]

    async def test_a_hundred_where_nothing_is_said(self, client: Client, running: Running) -> None:
        running.end(*(account(f"{number}") for number in range(150)))
        assert len((await (await client.get("/exchanges")).text()).splitlines()) == 100

    async def test_none_yet_is_an_empty_answer(self, client: Client) -> None:
        response = await client.get("/exchanges")
        assert (response.status, await response.read()) == (200, b"")

    @pytest.mark.parametrize("limit", ["0", "-1", "x", f"{KEPT + 1}", "1.5", "", "٣", "9" * 5000])
    async def test_a_limit_that_is_none_is_told_so(self, client: Client, limit: str) -> None:
        assert f"1 to {KEPT}" in await problem(await client.get("/exchanges", params={"limit": limit}), 400)

    async def test_one_with_the_sentences_of_its_reasons(self, client: Client, running: Running) -> None:
        running.end(account("a"), account("b"))
        told = await (await client.get("/exchanges/b")).json()
        known = next(iter(catalogue().values()))
        assert told["id"] == "b"
        reason = told["decision"]["reasons"][0]
        assert (reason["slug"], reason["sentence"]) == (known.slug, known.sentence)

    async def test_what_was_no_request_can_be_looked_at_too(self, client: Client, running: Running) -> None:
        running.end(account("a", received=None, raw=b"\x16\x03\x01", response=None, decision=None))
        assert (await client.get("/exchanges/a")).status == 200

    async def test_one_that_is_not_kept_is_not_found(self, client: Client) -> None:
        assert f"the last {KEPT}" in await problem(await client.get("/exchanges/nobody"), 404)


async def test_the_reasons_are_the_catalogue(client: Client) -> None:
    told = await (await client.get("/reasons")).json()
    assert set(told) == set(catalogue())
    slug, reason = next(iter(catalogue().items()))
    assert told[slug] == {"slug": slug, "section": reason.section, "sentence": reason.sentence}


class TestCredentials:
    @pytest.mark.parametrize("path", ["/exchanges", "/exchanges/a", "/figures", "/metrics"])
    async def test_none_appears_anywhere(self, client: Client, running: Running, path: str) -> None:
        running.end(account("a"))
        text = await (await client.get(path)).text()
        assert text
        assert SECRET not in text

    async def test_nor_in_the_live_stream(self, client: Client, running: Running) -> None:
        async with client.get("/live") as response:
            running.end(account("a"))
            ((_, data),) = await events(response, 1)
        assert json.loads(data)["id"] == "a"
        assert SECRET not in data

    async def test_nor_in_the_answer_to_an_internal_error(
        self,
        client: Client,
        running: Running,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def broken(_: float) -> dict[str, Any]:
            raise RuntimeError(SECRET)

        monkeypatch.setattr(running.figures, "snapshot", broken)
        assert SECRET not in await problem(await client.get("/figures"), 500)
        assert "the admin address could not answer /figures" in caplog.text


class TestTiers:
    async def test_each_is_told_of(self, running: Running, aiohttp_client: Serve) -> None:
        tier = StorageFigures(2, 700, 1000, 1, 0)
        both = StorageFigures(3, 1000, 4000, 1, 2, {"memory": tier, "disk": tier})
        client = await aiohttp_client(make_admin(replace(running.sources, storage=lambda: both)))
        told = (await (await client.get("/figures")).json())["storage"]
        assert told["entries"] == 3
        assert set(told["tiers"]) == {"memory", "disk"}
        assert told["tiers"]["memory"]["bytes"] == 700
        text = await (await client.get("/metrics")).text()
        assert 'pellucid_tier_entries{tier="disk"} 2' in text
        assert 'pellucid_tier_evicted_total{tier="memory"} 1' in text
        assert "pellucid_store_entries 3" in text
