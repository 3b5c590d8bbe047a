"""Whatever the order in which clients come and go and the origin speaks: nobody gets what is another's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.message.fields import FieldLine
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.upstream.contract import BrokenResponse, Content, UpstreamError, UpstreamResponse
from tests.engine.stage import Arriving, Client, Origin, Stage, asking, until

PIECES = 4


@dataclass
class Answering:
    """One response that the origin gives, step by step as it's told: the head first, then piece by piece."""

    asked: Request
    origin: Origin
    steps: list[asyncio.Event]
    broken: bool = False

    def step(self) -> bool:
        for event in self.steps:
            if not event.is_set():
                event.set()
                return True
        return False


@dataclass
class Speaker:
    """An origin whose every response tells which request it is to, and which answer it is."""

    lines: tuple[FieldLine, ...]
    known: bool
    answers: list[Answering] = field(default_factory=list)

    async def send(
        self, request: Request, content: Content | None, interim: Callable[[Response], Awaitable[None]]
    ) -> UpstreamResponse:
        told = b"%b/%d;" % (request.fields.get(b"user") or b"", len(self.answers))
        steps = [asyncio.Event() for _ in range(PIECES + 1)]
        pieces: list[bytes | UpstreamError | asyncio.Event] = []
        for number, event in enumerate(steps[1:]):
            pieces += [event, told * (1 + 5000 * (number % 2))]
        size = sum(len(piece) for piece in pieces if isinstance(piece, bytes))
        origin = Origin(200, self.lines, tuple(pieces), size if self.known else None)
        answering = Answering(request, origin, steps)
        self.answers.append(answering)
        await steps[0].wait()
        return Breakable(origin, answering)

    async def close(self) -> None:
        pass

    def whole(self, number: int) -> bytes:
        return b"".join(piece for piece in self.answers[number].origin.pieces if isinstance(piece, bytes))


class Breakable(Arriving):
    """A response that ends too early once it is broken."""

    def __init__(self, origin: Origin, answering: Answering) -> None:
        super().__init__(origin)
        self._answering = answering

    async def read(self) -> bytes:
        data = await super().read()
        if self._answering.broken:
            raise BrokenResponse("cut")
        return data


def sharing(lines: tuple[FieldLine, ...]) -> Callable[[bytes, bytes], bool]:
    """Which users may have a response to another: everybody, those with the same language, nobody."""
    told = dict(lines)
    if told[b"Cache-Control"] == b"max-age=60":
        if b"Vary" in told:
            return lambda one, other: one[:1] == other[:1]
        return lambda one, other: True
    return lambda one, other: one == other


KINDS = st.sampled_from(
    [
        ((b"Cache-Control", b"max-age=60"),),
        ((b"Cache-Control", b"max-age=60"), (b"ETag", b'"1"')),
        ((b"Cache-Control", b"max-age=60"), (b"Vary", b"Accept-Language")),
        ((b"Cache-Control", b"private, max-age=60"),),
        ((b"Cache-Control", b"no-store"),),
    ]
)
OWN: list[tuple[FieldLine, ...]] = [(), (), (), ((b"Range", b"bytes=10-20"),), ((b"If-None-Match", b'"1"'),)]
TURNS = st.sampled_from([0, 1, 2, 3, 5, 12])
"""Of the loop, which pass before the next step."""
STEPS = st.one_of(
    st.tuples(st.just("come"), st.integers(0, 9), TURNS, st.sampled_from(OWN)),
    st.tuples(st.just("head"), st.integers(0, 9), TURNS, st.just(())),
    st.tuples(st.sampled_from(["leave", "stop reading", "break"]), st.integers(0, 9), TURNS, st.just(())),
    st.tuples(st.just("speak"), st.integers(0, 9), TURNS, st.just(())),
)
Step = tuple[str, int, int, tuple[FieldLine, ...]]


class Run:
    """One order of events, and what came of it."""

    def __init__(self, lines: tuple[FieldLine, ...], *, known: bool) -> None:
        self.speaker = Speaker(lines, known)
        self.stage = Stage(upstream=self.speaker)
        self.clients: list[tuple[Client, asyncio.Task[Client]]] = []

    def come(self, user: int, own: tuple[FieldLine, ...], method: bytes = b"GET") -> None:
        name = b"%c%d" % (b"abc"[user % 3], len(self.clients))
        lines = ((b"User", name), (b"Accept-Language", name[:1]), *own)
        client = Client(asking(b"/", *lines, method=method))
        self.clients.append((client, asyncio.ensure_future(self.stage.serve(client))))

    async def take(self, step: Step) -> None:
        what, which, turns, own = step
        if what in ("come", "head"):
            self.come(which, own, b"GET" if what == "come" else b"HEAD")
        elif what in ("leave", "stop reading") and self.clients:
            client, task = self.clients[which % len(self.clients)]
            task.cancel() if what == "leave" else client.room.clear()
        elif what in ("speak", "break") and self.speaker.answers:
            answering = self.speaker.answers[which % len(self.speaker.answers)]
            answering.broken |= what == "break"
            answering.step()
        for _ in range(turns):
            await asyncio.sleep(0)

    async def end(self) -> None:
        """Let everybody read, and the origin say all that it has to say."""
        for client, _ in self.clients:
            client.room.set()
        async with asyncio.timeout(10):
            while not all(task.done() for _, task in self.clients):
                for answering in self.speaker.answers:
                    answering.step()
                await asyncio.sleep(0)
        await asyncio.gather(*(task for _, task in self.clients), return_exceptions=True)
        await until(lambda: not self.stage.driver.busy or not any(one.step() for one in self.speaker.answers))
        await until(lambda: not self.stage.driver.busy)
        await self.stage.driver.close()

    def judge(self, may_share: Callable[[bytes, bytes], bool]) -> None:
        for client, task in self.clients:
            user = client.request.fields.get(b"user") or b""
            if client.body:
                origins = [
                    one
                    for one in range(len(self.speaker.answers))
                    if self.fits(client, self.speaker.whole(one), ended=client.ended)
                ]
                assert origins, f"{user!r} got bytes that nobody sent"
                askers = [self.speaker.answers[one].asked.fields.get(b"user") or b"" for one in origins]
                assert any(may_share(user, asker) for asker in askers), f"{user!r} got what was for {askers}"
            if not task.cancelled() and not client.ended:
                assert client.aborted, f"{user!r} can't tell that its answer is not whole"
            if client.ended and client.head is not None and client.head.status == 200:
                assert client.body or client.request.method == b"HEAD"

    def fits(self, client: Client, whole: bytes, *, ended: bool) -> bool:
        if client.head is not None and client.head.status == 206:
            whole = whole[10:21]
        return client.body == whole if ended else whole.startswith(client.body)


@settings(max_examples=150)
@given(KINDS, st.booleans(), st.lists(STEPS, min_size=4, max_size=40))
async def test_each_gets_the_origin_s_bytes_or_a_break_and_nothing_of_another_s(
    lines: tuple[FieldLine, ...], known: bool, steps: list[Step]
) -> None:
    run = Run(lines, known=known)
    for step in steps:
        await run.take(step)
    await run.end()
    run.judge(sharing(lines))
    assert not len(run.stage.driver.reach.flights)
    figures = run.stage.store.figures()
    assert figures.bytes == sum(entry.size for entry in run.stage.store._entries)
    assert run.stage.store._promised == 0
    await run.stage.store.close()
