"""Which recorded requests are replayed, and as what."""

from __future__ import annotations

from proxy.visibility.auditing.choosing import Choosing, Chosen, sendable, with_cookies, without
from proxy.visibility.observation import Observation
from proxy.visibility.redaction import Redaction
from tests.visibility.auditing.worlds import KEY, asking

HIDDEN = "~0123456789abcdef.32"


def choose(*observations: Observation, each: int = 5, most: int = 300) -> Chosen:
    choosing = Choosing(Redaction(), each=each, most=most)
    choosing.add(observations)
    return choosing.chosen()


def why(chosen: Chosen) -> dict[str, int]:
    return {one.why: one.count for one in chosen.left_out}


def test_only_safe_methods() -> None:
    found = choose(*(asking("/a", method=method) for method in ("GET", "POST", "DELETE", "HEAD", "PUT")))
    assert [one.endpoint for one in found.asked] == ["GET /a", "HEAD /a"]
    assert why(found) == {"not a safe method": 3}


def test_nothing_that_is_called_logout_unless_it_is_wanted() -> None:
    targets = ("/logout", "/auth/sign-out?next=/", "/items/3/delete", "/catalogue")
    found = choose(*map(asking, targets))
    assert [one.target for one in found.asked] == ["/catalogue"]
    everything = Choosing(Redaction(), excluded="")
    everything.add(map(asking, targets))
    assert len(everything.chosen().asked) == 4


def test_equal_requests_once_and_so_many_for_an_endpoint() -> None:
    found = choose(asking("/a"), asking("/a"), *(asking(f"/item/{n}") for n in range(20)), each=3)
    assert [one.target for one in found.asked] == ["/a", "/item/0", "/item/1", "/item/2"]
    assert why(found) == {"the same request again": 1}


def test_each_kind_of_client_has_its_turn() -> None:
    many = [asking(f"/item/{n}") for n in range(10)]
    found = choose(*many, asking("/item/3", ("Cookie", f"sid={KEY}")), each=2)
    assert [bool(one.candidates) for one in found.asked] == [False, False, True]


def test_a_limit_leaves_each_endpoint_something() -> None:
    found = choose(*(asking(f"/{kind}/{n}") for kind in "ab" for n in range(9)), most=4)
    assert sorted(one.endpoint for one in found.asked) == ["GET /a/{id}"] * 2 + ["GET /b/{id}"] * 2


def test_what_the_log_hides_cannot_be_sent() -> None:
    cookies = ("Cookie", f"lang=de; sid={HIDDEN}")
    found = choose(asking("/a", cookies, ("Authorization", f"Bearer {HIDDEN}")), asking(f"/a?token={HIDDEN}"))
    assert found.asked[0].fields == (("Cookie", "lang=de"),)
    assert found.hidden == ("authorization", "sid")
    assert why(found) == {"a credential in the target that the log hides": 1}


def test_fields_of_the_connection_and_conditions_are_not_sent() -> None:
    lines = (
        ("Host", "example.org"),
        ("Connection", "close"),
        ("If-None-Match", '"a"'),
        ("Range", "bytes=0-1"),
        ("Accept", "text/html"),
        ("Bad Name", "x"),
        ("X-Split", "a\r\nHost: elsewhere"),
    )
    assert sendable(lines) == ((("Accept", "text/html"),), ())


def test_targets_that_are_no_paths_are_left_out() -> None:
    found = choose(
        *map(asking, ("*", "http://elsewhere.example/", "/a b", "/ä", "")), asking("/a", method="")
    )
    assert not found.asked
    assert sum(why(found).values()) == 6


def test_values_in_the_target_are_not_shown() -> None:
    (asked,) = choose(asking("/a?access_token=verysecretvalue")).asked
    assert "verysecretvalue" in asked.target
    assert "verysecretvalue" not in asked.shown


def test_leaving_out_and_adding_cookies() -> None:
    lines = (("Accept", "*/*"), ("Cookie", "a=1; b=2"))
    (sid, lang) = choose(asking("/", ("Cookie", f"sid={KEY}; lang=de"))).asked[0].candidates
    assert without((("Cookie", f"sid={KEY}; lang=de"),), (sid,)) == (("Cookie", "lang=de"),)
    assert without((("Cookie", f"sid={KEY}"),), (sid, lang)) == ()
    assert with_cookies(lines, {"b": "3", "c": "4"}) == (("Accept", "*/*"), ("Cookie", "a=1; b=3; c=4"))
