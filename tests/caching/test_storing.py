from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.freshness import HEURISTICALLY_CACHEABLE
from proxy.caching.policy import Policy
from proxy.caching.storing import Storing, decide_storing
from proxy.message.dates import format_date
from proxy.message.fields import FieldLine, Fields
from proxy.message.request import Request
from proxy.message.response import Response

T = 1_700_000_000.0
DATE = (b"Date", format_date(T))
ETAG = (b"ETag", b'"a"')
CHANGED = (b"Last-Modified", format_date(T - 1000))
COOKIE = (b"Set-Cookie", b"id=1")
AUTHORIZATION = (b"Authorization", b"Bearer secret")


def said(value: bytes) -> FieldLine:
    return b"Cache-Control", value


def decide(
    *lines: FieldLine,
    status: int = 200,
    method: bytes = b"GET",
    wished: tuple[FieldLine, ...] = (),
    policy: Policy | None = None,
) -> Storing:
    request = Request(method, b"/", Fields(wished))
    response = Response(status, Fields(lines), b"Fine")
    return decide_storing(request, response, request_time=T, response_time=T, policy=policy or Policy())


def slugs(storing: Storing) -> list[str]:
    """The reasons, less what is merely said of ill-formed fields: see test_ill_formed.py."""
    return [because.reason.slug for because in storing.reasons if because.reason.slug != "ill-formed"]


class TestWhatMakesAResponseStorable:
    def test_an_explicit_lifetime_with_any_final_status(self) -> None:
        for status in (200, 201, 299, 302, 307, 400, 403, 499, 500, 502, 503, 504, 599):
            for line in (said(b"max-age=60"), said(b"s-maxage=60"), (b"Expires", format_date(T + 60))):
                assert decide(DATE, line, status=status).allowed

    @pytest.mark.parametrize("status", sorted(HEURISTICALLY_CACHEABLE - {206}))
    def test_a_heuristically_cacheable_status(self, status: int) -> None:
        assert slugs(decide(DATE, CHANGED, status=status)) == ["heuristic"]
        assert slugs(decide(DATE, ETAG, status=status)) == ["no-lifetime"]

    @pytest.mark.parametrize("status", [201, 302, 400, 403, 500, 599])
    def test_public_with_any_final_status(self, status: int) -> None:
        assert decide(DATE, CHANGED, said(b"public"), status=status).allowed
        assert slugs(decide(DATE, CHANGED, status=status)) == ["not-cacheable"]

    @pytest.mark.parametrize(
        "value", [b"must-revalidate", b"proxy-revalidate", b"stale-if-error=60", b"immutable", b"x"]
    )
    def test_other_directives_do_not(self, value: bytes) -> None:
        assert "not-cacheable" in slugs(decide(DATE, ETAG, said(value), status=403))

    def test_expires_does_not_where_a_targeted_field_counts(self) -> None:
        lines = (b"Expires", format_date(T + 60)), (b"CDN-Cache-Control", b"foo"), ETAG
        assert slugs(decide(DATE, *lines, status=403)) == ["not-cacheable", "targeted"]
        assert decide(DATE, *lines[:1], ETAG, status=403).allowed


class TestNoStore:
    @pytest.mark.parametrize(
        "value", [b"no-store", b"No-Store", b"no-store=1", b"no-store; x", b"max-age=60, no-store"]
    )
    def test_of_the_response(self, value: bytes) -> None:
        storing = decide(DATE, ETAG, said(value))
        assert slugs(storing) == ["no-store"]
        assert storing.reasons[0].evidence == "cache-control: no-store"

    def test_of_the_request(self) -> None:
        assert slugs(decide(DATE, said(b"max-age=60"), wished=(said(b"no-store"),))) == ["request-no-store"]

    def test_pragma_is_no_such_thing(self) -> None:
        assert decide(DATE, said(b"max-age=60"), (b"Pragma", b"no-store, no-cache")).allowed

    def test_must_understand_overrides_it_where_the_status_is_understood(self) -> None:
        value = said(b"no-store, must-understand, max-age=60")
        assert slugs(decide(DATE, value)) == ["must-understand", "max-age"]
        assert slugs(decide(DATE, value, status=599)) == ["status-not-understood", "no-store"]

    def test_must_understand_does_not_override_that_of_the_request(self) -> None:
        storing = decide(DATE, said(b"must-understand, max-age=60"), wished=(said(b"no-store"),))
        assert slugs(storing) == ["request-no-store"]

    def test_a_targeted_field_may_allow_what_cache_control_forbids(self) -> None:
        storing = decide(DATE, said(b"no-store"), (b"CDN-Cache-Control", b"max-age=60"))
        assert slugs(storing) == ["max-age", "targeted"]
        storing = decide(DATE, said(b"max-age=60"), (b"CDN-Cache-Control", b"no-store"), ETAG)
        assert slugs(storing) == ["no-store", "targeted"]
        assert storing.reasons[0].evidence == "cdn-cache-control: no-store"


class TestPrivate:
    @pytest.mark.parametrize(
        "value", [b"private", b'private=""', b'private="a b"', b'private="a", private', b"private; a"]
    )
    def test_unqualified(self, value: bytes) -> None:
        assert slugs(decide(DATE, said(b"max-age=60"), said(value))) == ["private"]

    def test_qualified_it_keeps_only_what_it_lists(self) -> None:
        storing = decide(DATE, COOKIE, (b"X-A", b"1"), said(b'max-age=60, private="set-cookie"'))
        assert slugs(storing) == ["fields-withheld", "max-age"]
        assert storing.reasons[0].evidence == "set-cookie"
        assert list(storing.response.fields.names()) == [b"date", b"x-a", b"cache-control"]

    def test_but_not_where_it_lists_what_reuse_depends_on(self) -> None:
        storing = decide(DATE, said(b'max-age=60, private="vary"'), (b"Vary", b"Accept"))
        assert slugs(storing) == ["needed-field-listed"]


class TestAuthorization:
    @pytest.mark.parametrize(
        "value", [b"max-age=60", b"max-age=60, proxy-revalidate", b"immutable, max-age=60"]
    )
    def test_is_not_shared_by_default(self, value: bytes) -> None:
        storing = decide(DATE, said(value), wished=(AUTHORIZATION,))
        assert slugs(storing) == ["authorization"]

    @pytest.mark.parametrize("value", [b"public", b"must-revalidate", b"s-maxage=60"])
    def test_is_shared_where_the_response_allows_it(self, value: bytes) -> None:
        storing = decide(DATE, ETAG, said(value), said(b"max-age=60"), wished=(AUTHORIZATION,))
        assert storing.allowed
        assert slugs(storing)[0] == "authorization-shared"

    @pytest.mark.parametrize("value", [b"s-maxage=x, max-age=60", b"public; max-age=60"])
    def test_is_not_shared_where_the_directive_is_ill_formed(self, value: bytes) -> None:
        assert "authorization" in slugs(decide(DATE, ETAG, said(value), wished=(AUTHORIZATION,)))

    def test_no_reason_shows_the_credential(self) -> None:
        storing = decide(DATE, said(b"public, max-age=60"), wished=(AUTHORIZATION,))
        assert all("secret" not in because.evidence for because in storing.reasons)


class TestSetCookie:
    @pytest.mark.parametrize(
        "lines",
        [
            [said(b"max-age=60")],
            [said(b"s-maxage=60")],
            [said(b"public, max-age=60")],
            [(b"Expires", format_date(T + 60))],
            [(b"CDN-Cache-Control", b"max-age=60")],
            [said(b"max-age=60"), (b"Age", b"60"), ETAG],
        ],
    )
    def test_is_stored_with_an_explicit_lifetime_and_said_aloud(self, lines: list[FieldLine]) -> None:
        storing = decide(DATE, COOKIE, *lines)
        assert storing.allowed
        assert slugs(storing)[0] == "set-cookie-shared"
        assert b"set-cookie" in storing.response.fields

    @pytest.mark.parametrize(
        "lines",
        [
            [CHANGED],
            [said(b"public"), CHANGED],
            [ETAG],
            [said(b"max-age=0"), ETAG],
            [said(b"max-age=60, no-cache"), ETAG],
            [said(b"max-age=x"), ETAG],
        ],
    )
    def test_is_never_stored_otherwise(self, lines: list[FieldLine]) -> None:
        assert slugs(decide(DATE, COOKIE, *lines)) == ["set-cookie"]

    def test_is_no_matter_where_it_is_withheld(self) -> None:
        storing = decide(DATE, COOKIE, CHANGED, said(b'no-cache="Set-Cookie"'))
        assert slugs(storing) == ["fields-withheld", "heuristic"]
        assert b"set-cookie" not in storing.response.fields


class TestARequestWithACookie:
    """What has no more than a validator may be one user's own, as pages behind a login often are."""

    WISHED = ((b"Cookie", b"id=1"),)

    @pytest.mark.parametrize(
        "lines", [[CHANGED], [ETAG], [said(b"max-age=0"), ETAG], [(b"Expires", b"0"), ETAG], [ETAG, CHANGED]]
    )
    def test_what_says_nothing_of_sharing_is_not_stored(self, lines: list[FieldLine]) -> None:
        assert slugs(decide(DATE, *lines, wished=self.WISHED)) == ["cookie-unshared"]
        assert decide(DATE, *lines).allowed

    @pytest.mark.parametrize(
        "line",
        [
            said(b"max-age=60"),
            said(b"public"),
            said(b"must-revalidate"),
            said(b"no-cache"),
            (b"Expires", format_date(T + 60)),
            (b"Vary", b"Accept, Cookie"),
        ],
    )
    def test_what_says_for_whom_it_is_is_stored(self, line: FieldLine) -> None:
        assert decide(DATE, CHANGED, line, wished=self.WISHED).allowed

    def test_what_is_unusable_is_so_whoever_asks(self) -> None:
        assert slugs(decide(DATE, wished=self.WISHED)) == ["unusable"]


class TestVary:
    @pytest.mark.parametrize("values", [[b"*"], [b"Accept, *"], [b"*,Accept"], [b"Accept", b"*"], [b"\t* "]])
    def test_a_star_matches_no_request(self, values: list[bytes]) -> None:
        lines = [(b"Vary", value) for value in values]
        assert slugs(decide(DATE, said(b"max-age=60"), *lines)) == ["vary-star"]

    def test_names_do_not_keep_a_response_out(self) -> None:
        assert decide(DATE, said(b"max-age=60"), (b"Vary", b"Accept, X*")).allowed


class TestUsefulness:
    @pytest.mark.parametrize(
        "lines",
        [
            [],
            [said(b"max-age=0")],
            [said(b"no-cache, max-age=60")],
            [said(b"max-age=60"), (b"Age", b"60")],
            [said(b"s-maxage=0, stale-if-error=60")],
            [said(b"max-age=0, must-revalidate, stale-while-revalidate=60")],
            [(b"Expires", b"0")],
            [(b"ETag", b"un quoted")],
            [(b"ETag", b'"a"'), (b"ETag", b'"b"')],
            [(b"Last-Modified", b"yesterday")],
        ],
    )
    def test_what_can_never_be_reused_is_not_stored(self, lines: list[FieldLine]) -> None:
        assert slugs(decide(DATE, *lines)) == ["unusable"]

    @pytest.mark.parametrize("validator", [ETAG, CHANGED])
    @pytest.mark.parametrize(
        "value", [b"no-cache", b"max-age=0", b"s-maxage=0, must-revalidate", b"max-age=x"]
    )
    def test_what_can_be_validated_is(self, value: bytes, validator: FieldLine) -> None:
        assert decide(DATE, said(value), validator).allowed

    @pytest.mark.parametrize(
        "value", [b"max-age=0, stale-if-error=60", b"max-age=0, stale-while-revalidate=60"]
    )
    def test_what_may_be_served_stale_is(self, value: bytes) -> None:
        assert decide(DATE, said(value)).allowed

    def test_the_delay_of_the_response_counts_as_age(self) -> None:
        response = Response(200, Fields([DATE, said(b"max-age=60")]))
        storing = decide_storing(
            Request(b"GET", b"/"), response, request_time=T - 60, response_time=T, policy=Policy()
        )
        assert slugs(storing) == ["unusable"]


class TestWhatIsStored:
    def test_the_response_as_it_came(self) -> None:
        storing = decide(DATE, said(b"max-age=60"), (b"X-New", b"1"))
        assert storing.response == Response(
            200, Fields([DATE, said(b"max-age=60"), (b"X-New", b"1")]), b"Fine"
        )
        assert storing.lifetime.seconds == 60
        assert storing.effective.source == b"cache-control"

    def test_a_date_is_added_where_there_is_none(self) -> None:
        assert decide(said(b"max-age=60")).response.fields.get(b"date") == format_date(T)

    def test_fields_for_the_way_to_the_proxy_are_left_out(self) -> None:
        storing = decide(DATE, said(b"max-age=60"), (b"Proxy-Authenticate", b"Basic"))
        assert storing.response.fields.get(b"proxy-authenticate") is None
        assert slugs(storing) == ["fields-withheld", "max-age"]

    def test_a_partial_response_is_stored_as_one(self) -> None:
        storing = decide(DATE, said(b"max-age=60"), (b"Content-Range", b"bytes 0-4/10"), status=206)
        assert storing.allowed
        assert storing.response.status == 206


def test_all_reasons_are_told_in_the_order_of_the_rules() -> None:
    storing = decide(
        COOKIE,
        (b"Vary", b"*"),
        (b"CDN-Cache-Control", b"A"),
        said(b"no-store, private"),
        status=429,
        method=b"POST",
        wished=(AUTHORIZATION, said(b"no-store")),
    )
    assert slugs(storing) == [
        "post",
        "never-stored-status",
        "no-store",
        "request-no-store",
        "private",
        "authorization",
        "not-cacheable",
        "vary-star",
        "set-cookie",
        "unusable",
        "targeted-ill-formed",
    ]


NAMES = st.sampled_from(
    [
        b"Cache-Control",
        b"CDN-Cache-Control",
        b"Expires",
        b"Date",
        b"Age",
        b"Vary",
        b"Set-Cookie",
        b"ETag",
        b"Last-Modified",
        b"Content-Range",
        b"Proxy-Authenticate",
        b"Content-Length",
        b"Authorization",
    ]
)
VALUES = st.binary(max_size=16) | st.sampled_from(
    [
        b"max-age=60",
        b"no-store",
        b"private",
        b'private="vary, set-cookie"',
        b"must-understand, no-store",
        b"*",
        b"public, no-cache",
        b"s-maxage=5, stale-if-error=60",
        format_date(T - 90),
        b"bytes 0-1/2",
        b'"a"',
        b"0",
    ]
)
LINES = st.lists(st.tuples(NAMES, VALUES), max_size=5)


@given(
    LINES,
    LINES,
    st.sampled_from([b"GET", b"QUERY", b"HEAD", b"PUT"]),
    st.sampled_from([200, 206, 304, 404, 599]),
)
def test_no_message_makes_it_raise_and_no_rule_is_broken(
    lines: list[FieldLine], wished: list[FieldLine], method: bytes, status: int
) -> None:
    storing = decide(*lines, status=status, method=method, wished=tuple(wished))
    assert storing.reasons
    if storing.allowed:
        directives = storing.effective.directives
        assert method in (b"GET", b"HEAD")
        assert status != 304
        assert not directives.unqualified(b"private")
        assert b"no-store" not in directives or b"must-understand" in directives
        assert b"proxy-authenticate" not in storing.response.fields
        assert b"date" in storing.response.fields


@given(LINES, st.randoms())
def test_the_order_of_lines_does_not_change_whether_it_is_stored(
    lines: list[FieldLine], random: object
) -> None:
    directives = [line for line in lines if line[0] == b"Cache-Control"]
    others = [line for line in lines if line[0] != b"Cache-Control"]
    shuffled = list(directives)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert decide(*others, *directives).allowed == decide(*shuffled, *others).allowed


@pytest.mark.parametrize(("value", "slug"), [(b"soon", "age-ill-formed"), (b"60, 0", "age-several")])
def test_how_an_odd_age_was_read_is_told(value: bytes, slug: str) -> None:
    response = Response(200, Fields([(b"Cache-Control", b"max-age=600"), (b"Age", value)]))
    storing = decide_storing(
        Request(b"GET", b"/"), response, request_time=0.0, response_time=0.0, policy=Policy()
    )
    assert slug in [because.reason.slug for because in storing.reasons]
