"""What content depends on, told rightly for servers that do known things, and not told where it can't be."""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec
import pytest

from proxy.visibility.inspecting.activity import Activity
from proxy.visibility.inspecting.chance import fisher, stratified, succession
from proxy.visibility.inspecting.dependence import Verdict, dependence
from proxy.visibility.inspecting.messages import cookies_of, field_of
from proxy.visibility.inspecting.report import Answer
from proxy.visibility.observation import Observation
from tests.visibility.inspecting.traffic import Server, exchange, served

DEPENDS, DOES_NOT, UNKNOWN = Answer.DEPENDS, Answer.DOES_NOT, Answer.UNKNOWN


def sid(one: Observation) -> str:
    return cookies_of(field_of(one.request_fields, "cookie") or "").get("sid", "")


def visits(
    count: int, users: int = 6, seed: int = 1, targets: Sequence[str] = ("/page",)
) -> list[Observation]:
    """Users with cookies, languages and browsers that look at pages in no order."""
    random_ = random.Random(seed)
    languages = [random_.choice(["de", "en"]) for _ in range(users)]
    agents = [random_.choice(["Firefox", "Chrome", "curl"]) for _ in range(users)]
    found = []
    for at in range(count):
        user = random_.randrange(users)
        found.append(
            exchange(
                random_.choice(targets),
                float(at),
                client=f"192.0.2.{user}",
                asked=[
                    ("Cookie", f"theme={random_.choice(['dark', 'light'])}; sid=s{user}"),
                    ("Accept-Language", languages[user]),
                    ("User-Agent", agents[user]),
                ],
                upstream=random_.choice(["a:80", "b:80"]),
            )
        )
    return found


def verdicts(traffic: Sequence[Observation], server: Server | None = None) -> dict[str, Verdict]:
    told = served(traffic, server) if server is not None else list(traffic)
    return {str(one.candidate): one for one in dependence(told, Activity(told))}


def answers(traffic: Sequence[Observation], server: Server | None = None) -> dict[str, Answer]:
    return {name: one.answer for name, one in verdicts(traffic, server).items()}


def test_the_same_for_everyone() -> None:
    found = answers(visits(200), lambda one: "same")
    assert set(found.values()) == {DOES_NOT}


def test_a_page_for_each_user() -> None:
    found = verdicts(visits(300), lambda one: f"hello {sid(one)}")
    assert found["cookie sid"].answer is DEPENDS
    assert found["cookie theme"].answer is DOES_NOT
    assert found["replica"].answer is DOES_NOT
    assert found["time"].answer is DOES_NOT
    assert found["history"].answer is DOES_NOT
    assert found["field accept-language"].answer is not DEPENDS
    assert found["field user-agent"].answer is not DEPENDS


def test_the_examples_prove_it() -> None:
    found = verdicts(visits(300), lambda one: f"hello {sid(one)}")["cookie sid"]
    before, other, after = found.examples
    assert before.digest == after.digest != other.digest
    assert sid(before) == sid(after) != sid(other)
    assert before.time < other.time < after.time


def test_languages() -> None:
    found = answers(visits(300, 8), lambda one: f"page in {field_of(one.request_fields, 'accept-language')}")
    assert found["field accept-language"] is DEPENDS
    assert found["cookie sid"] is not DEPENDS
    assert found["cookie theme"] is DOES_NOT


def test_two_things_at_once() -> None:
    def server(one: Observation) -> str:
        theme = cookies_of(field_of(one.request_fields, "cookie") or "")["theme"]
        return f"{theme} {field_of(one.request_fields, 'accept-language')}"

    found = answers(visits(600, 8), server)
    assert found["field accept-language"] is DEPENDS
    assert found["cookie theme"] is DEPENDS
    assert found["replica"] is DOES_NOT


def test_replicas_that_disagree() -> None:
    found = answers(visits(300), lambda one: one.upstream)
    assert found["replica"] is DEPENDS
    assert found["cookie sid"] is not DEPENDS


def test_query_parameters() -> None:
    targets = [f"/list?page={page}&utm_source={source}" for page in range(3) for source in "ab"]
    found = answers(visits(400, targets=targets), lambda one: one.target.split("&")[0])
    assert found["query page"] is DEPENDS
    assert found["query utm_source"] is DOES_NOT


def test_content_that_changes_by_itself_depends_on_nothing_else() -> None:
    found = answers(visits(300), lambda one: f"at {one.time // 20}")
    assert found["time"] is DEPENDS
    assert DEPENDS not in {found[name] for name in found if name != "time"}


def test_content_that_is_never_the_same() -> None:
    found = answers(visits(300), lambda one: f"{one.time}")
    assert {name for name, answer in found.items() if answer is DEPENDS} <= {"time"}


@pytest.mark.parametrize("seed", range(12))
def test_content_that_flips_by_chance_is_no_dependence(seed: int) -> None:
    random_ = random.Random(seed)
    found = answers(visits(200, seed=seed), lambda one: random_.choice(["one", "other"]))
    assert {name for name, answer in found.items() if answer is DEPENDS} <= {"time"}


@pytest.mark.parametrize("seed", range(6))
def test_content_that_seldom_flips_is_no_dependence(seed: int) -> None:
    random_ = random.Random(seed)
    found = answers(visits(300, seed=seed), lambda one: "odd" if random_.random() < 0.1 else "even")
    assert {name for name, answer in found.items() if answer is DEPENDS} <= {"time"}


def test_a_session_that_remembers() -> None:
    """Each user's page counts that user's own visits elsewhere: a state that no message shows."""
    counts: dict[str, int] = {}

    def server(one: Observation) -> str:
        if one.target == "/add":
            counts[sid(one)] = counts.get(sid(one), 0) + 1
        return f"{sid(one)} has {counts.get(sid(one), 0)}"

    traffic = served(visits(1_200, targets=("/page", "/page", "/page", "/add")), server)
    pages = [one for one in traffic if one.target == "/page"]
    found = {str(one.candidate): one.answer for one in dependence(pages, Activity(traffic))}
    assert found["cookie sid"] is DEPENDS
    assert found["history"] is DEPENDS
    assert found["time"] is not DEPENDS


def test_counters_of_their_own_are_no_clock() -> None:
    """Each user's page counts that user's visits: the same numbers, but not at the same time."""
    counts: dict[str, int] = {}

    def server(one: Observation) -> str:
        counts[sid(one)] = counts.get(sid(one), 0) + 1
        return f"visit {counts[sid(one)]}"

    for count in (20, 60, 200):
        counts.clear()
        assert answers(visits(count, seed=count), server)["time"] is not DEPENDS


def test_a_clock_for_each_user_is_a_clock() -> None:
    """Content for each user that changes for all at once may not be told, but is never called history."""
    found = answers(visits(600), lambda one: f"{sid(one)} at {one.time // 60}")
    assert found["history"] is not DEPENDS


def test_credentials_that_always_change_together_are_not_told_apart() -> None:
    traffic = [
        msgspec.structs.replace(one, request_fields=(("Cookie", f"a={sid(one)}; b={sid(one)}"),))
        for one in visits(300)
    ]
    found = verdicts(traffic, lambda one: f"hello {cookies_of(one.request_fields[0][1])['a']}")
    assert found["cookie a"].answer is UNKNOWN
    assert [str(other) for other in found["cookie a"].together] == ["cookie b"]
    assert [str(other) for other in found["cookie b"].together] == ["cookie a"]


def test_two_visits_are_not_enough() -> None:
    found = answers(visits(4), lambda one: f"hello {sid(one)}")
    assert set(found.values()) <= {UNKNOWN}


def test_one_visit_of_each_user_is_not_enough() -> None:
    traffic = [exchange("/page", at, asked=[("Cookie", f"sid=s{at}")]) for at in range(100)]
    assert answers(traffic, lambda one: f"hello {sid(one)}")["cookie sid"] is UNKNOWN


@pytest.mark.parametrize(
    "change",
    [
        {"from_cache": True},
        {"status": 304, "digest": ""},
        {"status": 206},
        {"status": 500},
        {"method": "POST"},
        {"complete": False},
        {"response_fields": (("Age", "7"),)},
    ],
)
def test_what_does_not_show_the_origins_answer_counts_for_nothing(change: dict[str, object]) -> None:
    traffic = [msgspec.structs.replace(one, **change) for one in served(visits(200), lambda one: "same")]
    assert set(answers(traffic).values()) <= {UNKNOWN}


def test_nothing_depends_on_what_was_not_seen() -> None:
    assert answers([]) == {"time": UNKNOWN, "history": UNKNOWN}


@pytest.mark.parametrize("seed", range(8))
def test_few_data_never_make_a_wrong_verdict(seed: int) -> None:
    for count in (10, 30, 60, 100):
        found = answers(visits(count, seed=seed), lambda one: f"hello {sid(one)}")
        assert found.get("cookie sid") is not DOES_NOT
        assert DEPENDS not in {found[name] for name in found if name != "cookie sid"}


def test_fishers_test_knows_chance() -> None:
    assert fisher(0, 10, 0, 10) == 1.0
    assert fisher(4, 0, 0, 4) == pytest.approx(1 / 70)
    assert fisher(5, 0, 0, 0) == 1.0
    assert fisher(900, 100, 100, 900) < 1e-9
    assert fisher(300, 300, 300, 300) > 0.4


def test_strata_that_say_nothing_count_for_nothing() -> None:
    assert stratified([]) == stratified([(5, 0, 0, 0), (0, 0, 3, 3)]) == 0.0
    assert stratified([(20, 0, 0, 20)]) > 5
    assert stratified([(10, 10, 10, 10)]) == 0.0


def test_nothing_is_ever_wholly_sure() -> None:
    assert succession(0) == 0.5
    assert 0.99 < succession(1_000) < 1
