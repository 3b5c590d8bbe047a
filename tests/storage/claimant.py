"""A process with claims of its own: does what its input says, line by line, and says what came of it."""

from __future__ import annotations

import asyncio
import sys

from proxy.storage.claims import Claim
from proxy.storage.local_claims import ClaimTable, LocalClaims


async def main(seat: int, file: int, *ends: int) -> None:
    pipes = tuple(zip(ends[::2], ends[1::2], strict=True))
    claims = LocalClaims(ClaimTable(file, pipes), seat, look_again=60.0)
    held: dict[str, Claim] = {}
    print("there", flush=True)
    while line := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        what, way = line.split()
        if what == "claim":
            claim = await claims.claim(way.encode())
            if claim is not None:
                held[way] = claim
            print("granted" if claim is not None else "taken", flush=True)
        else:
            held.pop(way).release(shared=what == "release")
            print("released", flush=True)
    await claims.close()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
