"""Which exchanges are kept: whole histories of some paths, the same whoever keeps them."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.visibility.inspecting.sample import HOTTEST, Bucket, fit, share_out
from tests.visibility.inspecting.traffic import exchange


def bucket(paths: list[int], begin: int = 0) -> Bucket:
    found = Bucket()
    for at, hashed in enumerate(paths):
        slot = found.slot(hashed)
        if slot is not None:
            if len(slot.kept) == slot.seen:
                slot.kept.append(exchange(f"/{hashed}", begin + at))
            slot.seen += 1
    return found


PATHS = st.lists(st.integers(0, 2**64 - 1).map(lambda n: n >> 56 << 56), max_size=80)


@given(PATHS, st.integers(0, 80))
@settings(deadline=None)
def test_what_parts_keep_is_what_the_whole_keeps(paths: list[int], at: int) -> None:
    first, whole = bucket(paths[:at]), bucket(paths)
    first.merge(bucket(paths[at:], at))
    assert first.exchanges() == whole.exchanges()
    assert {h: s.seen for h, s in first.slots.items()} == {h: s.seen for h, s in whole.slots.items()}


@given(PATHS, st.integers(1, 40))
@settings(deadline=None)
def test_a_shrunk_bucket_keeps_whole_paths_with_the_smallest_hashes(paths: list[int], most: int) -> None:
    found = bucket(paths)
    found.shrink(most)
    assert found.kept() <= max(most, HOTTEST)
    for hashed, slot in found.slots.items():
        assert hashed < found.threshold or slot.hot
        assert 0 < len(slot.kept) <= slot.seen == paths.count(hashed)
    for hashed in set(paths) - set(found.slots):
        assert hashed >= found.threshold


@given(PATHS, st.integers(0, 80), st.integers(1, 20))
@settings(deadline=None)
def test_thresholds_that_differ_are_brought_together(paths: list[int], at: int, most: int) -> None:
    first, second = bucket(paths[:at]), bucket(paths[at:], at)
    first.shrink(most)
    first.merge(second)
    for hashed, slot in first.slots.items():
        assert slot.seen == paths.count(hashed) or slot.hot


def test_the_share_is_about_that_of_the_paths() -> None:
    random_ = random.Random(2)
    found = bucket([random_.getrandbits(64) for _ in range(4_000)])
    found.shrink(1_000)
    assert abs(found.share - 0.25) < 0.03
    assert abs(len(found.slots) / 4_000 - found.share) < 0.03


def test_of_a_hot_path_the_first_exchanges_are_kept() -> None:
    found = bucket([7] * 1_000 + [2**60])
    fit([found], 500)
    assert [one.target for one in found.slots[7].kept] == ["/7"] * 256
    assert found.slots[7].seen == 1_000
    assert found.slots[2**60].kept
    later = bucket([7] * 10, 5_000)
    found.merge(later)
    assert found.slots[7].seen == 1_010
    assert len(found.slots[7].kept) == 256


def test_as_long_as_there_is_room_everything_is_kept() -> None:
    buckets = [bucket([7] * 1_000), bucket([1, 2, 3])]
    assert fit(buckets, 1_003) == 1_003
    assert buckets[0].share == 1.0


def test_small_endpoints_keep_what_they_have() -> None:
    random_ = random.Random(3)
    large = bucket([random_.getrandbits(64) for _ in range(3_000)])
    small = bucket([random_.getrandbits(64) for _ in range(20)])
    assert fit([large, small], 500) <= 500
    assert small.kept() == 20


@given(st.lists(st.integers(0, 1_000), max_size=30), st.integers(1, 5_000))
def test_a_budget_is_shared_out_fairly(sizes: list[int], budget: int) -> None:
    fair = share_out(sizes, budget)
    assert sum(min(size, fair) for size in sizes) <= budget
    if sum(sizes) <= budget:
        assert all(size <= fair for size in sizes)
