"""The lane's memory keeps to its budget, whatever is put into it and however that grows."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from proxy.server.lane.generations import Generations

BUDGET = 1000


@dataclass
class Thing:
    name: int
    size: int


def filled(number: int, size: int) -> Generations[int, Thing]:
    things: Generations[int, Thing] = Generations(BUDGET)
    for name in range(number):
        things.put(name, Thing(name, size), size)
    return things


def test_what_was_used_of_late_stays() -> None:
    things = filled(10, 100)
    for name in range(10, 30):
        things.put(name, Thing(name, 100), 100)
        assert things.get(9) is not None
    assert things.get(8) is None


def test_what_grows_makes_room_as_what_is_new_does() -> None:
    things = filled(4, 100)
    for name in range(4):
        thing = things.get(name)
        if thing is not None:
            thing.size += 300
            things.grown(300)
    assert [name for name in range(4) if things.get(name) is not None] == [1, 2]


@given(st.lists(st.tuples(st.sampled_from(["put", "get", "grow", "pop"]), st.integers(0, 9)), max_size=80))
def test_each_is_told_once_that_it_is_forgotten(steps: list[tuple[str, int]]) -> None:
    gone: list[int] = []
    things: Generations[int, Thing] = Generations(BUDGET, lambda thing: gone.append(id(thing)))
    kept: dict[int, Thing] = {}
    every: list[Thing] = []
    for what, name in steps:
        found = things.get(name)
        assert found is (kept[name] if name in kept and id(kept[name]) not in gone else None)
        if what == "put" and found is None:
            every.append(thing := Thing(name, 120))
            kept[name] = thing
            things.put(name, thing, thing.size)
        elif what == "grow" and found is not None:
            found.size += 90
            things.grown(90)
        elif what == "pop" and found is not None:
            assert things.pop(name) is found
            del kept[name]
        held = [*things.young.values(), *things._old.values()]
        assert len({id(one) for one in held}) == len(held)
        assert sum(one.size for one in things.young.values()) == things._used
        assert things._used <= BUDGET // 2 + 90 or len(things.young) == 1
    assert len(set(gone)) == len(gone)
