"""Where sessions are remembered: in this process, or in a Valkey that replicas share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict

import msgspec

from backend.shop import EMPTY, Cart
from backend.valkeys import Line


class Session(msgspec.Struct, frozen=True):
    """What is remembered of one shopper; `seen` are products' SKUs, the latest first; `used` in seconds."""

    used: float
    account: str = ""
    cart: Cart = EMPTY
    seen: tuple[str, ...] = ()


class SessionStore(ABC):
    """Sessions by their opaque names. Each is read whole and written whole: the last one to write wins."""

    @abstractmethod
    async def find(self, sid: str, now: float) -> Session | None: ...

    @abstractmethod
    async def store(self, sid: str, session: Session) -> None: ...

    @abstractmethod
    async def drop(self, sid: str) -> None: ...

    async def close(self) -> None:
        return None

    def __len__(self) -> int:
        """How many sessions are in this very process."""
        return 0


class SessionMemory(SessionStore):
    """At most `limit` sessions, each until `lifetime` seconds after its last use; the stalest leave first."""

    def __init__(self, limit: int, lifetime: float) -> None:
        self._limit = limit
        self._lifetime = lifetime
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    async def find(self, sid: str, now: float) -> Session | None:
        session = self._sessions.get(sid)
        if session is None or session.used + self._lifetime <= now:
            self._sessions.pop(sid, None)
            return None
        return session

    async def store(self, sid: str, session: Session) -> None:
        self._sessions[sid] = session
        self._sessions.move_to_end(sid)
        while len(self._sessions) > self._limit or self._oldest().used + self._lifetime <= session.used:
            self._sessions.popitem(last=False)

    async def drop(self, sid: str) -> None:
        self._sessions.pop(sid, None)

    def _oldest(self) -> Session:
        return next(iter(self._sessions.values()))


class SharedSessions(SessionStore):
    """As frameworks do it: loaded when a request begins, written back when it ends, expired by the store.

    `lifetime` in seconds. The cost: two trips to the store for nearly each request, and a change is lost
    where two requests of one shopper overlap.
    """

    def __init__(self, line: Line, lifetime: float) -> None:
        self._line = line
        self._milliseconds = max(1, int(lifetime * 1000))

    async def find(self, sid: str, now: float) -> Session | None:
        stored = await self._line.ask("GET", _named(sid))
        try:
            return msgspec.json.decode(stored, type=Session) if stored else None
        except msgspec.DecodeError:
            return None

    async def store(self, sid: str, session: Session) -> None:
        await self._line.ask("SET", _named(sid), msgspec.json.encode(session), "PX", self._milliseconds)

    async def drop(self, sid: str) -> None:
        await self._line.ask("DEL", _named(sid))

    async def close(self) -> None:
        await self._line.close()


def _named(sid: str) -> bytes:
    return f"shop:session:{sid}".encode("utf-8", "surrogatepass")
