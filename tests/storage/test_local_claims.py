"""Claims among real processes: one has it, the others wait, and who dies holds nobody up."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from proxy.storage.claims import Unclaimed
from proxy.storage.local_claims import ClaimTable, LocalClaims

NEVER = 60.0
"""Where something has to be told, not found out."""


class Other:
    """Another process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def do(self, what: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what}\n".encode())
        return await self.said()

    async def said(self) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            return (await self.process.stdout.readline()).decode().strip()


@asynccontextmanager
async def another(table: ClaimTable, seat: int) -> AsyncIterator[Other]:
    files = [table.file, *(end for pipe in table.pipes for end in pipe)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.storage.claimant", str(seat), *map(str, files)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        pass_fds=files,
    )
    other = Other(process)
    try:
        assert await other.said() == "there"
        yield other
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        process._transport.close()  # type: ignore[attr-defined]


@pytest.fixture
async def table() -> AsyncIterator[ClaimTable]:
    table = ClaimTable.of(3)
    yield table
    table.close()


@pytest.fixture
async def claims(table: ClaimTable) -> AsyncIterator[LocalClaims]:
    claims = LocalClaims(table, 0, look_again=NEVER)
    yield claims
    await claims.close()


async def soon(settled: asyncio.Future[bool]) -> bool:
    async with asyncio.timeout(30):
        return await settled


async def waiting(claims: LocalClaims, way: bytes, patience: float = NEVER) -> asyncio.Future[bool]:
    settled = asyncio.ensure_future(claims.settled(way, patience))
    await asyncio.sleep(0.05)
    assert not settled.done()
    return settled


async def test_one_process_has_it_and_the_others_are_told_when_it_is_settled(
    table: ClaimTable, claims: LocalClaims
) -> None:
    async with another(table, 1) as first, another(table, 2) as second:
        assert await first.do("claim a") == "granted"
        assert await second.do("claim a") == "taken"
        assert await claims.claim(b"a") is None
        assert await second.do("claim b") == "granted"
        several = [await waiting(claims, b"a") for _ in range(3)]
        assert await first.do("release a") == "released"
        assert [await soon(one) for one in several] == [True, True, True]
        claim = await claims.claim(b"a")
        assert claim is not None
        assert await first.do("claim a") == "taken"
        claim.release(shared=True)
        claim.release(shared=True)
        assert await first.do("claim a") == "granted"


async def test_what_is_not_for_others_lets_all_go_by_themselves(
    table: ClaimTable, claims: LocalClaims
) -> None:
    async with another(table, 1) as other:
        await other.do("claim a")
        settled = await waiting(claims, b"a")
        await other.do("keep a")
        assert await soon(settled) is False


async def test_who_is_killed_holds_nobody_up(table: ClaimTable, claims: LocalClaims) -> None:
    async with another(table, 1) as other:
        await other.do("claim a")
        settled = await waiting(claims, b"a")
        other.process.kill()
        assert await soon(settled) is True
        assert await claims.claim(b"a") is not None


async def test_whoever_takes_the_place_of_one_that_died_can_claim_too(
    table: ClaimTable, claims: LocalClaims
) -> None:
    async with another(table, 1) as other:
        await other.do("claim a")
        other.process.kill()
        await other.process.wait()
    async with another(table, 1) as other:
        assert await other.do("claim a") == "granted"
        settled = await waiting(claims, b"a")
        await other.do("release a")
        assert await soon(settled) is True


async def test_nobody_waits_longer_than_its_patience(table: ClaimTable, claims: LocalClaims) -> None:
    async with another(table, 1) as other:
        await other.do("claim a")
        assert await claims.settled(b"a", 0.05) is False


async def test_what_nobody_has_is_settled(claims: LocalClaims) -> None:
    assert await claims.settled(b"a", NEVER) is True


async def test_where_nothing_can_be_told_a_look_finds_it(table: ClaimTable) -> None:
    claims = LocalClaims(table, 0, look_again=0.02)
    async with another(table, 1) as other:
        await other.do("claim a")
        claims._note(1, 0, 9)  # noise on its pipe, of another kind
        settled = asyncio.ensure_future(claims.settled(b"a", NEVER))
        await asyncio.sleep(0)
        claims._waiters.clear()  # as if what was told got lost
        await other.do("release a")
        assert await soon(settled) is True
    await claims.close()


async def test_within_one_process_a_second_claim_waits_as_well(claims: LocalClaims) -> None:
    claim = await claims.claim(b"a")
    assert claim is not None
    assert await claims.claim(b"a") is None
    settled = await waiting(claims, b"a")
    claim.release(shared=False)
    assert await soon(settled) is False


async def test_without_the_file_nobody_is_bound(table: ClaimTable, claims: LocalClaims) -> None:
    os.close(table.file)
    claim = await claims.claim(b"a")
    assert isinstance(claim, Unclaimed)
    claim.release(shared=False)
    assert await claims.settled(b"a", NEVER) is True
