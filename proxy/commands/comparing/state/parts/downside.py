"""The downside: what a cart weighs in each message as it grows, and what reading and keeping it takes."""

from __future__ import annotations

from collections.abc import Callable

from proxy.commands.comparing.state.parts.contract import Place
from proxy.commands.comparing.state.parts.drill import Customer
from proxy.commands.comparing.state.stage.stage import Stage, staged

_WARM = 15


def measure(place: Place) -> None:
    """One replica, one customer, no proxy. Raises ComparisonError."""
    with staged(place.variant, place.workshop(), replicas=1, behind=0) as stage:
        with Customer(place.variant, stage.replicas[0].port) as customer:
            customer.look()  # a session begins with the first page
            for lines in place.settings.lines:
                if customer.fill(lines) < lines:
                    _full(place, len(customer.lines))
                    break
                _weigh(place, customer, lines)
                _time(place, stage, customer, lines)
        with Customer(place.variant, stage.replicas[0].port) as customer:
            _buy(place, customer)


def _full(place: Place, lines: int) -> None:
    if place.number == 0:
        place.book.complain(f"{place.variant.name}: a cart has room for {lines} lines, no more")


def _weigh(place: Place, customer: Customer, lines: int) -> None:
    place.put("request_state", customer.weigh(customer.look).state, lines)
    if lines:
        place.put("response_state", customer.weigh(lambda: customer.change(3)).given, lines)


def _time(place: Place, stage: Stage, customer: Customer, lines: int) -> None:
    if lines:
        place.put("read_microseconds", _microseconds(place, stage, customer, customer.see_cart), lines)
        quantities = iter(range(10**9))
        step = lambda: customer.change(1 + next(quantities) % 2)  # noqa: E731
        place.put("change_microseconds", _microseconds(place, stage, customer, step), lines)


def _microseconds(place: Place, stage: Stage, customer: Customer, step: Callable[[], None]) -> float:
    """Of the replica's and the store's processor time, for each time that it is done."""
    count = place.settings.drills
    customer.repeat(step, _WARM)
    before = stage.replica_seconds() + stage.store_seconds()
    customer.repeat(step, count)
    return 1e6 * (stage.replica_seconds() + stage.store_seconds() - before) / count


def _buy(place: Place, customer: Customer) -> None:
    for lines in place.settings.lines:
        if not lines:
            continue
        bought = 0

        def buy(lines: int = lines) -> None:
            nonlocal bought
            bought = customer.buy(lines, lines)

        weighed = customer.weigh(buy)
        if bought < lines:
            break
        place.put("order_bytes", (weighed.sent + weighed.received) / 1e3, lines)
        place.put("order_state", weighed.state, lines)
