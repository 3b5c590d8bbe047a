"""Target URIs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.uri import Uri, resolve, resolve_for, target_uri, typed_uri

BASE = Uri(b"http", b"a", b"/b/c/d;p", b"q")


@pytest.mark.parametrize(  # RFC 3986 §5.4, without fragments and other schemes
    ("reference", "resolved"),
    [
        (b"g", b"http://a/b/c/g"),
        (b"./g", b"http://a/b/c/g"),
        (b"g/", b"http://a/b/c/g/"),
        (b"/g", b"http://a/g"),
        (b"//g", b"http://g/"),
        (b"?y", b"http://a/b/c/d;p?y"),
        (b"g?y", b"http://a/b/c/g?y"),
        (b"#s", b"http://a/b/c/d;p?q"),
        (b"g#s", b"http://a/b/c/g"),
        (b";x", b"http://a/b/c/;x"),
        (b"", b"http://a/b/c/d;p?q"),
        (b".", b"http://a/b/c/"),
        (b"./", b"http://a/b/c/"),
        (b"..", b"http://a/b/"),
        (b"../g", b"http://a/b/g"),
        (b"../..", b"http://a/"),
        (b"../../g", b"http://a/g"),
        (b"../../../g", b"http://a/g"),
        (b"/./g", b"http://a/g"),
        (b"/../g", b"http://a/g"),
        (b"g.", b"http://a/b/c/g."),
        (b"..g", b"http://a/b/c/..g"),
        (b"./../g", b"http://a/b/g"),
        (b"./g/.", b"http://a/b/c/g/"),
        (b"g/./h", b"http://a/b/c/g/h"),
        (b"g/../h", b"http://a/b/c/h"),
        (b"g?y/../x", b"http://a/b/c/g?y/../x"),
        (b"HTTPS://EXAMPLE.com:0443/x/../y", b"https://example.com/y"),
    ],
)
def test_references(reference, resolved):
    assert bytes(resolve(reference, BASE)) == resolved


@pytest.mark.parametrize(
    "reference", [b"g:h", b"http:g", b"mailto:a@b", b"http://u:p@h/", b"http:///g", b"ftp://h/"]
)
def test_references_to_nothing_that_is_served_by_http(reference):
    assert resolve(reference, BASE) is None


@pytest.mark.parametrize(
    ("target", "scheme", "authority", "uri"),
    [
        (b"/", b"http", b"Example.COM:80", b"http://example.com/"),
        (b"/~smith/%7e?a=B", b"http", b"example.com:", b"http://example.com/~smith/%7e?a=B"),
        (b"/?", b"https", b"h:443", b"https://h/?"),
        (b"/", b"https", b"h:80", b"https://h:80/"),
        (b"/", b"http", b"h:08080", b"http://h:8080/"),
        (b"//x/y", b"http", b"h", b"http://h//x/y"),
        (b"HTTP://Other:80", b"http", b"h", b"http://other/"),
        (b"http://other?q", b"http", b"h", b"http://other/?q"),
        (b"/", b"http", b"[2001:DB8::1]:80", b"http://[2001:db8::1]/"),
        (b"/", b"http", b"[::1]", b"http://[::1]/"),
        (b"*", b"http", b"h", b"http://h*"),
    ],
)
def test_the_target_uri(target, scheme, authority, uri):
    assert bytes(target_uri(Request(b"GET", target, scheme=scheme, authority=authority))) == uri


def test_the_origin():
    assert Uri(b"HTTPS", b"Example.com", b"/").origin == (b"https", b"example.com", b"443")
    assert Uri(b"http", b"h:0080", b"/").origin == (b"http", b"h", b"80")
    assert Uri(b"http", b"h", b"/").origin != Uri(b"https", b"h", b"/").origin


@pytest.mark.parametrize(
    ("reference", "host", "known"),
    [
        (b"/b", b"backend:81", b"http://api.example/b"),
        (b"http://api.example/b", b"backend:81", b"http://api.example/b"),
        (b"http://backend:81/b?c", b"backend:81", b"http://api.example/b?c"),
        (b"http://BACKEND:81/b", b"backend:81", b"http://api.example/b"),
        (b"https://backend/b", b"backend", b"http://api.example/b"),
        (b"http://backend/b", b"backend:81", b"http://backend/b"),
        (b"http://other:81/b", b"backend:81", b"http://other:81/b"),
        (b"https://api.example/b", b"api.example", b"https://api.example/b"),
    ],
)
def test_the_origin_server_may_know_itself_by_another_name(reference, host, known):
    request = Request(b"POST", b"/a", Fields([(b"Host", host)]), authority=b"api.example")
    assert bytes(resolve_for(reference, request)) == known


@given(st.binary(max_size=60), st.binary(max_size=30), st.binary(max_size=60))
def test_no_bytes_make_it_fail(target, authority, reference):
    base = target_uri(Request(b"GET", target, authority=authority))
    found = resolve(reference, base)
    assert found is None or found == found.normalised()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("http://Example.org:80", b"http://example.org/"),
        ("HTTPS://example.org/a/../b?x#y", b"https://example.org/b?x"),
        ("http://h/caf\u00e9 au lait", b"http://h/caf%C3%A9%20au%20lait"),
        ("http://h/caf\udce9", b"http://h/caf\xe9"),
        ("http://h/%zz", b"http://h/%zz"),
        ("http://[::1]:8080/", b"http://[::1]:8080/"),
    ],
)
def test_what_a_person_types(typed: str, meant: bytes) -> None:
    assert bytes(typed_uri(typed) or b"") == meant


@pytest.mark.parametrize(
    "typed", ["", "/a", "//h/", "h/a", "ftp://h/", "http://", "http://u:p@h/", "mailto:x"]
)
def test_what_is_no_url(typed: str) -> None:
    assert typed_uri(typed) is None
