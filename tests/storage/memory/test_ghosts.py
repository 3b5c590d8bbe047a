"""What was let go is remembered, for as long as was asked for, and in little memory."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.storage.memory.ghosts import GHOST, Ghosts


def test_knows_who_has_gone_once() -> None:
    ghosts = Ghosts()
    ghosts.add(b"a", 10)
    assert not ghosts.take(b"b", 10)
    assert ghosts.take(b"a", 10)
    assert not ghosts.take(b"a", 10)


def test_an_empty_one_knows_nobody() -> None:
    ghosts = Ghosts()
    assert not ghosts.take(b"a", 10)
    ghosts.add(b"a", 0)
    ghosts.clear()
    assert not ghosts.take(b"a", 10)
    assert len(ghosts) == 0


@pytest.mark.parametrize("within", [1, 2, 7])
def test_looks_back_as_far_as_is_asked(within: int) -> None:
    ghosts = Ghosts()
    for key in range(8):
        ghosts.add(key, 8)
    assert [ghosts.take(key, within) for key in range(8)] == [key >= 8 - within for key in range(8)]


@pytest.mark.parametrize("among", [1000, 1024, 1025, 50_000])
def test_knows_nearly_all_of_as_many_as_the_cache_holds(among: int) -> None:
    ghosts = Ghosts()
    for key in range(3 * among):
        ghosts.add(b"%d" % key, among)
    within = among * 9 // 10
    known = sum(ghosts.take(b"%d" % key, within) for key in range(3 * among))
    assert 0.8 * within < known <= within


def test_others_are_taken_for_them_hardly_ever() -> None:
    ghosts = Ghosts()
    for key in range(20_000):
        ghosts.add(b"%d" % key, 20_000)
    assert sum(ghosts.take(b"other %d" % key, 20_000) for key in range(20_000)) == 0


def test_takes_no_more_than_each_entry_pays_for() -> None:
    ghosts = Ghosts()
    for among in (1, 100, 5000, 4097):
        ghosts.add(b"key", among)
        assert 8 * len(ghosts) <= max(64, GHOST * among)


def test_the_table_of_what_has_become_a_small_cache_is_small() -> None:
    ghosts = Ghosts()
    ghosts.add(b"a", 100_000)
    ghosts.add(b"b", 100)
    assert len(ghosts) < 1000
    assert ghosts.take(b"b", 1)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=40),
    st.integers(1, 8),
)
def test_law_same_as_a_list_while_there_is_room_for_all(steps: list[tuple[bool, int]], within: int) -> None:
    ghosts, gone = Ghosts(), []
    for add, key in steps:
        if add:
            ghosts.add(key, 8)
            gone.append(key)
        else:
            known = key in gone[-within:]
            assert ghosts.take(key, within) == known
            gone = [None if known and other == key else other for other in gone]
