"""Scalability: replicas are added under load, shoppers grow in number, a cart is shown again and again."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

from proxy.commands.comparing.state.parts.contract import Place
from proxy.commands.comparing.state.parts.drill import Customer
from proxy.commands.comparing.state.shopping.account import BUCKET
from proxy.commands.comparing.state.shopping.outcome import Outcome, Plan
from proxy.commands.comparing.state.shopping.shoppers import shoppers
from proxy.commands.comparing.state.stage.stage import Stage, staged
from proxy.commands.comparing.state.variants import SCALABILITY

_QUEUES = ("balance.slow=0", "upstream.first_byte=10s")
"""A replica with a queue is not ill: left out for that, it would lose the sessions that are stuck to it."""

_SETTLING = 1.0
_THINK = 0.05
_IN_CART = 3


def measure(place: Place) -> None:
    """Adding replicas each round; memory and the cost of the store too. Raises ComparisonError."""
    grow(place)
    with staged(place.variant, place.workshop(), replicas=1, behind=0) as stage:
        read(place, stage)
    if place.number == 0:
        fill(place)


def grow(place: Place) -> None:
    """From one replica to as many as there are, one by one, while shoppers shop."""
    settings, variant = place.settings, place.variant
    most = 2 if settings.quick else variant.replicas
    workshop = replace(place.workshop(settings.scale_rate), settings=_QUEUES)
    length = _SETTLING + max(1.5, 0.75 * settings.seconds)
    with (
        staged(variant, workshop, replicas=most, behind=2) as stage,
        shoppers(place.folder, place.cores) as shopping,
    ):
        stage.drain(1)
        plan = Plan(
            port=stage.port,
            conversation=variant.conversation,
            shoppers=settings.scale_shoppers,
            seconds=length * most,
            think=_THINK,
            seed=place.seed,
            patience=10.0,
        )
        shopping.begin(plan)
        moments, began = [time.time()], time.monotonic()
        for number in range(1, most):
            time.sleep(max(0.0, began + number * length - time.monotonic()))
            before = _answered(stage)
            stage.add(number)
            moments.append(time.time())
            time.sleep(1.0)
            share = share_of(stage.name(number), before, _answered(stage))
            place.put("new_share", 100 * share * (number + 1), number + 1)
        outcome = shopping.end(plan)
    place.book.keep(outcome, part=SCALABILITY, scenario="grow", variant=variant.name, number=place.number)
    ends = [*moments, outcome.timeline.began + plan.seconds]
    for number, (start, end) in enumerate(pairwise(ends), 1):
        place.put("throughput", rate_between(outcome, start + _SETTLING, end), number)


def _answered(stage: Stage) -> dict[str, int]:
    return {str(one["server"]): int(one["answered"]) for one in stage.upstreams()}


def share_of(name: str, before: dict[str, int], after: dict[str, int]) -> float:
    """One server's part of all answers between two looks; 0 where there were none."""
    grown = {server: count - before.get(server, 0) for server, count in after.items()}
    total = sum(grown.values())
    return grown.get(name, 0) / total if total > 0 else 0.0


def rate_between(outcome: Outcome, start: float, end: float) -> float:
    """Whole answers per second between two moments, from the whole buckets between them."""
    began = outcome.timeline.began
    first, last = int((start - began) / BUCKET) + 1, int((end - began) / BUCKET)
    counted = outcome.timeline.answered[first:last]
    return sum(counted) / (len(counted) * BUCKET) if counted else 0.0


def read(place: Place, stage: Stage) -> None:
    """A cart with a few lines, shown again and again with nothing else going on."""
    with Customer(place.variant, stage.replicas[0].port) as customer:
        customer.fill(_IN_CART)
        count = place.settings.drills
        customer.repeat(customer.see_cart, 20)
        replica, store = stage.replica_seconds(), stage.store_seconds()
        median = customer.repeat(customer.see_cart, count)
        place.put("read_replica", 1e6 * (stage.replica_seconds() - replica) / count)
        place.put("read_store", 1e6 * (stage.store_seconds() - store) / count)
        place.put("read_latency", 1e3 * median)


def fill(place: Place) -> None:
    """More and more shoppers: a new replica each time, that begins with the state of so many."""
    held: list[tuple[int, int]] = []
    for share in place.settings.steps:
        count = int(share * place.settings.most)
        with staged(place.variant, place.workshop(fill=count), replicas=1, behind=0) as stage:
            replica, store = stage.replicas[0].resident_bytes(), stage.store_bytes()
        place.put("replica_megabytes", replica / 1e6, count)
        place.put("store_megabytes", store / 1e6, count)
        held.append((count, replica + store))
    growth = per_shopper(held)
    if growth is not None:
        place.put("bytes_per_shopper", growth)


def per_shopper(held: list[tuple[int, int]]) -> float | None:
    """Bytes for each shopper more, from the first look to the last; None where there were none more."""
    first, last = held[0], held[-1]
    return (last[1] - first[1]) / (last[0] - first[0]) if last[0] > first[0] else None
