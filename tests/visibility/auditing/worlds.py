"""Servers without sockets, and an audit of them: what is planned is sent, one after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from proxy.visibility.auditing import planning
from proxy.visibility.auditing.choosing import Choosing, candidate, with_cookies, without
from proxy.visibility.auditing.judging import Case, verdicts
from proxy.visibility.auditing.shape import Endpoint, Heard, Probe
from proxy.visibility.observation import Observation
from proxy.visibility.redaction import Redaction
from proxy.visibility.sessions.carried import carried

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4iLCJjYXJ0IjpbMSwyXX0.c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmUx"
KEY = "3b1f9a6c2d8e4f7091a2b3c4d5e6f708"


@dataclass
class Seen:
    """A request as a server sees it."""

    target: str
    cookies: dict[str, str]
    fields: dict[str, str]
    at: float


@dataclass
class Said:
    """A server's answer."""

    content: str
    status: int = 200
    cookies: dict[str, str] = field(default_factory=dict)


Server = Callable[[Seen], Said]


def asking(target: str, *fields: tuple[str, str], method: str = "GET") -> Observation:
    """An exchange as a HAR tells of it."""
    return Observation(method=method, target=target, request_fields=fields, status=200)


def audit(observations: Sequence[Observation], *replicas: Server, pause: float = 60.0) -> dict[str, Endpoint]:
    """The verdicts on each endpoint."""
    choosing = Choosing(Redaction())
    choosing.add(observations)
    asked = choosing.chosen().asked
    cases = {one.number: Case(one) for one in asked}
    world = _World(replicas)
    for one in asked:
        world.send(planning.close(one, len(replicas)), cases)
        if cases[one.number].offered:
            world.send(planning.given(one, len(replicas)), cases)
    world.send(planning.reordered(asked), cases)
    world.now += pause
    world.send(planning.paused(asked), cases)
    return {one.endpoint: one for one in verdicts(list(cases.values()))}


class _World:
    def __init__(self, replicas: Sequence[Server]) -> None:
        self.replicas = replicas
        self.now = 0.0
        self._given: dict[int, dict[str, str]] = {}

    def send(self, probes: object, cases: dict[int, Case]) -> None:
        for probe in probes:  # type: ignore[attr-defined]
            self._send(probe, cases[probe.asked.number])

    def _send(self, probe: Probe, case: Case) -> None:
        self.now += 0.05
        lines = without(probe.asked.fields, probe.without)
        if probe.given:
            lines = with_cookies(lines, self._given[probe.asked.number])
        fields = {name.lower(): value for name, value in lines}
        pairs = (pair.strip().partition("=") for pair in fields.get("cookie", "").split(";") if pair)
        seen = Seen(probe.asked.target, {name: value for name, _, value in pairs}, fields, self.now)
        said = self.replicas[probe.replica](seen)
        given = {name: value for name, value in said.cookies.items() if name not in seen.cookies}
        if not case.heard:
            lines = tuple(("Set-Cookie", f"{name}={value}") for name, value in given.items())
            found = carried(Observation(response_fields=lines)).given
            case.offered = tuple(candidate(one) for one in found)
            self._given[probe.asked.number] = given
        digest = hashlib.sha256(said.content.encode()).hexdigest()
        parts = said.content.split(",")
        digests = (hashlib.blake2b(part.encode(), digest_size=8).digest() for part in parts)
        pieces = b"".join(digests) if len(parts) > 1 else b""
        size, names = len(said.content), tuple(given)
        case.heard.append((probe, Heard(self.now, said.status, digest, size, "", names, pieces=pieces)))
