"""The fast lane: requests whose answer the engine has given leave to repeat are answered by their bytes."""

from __future__ import annotations

import logging
from time import perf_counter, time
from typing import TYPE_CHECKING

from proxy.caching.decision import Outcome
from proxy.caching.policy import Policy
from proxy.engine.licence import LARGEST, Licence, issue
from proxy.message.request import Request
from proxy.server.clients.forwarding import Forwarding, forwarded
from proxy.server.lane.answers import Answered, Renderer, Rendering
from proxy.server.lane.fingerprint import fingerprint
from proxy.server.lane.heads import UNUSUAL, Blocks, Secrets, may_come_plain
from proxy.server.lane.recalled import Recalled, part_of
from proxy.server.lane.records import AT_ONCE, Records
from proxy.server.lane.standing import Register, Standing, base_of
from proxy.server.lane.through import Through
from proxy.server.lane.wider import Around, applied, rule_for, taken_apart, target_text
from proxy.server.settings import ServerSettings
from proxy.storage.contract import Front, recall_of
from proxy.storage.selection import Selection
from proxy.visibility.account import Account
from proxy.visibility.redaction import Redaction

if TYPE_CHECKING:
    from proxy.server.clients.connection import Connection

_log = logging.getLogger(__name__)

_MADE_HERE = (UNUSUAL - {b"transfer-encoding", b"content-length", b"upgrade"}) | frozenset(
    b"""
    connection keep-alive forwarded x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port
    x-forwarded-prefix x-forwarded-server x-real-ip
    """.split()
)
"""Fields that are forwarded otherwise than they arrive: an answer that depends on one is not for the lane."""

_REUSED = (Outcome.HIT, Outcome.STALE)
_MOST_TRIED = 8192
_SECOND_TIME = 2
_FORGOTTEN = 8
_LEAST = 1 << 20
"""Bytes of memory that known header blocks take at least, where nothing else is to be in memory."""

_MOST_AT_ONCE = 64
"""Requests of one client that are answered before others have their turn."""


class Lane:
    """Answers plain requests under licences, and sees that licences are had for what is asked often.

    It decides nothing: what is answered, recorded, and until when, is what the long way would do with the
    same request. `switched_on` is there for who compares the two, and `worth` is how often a request has to
    be answered the long way before a licence is worth its making.
    """

    def __init__(
        self,
        store: Front,
        policy: Policy,
        redaction: Redaction,
        forwarding: Forwarding,
        settings: ServerSettings,
        records: Records,
        budget: int,
    ) -> None:
        self._store = store
        self._policy = policy
        self._forwarding = forwarding
        self._most_written = settings.write_buffer
        self._longest_line = settings.request_line
        self._records = records
        self._renderer = Renderer(forwarding.name, policy, redaction)
        self._redaction = redaction
        self.blocks = Blocks(redaction, settings.head_limits, max(budget // 4, _LEAST))
        self.register = Register(budget - budget // 4, self._forgotten)
        self.switched_on = True
        self._room = budget > 0
        self._recalled = self._with_recall(settings)
        self.through: Through | None = None  # what is asked of next, where the lane itself has no answer
        self.worth = _SECOND_TIME
        self._tried: dict[int, int] = {}  # request lines that were answered from the store, the latest last
        self._wider = False  # whether there ever was a licence for more than one target
        self._young_place = self.register.places.young.get
        self._old_place = self.register.places.revived
        self._young_block = self.blocks.known.young.get
        self._waiting = records.waiting
        store.watch(self.register.revoke)
        store.hear(self._purged)

    # What a connection calls.

    def take(self, connection: Connection, data: bytes) -> bytes:
        """Answer the requests that `data` begins with; what is left of it is for the long way.

        To be called where nothing is under way on the connection, so that `data` begins with a request. What
        goes wrong before anything is sent is left to the long way too.
        """
        left = data
        try:
            clock = perf_counter()
            line, _, raw = data.partition(b"\r\n")
            place = self._young_place(line) or self._old_place(line)
            if place is None:
                return self._take_beyond(connection, data, clock, line, raw)
            names, blocks = place.names, self.blocks
            block = None if blocks.ends_anew else self._young_block(raw)
            read = blocks.read(raw, names) if block is None else block.reads.get(names) or block.read(names)
            if read is None:
                return self._take_some(connection, data, clock) if b"\r\n\r\n" in raw[:-4] else data
            part, secrets, fields = read
            now = time()
            standing = place.standings.get(part)
            if standing is None or connection._paused:
                return self._take_recalled(connection, data, clock, line, raw)
            current = self._store.current(standing.epoch)  # first: what others have told may end the licence
            as_it_stands = current and standing.since <= now <= standing.last
            if (not as_it_stands or secrets) and not self._good(standing, now, secrets):
                return data
            rendering, content = standing.rendering, standing.content
            if content is None and (content := self._fetched(standing)) is None:
                return data
            connection.transport.write(rendering.head + content)  # type: ignore[union-attr]
            left = b""
            standing.touch()
            waiting = self._waiting
            took = perf_counter() - clock
            waiting.append((now, took, connection.named, rendering.before, fields, rendering))
            if len(waiting) == 1 or len(waiting) >= AT_ONCE:
                self._records.more(connection._loop)
            connection._next_keepalive_close_time = clock + connection.idle_from
            if connection._keepalive_handle is None:
                connection.watch_idling()
        except Exception as error:
            _failed(error)
        return left

    def _take_some(self, connection: Connection, data: bytes, clock: float) -> bytes:
        """Answer what `data` begins with, several requests at once, in one piece."""
        now = time()
        answers: list[bytes] = []
        hits: list[tuple[Standing, Rendering, bytes]] = []
        size = start = 0
        while start < len(data) and len(hits) < _MOST_AT_ONCE and size < self._most_written:
            end = data.find(b"\r\n\r\n", start) + 4
            found = self._look_up(data[start:end], now) if end >= 4 else None
            if found is None:
                break
            standing, fields = found
            rendering = standing.rendering
            content = self._fetched(standing)
            if content is None:
                break
            answers.append(rendering.head + content)
            hits.append((standing, rendering, fields))
            size += len(answers[-1])
            start = end
        if not hits or connection._paused:
            return data
        connection.transport.write(b"".join(answers))  # type: ignore[union-attr]
        try:
            took = perf_counter() - clock
            for standing, rendering, fields in hits:
                standing.touch()
                self._waiting.append((now, took, connection.named, rendering.before, fields, rendering))
            self._records.more(connection._loop)
            connection._next_keepalive_close_time = clock + connection.idle_from
            if connection._keepalive_handle is None:
                connection.watch_idling()
        except Exception as error:
            _failed(error)
        return data[start:]

    def _take_beyond(
        self, connection: Connection, data: bytes, clock: float, line: bytes, raw: bytes
    ) -> bytes:
        """Answer a request for whose target there is no licence."""
        left = self._take_wider(connection, data, clock) if self._wider else data
        return self._take_recalled(connection, data, clock, line, raw) if left else left

    def _take_recalled(
        self, connection: Connection, data: bytes, clock: float, line: bytes, raw: bytes
    ) -> bytes:
        """Answer a request by what is kept beside the entry that the answer is from."""
        recalled = self._recalled
        if recalled is None or connection._paused or not self.switched_on:
            return data
        now = time()
        found = recalled.find(line, raw, now)
        if found is None:
            return data
        connection.answered(found.data, clock)
        try:
            recalled.note(found.kept)
            took = perf_counter() - clock
            self._waiting.append((now, took, connection.named, found.before, found.fields, found.rendered))
            self._records.more(connection._loop)
        except Exception as error:
            _failed(error)
        return b""

    def _take_wider(self, connection: Connection, data: bytes, clock: float) -> bytes:
        """Answer a request whose target was never seen, but one that is equivalent was."""
        line, _, raw = data.partition(b"\r\n")
        asked = taken_apart(line) if len(line) <= self._longest_line else None
        place = self.register.places.get(asked.shared) if asked is not None else None
        if asked is None or place is None or place.rule is None:
            return data
        read = self.blocks.read(raw, place.names)
        if read is None:
            return data
        part, secrets, fields = read
        now = time()
        standing = place.standings.get((applied(place.rule, asked.query), part))
        if standing is None or standing.around is None or connection._paused:
            return data
        text = target_text(asked.target, self._redaction)
        own = base_of(standing.key) + b"?" + asked.query
        if text is None or self._store.at_hand(own) or not self._good(standing, now, secrets):
            return data
        content = self._fetched(standing)
        if content is None:
            return data
        rendering = standing.rendering
        before = b"%b%b%b" % (standing.around.before, text, standing.around.after)
        connection.answered(rendering.head + content, clock)
        try:
            standing.touch()
            took = perf_counter() - clock
            self._waiting.append((now, took, connection.named, before, fields, rendering))
            self._records.more(connection._loop)
        except Exception as error:
            _failed(error)
        return b""

    def _look_up(self, head: bytes, now: float) -> tuple[Standing, bytes] | None:
        """The licence under which a request is to be answered, and its field lines for the record."""
        line, _, raw = head.partition(b"\r\n")
        place = self.register.places.get(line)
        read = self.blocks.read(raw, place.names) if place is not None else None
        if place is None or read is None:
            return None
        part, secrets, fields = read
        standing = place.standings.get(part)
        if standing is None or not self._good(standing, now, secrets):
            return None
        return standing, fields

    def _good(self, standing: Standing, now: float, secrets: Secrets) -> bool:
        """Whether the licence is good now, and the record that goes with it for this request too."""
        epoch = self._store.epoch
        current = standing.since <= now <= standing.last and standing.epoch == epoch
        if not current and not standing.renewed(now, epoch):
            self.register.end(standing)
            return False
        return not secrets or not self._redaction.quotes(standing.rendering.evidence, secrets)

    def _fetched(self, standing: Standing) -> bytes | None:
        """The content under a licence; None where that ends, as the content is not there any more."""
        content = standing.content
        if content is None:
            content = standing.fetch()
            if content is None:
                self.register.end(standing)
        return content

    def _forgotten(self, line: bytes) -> None:
        """A request line had to make room: it is tried more seldom, so that licences aren't made in vain."""
        self._tried[hash(line)] = _FORGOTTEN

    def _purged(self, wanted: Selection) -> None:
        """Others have purged something: what goes by more than keys and labels ends all licences."""
        if not wanted.direct:
            self.register.end_all()

    def _with_recall(self, settings: ServerSettings) -> Recalled | None:
        """What gives the answers that the store keeps, where it keeps any."""
        recall = recall_of(self._store)
        if recall is None:
            return None
        meaning = fingerprint(self._policy, self._forwarding, self._redaction, settings)
        if meaning is None:
            return None
        recalled = Recalled(
            recall, meaning, self.blocks, self.register, self._redaction, settings.request_line
        )
        recalled.may_climb = self._room
        return recalled

    # How licences are had.

    def consider(self, account: Account) -> None:
        """An exchange went the long way: see to it that the next one like it needs not."""
        received, decision = account.received, account.decision
        if received is None or decision is None or decision.outcome not in _REUSED:
            return
        if not self.switched_on or not (self._room or self._recalled):
            return
        if account.response_bytes > LARGEST or not account.complete or not may_come_plain(received):
            return
        line = b"%b %b HTTP/1.1" % (received.method, received.target)
        recalled = self._recalled
        wanted = recalled is not None and recalled.wanted(line)
        if not (wanted or self._due(line)):
            return
        client = account.client.rpartition(":")[0].strip("[]")
        request = forwarded(received, client, self._forwarding)
        licence = issue(self._store, request, self._policy, time())
        if licence is None or not _MADE_HERE.isdisjoint(licence.asked):
            return
        answered = self._renderer.answer(licence, received)
        if answered is None:
            return
        self._tried.pop(hash(line), None)
        kept = recalled is not None and not wanted and recalled.keep(line, received, licence, answered)
        if not self._room or (kept and hasattr(licence.entry, "fetch")):
            return  # what is found below is answered from there, until it is wanted often
        asked = licence.asked | {b"host"}
        place = self.register.place(line, asked)
        self.register.add(Standing(licence, answered, place, part_of(received, place.names), hold=wanted))
        self._widen(line, received, licence, answered)

    def _widen(self, line: bytes, received: Request, licence: Licence, answered: Answered) -> None:
        """Have the licence hold for equivalent targets too, where it does."""
        rule = rule_for(licence, self._policy)
        asked = taken_apart(line) if rule is not None else None
        if rule is None or asked is None:
            return
        before = answered.at(licence.since).before
        around = Around.of(before, received.target, self._redaction)
        if around is None:
            return
        place = self.register.place(asked.shared, licence.asked | {b"host"}, rule)
        part = applied(rule, asked.query), part_of(received, place.names)
        self.register.add(Standing(licence, answered, place, part, around))
        self._wider = True

    def _due(self, line: bytes) -> bool:
        """Whether a licence is worth asking for; ever more seldom where none was had."""
        known = hash(line)  # lines may be long
        count = self._tried.pop(known, 0) + 1
        while len(self._tried) >= _MOST_TRIED:
            del self._tried[next(iter(self._tried))]
        self._tried[known] = count
        return count >= self.worth and count & (count - 1) == 0


def _failed(error: Exception) -> None:
    """Say that something went wrong that was not thought of: the client gets its answer all the same."""
    _log.error("the fast lane failed: %r", error)
