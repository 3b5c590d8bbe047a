"""Paths gathered into endpoints: learned, steady, bounded, and the same whoever counted what."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.visibility.inspecting.templates import endpoints
from proxy.visibility.inspecting.tree import MOST_NODES, Tree


class Weight:
    """Counts what belongs to an endpoint."""

    def __init__(self) -> None:
        self.weight = 0

    def merge(self, other: Weight) -> None:
        self.weight += other.weight


def tree_of(paths: Iterable[str], host: str = "api") -> Tree[Weight]:
    tree: Tree[Weight] = Tree()
    for path in paths:
        node = tree.place(host, path)
        if node.gathered is None:
            node.gathered = Weight()
        node.gathered.weight += 1
    return tree


def learned(paths: Iterable[str]) -> dict[str, int]:
    return {template: one.weight for (_, template), one in endpoints(tree_of(paths)).items()}


def test_numbers_are_values_from_the_first() -> None:
    assert learned(["/users/17"]) == {"/users/{id}": 1}
    assert learned(["/users/17", "/users/18"]) == {"/users/{id}": 2}


def test_kinds_of_values_are_told_apart() -> None:
    found = learned(["/a/17", "/a/550e8400-e29b-41d4-a716-446655440000", "/a/2026-11-23", "/a/x"])
    assert set(found) == {"/a/{id}", "/a/{uuid}", "/a/{date}", "/a/x"}


def test_two_words_with_digits_are_not_enough() -> None:
    assert set(learned(["/p/P1", "/p/P2"])) == {"/p/P1", "/p/P2"}


def test_three_words_of_one_form_are_values() -> None:
    assert learned(["/p/P1", "/p/P2", "/p/P3", "/p/new"]) == {"/p/{id}": 3, "/p/new": 1}


def test_what_follows_a_value_is_kept() -> None:
    found = learned([f"/p/P{n}/{what}" for n in range(5) for what in ("offer", "reviews")])
    assert found == {"/p/{id}/offer": 5, "/p/{id}/reviews": 5}


def test_versions_are_words() -> None:
    assert set(learned([f"/v{n}/users" for n in range(1, 6)])) == {f"/v{n}/users" for n in range(1, 6)}


def test_names_of_articles_are_values() -> None:
    names = [f"/blog/{a}-{b}" for a in ("how", "why", "what") for b in ("one", "two", "three", "four")]
    assert learned([*names, "/blog/archive"]) == {"/blog/{slug}": 12, "/blog/archive": 1}


def test_files_of_a_format_are_values() -> None:
    names = "abcdefghi"
    assert learned([f"/static/{name}.css" for name in names]) == {"/static/{slug}.css": 9}


def test_an_api_with_many_words_keeps_them() -> None:
    words = ["cart", "login", "logout", "orders", "account", "search", "about", "help", "terms", "news"]
    assert set(learned([f"/{word}" for word in words])) == {f"/{word}" for word in words}


def test_very_many_words_are_values() -> None:
    words = [a + b + c for a in "abcdefgh" for b in "aeiou" for c in "klmnp"]
    assert learned([f"/users/{word}" for word in words]) == {"/users/{slug}": len(words)}


@pytest.mark.parametrize("path", ["/", "//", "/a/", "*", "/a//b"])
def test_odd_paths_keep_their_form(path: str) -> None:
    assert learned([path]) == {path: 1}


def test_hosts_are_told_apart() -> None:
    tree = tree_of(["/a"], "one")
    tree.merge(tree_of(["/a"], "two"))
    assert set(endpoints(tree)) == {("one", "/a"), ("two", "/a")}


SHAPES = [
    lambda r: f"/users/{r.randint(1, 10**6)}",
    lambda r: f"/products/P{r.randint(1, 9999):04}",
    lambda r: f"/products/P{r.randint(1, 9999):04}/offer",
    lambda r: f"/blog/{r.choice(['how', 'why'])}-to-{r.randint(1, 500)}-things",
    lambda r: r.choice(["/", "/cart", "/login", "/search"]),
]


def paths_of_an_api(count: int, seed: int = 1) -> list[str]:
    random_ = random.Random(seed)
    return [random_.choice(SHAPES)(random_) for _ in range(count)]


def test_more_traffic_changes_no_name() -> None:
    paths = paths_of_an_api(5_000)
    names = [set(learned(paths[:count])) for count in (500, 1_000, 2_000, 5_000)]
    assert names[0] == names[1] == names[2] == names[3]
    assert "/products/{id}/offer" in names[0]
    assert "/users/{id}" in names[0]


@given(seed=st.integers(0, 10_000), at=st.integers(0, 400))
@settings(max_examples=25, deadline=None)
def test_parts_that_are_merged_are_the_whole(seed: int, at: int) -> None:
    paths = paths_of_an_api(400, seed)
    first, second = tree_of(paths[:at]), tree_of(paths[at:])
    first.merge(second)
    assert {name: one.weight for (_, name), one in endpoints(first).items()} == learned(paths)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_the_order_of_paths_does_not_matter(seed: int) -> None:
    paths = paths_of_an_api(300, seed)
    shuffled = paths.copy()
    random.Random(seed).shuffle(shuffled)
    assert learned(paths) == learned(shuffled)


@pytest.mark.parametrize(
    "shape",
    [
        lambda r: f"/{r.getrandbits(64):x}z",
        lambda r: "/" + "/".join(r.choice("abcdefghijklm") * r.randint(1, 3) for _ in range(8)),
        lambda r: "/" + "/".join(f"{r.randint(0, 9)}{r.choice(['', '.a', '.b', 'x'])}" for _ in range(20)),
        lambda r: f"/x{r.randint(1, 400)}/y{r.randint(1, 400)}q/z{r.randint(1, 400)}k",
        lambda r: "/" + "a" * r.randint(1, 5_000),
        lambda r: "/" + r.choice(["{id}", "{slug}", "{rest}"]) + str(r.randint(0, 10**6)) + ".{hash}.js",
    ],
)
def test_the_tree_stays_small_whatever_comes(shape: object) -> None:
    random_ = random.Random(4)
    assert callable(shape)
    count = 6_000
    tree = tree_of(shape(random_) for _ in range(count))
    assert tree.root.count() <= MOST_NODES
    assert sum(one.weight for one in endpoints(tree).values()) == count


def test_hostile_paths_do_not_hide_the_real_ones() -> None:
    random_ = random.Random(5)
    real = paths_of_an_api(4_000)
    hostile = [f"/{random_.getrandbits(60):x}g" for _ in range(4_000)]
    mixed = [path for pair in zip(real, hostile, strict=True) for path in pair]
    found = Counter(learned(mixed))
    assert found["/users/{id}"] == sum(path.startswith("/users/") for path in real)
    assert found["/cart"] == real.count("/cart")


def test_merging_crowded_trees_loses_nothing() -> None:
    random_ = random.Random(6)
    first = tree_of(f"/u/{random_.getrandbits(60):x}g" for _ in range(3_000))
    second = tree_of(f"/u/{random_.getrandbits(60):x}g/posts" for _ in range(3_000))
    first.merge(second)
    assert sum(one.weight for one in endpoints(first).values()) == 6_000


def test_what_was_found_before_is_looked_up_again_after_a_change() -> None:
    tree = tree_of(f"/u/{word}" for word in map(str, range(5)))
    before = tree.changes
    for number in range(300):
        tree.place("api", f"/u/w{number:x}q")
    assert tree.changes > before
    assert tree.find("api", "/u/never-seen") is not None
    assert tree.find("api", "/nowhere/at/all") is None
