"""What would help: each change is made, and the rules are run on what becomes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.policy import Policy
from proxy.commands.explaining.origins import Had
from proxy.commands.explaining.outlook import Outlook, effects, outlook
from proxy.commands.explaining.suggestions import Suggestion, suggestions
from proxy.message.fields import Fields
from tests.commands.explained import HOUR_BEFORE, looked

TAG = 'ETag: "a"'


def proposed(*lines: str, **about: object) -> dict[str, Suggestion]:
    return {one.name: one for one in suggestions(looked(*lines, **about), Policy())}


def steps(suggestion: Suggestion) -> list[str]:
    return [str(step) for step in suggestion.steps]


def changes(suggestion: Suggestion) -> dict[str, tuple[str, str]]:
    return {effect.about: (effect.before, effect.after) for effect in suggestion.effects}


def test_a_lifetime_where_there_is_none() -> None:
    found = proposed()["store"]
    assert steps(found) == ["Add `Cache-Control: max-age=60`."]
    assert changes(found)["the response"] == ("not stored", "stored")
    assert changes(found)["the same request at once"] == ("forwarded, not stored", "hit for 60 s")


def test_a_lifetime_in_the_place_of_what_forbids_one() -> None:
    found = proposed("Cache-Control: no-store, no-cache, must-revalidate, max-age=0")["store"]
    assert steps(found) == [
        "Say `Cache-Control: must-revalidate, max-age=60` in the place of"
        " `no-store, no-cache, must-revalidate, max-age=0`."
    ]


def test_everything_that_hinders_is_dealt_with_together() -> None:
    found = proposed("Cache-Control: no-store", "Set-Cookie: a=b", "Vary: *")["store"]
    assert steps(found) == [
        "Say `Cache-Control: max-age=60` in the place of `no-store`.",
        "Drop `Set-Cookie`.",
        "Say `Vary: Accept-Encoding` in the place of `*`, with whatever other request fields the response"
        " depends on.",
    ]
    assert found.then.stored


def test_no_cookie_is_to_go_to_everyone() -> None:
    """Authorization alone hinders storing here, but then the cookie would be shared as well."""
    found = proposed("Cache-Control: max-age=60", "Set-Cookie: a=b", asked=["Authorization: Bearer a"])
    assert steps(found["store"]) == [
        "Say `Cache-Control: public, max-age=60` in the place of `max-age=60`.",
        "Drop `Set-Cookie`.",
    ]
    assert not found["store"].then.shares_cookie


def test_a_cookie_that_goes_to_everyone_is_told_of() -> None:
    found = proposed("Cache-Control: max-age=60", "Set-Cookie: a=b")["no-cookie"]
    assert changes(found) == {"the cookie that it sets": ("goes to everyone", "goes to nobody else")}


def test_what_is_for_one_user_can_help_that_user() -> None:
    found = proposed("Cache-Control: no-store")
    assert steps(found["own"]) == ["Say `Cache-Control: private, max-age=60` in the place of `no-store`."]
    assert changes(found["own"]) == {"a browser's own cache": ("not stored", "reused for 60 s")}
    assert not found["own"].then.stored
    assert "own" not in proposed("Cache-Control: private, max-age=60")


def test_what_every_user_may_have_need_not_be_private() -> None:
    found = proposed("Cache-Control: private, max-age=60", TAG)["store"]
    assert steps(found) == ["Say `Cache-Control: max-age=60` in the place of `private, max-age=60`."]
    assert found.provided == ("every user gets the same response",)


def test_a_request_can_stand_in_the_way() -> None:
    assert steps(proposed("Cache-Control: max-age=60", asked=["Cache-Control: no-store"])["store"]) == [
        "In the request, drop `Cache-Control`."
    ]


@pytest.mark.parametrize("status", [304, 429, 431])
def test_what_nothing_can_be_done_about(status: int) -> None:
    assert proposed("Cache-Control: no-store", status=status) == {}


def test_a_validator_where_there_is_none() -> None:
    found = proposed("Cache-Control: max-age=60")["validator"]
    assert steps(found) == ['Add `ETag: "1"`, with another value whenever the content is another.']
    assert changes(found) == {"the same request after 60 s": ("forwarded, stored", "validated")}
    assert "validator" not in proposed("Cache-Control: max-age=60", TAG)


def test_what_builds_on_the_first_says_so() -> None:
    found = proposed("Cache-Control: private, max-age=60")
    assert not found["store"].also
    assert found["validator"].also
    assert found["validator"].then.stored


def test_an_estimated_lifetime_can_be_stated() -> None:
    found = proposed(f"Last-Modified: {HOUR_BEFORE}")["lifetime"]
    assert steps(found) == ["Add `Cache-Control: max-age=360`."]
    assert changes(found) == {"its freshness lifetime": ("6 min, estimated", "6 min, stated")}


def test_what_is_old_already_needs_a_longer_lifetime() -> None:
    found = proposed("Cache-Control: max-age=60", "Age: 100", TAG)["lifetime"]
    assert steps(found) == ["Say `Cache-Control: max-age=160` in the place of `max-age=60`."]
    assert changes(found)["the same request at once"] == ("validated", "hit for 60 s")


def test_a_vary_that_keeps_users_apart() -> None:
    found = proposed("Cache-Control: max-age=60", "Vary: Accept, Cookie", TAG)
    assert steps(found["vary:cookie"]) == ["Say `Vary: Accept` in the place of `Accept, Cookie`."]
    assert changes(found["vary:cookie"]) == {"another user's with a Cookie": ("forwarded, stored", "hit")}
    assert "vary:accept" not in found
    found = proposed("Cache-Control: max-age=60", "Vary: Accept, User-Agent", TAG)
    assert changes(found["vary:user-agent"]) == {"one with another User-Agent": ("validated", "hit")}


def test_a_stale_response_where_the_origin_fails() -> None:
    found = proposed("Cache-Control: max-age=60, must-revalidate", TAG)["stale-allowed"]
    assert changes(found)["the origin unreachable then"] == ("failed, 504", "stale for 1 day")
    found = proposed("Cache-Control: public, s-maxage=60, max-age=5", TAG)["stale-allowed"]
    assert steps(found) == ["Add `CDN-Cache-Control: public, max-age=60`."]
    found = proposed("Cache-Control: max-age=60, stale-while-revalidate=30", TAG)["if-error"]
    assert steps(found)[0].startswith(
        "Say `Cache-Control: max-age=60, stale-while-revalidate=30, stale-if-error="
    )
    assert changes(found)["the origin answering 503 then"][0] == "forwarded, 503"


def test_what_lasts_for_long_is_left_alone() -> None:
    assert proposed("Cache-Control: public, max-age=31536000", TAG) == {}


def test_the_field_that_counts_is_the_one_to_change() -> None:
    found = proposed("CDN-Cache-Control: no-store", "Cache-Control: max-age=60")["store"]
    assert steps(found) == ["Say `CDN-Cache-Control: max-age=60` in the place of `no-store`."]
    own = proposed("CDN-Cache-Control: no-store", "Cache-Control: no-store")["own"]
    assert steps(own) == ["Say `Cache-Control: private, max-age=60` in the place of `no-store`."]


DIRECTIVES = st.lists(
    st.sampled_from(
        [
            "public",
            "private",
            "no-store",
            "no-cache",
            "max-age=60",
            "max-age=0",
            "max-age=soon",
            "s-maxage=60",
            "must-revalidate",
            "proxy-revalidate",
            "must-understand",
            "stale-while-revalidate=30",
            "stale-if-error=300",
            'private="set-cookie"',
            'no-cache="vary"',
        ]
    ),
    max_size=4,
    unique=True,
)
OTHERS = st.lists(
    st.sampled_from(
        [
            "Set-Cookie: a=b",
            "Vary: *",
            "Vary: Cookie, User-Agent",
            TAG,
            "ETag: unquoted",
            f"Last-Modified: {HOUR_BEFORE}",
            "Expires: 0",
            "Age: 100",
            "CDN-Cache-Control: max-age=600",
            "CDN-Cache-Control: no-store",
        ]
    ),
    max_size=4,
    unique=True,
)
ASKED = st.lists(
    st.sampled_from(["Authorization: Bearer a", "Cookie: a=b", "Cache-Control: no-store", "Accept: */*"]),
    max_size=2,
    unique=True,
)


def made(had: Had, suggestion: Suggestion) -> Had:
    """The exchange with the fields changed by hand, as the steps have it."""
    messages = {False: had.response.fields, True: had.request.fields}
    for step in suggestion.steps:
        changed: Fields = messages[step.of_request]
        name = step.name.encode()
        if step.after is None:
            changed = changed.without(name.lower())
        else:
            changed = changed.setting(name, step.after.encode("latin-1"))
        messages[step.of_request] = changed
    request = replace(had.request, fields=messages[True])
    return replace(had, request=request).with_response(replace(had.response, fields=messages[False]))


@given(DIRECTIVES, OTHERS, ASKED, st.sampled_from([200, 302, 404, 503]), st.sampled_from(["GET", "HEAD"]))
def test_law_every_suggestion_does_what_it_says(
    directives: list[str], others: list[str], asked: list[str], status: int, method: str
) -> None:
    said = [f"Cache-Control: {', '.join(directives)}"] if directives else []
    now = looked(*said, *others, status=status, asked=asked, method=method)
    base: Outlook = now
    for one in suggestions(now, Policy()):
        before = base if one.also else now
        assert one.steps
        assert one.effects
        then = outlook(made(before.had, one), Policy(), before)
        assert effects(before, then) == one.effects
        assert not then.shares_cookie or before.shares_cookie
        if one.name == "store":
            assert then.stored
            base = one.then
