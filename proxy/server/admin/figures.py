"""What the proxy did so far, in numbers: totals since the start, and each second of the last five minutes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from proxy.caching.decision import Decision, Outcome
from proxy.server.admin.histogram import Histogram, empty, percentiles
from proxy.server.lane.answers import Kind
from proxy.server.lane.records import Hit, Rendered
from proxy.visibility.account import Account

SECONDS = 300
"""How many seconds the figures reach back one by one."""

RECENT = 60
"""The seconds over which the recent percentiles are taken."""

KINDS = 4096
"""How many kinds of exchange are told apart: no stream of exchanges can fill the memory."""

SOURCES = ("cache", "upstream", "own")
"""Who gave clients their answers: the cache, the servers behind, or the proxy itself."""

NONE, OTHER = "none", "other"

_CACHE, _UPSTREAM, _OWN = range(3)
_SOURCE: dict[str, int] = {
    Outcome.HIT: _CACHE,
    Outcome.STALE: _CACHE,
    Outcome.VALIDATED: _CACHE,
    Outcome.FORWARDED: _UPSTREAM,
    Outcome.REFUSED: _OWN,
    Outcome.FAILED: _OWN,
    Outcome.LOCAL: _OWN,
}

_TUNNEL = 101

_Kind = tuple[str, int, str, str]
"""Outcome, status code (0: no answer), slug of the main reason, reason for going forward."""


class Told(msgspec.Struct, frozen=True):
    """All that figures are made of, to be added to those of another process."""

    kinds: list[tuple[str, int, str, str, int]]
    answered: list[int]
    sent: list[int]
    received: int
    origin: int
    errors: int
    latency: tuple[list[int], float]
    upstream: tuple[list[int], float]
    seconds: list[tuple[int, list[int], list[int], int, int, list[int]]]


class _Second:
    """What ended within one second, `at` seconds after the epoch."""

    __slots__ = ("answered", "at", "errors", "latency", "origin", "sent")

    def __init__(self, at: int) -> None:
        self.at = at
        self.answered = [0, 0, 0]  # exchanges by source
        self.sent = [0, 0, 0]  # bytes by source
        self.origin = 0
        self.errors = 0
        self.latency = empty()


class Figures:
    """Counts every finished exchange once, in the second in which it ended.

    `started` is when the proxy started, in seconds since the epoch; `in_flight` gives the number of
    exchanges that go on at the moment, `connections` that of clients' open connections.
    """

    def __init__(
        self,
        started: float,
        *,
        in_flight: Callable[[], int] = lambda: 0,
        connections: Callable[[], int] = lambda: 0,
    ) -> None:
        self.started = started
        self._in_flight = in_flight
        self._connections = connections
        self._kinds: dict[_Kind, int] = {}
        self._answered = [0, 0, 0]
        self._sent = [0, 0, 0]
        self._received = 0
        self._origin = 0
        self._errors = 0
        self._latency = Histogram()
        self._upstream = Histogram()
        self._latest = _Second(-1)
        self._ring = [self._latest] * SECONDS

    def add(self, account: Account) -> None:
        """Count an exchange that has ended. It is an error where it failed or did not reach its end.

        How long a tunnel was open is not among the latencies: that is up to those who talk through it.
        """
        decision, duration, sent = account.decision, account.duration, account.response_bytes
        at = int(account.started + (duration or 0.0))
        second = self._latest if self._latest.at == at else self._second(at)
        status = account.response.status if account.response is not None else 0
        source = _OWN if decision is None else _SOURCE[decision.outcome]
        self._answered[source] += 1
        second.answered[source] += 1
        self._sent[source] += sent
        second.sent[source] += sent
        self._received += account.request_bytes
        self._count(_kind(decision, status))
        if duration is not None and status != _TUNNEL:
            second.latency[self._latency.add(duration)] += 1
        if account.attempts:
            self._origin += account.attempts
            second.origin += account.attempts
        if account.upstream_first_byte is not None:
            self._upstream.add(account.upstream_first_byte)
        if not account.complete or (source == _OWN and _failed(decision)):
            self._errors += 1
            second.errors += 1

    def put_hits(self, hits: Sequence[Hit], first: int) -> None:
        """Count what the fast lane has answered, all of it whole, to requests without content."""
        begin, end = hits[0], hits[-1]
        if int(min(begin[0], end[0])) != int(max(begin[0] + begin[1], end[0] + end[1])):
            self._put_by_second(hits)
        else:
            self._put_within(int(begin[0]), hits)

    def _put_by_second(self, hits: Sequence[Hit]) -> None:
        ended: dict[int, list[Hit]] = {}
        for hit in hits:
            ended.setdefault(int(hit[0] + hit[1]), []).append(hit)
        for at, those in ended.items():
            self._put_within(at, those)

    def _put_within(self, at: int, hits: Sequence[Hit]) -> None:
        second = self._latest if self._latest.at == at else self._second(at)
        rendered = [hit[5] for hit in hits]
        passed = [one for one in rendered if one.upstream is not None]
        if passed:
            rendered = [one for one in rendered if one.upstream is None]
            self._put_passed(second, passed)
        for (outcome, status, slug), times in Counter([one.kind for one in rendered]).items():
            self._count((outcome, status, slug, ""), times)
        sent = sum([one.sent for one in rendered])
        self._answered[_CACHE] += len(rendered)
        second.answered[_CACHE] += len(rendered)
        self._sent[_CACHE] += sent
        second.sent[_CACHE] += sent
        for index, number in self._latency.add_all([hit[1] for hit in hits]):
            second.latency[index] += number

    def _put_passed(self, second: _Second, passed: Sequence[Rendered]) -> None:
        sent: Counter[tuple[Kind, str]] = Counter()
        for one in passed:
            sent[one.kind, one.forward] += one.sent
        for (kind, forward), times in Counter([(one.kind, one.forward) for one in passed]).items():
            self._count((*kind, forward), times)
            source = _SOURCE[kind[0]]
            self._answered[source] += times
            second.answered[source] += times
            self._sent[source] += sent[kind, forward]
            second.sent[source] += sent[kind, forward]
        self._origin += len(passed)
        second.origin += len(passed)
        self._upstream.add_all([max(one.upstream or 0.0, 0.0) for one in passed])

    def snapshot(self, now: float) -> dict[str, Any]:
        """All of it, for JSON; durations in seconds. The second that `now` falls into is not over yet."""
        seconds = self._seconds(int(now))
        return {
            "now": now,
            "started": self.started,
            "uptime": now - self.started,
            "connections": self._connections(),
            "in_flight": self._in_flight(),
            "exchanges": self._exchanges(),
            "bytes": {"received": self._received, "sent": dict(zip(SOURCES, self._sent, strict=True))},
            "latency": self._latency.snapshot(),
            "upstream": {"requests": self._origin, "latency": self._upstream.snapshot()},
            "recent": _recent(seconds[-RECENT:]),
            "seconds": _columns(seconds, int(now)),
        }

    def now(self) -> tuple[int, int]:
        """How many exchanges go on at the moment, and how many connections are open."""
        return self._in_flight(), self._connections()

    def told(self, now: float) -> Told:
        """All of it, as `add_told` takes it."""
        seconds = [one for one in self._ring if now - SECONDS < one.at]
        return Told(
            [(*kind, count) for kind, count in self._kinds.items()],
            self._answered,
            self._sent,
            self._received,
            self._origin,
            self._errors,
            (self._latency.counts, self._latency.sum),
            (self._upstream.counts, self._upstream.sum),
            [(one.at, one.answered, one.sent, one.origin, one.errors, one.latency) for one in seconds],
        )

    def add_told(self, told: Told) -> None:
        """Count what another process has counted."""
        for outcome, status, slug, forward, count in told.kinds:
            self._count((outcome, status, slug, forward), count)
        self._answered = _sums(self._answered, told.answered)
        self._sent = _sums(self._sent, told.sent)
        self._received += told.received
        self._origin += told.origin
        self._errors += told.errors
        self._latency.add_counts(*told.latency)
        self._upstream.add_counts(*told.upstream)
        for at, answered, sent, origin, errors, latency in told.seconds:
            if at < self._ring[at % SECONDS].at:
                continue  # it is over five minutes older than what the others tell of
            second = self._second(at)
            second.answered, second.sent = _sums(second.answered, answered), _sums(second.sent, sent)
            second.origin += origin
            second.errors += errors
            second.latency = _sums(second.latency, latency)

    def _second(self, at: int) -> _Second:
        """The place of that second in the ring, cleared of what stood there five minutes before."""
        second = self._ring[at % SECONDS]
        if second.at != at:
            second = self._ring[at % SECONDS] = _Second(at)
        self._latest = second
        return second

    def _count(self, kind: _Kind, times: int = 1) -> None:
        count = self._kinds.get(kind)
        if count is None and len(self._kinds) >= KINDS:
            kind = (kind[0], _coarse(kind[1]), OTHER, kind[3] and OTHER)
            count = self._kinds.get(kind)
        self._kinds[kind] = (count or 0) + times

    def _exchanges(self) -> dict[str, Any]:
        outcomes: Counter[str] = Counter({str(outcome): 0 for outcome in Outcome})
        statuses: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        forwards: Counter[str] = Counter()
        for (outcome, status, slug, forward), count in self._kinds.items():
            outcomes[outcome] += count
            statuses[_status_class(status)] += count
            reasons[slug] += count
            if forward:
                forwards[forward] += count
        return {
            "total": sum(self._answered),
            "errors": self._errors,
            "by_source": dict(zip(SOURCES, self._answered, strict=True)),
            "by_outcome": dict(outcomes),
            "by_status": dict(sorted(statuses.items())),
            "by_reason": dict(reasons.most_common()),
            "by_forward": dict(forwards.most_common()),
        }

    def _seconds(self, now: int) -> list[_Second]:
        """The last five minutes, oldest first, empty ones where nothing ended."""
        wanted = ((at, self._ring[at % SECONDS]) for at in range(now - SECONDS + 1, now + 1))
        return [second if second.at == at else _Second(at) for at, second in wanted]


def _sums(some: Sequence[int], others: Sequence[int]) -> list[int]:
    return [one + other for one, other in zip(some, others, strict=True)]


def _kind(decision: Decision | None, status: int) -> _Kind:
    if decision is None:
        return NONE, status, NONE, ""
    slug = decision.reasons[0].reason.slug if decision.reasons else NONE
    return decision.outcome, status, slug, decision.forward or ""


def _failed(decision: Decision | None) -> bool:
    return decision is not None and decision.outcome is Outcome.FAILED


def _status_class(status: int) -> str:
    if status == 0:
        return NONE
    return f"{status // 100}xx" if 100 <= status < 600 else OTHER


def _coarse(status: int) -> int:
    """A status code of the same class, of which there are few."""
    return status // 100 * 100 if 100 <= status < 600 else min(max(status, -1), 1)


def _recent(seconds: list[_Second]) -> dict[str, Any]:
    latency = [sum(column) for column in zip(*(second.latency for second in seconds), strict=True)]
    return {"seconds": len(seconds), **percentiles(latency)}


def _columns(seconds: list[_Second], now: int) -> dict[str, Any]:
    """One list for each figure, all as long; the last item belongs to the second `last`."""
    columns: dict[str, Any] = {"last": now}
    for index, source in enumerate(SOURCES):
        columns[source] = [second.answered[index] for second in seconds]
        columns[f"{source}_bytes"] = [second.sent[index] for second in seconds]
    columns["origin"] = [second.origin for second in seconds]
    columns["errors"] = [second.errors for second in seconds]
    return columns
