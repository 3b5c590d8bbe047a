"""Sends what an audit has planned, to the servers that were named and to no others, at a bounded rate."""

from __future__ import annotations

import asyncio
import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from time import monotonic

from proxy.engine.performer import no_interim
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.upstream.address import Server
from proxy.upstream.contract import UpstreamError, UpstreamResponse
from proxy.upstream.pool import Pool
from proxy.upstream.settings import UpstreamSettings
from proxy.visibility.auditing import planning
from proxy.visibility.auditing.choosing import candidate, with_cookies, without
from proxy.visibility.auditing.judging import Case
from proxy.visibility.auditing.shape import Asked, Candidate, Heard, Probe
from proxy.visibility.observation import Observation
from proxy.visibility.sessions.carried import carried

PATIENCE = 10.0
"""Seconds in which an answer has to end."""

LARGEST = 64 << 20
"""Bytes of an answer that are read; what is longer is compared by these."""

LOOKED_AT = 256 << 10
"""Bytes of an answer that are compared part by part."""

MOST_PARTS = 2048

_CUT = re.compile(rb"[\n,<>&]")

Progress = Callable[[int], None]
"""Is told how many requests have been sent."""


class Sender:
    """Sends probes to replicas, `rate` a second at most, and keeps what was heard, case by case."""

    def __init__(
        self,
        servers: Sequence[Server],
        settings: UpstreamSettings,
        rate: float,
        progress: Progress = lambda _: None,
    ) -> None:
        self._servers = servers
        self._pools = [Pool(server, settings) for server in servers]
        self._interval = 1 / rate
        self._progress = progress
        self._began = monotonic()
        self._next = 0.0
        self._cookies: dict[int, dict[str, str]] = {}
        self.sent = 0

    async def run(self, asked: Sequence[Asked], pause: float) -> list[Case]:
        """Send everything, one after the other in the order planned; `pause` is in seconds."""
        cases = {one.number: Case(one) for one in asked}
        replicas = len(self._servers)
        try:
            for one in asked:
                case = cases[one.number]
                await self._all(planning.close(one, replicas), cases)
                if case.offered:
                    await self._all(planning.given(one, replicas), cases)
            await self._all(planning.reordered(asked), cases)
            if pause > 0:
                await asyncio.sleep(pause)
                await self._all(planning.paused(asked), cases)
        finally:
            for pool in self._pools:
                await pool.close()
        return list(cases.values())

    async def _all(self, probes: Iterable[Probe], cases: dict[int, Case]) -> None:
        for probe in probes:
            case = cases[probe.asked.number]
            if len(case.heard) > 1 and all(heard.error for _, heard in case.heard):
                continue  # nobody answers it: asking on in every way would only take time
            heard, offered, values = await self._send(probe)
            if not case.heard:
                case.offered = offered
                self._cookies[probe.asked.number] = values
            case.heard.append((probe, heard))

    async def _send(self, probe: Probe) -> tuple[Heard, tuple[Candidate, ...], dict[str, str]]:
        await asyncio.sleep(max(0.0, self._next - monotonic()))
        self._next = max(monotonic(), self._next + self._interval)
        self.sent += 1
        self._progress(self.sent)
        at = monotonic() - self._began
        try:
            async with asyncio.timeout(PATIENCE):
                response = await self._pools[probe.replica].send(self.request(probe), None, no_interim)
                try:
                    return await _heard(at, response, probe)
                finally:
                    response.close()
        except UpstreamError as error:
            return Heard(at, error=error.message), (), {}
        except TimeoutError:
            return Heard(at, error=f"no end within {PATIENCE:g} s"), (), {}

    def request(self, probe: Probe) -> Request:
        """What is sent for a probe."""
        asked = probe.asked
        lines = without(asked.fields, probe.without)
        if probe.given:
            lines = with_cookies(lines, self._cookies.get(asked.number, {}))
        server = self._servers[probe.replica]
        fields = Fields(
            (
                (b"Host", server.authority),
                *((name.encode("latin-1"), value.encode("latin-1")) for name, value in lines),
            )
        )
        return Request(
            asked.method.encode(),
            asked.target.encode(),
            fields,
            scheme=server.scheme.encode(),
            authority=server.authority,
        )


async def _heard(
    at: float, response: UpstreamResponse, probe: Probe
) -> tuple[Heard, tuple[Candidate, ...], dict[str, str]]:
    hashed = hashlib.sha256(usedforsecurity=False)
    count, beginning = 0, b""
    while count < LARGEST and (data := await response.read()):
        hashed.update(data)
        count += len(data)
        if len(beginning) < LOOKED_AT:
            beginning += data
    offered, values = _offered(response.head, {one.name for one in probe.asked.candidates})
    digest = f"sha-256=:{b64encode(hashed.digest()).decode()}:"
    location = (response.head.fields.get(b"location") or b"").decode("latin-1")
    pieces = _pieces(beginning) if count <= LOOKED_AT else b""
    given = tuple(one.name for one in offered)
    return Heard(at, response.head.status, digest, count, location, given, pieces=pieces), offered, values


def _pieces(content: bytes) -> bytes:
    parts = _CUT.split(content)
    if not 1 < len(parts) <= MOST_PARTS:
        return b""
    return b"".join(hashlib.blake2b(part, digest_size=8).digest() for part in parts)


def _offered(head: Response, there: set[str]) -> tuple[tuple[Candidate, ...], dict[str, str]]:
    """The cookies that an answer sets and its request did not have, and their values."""
    lines = tuple(("set-cookie", value.decode("latin-1")) for value in head.fields.all(b"set-cookie"))
    given = [
        one
        for one in carried(Observation(response_fields=lines)).given
        if not one.removed and one.name not in there
    ]
    offered = {one.name: candidate(one) for one in given}
    return tuple(offered.values()), {one.name: one.value for one in given}
