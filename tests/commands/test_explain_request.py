"""The request that is explained, from a URL, a method and fields; faults are told without credentials."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.commands.explaining.wanted import make_request, parse_header, parse_url, perhaps_secret
from proxy.message.errors import ConfigurationError
from proxy.message.fields import FieldLine
from proxy.message.target import parse_target
from proxy.upstream.address import Server

SERVER = Server("http", "example.org", 80)


@pytest.mark.parametrize(
    ("url", "server", "target"),
    [
        ("http://example.org", SERVER, b"/"),
        ("HTTP://Example.ORG:80/a/b?c=d#e", SERVER, b"/a/b?c=d"),
        ("http://example.org?q", SERVER, b"/?q"),
        ("https://example.org/", Server("https", "example.org", 443), b"/"),
        ("http://[::1]:8080/x", Server("http", "::1", 8080), b"/x"),
        ("http://example.org/ü", SERVER, b"/%C3%BC"),
        ("http://example.org/%C3%BC", SERVER, b"/%C3%BC"),
        ("http://example.org//double//", SERVER, b"//double//"),
        ("http://example.org/a?u=http://b/", SERVER, b"/a?u=http://b/"),
    ],
)
def test_a_url_names_a_server_and_a_target(url: str, server: Server, target: bytes) -> None:
    assert parse_url(url) == (server, target)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "/path",
        "ftp://example.org/",
        "http://",
        "http:///path",
        "http://example.org:port/",
        "http://example.org:99999/",
        "http://[::1/",
        "http://ex ample.org/",
        "http://exämple.org/",
        "http://example.org/a b",
        "http://example.org/a\r\nHost: b",
        "http://user:geheim@example.org/",
        "user:geheim@example.org/",
        "http://example.org:x/?token=geheim",
    ],
)
def test_what_is_no_url_is_told_without_credentials(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_url(url)
    assert "geheim" not in str(caught.value)
    assert "upstream" not in str(caught.value)


@given(st.text(max_size=40))
def test_law_a_target_is_one_that_can_be_sent(path: str) -> None:
    try:
        _, target = parse_url(f"http://example.org/{path}")
    except ConfigurationError:
        return
    assert parse_target(b"GET", target).origin_form == target


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Accept: text/html", (b"Accept", b"text/html")),
        ("x-empty:", (b"x-empty", b"")),
        ("Cookie:a=b", (b"Cookie", b"a=b")),
        ("X-Name:  ü ", (b"X-Name", "ü".encode())),
    ],
)
def test_a_header(text: str, line: FieldLine) -> None:
    assert parse_header(text) == line


@pytest.mark.parametrize(
    "text",
    [
        "geheim",
        "Bearer geheim: x",
        "Authorization : geheim",
        ": geheim",
        "X-A: geheim\r\nX-B: c",
        "Content-Length: 6",
        "Transfer-Encoding: chunked",
        "Connection: close",
        "Proxy-Authorization: Basic geheim",
        "Upgrade: websocket",
        "Expect: 100-continue",
    ],
)
def test_what_is_no_header_or_not_for_this_is_told_without_its_value(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_header(text)
    assert "geheim" not in str(caught.value)


def names(given: list[FieldLine]) -> dict[bytes, bytes | None]:
    fields = make_request(SERVER, b"/", "GET", given).fields
    return {name: fields.get(name) for name in fields.names()}


def test_the_usual_request() -> None:
    request = make_request(SERVER, b"/a", "get", [])
    assert (request.method, request.target, request.authority) == (b"GET", b"/a", b"example.org")
    assert list(request.fields.names()) == [b"host", b"user-agent", b"accept", b"accept-encoding"]


def test_given_fields_take_the_place_of_ours() -> None:
    assert names([(b"accept", b"text/html"), (b"Accept", b"*/*")])[b"accept"] == b"text/html, */*"
    assert b"user-agent" not in names([(b"User-Agent", b"")])


def test_another_host_may_be_asked_for() -> None:
    request = make_request(SERVER, b"/", "GET", [(b"Host", b"www.example.org")])
    assert request.authority == b"www.example.org"
    assert request.fields.all(b"host") == (b"www.example.org",)


@pytest.mark.parametrize(
    "hosts", [[(b"Host", b"a"), (b"host", b"b")], [(b"Host", b"user@a")], [(b"Host", b"a/b")]]
)
def test_a_host_is_one_host(hosts: list[FieldLine]) -> None:
    with pytest.raises(ConfigurationError, match="Host"):
        make_request(SERVER, b"/", "GET", hosts)


@pytest.mark.parametrize("method", ["POST", "DELETE", "QUERY", "TRACE", "nonsense", ""])
def test_only_what_changes_nothing_and_has_no_content_is_asked(method: str) -> None:
    with pytest.raises(ConfigurationError, match="GET, HEAD, OPTIONS"):
        make_request(SERVER, b"/", method, [])


def test_a_field_that_nobody_knows_may_be_secret() -> None:
    given = [(b"Accept", b"*/*"), (b"Cookie", b"a=b"), (b"X-Whatever", b"geheim"), (b"If-None-Match", b'"a"')]
    assert perhaps_secret(given) == ("x-whatever",)
