"""Logs replayed through the rules: as they are, and with a cause removed."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from proxy.caching.policy import Policy
from proxy.visibility.inspecting import changes, predictions
from proxy.visibility.inspecting.activity import Activity
from proxy.visibility.inspecting.asked import Sampled, asked_of
from proxy.visibility.inspecting.changes import Possible
from proxy.visibility.inspecting.dependence import dependence
from proxy.visibility.inspecting.replay import Outcomes
from proxy.visibility.inspecting.whatif import Foreseen, foresee, predict
from proxy.visibility.observation import Observation
from tests.visibility.inspecting.traffic import Server, exchange, report_of, served

POLICY = Policy()


def run(traffic: Sequence[Observation], *chosen: Possible) -> Outcomes:
    return predict(asked_of([Sampled(one) for one in traffic]), chosen, POLICY)


def worth(traffic: Sequence[Observation], server: Server | None = None) -> list[Foreseen]:
    told = served(traffic, server) if server else list(traffic)
    verdicts = dependence(told, Activity(told))
    return foresee(asked_of([Sampled(one) for one in told]), verdicts, POLICY)


def slugs(found: Foreseen) -> set[str]:
    return {one.slug for one in found.changes}


def asking(
    count: int, said: Sequence[tuple[str, str]], *, paths: int = 4, every: float = 1.0
) -> list[Observation]:
    """Six users who ask for some pages, one request every so many seconds."""
    random_ = random.Random(3)
    return [
        exchange(
            f"/p/{random_.randrange(paths)}",
            at * every,
            asked=[
                ("Cookie", f"sid=s{random_.randrange(6)}"),
                ("Accept-Encoding", random_.choice(["gzip", "br, gzip"])),
            ],
            said=said,
        )
        for at in range(count)
    ]


def test_nothing_stored_is_no_hit() -> None:
    found = run(asking(100, [("Cache-Control", "no-store")]))
    assert (found.exchanges, found.hits, found.origin_requests) == (100, 0, 100)
    assert found.origin_bytes == 100 * len("content")


def test_fresh_responses_are_hits() -> None:
    found = run(asking(100, [("Cache-Control", "max-age=1000")]))
    assert (found.hits, found.origin_requests) == (96, 4)


def test_lifetimes_end() -> None:
    found = run(asking(100, [("Cache-Control", "max-age=9")], paths=1))
    assert found.origin_requests == 12


def test_validators_save_bytes() -> None:
    found = run(asking(100, [("Cache-Control", "no-cache"), ("ETag", '"1"')], paths=1))
    assert found.hits == 0
    assert found.origin_requests == 100
    assert found.origin_bytes == len("content")


def test_writes_invalidate() -> None:
    traffic = asking(10, [("Cache-Control", "max-age=1000")], paths=1)
    traffic.insert(5, exchange("/p/0", 4.5, method="POST"))
    assert run(traffic).origin_requests == 3


def test_writes_elsewhere_invalidate_what_they_name() -> None:
    traffic = asking(10, [("Cache-Control", "max-age=1000")], paths=1)
    write = exchange("/orders", 4.5, method="POST", status=201, said=[("Location", "/p/0")])
    asked, beside = asked_of([Sampled(one) for one in traffic]), asked_of([Sampled(write)])
    found = predict(asked, (), POLICY, beside)
    assert (found.exchanges, found.origin_requests) == (10, 2)


def test_the_origin_that_failed_fails_again() -> None:
    traffic = [exchange("/p", at, status=502, outcome="failed") for at in range(5)]
    found = run(traffic)
    assert (found.hits, found.origin_requests, found.origin_bytes) == (0, 5, 0)


def test_what_the_proxy_said_itself_is_left_out() -> None:
    assert run([exchange("/p", at, outcome="refused") for at in range(5)]).exchanges == 0


def test_a_304_stands_for_the_whole() -> None:
    full = exchange("/p", 0.0, content="x" * 500, said=[("Cache-Control", "no-store"), ("ETag", '"1"')])
    again = exchange(
        "/p", 1.0, status=304, content="", asked=[("If-None-Match", '"1"')], said=[("ETag", '"1"')]
    )
    (_, asked) = asked_of([Sampled(full), Sampled(again)])
    assert asked.response is not None
    assert (asked.response.status, asked.length) == (200, 500)


def test_the_dates_of_a_response_go_with_its_time() -> None:
    said = [("Date", "Mon, 23 Nov 2026 07:00:00 GMT"), ("Expires", "Mon, 23 Nov 2026 07:01:00 GMT")]
    assert run(asking(50, said, paths=1, every=0.5)).origin_requests == 1


@pytest.mark.parametrize(
    ("said", "needed"),
    [
        ([], {"lifetime"}),
        ([("Set-Cookie", "sid=1")], {"set-cookie:sid", "lifetime"}),
        ([("Cache-Control", "no-cache")], {"lifetime"}),
        ([("Vary", "Cookie")], {"cookie:sid", "lifetime"}),
        ([("Vary", "Cookie"), ("Cache-Control", "max-age=600")], {"cookie:sid"}),
        ([("Cache-Control", "no-store")], {"no-store"}),
        ([("Cache-Control", "private, max-age=600")], {"private"}),
        (
            [("Cache-Control", "max-age=600"), ("Vary", "User-Agent, Accept-Encoding"), ("ETag", '"1"')],
            {"vary:accept-encoding"},
        ),
    ],
)
def test_what_has_to_be_changed(said: list[tuple[str, str]], needed: set[str]) -> None:
    found = worth(asking(240, said, every=0.2), lambda one: one.target)
    assert slugs(found[0]) == needed
    assert found[0].after.ratio > found[0].before.ratio + 0.01


def test_what_is_for_one_user_is_not_given_to_all() -> None:
    for control in ("private", "no-store", "private, max-age=60"):
        traffic = asking(300, [("Cache-Control", control)])
        found = worth(traffic, lambda one: f"{one.target} {one.request_fields[0][1]}")
        assert not any(slugs(one) & {"private", "no-store"} for one in found), control


def test_no_lifetime_where_content_differs_by_what_nobody_declares() -> None:
    def basket(one: Observation) -> str:
        return str(one.request_fields[0])

    assert not any("lifetime" in slugs(one) for one in worth(asking(120, [], paths=1), basket))
    declared = worth(asking(120, [("Vary", "Cookie")], paths=1), basket)
    assert any("lifetime" in slugs(one) for one in declared)


def test_variants_that_differ_stay_apart() -> None:
    traffic = asking(300, [("Cache-Control", "max-age=600"), ("Vary", "Accept-Encoding")])
    found = worth(traffic, lambda one: f"{one.target} {one.request_fields[1][1]}")
    assert not any("vary:accept-encoding" in slugs(one) for one in found)


def test_no_cookie_is_ever_given_to_everybody() -> None:
    traffic = asking(200, [("Set-Cookie", "sid=1"), ("Set-Cookie", "csrf=2")])
    for one in worth(traffic, lambda one: one.target):
        if "lifetime" in slugs(one):
            assert {"set-cookie:sid", "set-cookie:csrf"} <= slugs(one)


def test_parameters_that_do_not_matter() -> None:
    random_ = random.Random(2)
    traffic = [
        exchange(
            f"/p?page={random_.randrange(3)}&utm_source={random_.randrange(3)}&x={random_.randrange(2)}",
            float(at),
            said=[("Cache-Control", "max-age=600")],
        )
        for at in range(300)
    ]
    found = worth(traffic, lambda one: one.target.split("&")[0])
    assert slugs(found[0]) == {"ignore:utm_source", "ignore:x"}
    assert found[0].after.origin_requests == 3


def test_where_nothing_helps_nothing_is_said() -> None:
    assert worth([exchange("/p", float(at), method="POST") for at in range(50)]) == []
    assert worth([]) == []
    once = [exchange(f"/p/{at}", float(at)) for at in range(50)]
    assert worth(once) == []


@pytest.mark.parametrize(
    "change", [changes.lifetime(POLICY), changes.tagged(), changes.no_cookie("other"), changes.public(POLICY)]
)
def test_a_change_that_changes_nothing_gives_the_same_back(change: Possible) -> None:
    said = [("Cache-Control", "max-age=60"), ("ETag", '"1"')]
    for one in asked_of([Sampled(one) for one in asking(5, said)]):
        assert change.apply(one) is one


def test_a_sample_predicts_about_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of six thousand exchanges a part is replayed: the prediction is near that for all of them."""
    random_ = random.Random(9)
    traffic = [
        exchange(
            f"/p/{int(random_.paretovariate(0.7)) % 3000}", at * 0.08, said=[("Content-Type", "text/html")]
        )
        for at in range(6_000)
    ]
    exact = run(traffic, changes.lifetime(POLICY))
    monkeypatch.setattr(predictions, "MOST", 2_000)
    (found, *_) = report_of(traffic).predictions
    assert found.after.hit_ratio == pytest.approx(exact.ratio, abs=0.02)
    assert found.before.exchanges == 6_000


def test_predictions_say_what_they_suppose() -> None:
    traffic = served(
        asking(300, [("Vary", "Cookie")], every=0.1), lambda one: f"{one.target} {one.request_fields[0][1]}"
    )
    (best, *_) = report_of(traffic).predictions
    cookie = next(one for one in best.changes if one.slug == "cookie:sid")
    assert "does depend" in cookie.supposes
    assert best.sentence.startswith("Give the same content whatever the cookie `sid` is and add")
    assert "hits 0 % → " in best.sentence
