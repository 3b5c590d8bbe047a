"""SIEVE as a `cachetools.Cache`: what any cache of that family promises, its own order, what it is worth."""

from __future__ import annotations

import copy
import gc
import itertools
import pickle
import random
import weakref

import pytest
from cachetools import Cache, LRUCache
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.storage.eviction import Sieve


def by_value(maxsize: int) -> Sieve[int, int]:
    return Sieve(maxsize, getsizeof=int)


def test_is_a_cachetools_cache() -> None:
    cache: Sieve[str, int] = Sieve(3)
    assert isinstance(cache, Cache)
    assert (cache.maxsize, cache.currsize, len(cache)) == (3, 0, 0)


def test_behaves_as_a_mapping() -> None:
    cache: Sieve[str, int] = Sieve(3)
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
    cache: Sieve[str, int] = Sieve(3)
    with pytest.raises(KeyError):
        reach(cache)


def test_missing_is_asked_as_in_every_cachetools_cache() -> None:
    class Doubling(Sieve[int, int]):
        def __missing__(self, key: int) -> int:
            self[key] = key * 2
            return key * 2

    cache = Doubling(2)
    assert cache[4] == 8
    assert 4 in cache


def test_popitem_of_an_empty_cache_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        Sieve(3).popitem()


def test_a_negative_maxsize_is_refused() -> None:
    with pytest.raises(ValueError, match="maxsize"):
        Sieve(-1)


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


def test_without_hits_the_first_in_is_the_first_out() -> None:
    cache: Sieve[int, None] = Sieve(4)
    cache.update(dict.fromkeys(range(4)))
    assert [cache.popitem()[0] for _ in range(4)] == [0, 1, 2, 3]


def test_a_hit_spares_once() -> None:
    cache: Sieve[int, None] = Sieve(3)
    cache.update(dict.fromkeys(range(3)))
    cache[0]
    assert [cache.popitem()[0] for _ in range(3)] == [1, 2, 0]


def test_the_hand_stays_where_it_was() -> None:
    cache: Sieve[str, None] = Sieve(4)
    cache.update(dict.fromkeys("abcd"))
    cache["a"]
    cache["b"]
    assert cache.popitem()[0] == "c"  # past a and b
    cache["e"] = None
    assert cache.popitem()[0] == "d"  # on from there, not from the start
    assert cache.popitem()[0] == "e"
    assert cache.popitem()[0] == "a"


def test_contains_is_no_hit_but_a_touched_place_is() -> None:
    cache: Sieve[str, None] = Sieve(3)
    cache.update(dict.fromkeys("abc"))
    assert "a" in cache
    cache.place("b").visited = True
    assert [cache.popitem()[0] for _ in range(3)] == ["a", "c", "b"]


def test_deleting_under_the_hand_moves_it_on() -> None:
    cache: Sieve[str, None] = Sieve(4)
    cache.update(dict.fromkeys("abcd"))
    cache["a"]
    assert cache.popitem()[0] == "b"
    del cache["c"]  # where the hand stands
    assert cache.popitem()[0] == "d"
    assert cache.popitem()[0] == "a"
    assert len(cache) == 0


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
        duplicate(Sieve(3))


class Token:
    """A key that can be watched as it goes."""


@pytest.mark.parametrize("leave", ["drop the cache", "clear", "popitem", "del"])
def test_what_leaves_is_freed_although_the_garbage_collector_can_not_see_it(leave: str) -> None:
    cache: Sieve[Token, None] = Sieve(3)
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
    cache: Sieve[bytes, bytes] = Sieve(100, getsizeof=len)
    cache[b"key"] = b"value"
    assert not gc.is_tracked(cache.place(b"key"))
    assert not gc.is_tracked(cache._places)


class NaiveSieve:
    """SIEVE as the paper says it, on a list: the newest at the end."""

    def __init__(self, maxsize: int) -> None:
        self.maxsize = maxsize
        self.order: list[list] = []  # [key, size, visited]
        self.hand: list | None = None

    def find(self, key: int) -> list | None:
        return next((item for item in self.order if item[0] == key), None)

    def size(self) -> int:
        return sum(item[1] for item in self.order)

    def get(self, key: int) -> int | None:
        item = self.find(key)
        if item:
            item[2] = True
        return item[1] if item else None

    def remove(self, item: list) -> None:
        if self.hand is item:
            following = self.order.index(item) + 1
            self.hand = self.order[following] if following < len(self.order) else None
        self.order.remove(item)

    def evict(self) -> int:
        item = self.hand or self.order[0]
        while item[2]:
            item[2] = False
            following = self.order.index(item) + 1
            item = self.order[following] if following < len(self.order) else self.order[0]
        self.hand = item
        self.remove(item)
        return item[0]

    def put(self, key: int, size: int) -> None:
        while self.size() - ((self.find(key) or [0, 0])[1]) + size > self.maxsize:
            self.evict()
        item = self.find(key)
        if item:
            item[1], item[2] = size, True
        else:
            self.order.append([key, size, False])


KEYS = st.integers(0, 9)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS, st.integers(0, 7)),
        st.tuples(st.just("get"), KEYS, st.just(0)),
        st.tuples(st.just("del"), KEYS, st.just(0)),
        st.tuples(st.just("pop"), st.just(0), st.just(0)),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(STEPS, st.integers(7, 25))
def test_law_same_as_the_naive_model_after_every_step(
    steps: list[tuple[str, int, int]], maxsize: int
) -> None:
    cache, model = by_value(maxsize), NaiveSieve(maxsize)
    for step, key, size in steps:
        if step == "put":
            cache[key] = size
            model.put(key, size)
        elif step == "get":
            assert cache.get(key) == model.get(key)
        elif step == "del" and key in cache:
            del cache[key]
            model.remove(model.find(key))
        elif step == "pop" and len(cache):
            assert cache.popitem()[0] == model.evict()
        assert dict(_peek(cache)) == {item[0]: item[1] for item in model.order}
        assert cache.currsize == model.size() <= maxsize
    assert [cache.popitem()[0] for _ in range(len(cache))] == [model.evict() for _ in range(len(model.order))]


def _peek(cache: Sieve[int, int]) -> list[tuple[int, int]]:
    """Keys and values, without a hit for any of them."""
    return [(key, Cache.__getitem__(cache, key)) for key in cache]


def _trace(seed: int) -> list[int]:
    """Requests for 5,000 resources by Zipf's law; now and then a robot reads 500 that nobody else wants."""
    chance = random.Random(seed)
    resources = range(5000)
    weights = list(itertools.accumulate(1 / (rank + 1) ** 0.9 for rank in resources))
    requests: list[int] = []
    unwanted = itertools.count(10_000)
    for _ in range(10):
        requests += chance.choices(resources, cum_weights=weights, k=3000)
        requests += itertools.islice(unwanted, 500)
    return requests


def _hits(cache: Cache[int, int], trace: list[int]) -> int:
    hits = 0
    for key in trace:
        if key in cache:
            hits += cache[key]
        else:
            cache[key] = 1
    return hits


@pytest.mark.parametrize("size", [100, 500, 1000])
def test_hits_more_than_lru_where_robots_read_along(size: int) -> None:
    trace = _trace(seed=1)
    assert _hits(Sieve(size), trace) > 1.1 * _hits(LRUCache(size), trace)
