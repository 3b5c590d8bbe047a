"""A small engine: performs the effects of the rules over a list of entries, as a driver has to."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field, replace
from itertools import islice

import pytest

from proxy.caching.decision import Decision
from proxy.caching.effects import (
    Answer,
    Arrived,
    Collapse,
    Effect,
    Forward,
    Found,
    Freshen,
    Invalidate,
    LookUp,
    Result,
    Span,
    Store,
    Unreached,
)
from proxy.caching.exchange import exchange, revalidation
from proxy.caching.policy import Policy
from proxy.caching.stored import StoredResponse
from proxy.message.dates import format_date
from proxy.message.fields import FieldLine, Fields
from proxy.message.request import Request
from proxy.message.response import Response

NOON = 1_700_000_000.0
"""When every engine's clock starts."""

Sent = tuple[Response, bytes]
Origin = Callable[[Request], Sent | Unreached]


@dataclass(slots=True, eq=False)
class Held:
    """An entry of the store."""

    key: bytes
    stored: StoredResponse
    labels: tuple[bytes, ...]
    content: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What a client got."""

    status: int
    fields: Fields
    content: bytes
    decision: Decision
    answer: Answer

    def __getitem__(self, name: str) -> str | None:
        value = self.fields.get(name.lower().encode())
        return None if value is None else value.decode("latin-1")

    @property
    def slugs(self) -> list[str]:
        return [because.reason.slug for because in self.decision.reasons]


@dataclass(slots=True)
class Engine:
    """Performs exchanges. Forwarded requests are kept in `forwarded`; `wait` lets time pass."""

    policy: Policy = field(default_factory=Policy)
    now: float = NOON
    entries: list[Held] = field(default_factory=list)
    forwarded: list[Request] = field(default_factory=list)
    known: list[tuple[StoredResponse, Held]] = field(default_factory=list)
    origin: Origin | None = None
    delay: float = 0.0
    concurrent: Callable[[], None] | None = None

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def responds(
        self,
        status: int = 200,
        content: bytes = b"hello",
        lines: Iterable[tuple[str, str]] = (),
        **fields: str,
    ) -> None:
        """From now on the origin server answers with this, whatever it is asked."""
        named = [(name.replace("_", "-"), value) for name, value in fields.items()]
        made = Fields([(n.encode(), v.encode("latin-1")) for n, v in (*lines, *named)])
        self.origin = lambda _: (Response(status, made), content)

    def fails(self, status: int = 502, cause: str = "connection refused") -> None:
        """From now on the origin server can't be reached."""
        self.origin = lambda _: Unreached(status, cause, self.now)

    def send(self, method: str = "GET", target: str = "/", bypass: bool = False, **fields: str) -> Reply:
        lines = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in fields.items()]
        return self.exchange(
            Request(method.encode(), target.encode(), Fields(lines), authority=b"example.org"), bypass=bypass
        )

    def exchange(self, request: Request, bypass: bool = False) -> Reply:
        answer, arriving = self._run(exchange(request, self.policy, bypass=bypass))
        content = b"".join(self._piece(piece, arriving) for piece in answer.content)
        if answer.store is not None:
            self._keep(answer.store, arriving)
        if answer.background is not None:
            wanted = answer.background
            later, arriving = self._run(revalidation(wanted.request, wanted.selected, self.policy))
            if later.store is not None:
                self._keep(later.store, arriving)
        response = answer.response
        return Reply(response.status, response.fields, content, answer.decision, answer)

    def _run(self, rules: Generator[Effect, Result, Answer]) -> tuple[Answer, bytes]:
        arriving = b""
        result: Result = None
        while True:
            try:
                effect = rules.send(result)
            except StopIteration as end:
                return end.value, arriving
            result = None
            match effect:
                case LookUp(key, None):
                    result = self._found(held for held in self.entries if held.key == key)
                case LookUp(_, label):
                    newest_first = (held for held in reversed(self.entries) if label in held.labels)
                    result = self._found(islice(newest_first, 16))
                case Forward(request, collapse):
                    result, arriving = self._forward(request, collapse)
                case Freshen(selected, updated):
                    held = self._held(selected)
                    held.stored = updated
                    self.known.append((updated, held))
                case Invalidate(keys, labels):
                    self.entries = [
                        held
                        for held in self.entries
                        if held.key not in keys and not set(labels).intersection(held.labels)
                    ]

    def _found(self, entries: Iterable[Held]) -> Found:
        found = list(entries)
        self.known += [(held.stored, held) for held in found]
        return Found([held.stored for held in found], self.now)

    def _forward(self, request: Request, collapse: Collapse | None) -> tuple[Result, bytes]:
        if collapse is not None and collapse.follows and self.concurrent is not None:
            other, self.concurrent = self.concurrent, None
            other()
            return self._found(held for held in self.entries if held.key == collapse.key), b""
        self.forwarded.append(request)
        assert self.origin is not None
        sent = self.origin(request)
        asked = self.now
        self.now += self.delay
        if isinstance(sent, Unreached):
            return sent, b""
        response, content = sent
        if request.method == b"HEAD" or response.status in (204, 304):
            content = b""
        if b"date" not in response.fields:
            date: FieldLine = (b"Date", format_date(asked))
            response = replace(response, fields=response.fields.adding(date))
        return Arrived(response, asked, self.now, len(content)), content

    def _held(self, stored: StoredResponse) -> Held:
        """The entry that a look-up gave this very value for."""
        return next(held for known, held in self.known if known is stored)

    def _piece(self, piece: object, arriving: bytes) -> bytes:
        if isinstance(piece, bytes):
            return piece
        if isinstance(piece, Span):
            held = self._held(piece.stored)
            offset = piece.stored.first
            assert offset <= piece.first <= piece.last < offset + len(held.content)
            return held.content[piece.first - offset : piece.last - offset + 1]
        return arriving

    def _keep(self, wanted: Store, arriving: bytes) -> None:
        content = arriving
        if wanted.extends is not None:
            joined = self._held(wanted.extends)
            before = joined.content[: max(0, wanted.arriving - wanted.extends.first)]
            assert len(before) == max(0, wanted.arriving - wanted.extends.first), "a hole"
            reached = wanted.stored.first + len(before) + len(arriving)
            content = before + arriving + joined.content[max(0, reached - wanted.extends.first) :]
        complete = wanted.stored.complete_length
        complete = len(content) if complete is None else complete
        replaced = [self._held(one) for one in wanted.replaces]
        self.entries = [held for held in self.entries if held not in replaced]
        stored = replace(wanted.stored, length=len(content), complete_length=complete)
        self.entries.append(Held(wanted.key, stored, wanted.labels, content))


@pytest.fixture
def engine() -> Engine:
    return Engine()
