"""The short way through: requests that nothing is stored for are forwarded by their bytes, and so answered.

Like the fast lane it holds no policy: the engine says what may be forwarded so (`Opening`), and what becomes
of the response (`Verdict`). What turns out otherwise goes on the long way, from where it stands.
"""

from __future__ import annotations

import asyncio
import logging
from time import perf_counter, time
from typing import TYPE_CHECKING

from proxy.caching.decision import Outcome
from proxy.engine.digest import Digest
from proxy.engine.passing import opening, verdict
from proxy.engine.performer import received as as_received
from proxy.engine.reach import Reach
from proxy.message.head import parse_request_head, serialise_request
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.server.clients.forwarding import Forwarding, forwarded
from proxy.server.clients.incoming import Arrival, received_request
from proxy.server.lane.heads import Block, Blocks, may_come_plain
from proxy.server.lane.onward import Onward
from proxy.server.lane.openings import RULES_ASK, Openings, Said, Way
from proxy.server.lane.passed import Passed, Rendered, Template, render
from proxy.server.lane.records import AT_ONCE, Hit, Records
from proxy.server.lane.told import Tellers, Told
from proxy.server.settings import ServerSettings
from proxy.upstream.contract import Ahead
from proxy.upstream.errand import Errand, Whole
from proxy.upstream.pool import Pool
from proxy.visibility.account import Account
from proxy.visibility.redaction import Redaction

if TYPE_CHECKING:
    from proxy.server.clients.connection import Connection

_log = logging.getLogger(__name__)

LARGEST = 32 << 10
"""Bytes of content beyond which a response seldom comes in one piece."""

_MOST_NEW = 32
_MOST_NOTES = 16
_MOST_TRIED = 8192
_NO_CONTENT = Digest().value()


class Through:
    """Forwards plain requests of clients under leave of the engine. `switched_on` is for who compares."""

    def __init__(
        self,
        reach: Reach,
        pool: Pool,
        redaction: Redaction,
        forwarding: Forwarding,
        settings: ServerSettings,
        records: Records,
        blocks: Blocks,
        budget: int,
    ) -> None:
        self.switched_on = True
        self.under_way = 0
        self._store = reach.store
        self._flights = reach.flights
        self._policy = reach.policy
        self._pool = pool
        self._redaction = redaction
        self._forwarding = forwarding
        self._settings = settings
        self._records = records
        self._blocks = blocks
        self._onward = Onward(forwarding, budget // 4)
        self._tellers = Tellers(redaction, budget // 8)
        self._openings = Openings(budget - budget // 4 - budget // 8)
        self._tried: dict[int, int] = {}

    # What a connection calls.

    def take(self, connection: Connection, data: bytes) -> bytes:
        """Forward the request that `data` is; what is left of it is for the long way: all, or nothing.

        To be called where nothing is under way on the connection.
        """
        clock = perf_counter()
        line, _, raw = data.partition(b"\r\n")
        place = self._openings.places.young.get(line) or self._openings.places.get(line)
        if place is None or not self.switched_on or connection._paused:
            return data
        names = self._openings.names
        block = self._blocks.known.young.get(raw) or self._blocks.read(raw, names)
        if block is None:
            return data
        way = place.ways.get(block.part(names))
        if way is None or way.new > _MOST_NEW or not way.leave.is_open(self._store, self._flights):
            return data
        onward = self._onward.block(raw, connection.address, way.host)
        if onward is None:
            return data
        passing = Passing(self, connection, data, way, block, clock)
        head = b"%b\r\n%b" % (line, onward)
        errand = self._pool.send_now(head, passing, to_head=way.received.method == b"HEAD")
        if errand is None:
            return data
        passing.errand = errand
        connection.passing = passing
        self.under_way += 1
        return b""

    # What `Passing` calls.

    def request(self, data: bytes, connection: Connection) -> Request:
        """The request that was forwarded for `data`."""
        received = received_request(parse_request_head(data, self._settings.head_limits))
        return forwarded(received, connection.address, self._forwarding)

    def rendered(self, way: Way, response: Whole) -> Rendered | None:
        """How the response goes to the client; None where that is for the long way."""
        notes = response.plain.notes
        known: Rendered | None = notes.get(way)
        if known is not None:
            return known
        told = self._tellers.read(response.plain.raw) if b"date" in response.head.fields else None
        made = None
        if told is not None:
            made = self._alike_before(way, response, told)
        if made is None:
            made = self._rendered_anew(way, response, told)
        return made

    def _alike_before(self, way: Way, response: Whole, told: Told) -> Rendered | None:
        """As it was rendered before but for fields that mean nothing here."""
        length, times = len(response.content), (response.sent, time())
        for said in way.said:
            template = said.templates.get((told.start, *_counted(told, length)))
            if template is not None and said.verdict.fits(response.head, times, self._policy):
                way.new = 0
                return self._noted(way, response, said, template.filled(told, length))
        return None

    def _rendered_anew(self, way: Way, response: Whole, told: Told | None) -> Rendered | None:
        now = time()
        head = as_received(response.head, now)
        times = response.sent, now
        said = next((one for one in way.said if one.verdict.fits(head, times, self._policy)), None)
        if said is None:
            said = self._said(way, response, head, times)
            if said is None:
                return None
        name, server = self._forwarding.name, response.server
        try:
            made = render(said.verdict, head, way.received, server, name, self._redaction)
            if told is not None:
                length = len(response.content)
                template = Template(made, told, length)
                self._openings.keep(way, said, (told.start, *_counted(told, length)), template)
        except ValueError:
            return None
        return self._noted(way, response, said, made)

    def _noted(self, way: Way, response: Whole, said: Said, made: Rendered) -> Rendered:
        """What was made, remembered for the same head where the time makes no difference."""
        if said.verdict.lasting and said.verdict.timed is None and b"date" in response.head.fields:
            notes = response.plain.notes
            if len(notes) >= _MOST_NOTES:
                notes.clear()
            notes[way] = made
        return made

    def record(self, hit: Hit, loop: asyncio.AbstractEventLoop) -> None:
        """Have it recorded."""
        waiting = self._records.waiting
        waiting.append(hit)
        if len(waiting) == 1:
            self._records.begin(loop)
        elif len(waiting) >= AT_ONCE:
            self._records.flush()

    def quotes(self, rendered: Rendered, block: Block) -> bool:
        """Whether the record would have to hide something more than was known when it was rendered."""
        return bool(block.secrets) and self._redaction.quotes(rendered.meaning.evidence, block.secrets)

    def _said(self, way: Way, response: Whole, head: Response, times: tuple[float, float]) -> Said | None:
        way.new += 1
        if way.new > _MOST_NEW:  # no two are alike: to look for what they have in common costs more
            return None
        found = verdict(way.leave, head, response.length, self._policy, times)
        if found is None or not found.asked <= RULES_ASK:
            return None
        return self._openings.say(way, found)

    # How leave is had.

    def consider(self, account: Account) -> None:
        """An exchange went the long way: see to it that the next one like it needs not."""
        received, decision, sent = account.received, account.decision, account.response
        if received is None or decision is None or decision.outcome is not Outcome.FORWARDED or sent is None:
            return
        if (
            not self.switched_on
            or decision.stored
            or not account.complete
            or account.response_bytes > LARGEST
        ):
            return
        if b"transfer-encoding" in sent.fields or not may_come_plain(received):
            return
        line = b"%b %b HTTP/1.1" % (received.method, received.target)
        if not self._due(line):
            return
        client = account.client.rpartition(":")[0].strip("[]")
        request = forwarded(received, client, self._forwarding)
        leave = opening(self._store, request, self._policy, time())
        if leave is None or not leave.asked <= RULES_ASK or not self._alike(line, received, request, client):
            return
        self._openings.add(line, leave, received)

    def _alike(self, line: bytes, received: Request, request: Request, client: str) -> bool:
        """Whether the request is forwarded in the same bytes here and there."""
        raw = b"".join([b"%b: %b\r\n" % field for field in received.fields]) + b"\r\n"
        onward = self._onward.block(raw, client, received.authority)
        return onward is not None and line + b"\r\n" + onward == serialise_request(request)

    def _due(self, line: bytes) -> bool:
        """Whether leave is worth asking for: at the second time, and seldom where none was had."""
        known = hash(line)  # lines may be long
        count = self._tried.pop(known, 0) + 1
        if len(self._tried) >= _MOST_TRIED:
            del self._tried[next(iter(self._tried))]
        self._tried[known] = count
        return count >= 2 and count & (count - 1) == 0


class Passing:
    """One request on its way through. It ends by an answer, or on the long way."""

    __slots__ = ("_block", "_clock", "_connection", "_data", "_started", "_through", "_way", "errand")

    def __init__(
        self, through: Through, connection: Connection, data: bytes, way: Way, block: Block, clock: float
    ) -> None:
        self._through = through
        self._connection = connection
        self._data = data
        self._way = way
        self._block = block
        self._clock = clock
        self._started = time()
        self.errand: Errand | None = None

    # What the errand calls.

    def request(self) -> Request:
        """The request that was sent."""
        return self._through.request(self._data, self._connection)

    def answered(self, response: Whole) -> None:
        """The whole response has come: it goes on to the client as the rules have it."""
        through, connection, block = self._through, self._connection, self._block
        if connection.transport is None or connection.transport.is_closing():
            self.client_left()
            return
        content = response.content
        try:
            rendered = through.rendered(self._way, response)
        except Exception:  # whatever it is, the long way can still answer
            _log.exception("a response could not be rendered")
            rendered = None
        if rendered is None or through.quotes(rendered, block) or (content and not rendered.meaning.content):
            self.handed_over(response.ahead(self.request()))
            return
        through.under_way -= 1
        connection.passing = self.errand = None  # which refers back to this
        took = perf_counter() - self._clock
        connection.answered(rendered.head + content, self._clock + took)
        if content:
            digest = Digest()
            digest.update(content)
            value = digest.value()
        else:
            value = _NO_CONTENT
        loop = connection._loop
        passed = Passed(rendered, value, len(content), response.first_byte)
        through.record(
            (self._started, took, connection.named, rendered.meaning.before, block.text, passed), loop
        )

    def handed_over(self, ahead: Ahead) -> None:
        """It is not that simple: the long way goes on from here."""
        self._through.under_way -= 1
        self._connection.passing = self.errand = None
        self._connection.go_on(self._data, Arrival(self._started, self._clock), ahead)

    # What the connection calls.

    def hand_over(self) -> None:
        """Something happens on the client's connection: the long way knows what to do about that."""
        if self.errand is not None:
            self.errand.hand_over()

    def client_left(self) -> None:
        """There is nobody to answer any more."""
        self._through.under_way -= 1
        self._connection.passing = None
        if self.errand is not None:
            self.errand.give_up()
            self.errand = None
        self._connection.left_alone(self._data, Arrival(self._started, self._clock))


def _counted(told: Told, length: int) -> tuple[bytes, ...]:
    """What Content-Length says, but for saying how long the content is."""
    exact = b"%d" % length
    return tuple([b"" if value == exact else value for value in told.length])
