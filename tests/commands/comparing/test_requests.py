"""The requests of the loads: what they look like, and in which order they come."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from proxy.commands.comparing.load import requests
from proxy.commands.comparing.origin.content import content
from proxy.message.fields import Fields


def target(request: bytes) -> str:
    return request.split(b" ", 2)[1].decode()


def fields(request: bytes) -> Fields:
    head = request.removesuffix(b"\r\n\r\n").split(b"\r\n")[1:]
    return Fields([tuple(line.split(b": ", 1)) for line in head])  # type: ignore[misc]


def test_a_request_is_what_clients_of_apis_send() -> None:
    found = requests.request("/hot", requests.agent(3))
    assert found.startswith(b"GET /hot HTTP/1.1\r\nHost: api.example.org\r\n")
    assert found.endswith(b"\r\n\r\n")
    assert found.count(b"\r\n\r\n") == 1
    assert requests.agent(3).encode() in found


def test_there_are_a_hundred_user_agents() -> None:
    assert len({requests.agent(number) for number in range(requests.AGENTS)}) == 100


def test_some_items_are_wanted_far_more_than_others() -> None:
    asked = requests.zipf()
    wanted = Counter(map(target, asked)).most_common()
    assert len(asked) == requests.SEQUENCE
    assert len(wanted) > 950
    assert 1.7 < wanted[0][1] / wanted[1][1] < 2.4
    assert 6 < wanted[0][1] / wanted[7][1] < 11
    assert wanted[0][0] != "/item/0" or wanted[1][0] != "/item/1"
    agents = {re.search(rb"User-Agent: ([^\r]+)", one)[1] for one in asked}  # type: ignore[index]
    assert len(agents) == 100


def test_it_is_the_same_each_time() -> None:
    assert requests.zipf(length=50) == requests.zipf(length=50)


def test_all_that_is_asked_for_is_there() -> None:
    for request in (*requests.zipf(length=300), *requests.uncacheable(), *requests.one("/hot")):
        assert content(target(request)) is not None


def test_what_must_not_be_stored_is_asked_for_once_each() -> None:
    assert set(Counter(map(target, requests.uncacheable())).values()) == {1}


@example(0, 1)
@given(st.integers(0, 2**64), st.integers(0, 2**64))
def test_each_trace_id_is_another(first: int, second: int) -> None:
    start = requests.request("/hot", "an agent", traced=True)
    one, other = requests.complete(start, first), requests.complete(start, second)
    assert re.fullmatch(rb".*\r\ntraceparent: 00-[0-9a-f]{32}-[0-9a-f]{16,17}-01\r\n\r\n", one, re.DOTALL)
    assert b"00-" + b"0" * 32 not in one
    assert (one == other) == (first == second)


def test_a_file_of_requests_keeps_them(tmp_path: Path) -> None:
    some = requests.zipf(length=20, traced=True)
    requests.write(some, tmp_path / "asked")
    assert requests.read(tmp_path / "asked") == some
