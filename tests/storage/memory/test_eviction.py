"""S3-FIFO as a `cachetools.Cache`: what any of that family promises, its own order, what it is worth."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import pytest
from cachetools import Cache

from proxy.storage.memory.eviction import MOST, USE, S3Fifo


def by_value(maxsize: int) -> S3Fifo[int, int]:
    return S3Fifo(maxsize, getsizeof=int)


def test_is_a_cachetools_cache() -> None:
    cache: S3Fifo[str, int] = S3Fifo(3)
    assert isinstance(cache, Cache)
    assert (cache.maxsize, cache.currsize, len(cache)) == (3, 0, 0)


def test_behaves_as_a_mapping() -> None:
    cache: S3Fifo[str, int] = S3Fifo(3)
    cache["a"] = 1
    cache.update(b=2)
    assert cache.setdefault("a", 9) == 1
    assert cache.setdefault("c", 3) == 3
    assert (cache.get("b"), cache.get("x"), cache.get("x", 7)) == (2, None, 7)
    assert cache.pop("b") == 2
    assert cache.pop("b", None) is None
    assert sorted(cache.items()) == [("a", 1), ("c", 3)]
    assert "a" in cache
    assert "b" not in cache


@pytest.mark.parametrize("reach", [lambda c: c["x"], lambda c: c.pop("x"), lambda c: c.__delitem__("x")])
def test_a_missing_key_is_a_key_error(reach) -> None:
    cache: S3Fifo[str, int] = S3Fifo(3)
    with pytest.raises(KeyError):
        reach(cache)


def test_missing_is_asked_as_in_every_cachetools_cache() -> None:
    class Doubling(S3Fifo[int, int]):
        def __missing__(self, key: int) -> int:
            self[key] = key * 2
            return key * 2

    cache = Doubling(2)
    assert cache[4] == 8
    assert 4 in cache


def test_popitem_of_an_empty_cache_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        S3Fifo(3).popitem()


def test_a_negative_maxsize_is_refused() -> None:
    with pytest.raises(ValueError, match="maxsize"):
        S3Fifo(-1)


def test_what_is_larger_than_the_cache_is_refused_and_changes_nothing() -> None:
    cache = by_value(10)
    cache[1] = 4
    for key in (1, 2):
        with pytest.raises(ValueError, match="too large"):
            cache[key] = 11
    assert (dict(cache), cache.currsize) == ({1: 4}, 4)


def test_replacing_changes_the_size_by_the_difference() -> None:
    cache = by_value(10)
    cache[1], cache[2] = 4, 5
    cache[1] = 2
    assert (cache.currsize, cache[1], len(cache)) == (7, 2, 2)


def test_replacing_by_something_larger_lets_others_go() -> None:
    cache = by_value(10)
    cache[1], cache[2], cache[3] = 3, 3, 3
    cache[2] = 9
    assert dict(cache) == {2: 9}
    assert cache.currsize == 9


def test_size_zero_needs_no_room() -> None:
    cache = by_value(0)
    for key in range(5):
        cache[key] = 0
    assert len(cache) == 5
    assert cache.currsize == 0


def busy(maxsize: int) -> S3Fifo:
    """An empty cache from which something had to go already."""
    cache: S3Fifo = S3Fifo(maxsize)
    cache["first"] = None
    cache.popitem()
    return cache


def filled(keys: str) -> S3Fifo:
    """A full cache of `keys`."""
    cache = busy(len(keys))
    cache.update(dict.fromkeys(keys))
    return cache


def popped(cache: S3Fifo) -> str:
    """Everything, in the order in which it goes."""
    return "".join(cache.popitem()[0] for _ in range(len(cache)))


def test_without_hits_the_first_in_is_the_first_out() -> None:
    assert popped(filled("abcd")) == "abcd"
    cache: S3Fifo[str, None] = S3Fifo(4)
    cache.update(dict.fromkeys("abcd"))
    assert popped(cache) == "abcd"


def test_two_uses_bring_into_the_main_queue_and_one_does_not() -> None:
    cache = filled("abcd")
    for used in "abb":
        cache[used]
    assert popped(cache) == "acdb"


def test_each_use_in_the_main_queue_spares_once_and_three_count() -> None:
    cache = filled("abc")
    for key in "abc":
        cache[key], cache[key]
    assert cache.popitem()[0] == "a"  # all three are in the main queue now, b before c
    for _ in range(10):
        cache["b"]
    assert cache.place("b").credit == MOST
    assert popped(cache) == "cb"


def test_the_larger_the_more_uses_it_takes_to_be_spared() -> None:
    cache: S3Fifo[str, int] = S3Fifo(1000, getsizeof=int)
    cache["first"] = 1
    cache.popitem()
    cache["large"] = cache["larger"] = 300
    cache.update(dict.fromkeys("abcdefghi", 10))
    for key in ("large", "large", "larger", "larger", "larger", "a"):
        cache[key]
    assert cache.popitem() == ("large", 300)
    assert cache.popitem() == ("b", 10)
    assert [cache.place(key).proven for key in ("larger", "a", "c")] == [True, True, False]


def test_who_comes_back_soon_goes_into_the_main_queue_at_once() -> None:
    cache = filled("abcdefghij")
    assert cache.popitem()[0] == "a"
    cache["a"] = cache["z"] = None
    assert (cache.place("a").proven, cache.place("z").proven) == (True, False)
    assert popped(cache) == "cdefghijza"


def test_who_comes_back_late_is_not_known_any_more() -> None:
    cache = busy(10)
    for key in (*range(30), 0):
        cache[key] = None
    assert not cache.place(0).proven


def test_who_left_the_main_queue_unused_is_not_remembered() -> None:
    cache = busy(10)
    cache["a"] = None
    cache["a"], cache["a"]
    cache["b"] = None
    assert popped(cache) == "ba"
    cache["a"] = None
    assert not cache.place("a").proven


def test_what_is_deleted_and_put_again_need_not_prove_itself() -> None:
    cache: S3Fifo[tuple[str, int], None] = S3Fifo(10, name=lambda key: key[0])
    cache["a", 1] = None
    del cache["a", 1]
    cache["a", 2] = cache["b", 1] = None
    assert (cache.place(("a", 2)).proven, cache.place(("b", 1)).proven) == (True, False)


@pytest.mark.parametrize("empty", ["at first", "clear", "del"])
def test_while_there_is_room_the_main_queue_takes_what_the_small_one_has_no_room_for(empty: str) -> None:
    cache = busy(20) if empty != "at first" else S3Fifo(20)
    if empty == "clear":
        cache.clear()
    elif empty == "del":
        cache["x"] = None
        del cache["x"]
    cache.update(dict.fromkeys("abcde"))
    assert [cache.place(key).proven for key in "abcde"] == [False, False, True, True, True]


def test_contains_and_replacing_are_no_use_but_a_touched_place_is() -> None:
    cache: S3Fifo[str, int] = S3Fifo(3)
    cache.update(dict.fromkeys("abc", 0))
    assert "a" in cache
    cache["a"] = 1
    assert cache.place("a").credit == 0
    cache.place("b").touch()
    assert cache.place("b").credit == USE


def test_a_place_that_was_left_may_be_touched() -> None:
    cache: S3Fifo[str, int] = S3Fifo(3)
    cache["a"] = 0
    place = cache.place("a")
    del cache["a"]
    place.touch()
    assert len(cache) == 0


def test_the_order_of_those_in_the_middle_survives_a_deletion() -> None:
    cache = filled("abcde")
    del cache["c"]
    del cache["e"]
    assert popped(cache) == "abd"


def test_who_was_used_twice_outlives_any_number_that_nobody_asks_for_again() -> None:
    cache = busy(100)
    wanted = range(80)
    for key in wanted:
        cache[key] = None
        cache[key], cache[key]
    for key in range(1000, 11_000):
        cache[key] = None
    assert all(key in cache for key in wanted)


def test_making_room_takes_a_bounded_number_of_steps_however_much_was_used(monkeypatch) -> None:
    cache = busy(5000)
    for key in range(5000):
        cache[key] = None
        cache[key], cache[key], cache[key]
    moves = []
    monkeypatch.setattr(cache, "_dequeue", lambda place: (moves.append(place), S3Fifo._dequeue(cache, place)))
    cache.popitem()
    assert len(moves) < 100


def test_clear_leaves_an_empty_cache_that_works() -> None:
    cache = by_value(10)
    cache.update({1: 4, 2: 4})
    cache.clear()
    assert (len(cache), cache.currsize, list(cache)) == (0, 0, [])
    cache[3] = 10
    assert cache.popitem() == (3, 10)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_it_says_that_it_can_not_be_copied(duplicate) -> None:
    with pytest.raises(TypeError, match="can't be"):
        duplicate(S3Fifo(3))


class Token:
    """A key that can be watched as it goes."""


@pytest.mark.parametrize("leave", ["drop the cache", "clear", "popitem", "del"])
def test_what_leaves_is_freed_although_the_garbage_collector_can_not_see_it(leave: str) -> None:
    cache: S3Fifo[Token, None] = S3Fifo(3)
    token = Token()
    cache[token] = None
    cache[Token()] = None
    watched = weakref.ref(token)
    if leave == "del":
        del cache[token]
    elif leave == "popitem":
        cache.popitem()
    elif leave == "clear":
        cache.clear()
    gc.disable()
    try:
        del token
        if leave == "drop the cache":
            del cache
        assert watched() is None
    finally:
        gc.enable()


def test_entries_are_hidden_from_the_garbage_collector() -> None:
    cache: S3Fifo[bytes, bytes] = S3Fifo(100, getsizeof=len)
    cache[b"key"] = b"value"
    assert not gc.is_tracked(cache.place(b"key"))
    assert not gc.is_tracked(cache._places)
