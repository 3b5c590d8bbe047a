"""Servers that come and go while the proxy runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from proxy.upstream.address import parse_weighted
from proxy.upstream.fleet.fleet import Fleet
from proxy.upstream.fleet.settings import BalanceSettings
from proxy.upstream.settings import UpstreamSettings


@pytest.fixture
async def fleet() -> AsyncIterator[Fleet]:
    fleet = Fleet([parse_weighted("http://a.example")], UpstreamSettings(), BalanceSettings())
    yield fleet
    await fleet.close()


def become(fleet: Fleet, *servers: str) -> list[tuple[str, float]]:
    fleet.become([parse_weighted(one) for one in servers])
    return [(server.host, weight) for server, weight in fleet.servers]


async def test_those_that_are_missing_come_and_the_others_leave(fleet: Fleet) -> None:
    assert become(fleet, "http://a.example,weight=3", "http://b.example") == [
        ("a.example", 3.0),
        ("b.example", 1.0),
    ]
    assert become(fleet, "http://c.example") == [("c.example", 1.0)]
    while len(fleet.figures()) > 1:  # noqa: ASYNC110 - they leave in their time
        await asyncio.sleep(0.01)


async def test_one_that_was_to_leave_can_stay(fleet: Fleet) -> None:
    become(fleet, "http://a.example", "http://b.example")
    fleet._members["b.example:80"].outstanding = 1  # something is under way
    assert become(fleet, "http://a.example") == [("a.example", 1.0)]
    assert become(fleet, "http://a.example", "http://b.example,weight=2")[1] == ("b.example", 2.0)
    fleet._members["b.example:80"].outstanding = 0
    for _ in range(40):
        await asyncio.sleep(0.01)
    assert [one["state"] for one in fleet.figures()] == ["well", "well"]
