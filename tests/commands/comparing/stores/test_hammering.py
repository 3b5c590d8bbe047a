"""Purging while others ask: an answer that should not have been given any more is found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.origin.content import SMALL, version, version_in, versioned
from proxy.commands.comparing.stores.hammering import Seen, hammer
from proxy.commands.comparing.stores.purging import measures

TARGET = version(1)


class Cache:
    """A cache and its origin in one; after a purge it still gives the old answer `sins` times."""

    def __init__(self, sins: int = 0, status: int = 200, breaks: bool = False) -> None:
        self.sins = sins
        self.status = status
        self.breaks = breaks
        self.made = 1
        self.purged = False

    def answer(self, head: bytes) -> bytes:
        if head.startswith(b"PURGE"):
            self.purged = True
            return self._of(b'{"entries": {"memory": 1}}', self.status)
        if head.startswith(b"GET /-/count"):
            return self._of(b"%d" % self.made)
        if self.purged and self.breaks:
            raise ConnectionResetError
        if self.purged and self.sins:
            self.sins -= 1
        elif self.purged:
            self.purged = False
            self.made += 1
        return self._of(versioned(TARGET, self.made)[1])

    def _of(self, content: bytes, status: int = 200) -> bytes:
        return b"HTTP/1.1 %d \r\nContent-Length: %d\r\n\r\n%b" % (status, len(content), content)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[int]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while True:
                    writer.write(self.answer(await reader.readuntil(b"\r\n\r\n")))
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            yield server.sockets[0].getsockname()[1]


async def hammered(cache: Cache) -> Seen:
    async with cache.served() as port:
        return await hammer(port, [port], port, TARGET, tries=5, readers=3)


async def test_a_cache_that_purges_gives_nothing_old() -> None:
    seen = await hammered(Cache())
    assert seen.old == []
    assert len(seen.purges) == 5
    assert seen.answers >= 5 * 3
    assert measures(seen)["seen_milliseconds"] == 0


async def test_one_that_goes_on_for_a_while_is_found_out() -> None:
    seen = await hammered(Cache(sins=4))
    assert 1 <= len(seen.old) <= 4
    assert all(late >= 0 for late in seen.old)
    assert measures(seen)["old_answers"] == len(seen.old)


async def test_a_purge_that_is_refused_is_an_error() -> None:
    with pytest.raises(ComparisonError, match="refused"):
        await hammered(Cache(status=403))


async def test_a_connection_that_breaks_off_is_an_error() -> None:
    with pytest.raises(ComparisonError, match="broke off"):
        await hammered(Cache(breaks=True))


def test_what_the_origin_gives_tells_which_one_it_was() -> None:
    head, content = versioned(TARGET, 41)
    assert version_in(content) == 41
    assert len(content) == SMALL
    assert b"Content-Length: 1024\r\n" in head
