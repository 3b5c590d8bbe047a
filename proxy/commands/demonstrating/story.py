"""The story: three customers shop, a server is killed, and they look for their carts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rich.table import Table
from rich.text import Text

from proxy.commands.comparing.contenders.contract import Found
from proxy.commands.comparing.state.shopping.conversation import Went
from proxy.commands.comparing.state.stage.stage import Stage, Workshop, staged
from proxy.commands.comparing.state.variants import Chosen, Variant
from proxy.commands.demonstrating.customers import Customer, Customers
from proxy.commands.demonstrating.telling import Teller
from proxy.commands.demonstrating.watching import Seen, Watch, line_of

_T = TypeVar("_T")
_BOUGHT = {"ann": (("P0003", 2), ("P0004", 1)), "ben": (("P0005", 1),), "cleo": (("P0006", 3), ("P0003", 1))}
STORY = ("sessions-sticky", "sessions-shared", "resources", "tokens-signed")
"""The variants that it tells of, as far as they can be started."""


@dataclass(slots=True)
class Result:
    """What came of one act: numbers of carts, of customers, of requests, of orders."""

    variant: Variant
    carts: int = 0
    kept: int = 0
    logged_in: int = 0
    still: int = 0
    requests: int = 0
    cached: int = 0
    failed: int = 0
    orders: int = 0
    twice: int = 0


class Act:
    """One variant on the stage."""

    def __init__(self, stage: Stage, teller: Teller, customers: Customers) -> None:
        self._stage = stage
        self._teller = teller
        self._customers = customers
        self._watch = Watch(stage.log)
        self._names = [stage.name(place) for place in range(len(stage.replicas))]
        self._last: dict[str, str] = {}
        self.result = Result(stage.variant)

    def play(self) -> Result:
        """From the first page to the last order."""
        for one in self._customers.all:
            self._shop(one)
        self._say_what_was_seen()
        victim = self._names.index(self._last.get("ann", self._names[0]))
        self._teller.say(f"kill -9: replica {victim + 1}, which answered Ann last", "bold red")
        self._stage.replicas[victim].kill()
        self._teller.pause(3)
        for one in self._customers.all:
            self._look_again(one)
        for one in self._customers.all:
            self._order(one)
        self.result.failed = sum(one.failed for one in self._customers.all)
        self._teller.pause(4)
        return self.result

    def _do(self, who: Customer, step: Coroutine[Any, Any, _T]) -> _T:
        """One step, and the records that it left."""
        before = who.requests
        came = self._customers.run(step)
        for one in self._watch.news(who.requests - before):
            self._note(who, one)
        self._teller.pause()
        return came

    def _note(self, who: Customer, one: Seen) -> None:
        self.result.requests += 1
        self.result.cached += one.from_cache
        if one.server:
            self._last[who.name] = one.server
        self._teller.record(line_of(one, self._names), cached=one.from_cache)

    def _shop(self, who: Customer) -> None:
        self._do(who, who.talk.enter())
        for sku, quantity in _BOUGHT[who.name]:
            self._do(who, who.add(sku, quantity))
        shown = self._do(who, who.cart())
        self.result.carts += bool(shown)
        if self._do(who, who.log_in()):
            self.result.logged_in += 1
        self._teller.say(f"{who.title} has {_pieces(shown)} in the cart, and has logged in.")

    def _say_what_was_seen(self) -> None:
        result = self.result
        share = result.cached / max(1, result.requests)
        self._teller.say(f"The cache answered {result.cached} of {result.requests} requests ({share:.0%}).")
        self._teller.pause(2)

    def _look_again(self, who: Customer) -> None:
        shown = self._do(who, who.cart())
        if shown == who.expected:
            self.result.kept += 1
            self._teller.say(f"{who.title}'s cart is there: {_pieces(shown)}.", "green")
        elif shown:
            self._teller.say(f"{who.title}'s cart has changed: {_pieces(shown)}.", "yellow")
        else:
            self._teller.say(f"{who.title}'s cart is gone.", "red")

    def _order(self, who: Customer) -> None:
        went = self._do(who, who.order())
        if went in (Went.STRANGER, Went.GONE):
            self._teller.say(f"{who.title} can't order: the shop doesn't know who this is.", "red")
            return
        self.result.still += 1
        if went is Went.DONE:
            times = self._do(who, who.orders())
            self.result.orders += 1
            self.result.twice += (times or 0) > 1
            told = {1: "listed once", None: "but the list can't be had"}.get(times, f"listed {times} times")
            self._teller.say(
                f"{who.title} has ordered; the order is {told}.", "green" if times == 1 else "red"
            )
        else:
            self._teller.say(f"{who.title} has nothing to order.", "yellow")


def tell(chosen: Chosen, teller: Teller) -> list[Result]:
    """All acts, one after another. Raises ComparisonError."""
    results = []
    with tempfile.TemporaryDirectory(prefix="pellucid-demo-", ignore_cleanup_errors=True) as name:
        for variant in chosen.variants:
            folder = Path(name, variant.name)
            folder.mkdir()
            teller.act(variant.title, f"State is {variant.where}. Three replicas, one proxy.")
            results.append(_played(variant, folder, chosen.store, teller))
    return results


def _played(variant: Variant, folder: Path, store: Found | None, teller: Teller) -> Result:
    workshop = Workshop(folder, tuple(sorted(os.sched_getaffinity(0))), store)
    with (
        staged(variant, workshop, replicas=variant.replicas) as stage,
        Customers(variant.conversation, stage.port) as customers,
    ):
        return Act(stage, teller, customers).play()


def summary(results: Sequence[Result]) -> Table:
    """What became of the carts in each style."""
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("after one of three was killed")
    for title in ("carts left", "still known", "ordered", "ordered twice", "from the cache"):
        table.add_column(title, justify="right")
    for row in _rows(results):
        table.add_row(*row)
    return table


def _rows(results: Sequence[Result]) -> Iterator[tuple[Text, ...]]:
    for one in results:
        whole = one.kept == one.carts
        yield (
            Text(one.variant.title, "bold" if one.variant.stateless else ""),
            Text(f"{one.kept} of {one.carts}", "green" if whole else "red"),
            Text(f"{one.still} of {one.logged_in}", "green" if one.still == one.logged_in else "red"),
            Text(f"{one.orders}"),
            Text(f"{one.twice}", "red" if one.twice else ""),
            Text(f"{one.cached / max(1, one.requests):.0%}"),
        )


def _pieces(cart: dict[str, int]) -> str:
    count = sum(cart.values())
    return "1 piece" if count == 1 else f"{count} pieces"
