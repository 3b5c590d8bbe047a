"""What `pellucid audit` finds of real applications: where each of them has its state."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from proxy.commands.auditing.sending import Sender
from proxy.upstream.address import parse_server
from proxy.upstream.settings import UpstreamSettings
from proxy.visibility.auditing.choosing import Choosing
from proxy.visibility.auditing.judging import verdicts
from proxy.visibility.auditing.shape import Dependence, Endpoint
from proxy.visibility.reading import Reading, open_source
from proxy.visibility.redaction import Redaction
from tests.visibility.applications.catalogue import running
from tests.visibility.auditing.browsing import Browser

CLIENT, SERVER = Dependence.CLIENT_HELD, Dependence.SERVER_HELD


async def visit(browser: Browser) -> None:
    """Read something, log in, read one's own page."""
    await browser.ask("GET", "/items/1")
    csrf = await browser.csrf("/login")
    await browser.ask("POST", "/login", data={"username": "anna"}, headers=csrf)
    for path in ("/", "/visits", "/visits", "/items/2", "/about"):
        await browser.ask("GET", path)


async def call(browser: Browser) -> None:
    """The same with a token."""
    token = (await browser.ask("POST", "/login", json={"username": "anna"}))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    for path in ("/", "/items/1", "/items/2", "/about"):
        await browser.ask("GET", path, headers=headers)


async def audited(name: str, folder: Path, replicas: int) -> dict[str, Endpoint]:
    async with running(name, folder, replicas) as urls:
        browser = Browser(urls[0])
        async with browser.http:
            await (call if name == "jwt" else visit)(browser)
        recording = folder / "visit.har"
        recording.write_text(browser.har())
        choosing = Choosing(Redaction())
        with open_source(str(recording), Reading(reveal=True)) as source:
            for batch in source.batches():
                choosing.add(batch.observations)
        sender = Sender([parse_server(url) for url in urls], UpstreamSettings(), 5_000)
        cases = await sender.run(choosing.chosen().asked, 0.0)
    found = verdicts(cases)
    values = {one["value"] for entry in browser.entries for one in entry["request"]["headers"]}
    written = msgspec.json.encode(found).decode()
    assert not [
        value for value in values if len(value) > 24 and value.partition("=")[2] in written and "=" in value
    ]
    return {one.endpoint: one for one in found}


@pytest.mark.parametrize(
    ("name", "home", "visits"),
    [
        ("flask", CLIENT, CLIENT),
        ("flask-server-side", SERVER, SERVER),
        ("django-database", SERVER, SERVER),
        ("django-signed", CLIENT, CLIENT),
        ("starlette", CLIENT, CLIENT),
        ("aiohttp-session-encrypted", CLIENT, CLIENT),
        ("aiohttp-session-simple", CLIENT, CLIENT),
        ("jwt", CLIENT, None),
    ],
)
async def test_where_the_state_is(
    name: str, home: Dependence, visits: Dependence | None, tmp_path: Path
) -> None:
    found = await audited(name, tmp_path, replicas=2)
    assert found["GET /"].verdict is home, found["GET /"]
    if visits is not None:
        assert found["GET /visits"].verdict is visits, found["GET /visits"]
    assert found["GET /items/{id}"].verdict is Dependence.STATELESS
    assert found["GET /about"].verdict is Dependence.STATELESS


@pytest.mark.parametrize(("name", "home"), [("flask", CLIENT), ("flask-server-side", SERVER)])
async def test_one_replica_is_enough_to_tell(name: str, home: Dependence, tmp_path: Path) -> None:
    found = await audited(name, tmp_path, replicas=1)
    assert (found["GET /"].verdict, found["GET /"].on) == (home, "session")
    assert found["GET /visits"].verdict is home
