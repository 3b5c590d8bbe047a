"""The traffic does what it says: each application greets by name, and its log holds every exchange."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from proxy.visibility.observation import Observation
from tests.visibility.applications.catalogue import APPLICATIONS, running
from tests.visibility.applications.recording import Recordings
from tests.visibility.reading.readout import readout

COOKIES = {
    "flask": {"session"},
    "flask-server-side": {"session"},
    "django-database": {"sessionid", "csrftoken"},
    "django-signed": {"sessionid", "csrftoken"},
    "starlette": {"session"},
    "aiohttp-session-encrypted": {"AIOHTTP_SESSION"},
    "aiohttp-session-simple": {"AIOHTTP_SESSION"},
    "jwt": set(),
    "sample-sessions": {"sid"},
}


def cookies(observations: list[Observation]) -> set[str]:
    """The names of the cookies that were given."""
    lines = [line for each in observations for line in each.response_fields]
    return {value.partition("=")[0] for name, value in lines if name.lower() == "set-cookie"}


@pytest.mark.parametrize("name", APPLICATIONS)
def test_the_log_is_whole(recorded: Recordings, name: str) -> None:
    log = readout(recorded(name))
    assert log.left_out == 0
    assert len(log.observations) > 200
    assert all(each.complete and each.status for each in log.observations)
    assert not any(each.status >= 500 for each in log.observations)
    assert any(each.from_cache for each in log.observations)
    if name in COOKIES:
        assert cookies(log.observations) == COOKIES[name]
    sent = [value for each in log.observations for field, value in each.request_fields if field == "Cookie"]
    assert all(pair.partition("=")[2].startswith("~") for value in sent for pair in value.split("; "))


def test_a_log_is_recorded_once(recorded: Recordings) -> None:
    first = recorded("flask").read_bytes()
    assert recorded("flask").read_bytes() == first


@pytest.mark.parametrize(("name", "shared"), [("flask", True), ("flask-server-side", False)])
async def test_replicas_share_their_secret_and_nothing_else(tmp_path: Path, name: str, shared: bool) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with running(name, tmp_path, replicas=2) as urls, aiohttp.ClientSession(cookie_jar=jar) as http:
        async with http.post(f"{urls[0]}/login", data={"username": "anna"}) as response:
            assert "Hello, anna." in await response.text()
        async with http.get(f"{urls[1]}/") as response:
            assert ("Hello, anna." in await response.text()) is shared
