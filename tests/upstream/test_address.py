"""Which server a URL names."""

from __future__ import annotations

import pytest

from proxy.message.errors import ConfigurationError
from proxy.upstream.address import Server, parse_server


@pytest.mark.parametrize(
    ("url", "server", "shown", "authority"),
    [
        ("http://example.org", Server("http", "example.org", 80), "example.org:80", b"example.org"),
        ("HTTPS://Example.ORG/", Server("https", "example.org", 443), "example.org:443", b"example.org"),
        (
            "http://example.org.:8080",
            Server("http", "example.org", 8080),
            "example.org:8080",
            b"example.org:8080",
        ),
        ("https://a_b.example:80", Server("https", "a_b.example", 80), "a_b.example:80", b"a_b.example:80"),
        ("http://127.0.0.1:443", Server("http", "127.0.0.1", 443), "127.0.0.1:443", b"127.0.0.1:443"),
        ("http://[::1]", Server("http", "::1", 80), "[::1]:80", b"[::1]"),
        (
            "https://[2001:DB8:0::1]:1",
            Server("https", "2001:db8::1", 1),
            "[2001:db8::1]:1",
            b"[2001:db8::1]:1",
        ),
        (
            "http://localhost:65535/",
            Server("http", "localhost", 65535),
            "localhost:65535",
            b"localhost:65535",
        ),
    ],
)
def test_a_url_names_a_server(url, server, shown, authority):
    assert parse_server(url) == server
    assert str(server) == shown
    assert server.authority == authority
    assert server.secure is url.lower().startswith("https")


def test_only_addresses_are_literal():
    assert parse_server("http://127.0.0.1").literal
    assert parse_server("http://[::1]").literal
    assert not parse_server("http://localhost").literal


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "starts with http"),
        ("example.org", "starts with http"),
        ("example.org:80", "starts with http"),
        ("ftp://example.org", "starts with http"),
        ("http:/example.org", "starts with http"),
        (" http://example.org", "starts with http"),
        ("http://", "names a host"),
        ("http://:80", "names a host"),
        ("http:///path", "no path"),
        ("http://example.org/base", "no path"),
        ("http://example.org//", "no path"),
        ("http://example.org?a=b", "no query"),
        ("http://example.org/#a", "no query"),
        ("http://user:secret@example.org", "no user name"),
        ("http://example.org:", "from 1 to 65535"),
        ("http://example.org:0", "from 1 to 65535"),
        ("http://example.org:65536", "from 1 to 65535"),
        ("http://example.org:+80", "from 1 to 65535"),
        ("http://example.org:８０", "from 1 to 65535"),
        ("http://::1", "in brackets"),
        ("http://[::1", "in brackets"),
        ("http://[::1]80", "in brackets"),
        ("http://[::g]", "no IPv6 address"),
        ("http://[fe80::1%eth0]", "no IPv6 address"),
        ("http://[127.0.0.1]", "no IPv6 address"),
        ("http://127.0.0.256", "no IPv4 address"),
        ("http://2130706433", "no IPv4 address"),
        ("http://exa mple.org", "neither a name"),
        ("http://exa\tmple.org", "neither a name"),
        ("http://example.org\n", "neither a name"),
        ("http://-example.org", "neither a name"),
        ("http://example..org", "neither a name"),
        ("http://%65xample.org", "neither a name"),
        ("http://" + "a" * 64, "neither a name"),
        ("http://" + "a." * 130 + "a", "neither a name"),
        ("http://münchen.example", "in ASCII"),
    ],
)
def test_what_names_no_server_is_refused_in_one_line(url, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        parse_server(url)
    shown = str(caught.value)
    assert "\n" not in shown
    assert "secret" not in shown
    assert shown.isprintable()
