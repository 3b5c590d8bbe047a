"""Real replicas, a real kill: the account balances, and the styles keep what they promise."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from proxy.commands.comparing.state.book import Book
from proxy.commands.comparing.state.parts.contract import Place
from proxy.commands.comparing.state.parts.reliability import strike
from proxy.commands.comparing.state.results import Settings
from proxy.commands.comparing.state.shopping.outcome import Plan
from proxy.commands.comparing.state.shopping.shoppers import shoppers
from proxy.commands.comparing.state.stage.stage import staged
from proxy.commands.comparing.state.variants import choose

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize(
    ("variant", "seed", "keeps"),
    [("tokens-signed", 1, True), ("resources", 2, True), ("sessions-sticky", 3, False)],
)
def test_the_account_balances_under_a_kill(variant: str, seed: int, keeps: bool, tmp_path: Path) -> None:
    chosen = choose((variant,))
    book = Book()
    place = Place(
        variant=chosen.variants[0],
        folder=tmp_path,
        cores=tuple(os.sched_getaffinity(0)),
        store=chosen.store,
        settings=Settings(repeats=1, seconds=2.0, quick=True, seed=seed),
        book=book,
        number=0,
    )
    with (
        staged(place.variant, place.workshop(), replicas=3, relayed=1) as stage,
        shoppers(tmp_path, place.cores) as shopping,
    ):
        plan = Plan(
            port=stage.port,
            conversation=place.variant.conversation,
            shoppers=24,  # a third at the one that is killed, most of them with a cart
            think=0.1,
            seed=place.seed,
            told=True,
            patience=20.0,
        )
        outcome = strike(stage, shopping, plan, "kill", place)
    assert outcome.account.faults() == []
    assert book.complaints == []
    assert outcome.account.begun > 0
    assert outcome.account.acknowledged == outcome.account.found
    assert outcome.account.doubled == 0
    if keeps:
        assert (outcome.account.lost, outcome.account.logged_out, outcome.account.wrong) == (0, 0, 0)
    else:
        assert outcome.account.lost > 0
    (run,) = book.runs
    assert run.blow is not None
    assert run.healed is not None
    assert 0 < run.blow < run.healed < time.time()
