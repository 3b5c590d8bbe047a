"""The mix: the same for every style, and what a visit consists of."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.commands.comparing.state.shopping.wants import (
    PRODUCTS,
    Add,
    Enter,
    LogIn,
    Look,
    Order,
    visit,
)


@settings(max_examples=100)
@given(seed=st.integers(0, 10**6), shopper=st.integers(0, 500), number=st.integers(0, 50))
def test_a_visit_makes_sense(seed: int, shopper: int, number: int) -> None:
    wants = list(visit(seed, shopper, number))
    assert wants == list(visit(seed, shopper, number))
    assert wants[0] == Enter()
    added = [one.sku for one in wants if isinstance(one, Add)]
    assert len(added) == len(set(added))
    for place, one in enumerate(wants):
        if isinstance(one, Add):
            assert wants[place - 1] == Look(one.sku)
            assert 1 <= int(one.sku[1:]) <= PRODUCTS
        if isinstance(one, Order):
            assert isinstance(wants[place - 1], LogIn)
            assert added


def test_many_visits_are_a_mix() -> None:
    visits = [list(visit(1, shopper, 0)) for shopper in range(300)]
    ordering = sum(any(isinstance(one, Order) for one in wants) for wants in visits)
    assert 0.45 < ordering / len(visits) < 0.7
    assert len({str(wants) for wants in visits}) == len(visits)
    looked = [one.sku for wants in visits for one in wants if isinstance(one, Look)]
    assert looked.count("P0001") > 5 * max(1, looked.count("P0150"))
