"""The process that shops: a plan comes in by standard input, `go` starts it, its outcome goes out."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import time

import msgspec

from proxy.commands.comparing.spread import percentile
from proxy.commands.comparing.state.shopping.by_cookie import ByCookie, ByToken
from proxy.commands.comparing.state.shopping.by_url import ByUrl
from proxy.commands.comparing.state.shopping.conversation import Conversation
from proxy.commands.comparing.state.shopping.outcome import Outcome, Plan
from proxy.commands.comparing.state.shopping.shopper import Books, Hours, Shopper

CONVERSATIONS: dict[str, type[Conversation]] = {"cookie": ByCookie, "token": ByToken, "url": ByUrl}
_FOREVER = 1e12
_AUDITORS = 16


async def shop(plan: Plan) -> Outcome:
    """All shoppers of a plan, at once."""
    began = time.time()
    books = Books(began)
    converse = CONVERSATIONS[plan.conversation]
    shoppers = [
        Shopper(number, plan, books, converse) for number in range(plan.first, plan.first + plan.shoppers)
    ]
    hours = Hours(_FOREVER if plan.visits or plan.told else began + plan.seconds)
    listening = asyncio.create_task(_listen(hours)) if plan.told else None
    await asyncio.gather(*(one.shop(hours) for one in shoppers))
    if listening is not None:
        await listening
    latencies = sorted(books.latencies)
    if plan.audit:
        turns = asyncio.Semaphore(_AUDITORS)
        await asyncio.gather(*(_audit(one, turns) for one in shoppers))
    else:
        for one in shoppers:
            one.skip_audit()
    for one in shoppers:
        one.close()
    return Outcome(
        account=books.account,
        timeline=books.timeline,
        traffic=books.traffic,
        seconds=time.time() - began,
        median=percentile(latencies, 0.5) if latencies else 0.0,
        p99=percentile(latencies, 0.99) if latencies else 0.0,
    )


async def _listen(hours: Hours) -> None:
    """Close the shop when a line comes, or nobody is there to send one."""
    await asyncio.to_thread(sys.stdin.readline)
    hours.until = 0.0


async def _audit(shopper: Shopper, turns: asyncio.Semaphore) -> None:
    async with turns:
        await shopper.audit()


def main() -> None:
    """Read plans until standard input ends; each answered by one line when it has begun, one when done."""
    gc.set_threshold(50_000, 20, 20)
    with contextlib.suppress(KeyboardInterrupt):
        while line := sys.stdin.readline():
            plan = msgspec.json.decode(line, type=Plan)
            print("ready", flush=True)
            if not sys.stdin.readline():
                return
            outcome = asyncio.run(shop(plan))
            print(msgspec.json.encode(outcome).decode(), flush=True)


if __name__ == "__main__":
    main()
