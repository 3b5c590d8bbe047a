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
from proxy.engine.digest import digest_of
from proxy.engine.passing import opening, verdict
from proxy.engine.performer import received as as_received
from proxy.engine.reach import Reach
from proxy.message.head import parse_request_head, serialise_request
from proxy.message.request import Request
from proxy.server.clients.forwarding import Forwarding, forwarded
from proxy.server.clients.incoming import Arrival, received_request
from proxy.server.lane.heads import Blocks, Read, Secrets, may_come_plain
from proxy.server.lane.onward import Onward
from proxy.server.lane.openings import RULES_ASK, Openings, Said, Way
from proxy.server.lane.passed import Passed, Rendered, Template, render
from proxy.server.lane.records import AT_ONCE, Hit, Records
from proxy.server.lane.standing import Register
from proxy.server.lane.told import Tellers, Told
from proxy.server.settings import ServerSettings
from proxy.upstream.contract import Ahead
from proxy.upstream.errand import Errand
from proxy.upstream.plain import PlainHead
from proxy.upstream.pool import Pool
from proxy.visibility.account import Account
from proxy.visibility.redaction import Redaction

if TYPE_CHECKING:
    from proxy.server.clients.connection import Connection

_log = logging.getLogger(__name__)

LARGEST = 32 << 10
"""Bytes of content beyond which a response seldom comes in one piece."""

_MOST_NEW = 32
_MOST_TRIED = 8192
_NO_CONTENT = digest_of(b"")


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
        register: Register,
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
        self._register = register
        self._onward = Onward(forwarding, budget // 4)
        self._tellers = Tellers(redaction, frozenset(reach.policy.targeted))
        self._openings = Openings(redaction, budget - budget // 4, by_target=reach.policy.key_in_status)
        self._tried: dict[int, int] = {}

    # What a connection calls.

    def take(self, connection: Connection, data: bytes) -> bytes:
        """Forward the request that `data` is; what is left of it is for the long way: all, or nothing.

        To be called where nothing is under way on the connection.
        """
        try:
            clock = perf_counter()
            line, _, raw = data.partition(b"\r\n")
            openings = self._openings
            place = openings.places.young.get(line) or openings.places.revived(line)
            if place is None or not self.switched_on or connection._paused:
                return data
            names = openings.names
            read = self._blocks.read(raw, names)
            if read is None:
                return data
            way = place.ways.get(read[0])
            if way is None or way.new > _MOST_NEW:
                return data
            epoch = self._store.epoch  # what others have told is taken in by that
            as_it_was = clock < way.open and way.epoch == epoch and way.changes == self._register.changes
            if not as_it_was and not self._opens(way, clock, epoch):
                return data
            onward = self._onward.block(raw, connection.address, way.host)
            if onward is None:
                return data
            passing = Passing(self, connection, data, way, read, clock)
            head = b"%b\r\n%b" % (line, onward)
            errand = self._pool.send_now(head, passing, to_head=way.to_head)
        except Exception as error:  # whatever it is, the long way can still answer
            _log.error("a request could not be forwarded on the short way: %r", error)
            return data
        if errand is None:
            return data
        passing.errand = errand
        connection.passing = passing
        self.under_way += 1
        return b""

    def _opens(self, way: Way, clock: float, epoch: int) -> bool:
        """Whether what is like this may be forwarded now. It may be as long as nothing changes."""
        changes, flights = self._register.changes, self._flights
        if not way.leave.is_open(self._store, flights):
            return False
        way.epoch, way.changes = epoch, changes
        way.open = clock + flights.apart_for(way.leave.collapse)
        return True

    # What `Passing` calls.

    def request(self, data: bytes, connection: Connection) -> Request:
        """The request that was forwarded for `data`."""
        received = received_request(parse_request_head(data, self._settings.head_limits))
        return forwarded(received, connection.address, self._forwarding)

    def rendered(self, way: Way, head: PlainHead, length: int, sent: float) -> Rendered | None:
        """How the response to what was `sent` then goes to the client; None where that is for the long way.

        `length` bytes of content have come with it.
        """
        told: Told | None = head.note or self._tellers.tell(head)
        times = sent, time()
        if told is None:
            return self._rendered_anew(way, head, None, length, times)
        said = way.family.said(told, times)
        if said is None:
            return self._rendered_anew(way, head, told, length, times)
        way.new = 0
        made: Rendered
        if told.said is said:
            made = told.rendered
            return made
        if told.secrets and self._redaction.quotes(said.template.meaning.evidence, told.secrets):
            return None
        made = told.rendered = said.template.filled(told, length)
        told.said = said
        return made

    def _rendered_anew(
        self, way: Way, head: PlainHead, told: Told | None, length: int, times: tuple[float, float]
    ) -> Rendered | None:
        """As the rules have it. What they say may hold for others too."""
        way.new += 1
        if way.new > _MOST_NEW:  # no two are alike: to look for what they have in common costs more
            return None
        response, family = as_received(head.response, times[1]), way.family
        found = verdict(way.leave, response, head.length, self._policy, times)
        if found is None or not found.asked <= RULES_ASK:
            return None
        name, server = self._forwarding.name, str(self._pool.server)
        try:
            made = render(found, response, family.received, server, name, self._redaction)
            holds = found.lasting and (found.anywhere or family.around is None)
            if told is None or not holds or not found.heard <= self._tellers.hears:
                return made
            if b"date" not in told.times:  # the one that was added is of its moment
                return made
            if not told.secrets or not self._redaction.quotes(made.meaning.evidence, told.secrets):
                self._openings.keep(way, told, Said(found, Template(made, told, length)))
        except ValueError:
            return None
        return made

    def record(self, hit: Hit, loop: asyncio.AbstractEventLoop) -> None:
        """Have it recorded."""
        waiting = self._records.waiting
        waiting.append(hit)
        if len(waiting) == 1:
            self._records.begin(loop)
        elif len(waiting) >= AT_ONCE:
            self._records.flush()

    def quotes(self, rendered: Rendered, secrets: Secrets) -> bool:
        """Whether the record would have to hide something more than was known when it was rendered."""
        return self._redaction.quotes(rendered.meaning.evidence, secrets)

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
        openings = self._openings
        line = b"%b %b HTTP/1.1" % (received.method, received.target)
        name = openings.name(received)
        family = openings.family(name)
        if (family is None or openings.known(received)) and not self._due(name if family is None else line):
            return
        if family is None or not openings.add(family, received):
            client = account.client.rpartition(":")[0].strip("[]")
            request = forwarded(received, client, self._forwarding)
            leave = opening(self._store, request, self._policy, time())
            if leave is None or not leave.asked <= RULES_ASK:
                return
            if self._alike(line, received, request, client):
                openings.add(openings.found(leave, received), received)

    def _alike(self, line: bytes, received: Request, request: Request, client: str) -> bool:
        """Whether the request is forwarded in the same bytes here and there."""
        raw = b"".join([b"%b: %b\r\n" % field for field in received.fields]) + b"\r\n"
        onward = self._onward.block(raw, client, received.authority)
        return onward is not None and line + b"\r\n" + onward == serialise_request(request)

    def _due(self, one: object) -> bool:
        """Whether leave is worth asking for: at the second time, and seldom where none was had."""
        known = hash(one)  # names may be long
        count = self._tried.pop(known, 0) + 1
        if len(self._tried) >= _MOST_TRIED:
            del self._tried[next(iter(self._tried))]
        self._tried[known] = count
        return count >= 2 and count & (count - 1) == 0


class Passing:
    """One request on its way through. It ends by an answer, or on the long way."""

    __slots__ = (
        "_clock",
        "_connection",
        "_data",
        "_fields",
        "_secrets",
        "_started",
        "_through",
        "_way",
        "errand",
    )

    def __init__(
        self, through: Through, connection: Connection, data: bytes, way: Way, read: Read, clock: float
    ) -> None:
        self._through = through
        self._connection = connection
        self._data = data
        self._way = way
        _, self._secrets, self._fields = read
        self._clock = clock
        self._started = time()
        self.errand: Errand | None = None

    # What the errand calls.

    def request(self) -> Request:
        """The request that was sent."""
        return self._through.request(self._data, self._connection)

    def answered(self, head: PlainHead, content: bytes, first_byte: float) -> None:
        """The whole response has come: it goes on to the client as the rules have it."""
        through, connection, errand = self._through, self._connection, self.errand
        assert errand is not None
        if connection.transport is None or connection.transport.is_closing():
            self.client_left()
            return
        try:
            rendered = through.rendered(self._way, head, len(content), errand.sent)
        except Exception:  # whatever it is, the long way can still answer
            _log.exception("a response could not be rendered")
            rendered = None
        if (
            rendered is None
            or (self._secrets and through.quotes(rendered, self._secrets))
            or (content and not rendered.meaning.content)
        ):
            self.handed_over(errand.whole(head, content, first_byte).ahead(self.request()))
            return
        through.under_way -= 1
        connection.passing = self.errand = None  # which refers back to this
        took = perf_counter() - self._clock
        connection.answered(rendered.head + content, self._clock + took)
        passed = Passed(rendered, digest_of(content) if content else _NO_CONTENT, len(content), first_byte)
        through.record(
            (self._started, took, connection.named, self._way.before, self._fields, passed),
            connection._loop,
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
