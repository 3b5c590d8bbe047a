"""What would happen to the next requests: each told by the rules that the proxy runs."""

from __future__ import annotations

import pytest

from proxy.caching.decision import Outcome
from proxy.commands.explaining.outlook import Outlook
from proxy.commands.explaining.words import alone_sentence, brief, sentence, verdict
from tests.commands.explained import HOUR_BEFORE, looked

TAG = 'ETag: "a"'


def ends(found: Outlook) -> dict[str, str]:
    """Each situation's name, and how it ends."""
    return {one.name: brief(one) for one in found.situations}


def test_a_response_with_a_lifetime_and_a_validator() -> None:
    found = looked("Cache-Control: max-age=60", TAG)
    assert found.stored
    assert ends(found) == {
        "again": "hit for 60 s",
        "later": "validated",
        "unreachable": "stale for 1 day",
        "error": "forwarded, 503",
        "cookie": "hit",
        "authorization": "hit",
        "authorization-first": "forwarded, not stored",
    }


def test_a_response_that_is_not_stored() -> None:
    found = looked("Cache-Control: no-store")
    assert not found.stored
    assert {one.decision.outcome for one in found.situations} == {Outcome.FORWARDED, Outcome.FAILED}
    assert "later" not in ends(found)


def test_without_a_validator_it_is_asked_for_anew() -> None:
    found = looked("Cache-Control: max-age=60")
    assert ends(found)["later"] == "forwarded, stored"


def test_a_last_modified_is_a_validator_and_a_hint() -> None:
    found = looked(f"Last-Modified: {HOUR_BEFORE}")
    assert ends(found)["again"] == "hit for 6 min"
    later = found.named("later")
    assert later is not None
    assert later.about == "the same request after 6 min"
    assert later.rehearsed.sent[-1].fields.get(b"if-modified-since") == HOUR_BEFORE.encode()
    assert sentence(later).startswith("The origin is asked with If-Modified-Since;")


def test_no_cache_is_validated_each_time() -> None:
    found = looked("Cache-Control: no-cache", TAG)
    assert ends(found)["again"] == "validated"
    assert ends(found)["unreachable"] == "failed, 504"
    assert found.named("later") is None


def test_every_moment_at_which_the_answer_is_another_is_found() -> None:
    found = looked("Cache-Control: max-age=60, stale-while-revalidate=30, stale-if-error=600", TAG)
    again = [(one.about, brief(one)) for one in found.situations if one.name in ("again", "later")]
    assert again == [
        ("the same request at once", "hit for 60 s"),
        ("the same request after 60 s", "stale for 30 s"),
        ("the same request after 90 s", "validated"),
    ]
    assert ends(found)["error"] == "stale for 10 min"
    assert "in the background" in sentence(found.situations[1])


def test_what_is_stale_on_arrival_but_may_be_used() -> None:
    found = looked("Cache-Control: max-age=0, stale-while-revalidate=30")
    assert ends(found)["again"] == "stale for 30 s"
    assert verdict(found.stored, found.again).endswith("while it validates it.")


@pytest.mark.parametrize(
    ("directives", "slug"),
    [
        ("max-age=60, must-revalidate", "must-revalidate"),
        ("max-age=60, proxy-revalidate", "proxy-revalidate"),
        ("s-maxage=60", "s-maxage-when-stale"),
    ],
)
def test_what_forbids_stale_use_when_the_origin_is_unreachable(directives: str, slug: str) -> None:
    unreachable = looked(f"Cache-Control: {directives}").named("unreachable")
    assert unreachable is not None
    assert (unreachable.decision.outcome, unreachable.status) == (Outcome.FAILED, 504)
    assert unreachable.because is not None
    assert unreachable.because.reason.slug == slug


def test_vary_by_credentials_keeps_users_apart() -> None:
    found = looked("Cache-Control: max-age=60", "Vary: Cookie, Authorization")
    assert ends(found)["cookie"] == "forwarded, stored"
    assert ends(found)["authorization"] == "forwarded, not stored"
    assert ends(looked("Cache-Control: max-age=60"))["cookie"] == "hit"


def test_another_user_has_other_credentials() -> None:
    found = looked("Cache-Control: max-age=60", "Vary: Cookie", asked=["Cookie: session=mine"])
    assert ends(found)["again"] == "hit for 60 s"
    assert ends(found)["cookie"] == "forwarded, stored"
    assert ends(found)["anonymous"] == "forwarded, stored"


def test_what_is_public_goes_to_who_has_no_credentials_too() -> None:
    found = looked("Cache-Control: public, max-age=60", asked=["Authorization: Bearer mine"])
    assert ends(found)["anonymous"] == "hit"
    assert "authorization-first" not in ends(found)


def test_each_field_that_vary_nominates_has_a_situation() -> None:
    found = looked("Cache-Control: max-age=60", "Vary: Accept, X-Colour", TAG)
    assert ends(found)["vary:accept"] == "validated"
    assert ends(found)["vary:x-colour"] == "validated"


def test_the_users_own_wishes_count_for_the_next_request_too() -> None:
    found = looked("Cache-Control: max-age=60", TAG, asked=["Cache-Control: no-cache"])
    assert ends(found)["again"] == "validated"


def test_only_if_cached_asks_nobody() -> None:
    found = looked("Cache-Control: no-store", status=504, asked=["Cache-Control: only-if-cached"])
    assert ends(found)["again"] == "refused, 504"
    assert sentence(found.again) == "The client gets 504: the request itself forbids to ask the origin."


def test_what_has_no_end_or_is_too_large_is_not_stored() -> None:
    for found in (
        looked("Cache-Control: max-age=60", ended=False),
        looked("Cache-Control: max-age=60", content=1001),
    ):
        assert found.storing.allowed
        assert not found.stored
        assert found.again.decision.outcome is Outcome.FORWARDED


def test_a_part_is_stored_as_such() -> None:
    found = looked(
        "Cache-Control: max-age=60",
        TAG,
        "Content-Range: bytes 0-9/100",
        status=206,
        asked=["Range: bytes=0-9"],
    )
    assert found.stored
    assert ends(found)["again"] == "hit for 60 s"
    assert found.alone.again is None


@pytest.mark.parametrize(
    ("directives", "said"),
    [
        ("private, max-age=60", "uses it again for 60 s without asking; then it asks for it anew."),
        ("s-maxage=60, max-age=10", "uses it again for 10 s without asking; then it asks for it anew."),
        ("no-store", "It doesn't store the response"),
        ("max-age=0, stale-while-revalidate=30", "uses it again for 30 s, asking afterwards;"),
        ("max-age=9, stale-while-revalidate=30", "then it uses it stale for a while, and asks afterwards."),
    ],
)
def test_what_a_browser_does(directives: str, said: str) -> None:
    assert said in alone_sentence(looked(f"Cache-Control: {directives}").alone)


def test_a_browser_validates_what_has_a_validator() -> None:
    assert alone_sentence(looked("Cache-Control: private, no-cache", TAG).alone).endswith("before each use.")
    assert alone_sentence(looked("Cache-Control: max-age=60", TAG).alone).endswith("whether it has changed.")


def test_a_browser_knows_its_own_cookie_again() -> None:
    found = looked("Cache-Control: private, max-age=60", "Vary: Cookie", asked=["Cookie: session=mine"])
    assert "uses it again for 60 s" in alone_sentence(found.alone)
