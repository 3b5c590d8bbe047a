"""Exchanges with an origin server that a test makes up, to have them explained."""

from __future__ import annotations

from collections.abc import Iterable

from proxy.caching.effects import Arrived
from proxy.caching.policy import Policy
from proxy.commands.explaining.explanation import explain
from proxy.commands.explaining.origins import Had
from proxy.commands.explaining.outlook import Outlook, outlook
from proxy.commands.explaining.shape import Explanation
from proxy.engine.performer import received
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.visibility.redaction import Redaction

NOON = 1_700_000_000.0
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
"""The same moment as a field has it."""

HOUR_BEFORE = "Tue, 14 Nov 2023 21:13:20 GMT"
REDACTION = Redaction("the same for every test")


def fields(lines: Iterable[str]) -> Fields:
    """Field lines, each as `Name: value`."""
    pairs = (line.partition(":") for line in lines)
    return Fields((name.encode(), value.strip().encode("latin-1")) for name, _, value in pairs)


def had(
    *lines: str,
    status: int = 200,
    asked: Iterable[str] = (),
    method: str = "GET",
    target: str = "/things",
    content: int = 10,
    ended: bool = True,
    limit: int = 1000,
) -> Had:
    """An exchange at noon whose response has these fields, and a Date."""
    request = Request(method.encode(), target.encode(), fields(asked), authority=b"example.org")
    response = received(Response(status, fields(lines), b"As You Like It"), NOON)
    return Had(request, Arrived(response, NOON, NOON, content), content, ended, limit)


def looked(*lines: str, **about: object) -> Outlook:
    """What follows from such an exchange."""
    return outlook(had(*lines, **about), Policy())  # type: ignore[arg-type]


def explained(*lines: str, **about: object) -> Explanation:
    """What there is to say of such an exchange."""
    return explain(had(*lines, **about), Policy(), REDACTION)  # type: ignore[arg-type]
