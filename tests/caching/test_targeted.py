from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.policy import Policy
from proxy.caching.targeted import Effective, effective_directives
from proxy.message.cache_control import Directives, parse_cache_control
from proxy.message.fields import Fields

POLICY = Policy(targeted=(b"pellucid-cache-control", b"cdn-cache-control"))


def effective(*lines: tuple[bytes, bytes], policy: Policy = POLICY) -> Effective:
    return effective_directives(Fields(lines), policy)


def slugs(found: Effective) -> list[str]:
    return [because.reason.slug for because in found.reasons]


def test_cache_control_counts_where_no_targeted_field_is_there() -> None:
    found = effective((b"Cache-Control", b"max-age=60"), (b"cache-control", b"public"))
    assert found.directives == parse_cache_control([b"max-age=60, public"])
    assert (found.source, found.targeted, found.reasons) == (b"cache-control", False, ())


def test_nothing_at_all_says_nothing() -> None:
    assert effective() == Effective(Directives())


def test_a_targeted_field_takes_the_place_of_cache_control() -> None:
    found = effective((b"Cache-Control", b"no-store"), (b"CDN-Cache-Control", b"max-age=600"))
    assert list(found.directives) == [(b"max-age", b"600")]
    assert (found.source, found.targeted) == (b"cdn-cache-control", True)
    assert slugs(found) == ["targeted"]
    assert found.reasons[0].evidence == "cdn-cache-control: max-age=600"


def test_an_unknown_directive_alone_is_not_empty() -> None:
    found = effective((b"Cache-Control", b"no-store"), (b"CDN-Cache-Control", b"none"))
    assert b"no-store" not in found.directives
    assert found.targeted


def test_the_order_of_the_target_list_decides_not_that_of_the_lines() -> None:
    found = effective((b"CDN-Cache-Control", b"max-age=1"), (b"Pellucid-Cache-Control", b"max-age=2"))
    assert found.directives.seconds(b"max-age") == 2
    assert found.source == b"pellucid-cache-control"


def test_a_field_that_is_not_on_the_list_changes_nothing() -> None:
    found = effective((b"Other-Cache-Control", b"no-store"), (b"Cache-Control", b"max-age=60"))
    assert list(found.directives) == [(b"max-age", b"60")]
    assert found.reasons == ()


@pytest.mark.parametrize(
    ("value", "slug"),
    [
        (b"", "targeted-empty"),
        (b"  ", "targeted-empty"),
        (b"max-age = 60", "targeted-ill-formed"),
        (b"Max-Age=60", "targeted-ill-formed"),
        (b"max-age=60,", "targeted-ill-formed"),
        (b"max-age=60; no-store=", "targeted-ill-formed"),
        (b"max-age=", "targeted-ill-formed"),
        (b"max-age='60'", "targeted-ill-formed"),
        (b"max-age=60, &", "targeted-ill-formed"),
    ],
)
def test_a_field_that_cannot_be_read_is_ignored_as_a_whole(value: bytes, slug: str) -> None:
    found = effective((b"CDN-Cache-Control", value), (b"Cache-Control", b"max-age=5"))
    assert found.directives.seconds(b"max-age") == 5
    assert (found.source, slugs(found)) == (b"cache-control", [slug])


def test_the_next_on_the_list_counts_where_the_first_is_ignored() -> None:
    found = effective((b"Pellucid-Cache-Control", b"A"), (b"CDN-Cache-Control", b"max-age=1"))
    assert found.source == b"cdn-cache-control"
    assert slugs(found) == ["targeted-ill-formed", "targeted"]


def test_several_lines_are_one_dictionary_and_the_last_of_equal_keys_counts() -> None:
    found = effective((b"CDN-Cache-Control", b"max-age=1"), (b"CDN-Cache-Control", b"max-age=2, private"))
    assert list(found.directives) == [(b"max-age", b"2"), (b"private", None)]


def test_parameters_are_ignored() -> None:
    found = effective((b"CDN-Cache-Control", b"max-age=60;a=1;b, no-store;c"))
    assert list(found.directives) == [(b"max-age", b"60"), (b"no-store", None)]


def test_field_names_come_as_a_string() -> None:
    found = effective((b"CDN-Cache-Control", b'private="Set-Cookie, a", no-cache'))
    assert found.directives.field_names(b"private") == {b"set-cookie", b"a"}
    assert found.directives.unqualified(b"no-cache")


@pytest.mark.parametrize("value", [b"60.0", b'"60"', b"?1", b"sixty", b":YQ==:", b"(60)", b"-60"])
def test_a_lifetime_that_is_no_whole_number_of_seconds_is_none(value: bytes) -> None:
    found = effective((b"CDN-Cache-Control", b"max-age=" + value))
    assert b"max-age" in found.directives
    assert found.directives.seconds(b"max-age") is None


def test_a_value_of_the_wrong_type_may_restrict_but_permits_nothing() -> None:
    found = effective((b"CDN-Cache-Control", b'private=a, no-cache=(a b), stale-if-error="60", max-age=60'))
    assert list(found.directives) == [(b"private", None), (b"no-cache", None), (b"max-age", b"60")]
    assert len(found.directives.problems()) == 3


def test_a_directive_that_is_false_is_not_there() -> None:
    found = effective((b"CDN-Cache-Control", b"no-store=?0, public=?0, max-age=60"))
    assert list(found.directives) == [(b"max-age", b"60")]


def test_extension_directives_are_kept_whatever_their_value() -> None:
    found = effective((b"CDN-Cache-Control", b'a=tok, b="str", c=(x y), d=:YQ==:, e=1.5'))
    assert list(found.directives) == [
        (b"a", b"tok"),
        (b"b", b"str"),
        (b"c", b"(x y)"),
        (b"d", b":YQ==:"),
        (b"e", b"1.5"),
    ]


def test_long_fields_are_read_like_short_ones() -> None:
    padding = b", x" * 400
    assert effective((b"CDN-Cache-Control", b"max-age=60" + padding)).directives.seconds(b"max-age") == 60
    assert effective((b"Cache-Control", b"max-age=60" + padding)).directives.seconds(b"max-age") == 60


def test_without_a_target_list_no_field_is_targeted() -> None:
    found = effective((b"CDN-Cache-Control", b"no-store"), policy=Policy(targeted=()))
    assert found == Effective(Directives())


NAMES = st.sampled_from([b"CDN-Cache-Control", b"Pellucid-Cache-Control", b"Cache-Control"])
MEMBERS = st.sampled_from(
    [b"max-age", b"=", b"60", b"private", b'"a, b"', b",", b" ", b";", b"(", b")", b"?0", b"\xff", b"@1"]
)
VALUES = st.binary(max_size=20) | st.lists(MEMBERS, max_size=10).map(b"".join)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=4))
def test_no_field_makes_it_raise(lines: list[tuple[bytes, bytes]]) -> None:
    found = effective(*lines)
    assert found.source in (b"cache-control", *POLICY.targeted)
