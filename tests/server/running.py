"""What the tests of the admin address share: a running proxy as it sees one, and ways to read its answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestClient

from proxy.caching.decision import Because, Decision, Outcome
from proxy.caching.reasons import catalogue
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.server.admin.figures import Figures
from proxy.server.admin.recent import Recent
from proxy.server.admin.site import Sources
from proxy.storage.contract import Figures as StorageFigures
from proxy.visibility.account import Account
from proxy.visibility.record import Redaction

NOW = 1_700_000_000.0
SECRET = "s3cr3t-of-alice"

Client = TestClient[web.Request, web.Application]
Serve = Callable[..., Awaitable[Client]]


def account(identifier: str, **facts: Any) -> Account:
    """A hit with three credentials in its request."""
    reasons = (Because(next(iter(catalogue().values())), "the evidence"),)
    known: dict[str, Any] = {
        "id": identifier,
        "started": NOW - 1,
        "client": "192.0.2.1:5000",
        "received": Request(
            b"GET",
            b"/orders?access_token=" + SECRET.encode(),
            Fields(((b"Authorization", b"Bearer " + SECRET.encode()), (b"Cookie", b"id=" + SECRET.encode()))),
        ),
        "response": Response(200, Fields(((b"Set-Cookie", b"id=" + SECRET.encode()), (b"Age", b"3")))),
        "response_bytes": 100,
        "decision": Decision(Outcome.HIT, reasons, ttl=60),
        "duration": 0.001,
    }
    return Account(**(known | facts))


class Running:
    """What a proxy would have: the figures and the last exchanges."""

    def __init__(self) -> None:
        self.figures = Figures(NOW - 100, in_flight=lambda: 2, connections=lambda: 5)
        self.recent = Recent()
        self.stopping = False
        self.sources = Sources(
            figures=self.figures,
            recent=self.recent,
            redaction=Redaction(),
            storage=lambda: StorageFigures(entries=3, bytes=1000, budget=4000, evicted=1, expired=2),
            stopping=lambda: self.stopping,
            lost=lambda: 9,
            now=lambda: NOW,
        )

    def end(self, *accounts: Account) -> None:
        for one in accounts:
            self.figures.add(one)
            self.recent.add(one)


async def problem(response: aiohttp.ClientResponse, status: int) -> str:
    """The detail of a problem document, which the response must be."""
    assert response.status == status
    assert response.content_type == "application/problem+json"
    told = await response.json(content_type="application/problem+json")
    assert (told["type"], told["status"]) == ("about:blank", status)
    return str(told["detail"])


async def events(response: aiohttp.ClientResponse, number: int) -> list[tuple[str, str]]:
    """The next events of a stream, each with its name and its data."""
    found: list[tuple[str, str]] = []
    name = ""
    while len(found) < number:
        field, _, value = (await response.content.readline()).decode().rstrip("\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            found.append((name, value))
    return found


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that must happen; the test's time limit is what ends a wait in vain."""
    while not holds():  # noqa: ASYNC110 - what is waited for sets no event
        await asyncio.sleep(0.005)


async def send(client: Client, request: bytes) -> tuple[int, bytes]:
    """Status and the rest of the answer to a request as it stands here."""
    reader, writer = await asyncio.open_connection(client.server.host, client.server.port)
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    body = await reader.readexactly(int(length[1]) if length else 0)
    writer.close()
    await writer.wait_closed()
    return int(head.split(b" ")[1]), body
