"""Which server is asked."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.upstream.fleet.balance import (
    Candidate,
    Credits,
    consistent,
    cookie,
    hash_key,
    least_outstanding,
    named,
    round_robin,
    tag,
)

NAMES = st.lists(st.text("abcdef", min_size=1, max_size=4), min_size=1, max_size=6, unique=True)
KEYS = [b"/product/%d" % number for number in range(2000)]


def turns(candidates: list[Candidate], count: int) -> list[str]:
    known: Credits = {}
    asked = []
    for _ in range(count):
        chosen, known = round_robin(candidates, known)
        asked.append(chosen.name)
    return asked


def test_each_in_its_turn() -> None:
    assert turns([Candidate("a"), Candidate("b"), Candidate("c")], 6) == ["a", "b", "c", "a", "b", "c"]


def test_weighted_turns_are_spread_evenly() -> None:
    assert "".join(turns([Candidate("a", 5), Candidate("b", 1), Candidate("c", 1)], 7)) == "aabacaa"


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(1, 9), min_size=1, max_size=5))
def test_in_each_round_everybody_has_exactly_their_share(weights: dict[str, int]) -> None:
    candidates = [Candidate(name, weight) for name, weight in weights.items()]
    total = sum(weights.values())
    assert Counter(turns(candidates, 3 * total)) == {name: 3 * weight for name, weight in weights.items()}


def test_who_comes_later_gets_no_more_than_its_share() -> None:
    known: Credits = {}
    for _ in range(100):
        _, known = round_robin([Candidate("a"), Candidate("b")], known)
    asked = []
    for _ in range(6):
        chosen, known = round_robin([Candidate("a"), Candidate("b"), Candidate("c")], known)
        asked.append(chosen.name)
    assert Counter(asked) == {"a": 2, "b": 2, "c": 2}


def test_the_one_with_the_fewest_under_way_for_its_weight() -> None:
    assert least_outstanding([Candidate("a", 1, 3), Candidate("b", 1, 2)], 0).name == "b"
    assert least_outstanding([Candidate("a", 4, 3), Candidate("b", 1, 2)], 0).name == "a"
    equals = [Candidate("a"), Candidate("b"), Candidate("c")]
    assert [least_outstanding(equals, turn).name for turn in range(4)] == ["a", "b", "c", "a"]


@given(NAMES, st.binary(max_size=40))
def test_a_key_keeps_its_server_in_whatever_order_they_are_given(names: list[str], key: bytes) -> None:
    candidates = [Candidate(name) for name in names]
    assert consistent(candidates, key) == consistent(candidates[::-1], key)


@given(NAMES, st.binary(max_size=40), st.data())
def test_when_a_server_goes_only_its_own_keys_move(names: list[str], key: bytes, data: st.DataObject) -> None:
    candidates = [Candidate(name) for name in names]
    gone = data.draw(st.sampled_from(names))
    left = [one for one in candidates if one.name != gone]
    before = consistent(candidates, key)
    if left and before.name != gone:
        assert consistent(left, key) == before


def test_keys_are_spread_by_weight() -> None:
    counts = Counter(consistent([Candidate("a", 3), Candidate("b", 1)], key).name for key in KEYS)
    assert 0.70 < counts["a"] / len(KEYS) < 0.80


def test_a_heavier_server_only_gains_keys() -> None:
    def owners(weight: float) -> list[str]:
        return [consistent([Candidate("a", weight), Candidate("b")], key).name for key in KEYS]

    moved = [(x, y) for x, y in zip(owners(1), owners(2), strict=True) if x != y]
    assert moved
    assert set(moved) == {("b", "a")}


def test_a_cookie_names_a_server_without_telling_its_address() -> None:
    candidates = [Candidate("10.0.0.1:80"), Candidate("10.0.0.2:80")]
    name = tag("10.0.0.2:80", b"secret")
    assert b"10.0" not in name
    assert named(candidates, name, b"secret") == candidates[1]
    assert named(candidates, name, b"another") is None
    assert named(candidates, b"", b"secret") is None
    assert named(candidates, None, b"secret") is None


def asking(*lines: tuple[bytes, bytes]) -> Request:
    return Request(b"GET", b"/a?b=c", Fields(lines), authority=b"example.org")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("uri", b"example.org/a?b=c"),
        ("path", b"/a"),
        ("client", b"192.0.2.9"),
        ("field:X-Tenant", b"blue"),
        ("cookie:user", b"ann"),
        ("cookie:nobody", b""),
    ],
)
def test_what_a_request_is_assigned_by(key: str, value: bytes) -> None:
    request = asking(
        (b"X-Forwarded-For", b"198.51.100.1, 192.0.2.9"),
        (b"X-Tenant", b"blue"),
        (b"Cookie", b"a=b; user=ann"),
    )
    assert hash_key(request, key) == value


def test_without_the_field_all_are_assigned_alike() -> None:
    assert {hash_key(asking(), key) for key in ("client", "field:x", "cookie:y")} == {b""}


def test_cookies_are_found_by_their_whole_name() -> None:
    assert cookie(asking((b"Cookie", b"xs=1;s=2"), (b"Cookie", b"s=3")), b"s") == b"2"
    assert cookie(asking((b"Cookie", b"s")), b"s") is None
