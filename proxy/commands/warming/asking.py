"""Asks for targets through a proxy, politely: so many a second, so many at a time, and not before it may."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from proxy import __version__
from proxy.commands.warming.account import Account
from proxy.commands.warming.wanted import Target
from proxy.message.dates import parse_date
from proxy.message.errors import ConfigurationError, PellucidError
from proxy.message.grammar import is_token

MOST_VARIANTS = 64
"""How many kinds of request there may be for one target."""

LONGEST_WAIT = 300.0
"""Seconds for which a Retry-After is respected; what wants longer has failed."""

_TIMES = 3
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)
_PIECE = 1 << 16

Headers = tuple[tuple[str, str], ...]


class Got(NamedTuple):
    """A response: `size` is that of its content in bytes, `kept` the beginning of that."""

    status: int
    cache_status: list[bytes]
    retry: bytes
    size: int
    kept: bytes


class Unasked(PellucidError):  # noqa: N818 - it says what is the matter
    """A resource could not be had whole."""


def variants(headers: Sequence[str]) -> list[Headers]:
    """Each combination of the values that are given for a field: `Name: value`, a name as often as it varies.

    Raises ConfigurationError for what is no field, and for more than `MOST_VARIANTS` combinations.
    """
    values: dict[str, list[tuple[str, str]]] = {}
    for text in headers:
        name, colon, value = text.partition(":")
        value = value.strip(" \t")
        plain = value.isprintable() and all(ord(one) < 256 for one in value)
        if not colon or not is_token(name.encode("utf-8", "surrogateescape")) or not plain:
            raise ConfigurationError("--header is of the form 'Name: value'", evidence=ascii(name[:40]))
        if name.lower() in ("host", "connection", "content-length", "transfer-encoding"):
            raise ConfigurationError("--header can't set this field", evidence=name)
        values.setdefault(name.lower(), []).append((name, value))
    count = 1
    for several in values.values():
        count *= len(several)
    if count > MOST_VARIANTS:
        raise ConfigurationError(f"--header makes more than {MOST_VARIANTS} variants", evidence=str(count))
    return list(product(*values.values()))


class Pace:
    """When the next request may go: `rate` a second, and none while somebody had us wait."""

    def __init__(self, rate: float) -> None:
        self._step = 1.0 / rate
        self._next = 0.0
        self.waited = 0.0

    async def turn(self) -> None:
        """Wait for it."""
        now = asyncio.get_running_loop().time()
        due = self._next = max(self._next, now)
        self._next += self._step
        if due > now:
            await asyncio.sleep(due - now)

    def hold(self, seconds: float) -> None:
        """No request for so long."""
        now = asyncio.get_running_loop().time()
        longer = now + seconds - max(self._next, now)
        if longer > 0:
            self.waited += longer
            self._next = now + seconds


class Asking:
    """Asks the proxy at `through`, an http(s) URL without a path. To be used in `async with`."""

    def __init__(self, through: str, rate: float, concurrency: int, account: Account) -> None:
        self._through = through
        self._pace = Pace(rate)
        self._concurrency = concurrency
        self._account = account

    async def __aenter__(self) -> Asking:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._concurrency),
            timeout=_TIMEOUT,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=["Accept-Encoding"],
            headers={"User-Agent": f"pellucid-warm/{__version__}"},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._account.waited = round(self._pace.waited, 3)
        await self._session.close()

    async def warm(
        self, targets: Iterable[Target], kinds: Sequence[Headers], told: Callable[[], None]
    ) -> None:
        """Ask for each target in each of the `kinds`; `told` is called after each."""
        work = ((target, kind) for target in targets for kind in kinds)
        async with asyncio.TaskGroup() as group:
            for _ in range(self._concurrency):
                group.create_task(self._go_through(work, told))

    async def read(self, target: Target, most: int) -> bytes:
        """The content of a target, of `most` bytes at most. Raises Unasked."""
        got = await self._ask(target, (), most)
        if got.status != 200:
            raise Unasked(f"{target} is answered with {got.status}")
        if got.size > most:
            raise Unasked(f"{target} is larger than {most >> 20} MiB")
        return got.kept

    async def _go_through(self, work: Iterator[tuple[Target, Headers]], told: Callable[[], None]) -> None:
        for target, kind in work:
            try:
                got = await self._ask(target, kind)
            except Unasked as error:
                self._account.fail(error.message)
            else:
                self._account.note(got.status, got.cache_status, got.size)
            told()

    async def _ask(self, target: Target, kind: Headers, keep: int = 0) -> Got:
        """One response; where it says when to come again, the one that is had then."""
        for attempt in range(1, _TIMES + 1):
            await self._pace.turn()
            got = await self._once(target, kind, keep)
            wait = _retry_after(got)
            if wait is None or wait > LONGEST_WAIT or attempt == _TIMES:
                break
            self._pace.hold(wait)
        return got

    async def _once(self, target: Target, kind: Headers, keep: int) -> Got:
        fields = CIMultiDict([("Host", target.host), *kind])
        kept, size = bytearray(), 0
        try:
            url = URL(self._through + target.path, encoded=True)
            async with self._session.get(url, headers=fields, allow_redirects=False) as response:
                async for piece in response.content.iter_chunked(_PIECE):
                    size += len(piece)
                    kept += piece[: keep - len(kept)]
                raw = response.raw_headers
        except aiohttp.ClientPayloadError:
            raise Unasked("broken off") from None
        except TimeoutError:
            raise Unasked("no answer in time") from None
        except aiohttp.ClientConnectionError as error:
            raise Unasked(_why(error)) from None
        except (aiohttp.ClientError, ValueError) as error:
            raise Unasked(type(error).__name__) from None
        named = [value for name, value in raw if name.lower() == b"cache-status"]
        retry = next((value for name, value in raw if name.lower() == b"retry-after"), b"")
        return Got(response.status, named, retry, size, bytes(kept))


def _retry_after(got: Got) -> float | None:
    """For how many seconds a 429 or 503 asks to wait (RFC 9110 §10.2.3); None where it doesn't."""
    if got.status not in (429, 503) or not got.retry:
        return None
    if got.retry.isdigit():
        return float(got.retry[:9])
    now = time.time()
    date = parse_date(got.retry, now)
    return None if date is None else max(0.0, date - now)


def _why(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or "can't be reached"
    return "the connection was closed" if isinstance(error, aiohttp.ServerDisconnectedError) else str(error)
