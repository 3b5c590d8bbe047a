"""Reliability: shoppers shop, something befalls one of three replicas, and an account is taken."""

from __future__ import annotations

import time
from collections.abc import Callable

from proxy.commands.comparing.state.parts.contract import Place
from proxy.commands.comparing.state.shopping.outcome import Outcome, Plan
from proxy.commands.comparing.state.shopping.shoppers import Shoppers, shoppers
from proxy.commands.comparing.state.stage.stage import Stage, staged
from proxy.commands.comparing.state.variants import RELIABILITY

BEFORE = 1.5
"""Seconds of shopping before the blow."""

AFTER = 1.0
"""Seconds that it goes on at least once all is well again."""

VICTIM = 1
"""The replica that it befalls."""

_DOWN, _HELD, _SWALLOWED, _CUT = 1.0, 2.0, 0.4, 1.2
_COUNTED = ("failed", "lost", "wrong", "logged_out", "lost_orders", "doubled", "visits")


def kill(stage: Stage) -> None:
    """Killed, and started again by whoever watches it."""
    stage.replicas[VICTIM].kill()
    time.sleep(_DOWN)
    stage.replicas[VICTIM].start_again()


def deploy(stage: Stage) -> None:
    """All of them, one by one."""
    for place, replica in enumerate(stage.replicas):
        stage.drain(place)
        replica.stop()
        replica.start_again()
        stage.add(place)


def hang(stage: Stage) -> None:
    """Held, and let go again."""
    stage.replicas[VICTIM].hold()
    time.sleep(_HELD)
    stage.replicas[VICTIM].let_go()


def cut(stage: Stage) -> None:
    """First only its answers are lost, then everything, then all is well."""
    stage.tell_relay("swallow")
    time.sleep(_SWALLOWED)
    stage.tell_relay("cut")
    time.sleep(_CUT)
    stage.tell_relay("heal")


BLOWS: dict[str, Callable[[Stage], None]] = {"kill": kill, "deploy": deploy, "hang": hang, "cut": cut}


def measure(place: Place, told: Callable[[str], None] = lambda scenario: None) -> None:
    """All four in turn, each with shoppers of its own, on the same replicas. Raises ComparisonError."""
    settings = place.settings
    variant = place.variant
    with (
        staged(variant, place.workshop(settings.rate), replicas=variant.replicas, relayed=VICTIM) as stage,
        shoppers(place.folder, place.cores) as shopping,
    ):
        for number, name in enumerate(settings.scenarios):
            told(name)
            plan = Plan(
                port=stage.port,
                conversation=variant.conversation,
                shoppers=settings.shoppers,
                seconds=BEFORE + settings.seconds,
                told=True,
                think=settings.think,
                seed=place.seed,
                first=1 + number * settings.shoppers,
            )
            strike(stage, shopping, plan, name, place)
            _recover(stage)


def strike(stage: Stage, shopping: Shoppers, plan: Plan, name: str, place: Place) -> Outcome:
    """One run under one blow, entered into the book. Raises ComparisonError."""
    shopping.begin(plan)
    time.sleep(BEFORE)
    struck = time.time()
    BLOWS[name](stage)
    healed = time.time()
    time.sleep(max(AFTER, struck + place.settings.seconds - healed))
    shopping.stop()
    outcome = shopping.end(plan)
    blow = struck - outcome.timeline.began
    place.book.keep(
        outcome,
        part=RELIABILITY,
        scenario=name,
        variant=stage.variant.name,
        number=place.number,
        blow=round(blow, 3),
        healed=round(healed - outcome.timeline.began, 3),
    )
    for one in _COUNTED:
        place.put(f"{name}.{one}", getattr(outcome.account, one))
    place.put(f"{name}.whole", outcome.timeline.whole_after(blow))
    return outcome


def _recover(stage: Stage, patience: float = 10.0) -> None:
    """Until the proxy asks every replica again: the next blow is to fall on whole ones."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if all(one["state"] == "well" for one in stage.upstreams()):
            return
        time.sleep(0.05)
