from __future__ import annotations

from proxy.caching.excepted import fields_withheld, needed_field_listed, storable_fields, withheld_fields
from proxy.caching.policy import Policy
from proxy.caching.targeted import effective_directives
from proxy.message.cache_control import parse_cache_control
from proxy.message.fields import Fields


def stored(*lines: tuple[bytes, bytes]) -> list[bytes]:
    fields = Fields(lines)
    return [name for name, _ in storable_fields(fields, effective_directives(fields, Policy()))]


def test_all_fields_are_stored_also_unknown_ones() -> None:
    lines = (
        (b"X-New", b"1"),
        (b"Set-Cookie", b"a=b"),
        (b"Set-Cookie", b"c=d"),
        (b"Age", b"3"),
        (b"Via", b"1.1 x"),
    )
    assert stored(*lines) == [name for name, _ in lines]


def test_fields_of_the_way_to_the_proxy_are_not() -> None:
    assert stored(
        (b"Proxy-Authenticate", b"Basic"),
        (b"proxy-authentication-info", b"x=y"),
        (b"Proxy-Authorization", b"z"),
        (b"WWW-Authenticate", b"Basic"),
        (b"Proxy-Status", b"up"),
    ) == [b"WWW-Authenticate", b"Proxy-Status"]


def test_listed_fields_are_not_whatever_their_case() -> None:
    said = b"Cache-Control", b'max-age=60, private="Set-Cookie", no-cache="X-A, x-b"'
    assert stored(said, (b"SET-COOKIE", b"a=b"), (b"x-a", b"1"), (b"X-B", b"2"), (b"X-C", b"3")) == [
        b"Cache-Control",
        b"X-C",
    ]


def test_a_targeted_field_lists_them_instead() -> None:
    said = (b"CDN-Cache-Control", b'private="x-a"'), (b"Cache-Control", b'private="x-b"')
    assert stored(*said, (b"X-A", b"1"), (b"X-B", b"2")) == [b"CDN-Cache-Control", b"Cache-Control", b"X-B"]


def test_unqualified_directives_list_nothing() -> None:
    assert withheld_fields(parse_cache_control([b'private, private="a", no-cache'])) == frozenset()


def test_the_remark_names_only_what_was_there() -> None:
    fields = Fields([(b"Proxy-Authenticate", b"Basic"), (b"B", b"1"), (b"A", b"1")])
    because = fields_withheld(fields, parse_cache_control([b'private="a, b, c"']))
    assert because is not None
    assert because.evidence == "proxy-authenticate, a, b"
    assert fields_withheld(Fields(), parse_cache_control([b'private="a"'])) is None


def test_a_field_that_reuse_depends_on_cannot_be_left_out() -> None:
    because = needed_field_listed(parse_cache_control([b'private="Vary, a", no-cache="date"']), Policy())
    assert because is not None
    assert because.evidence == "date, vary"
    listed = parse_cache_control([b'private="cdn-cache-control"'])
    assert needed_field_listed(listed, Policy()) is not None
    assert needed_field_listed(listed, Policy(targeted=())) is None
    assert needed_field_listed(parse_cache_control([b'private="set-cookie, etag"']), Policy()) is None
