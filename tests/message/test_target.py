"""The four forms of a request target."""

from __future__ import annotations

import pytest

from proxy.message.errors import MalformedMessage
from proxy.message.target import Form, Target, is_authority, parse_target


@pytest.mark.parametrize(
    ("method", "target", "parts"),
    [
        (b"GET", b"/a?b", Target(Form.ORIGIN, b"/a?b")),
        (b"GET", b"//b/c", Target(Form.ORIGIN, b"//b/c")),
        (b"OPTIONS", b"*", Target(Form.ASTERISK, b"*")),
        (b"CONNECT", b"a:443", Target(Form.AUTHORITY, b"", None, b"a:443")),
        (b"GET", b"http://a", Target(Form.ABSOLUTE, b"/", b"http", b"a")),
        (b"GET", b"http://a?", Target(Form.ABSOLUTE, b"/?", b"http", b"a")),
        (b"GET", b"HTTPS://A:8443//b?c?d", Target(Form.ABSOLUTE, b"//b?c?d", b"https", b"A:8443")),
        (b"OPTIONS", b"http://a:81", Target(Form.ABSOLUTE, b"*", b"http", b"a:81")),
        (b"OPTIONS", b"http://a/", Target(Form.ABSOLUTE, b"/", b"http", b"a")),
        (b"OPTIONS", b"http://a?b", Target(Form.ABSOLUTE, b"/?b", b"http", b"a")),
    ],
)
def test_forms(method: bytes, target: bytes, parts: Target) -> None:
    assert parse_target(method, target) == parts


@pytest.mark.parametrize(
    "target", [b"", b"a", b"http:", b"http:/a", b"http://", b"://a", b"http://a@b", b"mailto:a"]
)
def test_what_has_no_form(target: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse_target(b"GET", target)


def test_authorities() -> None:
    assert is_authority(b"a.example:80")
    assert not is_authority(b"")
    assert not is_authority(b"a b")
    assert not is_authority(b"[::1")
    assert not is_authority(b"a:123456")


def test_a_host_has_no_more_than_255_characters() -> None:
    assert is_authority(b"a" * 255 + b":65535")
    assert not is_authority(b"a" * 262)
