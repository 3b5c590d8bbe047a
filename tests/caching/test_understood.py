from __future__ import annotations

import pytest

from proxy.caching.understood import method_forbids, status_forbids, understood
from proxy.message.cache_control import parse_cache_control
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response


def method_slug(method: bytes, *lines: tuple[bytes, bytes], digest: bytes | None = None) -> str | None:
    because = method_forbids(Request(method, b"/", Fields(lines), content_digest=digest))
    return because and because.reason.slug


def status_slug(status: int, *lines: tuple[bytes, bytes], said: bytes = b"") -> str | None:
    because = status_forbids(Response(status, Fields(lines)), parse_cache_control([said]))
    return because and because.reason.slug


@pytest.mark.parametrize(
    ("method", "slug"),
    [
        (b"GET", None),
        (b"HEAD", "head"),
        (b"POST", "post"),
        (b"PUT", "method"),
        (b"DELETE", "method"),
        (b"OPTIONS", "method"),
        (b"TRACE", "method"),
        (b"PATCH", "method"),
        (b"get", "method"),  # methods have case (RFC 9110 §9.1)
        (b"BREW", "method"),
    ],
)
def test_methods(method: bytes, slug: str | None) -> None:
    assert method_slug(method) == slug


def test_a_query_needs_its_content_in_the_key() -> None:
    assert method_slug(b"QUERY") == "query-content"
    assert method_slug(b"QUERY", (b"Content-Length", b"5"), digest=b"\x01" * 32) is None


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (412, b"If-Match"),
        (412, b"If-Unmodified-Since"),
        (412, b"If-None-Match"),
        (416, b"Range"),
        (417, b"Expect"),
        (407, b"Proxy-Authorization"),
    ],
)
def test_a_status_about_one_request_is_stored_where_the_request_had_no_such_field(
    status: int, name: bytes
) -> None:
    response, said = Response(status), parse_cache_control([b"max-age=60"])
    because = status_forbids(response, said, Request(b"GET", b"/", Fields([(name, b"x")])))
    assert because is not None
    assert because.reason.slug == "of-one-request"
    assert status_forbids(response, said, Request(b"GET", b"/")) is None
    assert status_forbids(response, said) == because


@pytest.mark.parametrize(
    ("line", "slug"),
    [
        ((b"Content-Length", b"0"), None),
        ((b"Content-Length", b"000"), None),
        ((b"Content-Length", b"5"), "content-in-get"),
        ((b"Content-Length", b"10"), "content-in-get"),
        ((b"Transfer-Encoding", b"chunked"), "content-in-get"),
    ],
)
def test_content_in_a_get_may_have_poisoned_the_answer(line: tuple[bytes, bytes], slug: str | None) -> None:
    assert method_slug(b"GET", line) == slug


@pytest.mark.parametrize(
    ("status", "slug"),
    [
        (100, "interim"),
        (101, "interim"),
        (103, "interim"),
        (199, "interim"),
        (99, "status-invalid"),
        (600, "status-invalid"),
        (0, "status-invalid"),
        (200, None),
        (204, None),
        (299, None),
        (302, None),
        (304, "not-modified"),
        (404, None),
        (407, "of-one-request"),
        (412, "of-one-request"),
        (416, "of-one-request"),
        (417, "of-one-request"),
        (428, "never-stored-status"),
        (429, "never-stored-status"),
        (431, "never-stored-status"),
        (511, "never-stored-status"),
        (499, None),
        (500, None),
        (599, None),
    ],
)
def test_statuses(status: int, slug: str | None) -> None:
    assert status_slug(status) == slug


@pytest.mark.parametrize(
    ("status", "known"),
    [
        (200, True),
        (206, True),
        (306, False),
        (308, True),
        (418, False),
        (422, True),
        (299, False),
        (599, False),
    ],
)
def test_must_understand_asks_for_a_status_that_is_defined(status: int, known: bool) -> None:
    assert understood(status) == known
    assert status_slug(status, (b"Content-Range", b"bytes 0-1/2"), said=b"must-understand") == (
        None if known else "status-not-understood"
    )


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (b"bytes 0-4/10", True),
        (b"bytes 5-9/10", True),
        (b"bytes 5-5/*", True),
        (b"BYTES 0-4/10", True),
        (b"bytes 5-10/10", False),
        (b"bytes 5-4/10", False),
        (b"bytes */10", False),
        (b"bytes 0-4", False),
        (b"bytes=0-4/10", False),
        (b"bytes 0-4/10, bytes 6-7/10", False),
        (b"lines 0-4/10", False),
        (b"", False),
    ],
)
def test_one_range_of_bytes_is_understood(value: bytes, stored: bool) -> None:
    assert status_slug(206, (b"Content-Range", value)) == (None if stored else "partial-not-understood")


def test_several_ranges_in_one_response_may_be() -> None:
    assert status_slug(206, (b"Content-Type", b"multipart/byteranges; boundary=x")) is None
