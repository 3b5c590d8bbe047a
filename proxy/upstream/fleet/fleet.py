"""Several servers as one way upstream: asks the planners, and does what they say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from proxy.message.errors import ConfigurationError
from proxy.message.request import Request
from proxy.upstream.address import Server
from proxy.upstream.contract import Content, UpstreamError, UpstreamResponse
from proxy.upstream.exchange import Interim
from proxy.upstream.fleet import balance
from proxy.upstream.fleet.answered import Answered
from proxy.upstream.fleet.balance import Candidate
from proxy.upstream.fleet.checks import check
from proxy.upstream.fleet.health import Health, Sign, after, due, left_out, share, slow_one, timed
from proxy.upstream.fleet.member import Member, sign_of
from proxy.upstream.fleet.repeating import Judge, afresh, by_method, held
from proxy.upstream.fleet.retry import UNWELL, Budget, Failed, deposited, refilled, verdict, withdrawn
from proxy.upstream.fleet.settings import BalanceSettings
from proxy.upstream.pool import Pool
from proxy.upstream.settings import UpstreamSettings

_TICK = 0.25
"""Seconds between two looks at who is to be checked."""

_SECRET = b"pellucid"
"""Makes the names in cookies the same for all proxies, so that any of them can serve any client."""

log = logging.getLogger(__name__)


class Fleet:
    """Several servers as the engine's `Upstream`.

    `servers` come with their weights. `authority` is what requests have in `Host` where it's for the server
    that is asked to have its own there. `judge` tells whether a request may be sent to a second server.
    Raises ConfigurationError where there is no server, or one twice.
    """

    def __init__(
        self,
        servers: Sequence[tuple[Server, float]],
        settings: UpstreamSettings,
        rules: BalanceSettings,
        *,
        authority: bytes = b"",
        judge: Judge = by_method,
        make_pool: Callable[[Server, UpstreamSettings], Pool] = Pool,
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._authority = authority
        self._judge = judge
        self._make_pool = make_pool
        self._members: dict[str, Member] = {}
        self._credits: balance.Credits = {}
        self._budget = Budget()
        self._turn = 0
        self._checking: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        for server, weight in servers:
            self.add(server, weight)
        if not self._members:
            raise ConfigurationError("there is no server to forward to")

    # Which servers there are.

    def add(self, server: Server, weight: float = 1.0) -> None:
        """Have one server more. Raises ConfigurationError where it is there already."""
        known = self._members.get(str(server))
        if known is not None and not known.draining:
            raise ConfigurationError("the server is there already", evidence=str(server))
        if not 0 < weight < 1e6:
            raise ConfigurationError("a weight is above 0", evidence=f"{weight:g}")
        if known is not None and known.server == server:  # it was to leave, and stays
            known.draining, known.weight = False, weight
            return
        self._members[str(server)] = Member(server, weight, self._make_pool(server, self._settings))

    def drain(self, name: str) -> None:
        """Send a server nothing new; it leaves when what is under way is over. Raises ConfigurationError."""
        member = self._members.get(name)
        if member is None:
            raise ConfigurationError("there is no such server", evidence=name)
        if not any(one is not member and not one.draining for one in self._members.values()):
            raise ConfigurationError("it is the last server", evidence=name)
        if not member.draining:
            member.draining = True
            self._let_leave(member)

    @property
    def servers(self) -> list[tuple[Server, float]]:
        """The servers that get requests, or would if they were well, with their weights."""
        return [(one.server, one.weight) for one in self._members.values() if not one.draining]

    def become(self, servers: Sequence[tuple[Server, float]]) -> None:
        """Have these servers: add those that are missing, drain the others. Raises ConfigurationError."""
        wanted = {str(server): weight for server, weight in servers}
        for server, weight in servers:
            known = self._members.get(str(server))
            if known is None or known.draining:
                self.add(server, weight)
            else:
                known.weight = weight
        for server, _ in self.servers:
            if str(server) not in wanted:
                self.drain(str(server))

    def figures(self) -> list[dict[str, Any]]:
        """Each server's condition, for JSON; times in seconds."""
        now = _now()
        return [
            {
                "server": one.name,
                "weight": one.weight,
                "share": round(share(one.health, now, self._rules), 3),
                "state": "draining" if one.draining else ("out" if one.health.out else "well"),
                "why": one.health.why,
                "outstanding": one.outstanding,
                "answered": one.answered,
                "first_byte_seconds": round(one.health.late, 6),
            }
            for one in self._members.values()
        ]

    # What goes upstream.

    async def send(self, request: Request, content: Content | None, interim: Interim) -> UpstreamResponse:
        """Send a request to the server whose turn it is; to another where it can't answer and that is safe.

        A small content that may have to be sent again is read as a whole first. Raises the `UpstreamError` of
        the last one that was asked.
        """
        self._watch()
        keeps = content is not None and b"expect" not in request.fields and self._judge(request).may
        whole = await held(content, self._rules.repeat_limit) if keeps else None
        self._budget = deposited(self._budget, self._rules.retries)
        tried: list[str] = []
        attempts, why = 0, ""
        wanted = self._wanted(request)
        while True:
            member = self._choose(request, wanted, tried)
            tried.append(member.name)
            member.outstanding += 1
            over = _once(member)
            try:
                response = await member.pool.send(
                    self._addressed(request, member), afresh(content, whole), interim
                )
            except UpstreamError as error:
                over()
                attempts += error.attempts
                self._hear(member, sign_of(error), error.message)
                again, why = self._again(request, Failed(error.sent, error.read and whole is None), tried)
                if again:
                    continue
                error.attempts, error.tried, error.retry = attempts, tuple(tried), why
                raise
            except BaseException:
                over()
                raise
            attempts += response.timing.attempts
            status = response.head.status
            self._heard(member, response)
            if status in UNWELL:
                again, why = self._again(request, Failed(True, content is not None and whole is None), tried)
                if again:
                    response.close()
                    over()
                    continue
            affinity = self._affinity(member, wanted)
            return Answered(
                response, over, tried=tuple(tried), attempts=attempts, retry=why, affinity=affinity
            )

    def _choose(self, request: Request, wanted: bytes | None, tried: Sequence[str]) -> Member:
        candidates = self._candidates(tried)
        rules = self._rules
        match rules.policy:
            case "least":
                chosen = balance.least_outstanding(candidates, self._next_turn())
            case "hash":
                chosen = balance.consistent(candidates, balance.hash_key(request, rules.key))
            case "sticky":
                known = balance.named(candidates, wanted, _SECRET)
                chosen = known or balance.least_outstanding(candidates, self._next_turn())
            case _:
                chosen, self._credits = balance.round_robin(candidates, self._credits)
        return self._members[chosen.name]

    def _candidates(self, tried: Sequence[str]) -> list[Candidate]:
        """The servers that may be asked: those that are well; where none is, all that were not asked yet."""
        now = _now()
        there = [one for one in self._members.values() if one.name not in tried and not one.draining]
        shares = {one.name: share(one.health, now, self._rules) for one in there}
        well = [one for one in there if shares[one.name] > 0]
        found = well or there or list(self._members.values())
        return [
            Candidate(one.name, one.weight * (shares.get(one.name) or 1.0), one.outstanding) for one in found
        ]

    def _again(self, request: Request, failed: Failed, tried: Sequence[str]) -> tuple[bool, str]:
        self._budget = refilled(self._budget, _now())
        left = withdrawn(self._budget)
        others = sum(
            one.name not in tried and not one.draining and not one.health.out
            for one in self._members.values()
        )
        again, why = verdict(
            failed,
            self._judge(request),
            tried=len(tried),
            tries=self._rules.tries,
            others=others,
            affordable=left is not None,
        )
        if again and left is not None:
            self._budget = left
        return again, why

    def _addressed(self, request: Request, member: Member) -> Request:
        """The request with that server's own authority in `Host`, unless the client's is to stand there."""
        own = member.server.authority
        if own == self._authority or request.fields.get(b"host") != self._authority:
            return request
        fields = request.fields.setting(b"Host", own)
        return Request(
            request.method,
            request.target,
            fields,
            request.version,
            request.scheme,
            request.authority,
            request.content_digest,
        )

    def _wanted(self, request: Request) -> bytes | None:
        if self._rules.policy != "sticky":
            return None
        return balance.cookie(request, self._rules.cookie.encode())

    def _affinity(self, member: Member, wanted: bytes | None) -> bytes | None:
        """The `Set-Cookie` by which the client comes back to this server; None where it has that already."""
        name = balance.tag(member.name, _SECRET)
        if self._rules.policy != "sticky" or wanted == name:
            return None
        return b"%b=%b; Path=/; HttpOnly; SameSite=Lax" % (self._rules.cookie.encode(), name)

    def _next_turn(self) -> int:
        self._turn += 1
        return self._turn

    # How the servers are.

    def _heard(self, member: Member, response: UpstreamResponse) -> None:
        status = response.head.status
        member.answered += 1
        member.health = timed(member.health, response.timing.first_byte)
        self._hear(member, Sign.BAD if status in UNWELL else Sign.GOOD, f"it answers {status}")
        slow = slow_one({name: one.health for name, one in self._members.items()}, self._rules)
        if slow is not None:
            late = self._members[slow]
            why = f"its responses begin after {late.health.late:.3f} s, much later than the others'"
            self._set(late, left_out(late.health, _now(), self._rules, why))

    def _hear(self, member: Member, sign: Sign | None, why: str) -> None:
        if sign is not None:
            self._set(member, after(member.health, sign, _now(), self._rules, why))

    def _set(self, member: Member, health: Health) -> None:
        if health.out and not member.health.out:
            log.warning("%s gets no requests for a while: %s", member.name, health.why)
        elif member.health.out and not health.out:
            log.warning("%s gets requests again", member.name)
        member.health = health

    def _watch(self) -> None:
        if self._watching is None:
            self._watching = asyncio.get_running_loop().create_task(self._keep_checking())

    async def _keep_checking(self) -> None:
        """Check who is due; each check by itself, so that a server that hangs holds up no other's."""
        checked: dict[str, float] = {}
        while True:
            now = _now()
            for member in self._members.values():
                regular = self._rules.check and now - checked.get(member.name, 0.0) >= self._rules.check_every
                if (regular and not member.health.out) or due(member.health, now):
                    if now - checked.get(member.name, 0.0) < self._rules.check_every:
                        continue
                    checked[member.name] = now
                    task = asyncio.get_running_loop().create_task(self._check(member))
                    self._checking.add(task)
                    task.add_done_callback(self._checking.discard)
            await asyncio.sleep(_TICK)

    async def _check(self, member: Member) -> None:
        why = await check(member.pool, member.server, self._rules)
        self._hear(member, Sign.GONE if why else Sign.GOOD, why or "")

    def _let_leave(self, member: Member) -> None:
        task = asyncio.get_running_loop().create_task(self._leave(member))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _leave(self, member: Member) -> None:
        try:
            while member.outstanding and member.draining:  # noqa: ASYNC110 - rare, and nobody waits for it
                await asyncio.sleep(_TICK)
        finally:
            if member.draining:
                if self._members.get(member.name) is member:
                    del self._members[member.name]
                await member.pool.close()

    # The beginning and the end.

    async def probe(self) -> UpstreamError | None:
        """Why none of the servers can be reached at this moment; None where one can."""
        errors = await asyncio.gather(*(one.pool.probe() for one in self._members.values()))
        for member, error in zip(list(self._members.values()), errors, strict=False):
            if error is not None:
                self._hear(member, sign_of(error), error.message)
        return None if None in errors else errors[0]

    async def close(self) -> None:
        """Close every connection."""
        tasks = [*self._checking, *self._leaving, *([self._watching] if self._watching else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(one.pool.close() for one in self._members.values()))


def _once(member: Member) -> Callable[[], None]:
    """Counts a request to a server as over, once."""
    done = False

    def over() -> None:
        nonlocal done
        if not done:
            done = True
            member.outstanding -= 1

    return over


def _now() -> float:
    return asyncio.get_running_loop().time()
