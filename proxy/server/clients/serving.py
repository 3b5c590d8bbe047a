"""One request of a client from its head to its record: who answers it, and what happens when that fails."""

from __future__ import annotations

import asyncio
import logging
from time import perf_counter, time
from typing import TYPE_CHECKING

from aiohttp.streams import StreamReader

from proxy.caching.decision import Because, Decision, Outcome, Reason
from proxy.engine.downstream import ClientGone
from proxy.message.errors import MalformedMessage, PellucidError
from proxy.message.fields import NO_FIELDS
from proxy.message.framing import NO_CONTENT
from proxy.message.head import ParsedRequest
from proxy.message.problems import problem
from proxy.server.clients.downstream import ClientExchange
from proxy.server.clients.incoming import Incoming, Refusal, Refused, received_request
from proxy.server.clients.local import local_answer
from proxy.server.ids import next_id
from proxy.upstream.contract import UpstreamError
from proxy.visibility.account import Account

if TYPE_CHECKING:
    from proxy.server.clients.connection import Connection
    from proxy.server.clients.listener import Manager

MALFORMED = Reason("malformed", "RFC 9112 §2.2", "The request can't be read without guessing.")
OVER_LIMIT = Reason("over-limit", "RFC 9110 §17.5", "The request exceeds what this proxy takes.")
OWN_FAULT = Reason("own-fault", "RFC 9110 §15.6.1", "The proxy itself failed.")

_UNREAD = ParsedRequest(b"GET", b"/", (1, 1), NO_FIELDS)
"""Stands for a request that could not be read: it is answered as any client understands."""

_log = logging.getLogger(__name__)


class Serving:
    """Serves one message. `account` is handed to `finished` exactly once, however it ends.

    `linger` says that the client must be given time to read its answer because not all it sends is read.
    """

    __slots__ = (
        "_connection",
        "_manager",
        "_message",
        "_payload",
        "account",
        "exchange",
        "linger",
    )

    def __init__(
        self, message: Incoming | Refused, payload: StreamReader, connection: Connection, manager: Manager
    ) -> None:
        self._message = message
        self._payload = payload
        self._connection = connection
        self._manager = manager
        self.linger = False
        self.account = Account(next_id(), message.arrival.started, connection.client)
        if isinstance(message, Refused):
            self.account.raw = message.raw
            incoming = Incoming(message.head or _UNREAD, NO_CONTENT, message.arrival)
        else:
            incoming = message
        received = received_request(incoming.head)
        if message.head is not None:
            self.account.received = received
        ahead, connection.ahead = connection.ahead, None
        self.exchange = ClientExchange(
            incoming, received, payload, connection.line, manager.forwarding, self.account, ahead
        )

    @property
    def begun(self) -> bool:
        """Whether the answer has begun."""
        return self.exchange.begun

    async def run(self) -> bool:
        """Serve it; whether the connection can go on to the next request."""
        try:
            await self._respond()
            return self.exchange.persistent and await self._read_rest()
        except asyncio.CancelledError:
            if not self.exchange.ended:
                self._incomplete("the client left, or the proxy was stopped, before the end")
            raise
        finally:
            self.linger = self.linger or self._connection.requests.unread
            self._close()

    def abandon(self) -> None:
        """The client left before anything was done."""
        self._incomplete("the client left before it was answered")
        self._close()

    async def _respond(self) -> None:
        exchange, message = self.exchange, self._message
        try:
            if isinstance(message, Refused):
                raise message.error
            if (fault := self._payload.exception()) is not None:
                raise fault  # its content came with its head, and can't be taken: nobody else need see it
            if not await self._answered_here():
                await self._manager.handle(exchange, self.account)
            if not exchange.ended and not exchange.broken:
                raise RuntimeError("the answer was not brought to its end")
        except ClientGone as gone:
            self._incomplete(str(gone))
        except PellucidError as error:
            await self._fail(error)
        except Exception as error:
            _log.exception("exchange %s failed", self.account.id)
            await self._fail(PellucidError("an error of the proxy itself", evidence=type(error).__name__))

    async def _answered_here(self) -> bool:
        exchange, manager = self.exchange, self._manager
        answer = local_answer(
            exchange.received,
            has_content=exchange.content is not None,
            exchange_id=self.account.id,
            name=manager.forwarding.name,
            loops=manager.settings.loops,
            now=time(),
            trusted=manager.settings.trust == "keep",
        )
        if answer is None:
            return False
        response, content, self.account.decision = answer
        await exchange.answer(response, content)
        return True

    async def _fail(self, error: PellucidError) -> None:
        """Answer with a problem document, or where an answer has begun, break it off."""
        account, exchange = self.account, self.exchange
        status = error.status or 500
        account.error = account.error or str(error)
        if isinstance(error, MalformedMessage | Refusal):
            self._connection.requests.stop()
        if account.decision is None:
            account.decision = _decision(error, status)
        if exchange.begun:
            self._incomplete(str(error))
            exchange.abort()
            return
        response, content = problem(
            status,
            str(error),
            exchange_id=account.id,
            error_token=_token(error, status),
            name=self._manager.forwarding.name,
            now=time(),
        )
        try:
            await exchange.answer(response, content)
        except ClientGone as gone:
            self._incomplete(str(gone))

    async def _read_rest(self) -> bool:
        """Read content that nobody wanted, so that the connection can go on; whether that worked."""
        payload = self._payload
        if payload.is_eof():
            return True
        try:
            async with asyncio.timeout(self._manager.settings.linger):
                await asyncio.sleep(0)  # whoever was reading and has been cancelled lets go first
                while not payload.is_eof():
                    await payload.readany()
        except (TimeoutError, RuntimeError, ClientGone, PellucidError):
            return False
        return True

    def _incomplete(self, why: str) -> None:
        self.account.complete = False
        self.account.error = self.account.error or why

    def _close(self) -> None:
        account = self.account
        if (ahead := self.exchange.ahead) is not None:
            ahead.close()
        self.exchange.count_request()
        account.duration = perf_counter() - self._message.arrival.clock
        try:
            self._manager.finished(account)
        except Exception:
            _log.exception("exchange %s could not be recorded", account.id)


def _decision(error: PellucidError, status: int) -> Decision:
    if isinstance(error, UpstreamError):
        return Decision(Outcome.FAILED)
    if status >= 500 and not isinstance(error, MalformedMessage | Refusal):
        return Decision(Outcome.FAILED, (Because(OWN_FAULT, error.evidence),))
    reason = OVER_LIMIT if status in (408, 413, 414, 431, 503) else MALFORMED
    return Decision(Outcome.REFUSED, (Because(reason, str(error)),))


def _token(error: PellucidError, status: int) -> str:
    """The error type that says it in `Proxy-Status` (RFC 9209 §2.3)."""
    if isinstance(error, UpstreamError):
        return error.token
    if status < 500 or isinstance(error, MalformedMessage):
        return "http_request_error"
    return "http_request_denied" if isinstance(error, Refusal) else "proxy_internal_error"
