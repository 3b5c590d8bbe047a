"""The eviction against a model that takes its time, and its hits against those of LRU."""

from __future__ import annotations

import itertools
import random

import pytest
from cachetools import Cache, LRUCache
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.storage.memory.eviction import S3Fifo
from proxy.storage.memory.ghosts import Ghosts


class Naive:
    """S3-FIFO as the paper says it, on lists: the oldest first."""

    def __init__(self, maxsize: int) -> None:
        self.maxsize = maxsize
        self.new: list[list[int]] = []  # [key, size, credit]
        self.main: list[list[int]] = []
        self.gone = Ghosts()
        self.filling = True

    def items(self) -> list[list[int]]:
        return self.new + self.main

    def find(self, key: int) -> list[int] | None:
        return next((item for item in self.items() if item[0] == key), None)

    def size(self) -> int:
        return sum(item[1] for item in self.items())

    def new_size(self) -> int:
        return sum(item[1] for item in self.new)

    def get(self, key: int) -> int | None:
        item = self.find(key)
        if item is None:
            return None
        item[2] += 2 if item[2] < 6 else 0
        return item[1]

    def delete(self, key: int) -> None:
        item = self.find(key)
        self.gone.add(key, len(self.items()))
        (self.new if item in self.new else self.main).remove(item)
        self.filling |= self.size() * 2 < self.maxsize

    def weight(self, item: list[int]) -> float:
        return (item[1] / (self.size() / len(self.items()) or 1)) ** 0.5

    def evict(self) -> int:
        self.filling = False
        while True:
            if not self.main or (self.new and self.new_size() * 10 >= self.size()):
                if self.new[0][2] < min(max(2 * round(2 * self.weight(self.new[0])), 2), 6):
                    self.gone.add(self.new[0][0], len(self.items()))
                    return self.new.pop(0)[0]
                self.main.append([*self.new.pop(0)[:2], 0])
            elif self.main[0][2] >= (price := min(max(round(2 * self.weight(self.main[0])), 1), 6)):
                key, size, credit = self.main.pop(0)
                self.main.append([key, size, credit - price])
            else:
                return self.main.pop(0)[0]

    def put(self, key: int, size: int) -> None:
        while (item := self.find(key)) and self.size() - item[1] + size > self.maxsize:
            self.evict()
        if item:
            item[1] = size
            return
        while self.size() + size > self.maxsize:
            self.evict()
        back = self.gone.take(key, int(0.9 * (len(self.items()) + 1)) + 1)
        proven = back or (self.filling and self.new_size() * 10 >= self.maxsize)
        (self.main if proven else self.new).append([key, size, 0])


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
    cache: S3Fifo[int, int] = S3Fifo(maxsize, lambda value: value)
    model = Naive(maxsize)
    for step, key, size in steps:
        if step == "put":
            cache[key] = size
            model.put(key, size)
        elif step == "get":
            assert cache.get(key) == model.get(key)
        elif step == "del" and key in cache:
            del cache[key]
            model.delete(key)
        elif step == "pop" and len(cache):
            assert cache.popitem()[0] == model.evict()
        assert dict(_peek(cache)) == {item[0]: item[1] for item in model.items()}
        assert cache.currsize == model.size() <= maxsize
    assert [cache.popitem()[0] for _ in range(len(cache))] == [
        model.evict() for _ in range(len(model.items()))
    ]


def _peek(cache: S3Fifo[int, int]) -> list[tuple[int, int]]:
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
    assert _hits(S3Fifo(size), trace) > 1.1 * _hits(LRUCache(size), trace)
