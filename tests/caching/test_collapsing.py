from __future__ import annotations

import pytest

from proxy.caching.collapsing import collapse
from proxy.caching.effects import Collapse
from proxy.caching.policy import Policy
from proxy.caching.progress import Progress
from proxy.caching.stored import StoredResponse
from proxy.message.fields import FieldLine, Fields
from proxy.message.request import Request
from proxy.message.response import Response


def asked(
    *lines: FieldLine,
    method: bytes = b"GET",
    forward: str = "uri-miss",
    vary: bytes | None = None,
    **facts: bool,
) -> Collapse | None:
    request = Request(method, b"/", Fields(lines), authority=b"a.example")
    progress = Progress(request, Policy(), forward=forward, **facts)
    if vary is not None:
        response = Response(200, Fields([(b"Vary", vary)]))
        progress.stored.append(StoredResponse(Request(b"GET", b"/"), response, 0.0, 0.0, 0))
    return collapse(progress)


@pytest.mark.parametrize("method", [b"GET", b"QUERY"])
def test_a_plain_request_leads_and_follows(method: bytes) -> None:
    found = asked(method=method)
    assert found is not None
    assert (found.leads, found.follows, found.vain, found.among) == (True, True, False, b"")


@pytest.mark.parametrize(
    "line",
    [
        (b"Range", b"bytes=0-"),
        (b"If-None-Match", b'"1"'),
        (b"If-Modified-Since", b"Sun, 06 Nov 1994 08:49:37 GMT"),
        (b"If-Match", b"*"),
        (b"Cache-Control", b"no-store"),
    ],
)
def test_whose_response_is_for_himself_follows_only(line: FieldLine) -> None:
    found = asked(line)
    assert found is not None
    assert (found.leads, found.follows) == (False, True)
    head = asked(method=b"HEAD")
    assert head is not None
    assert (head.leads, head.follows) == (False, True)


@pytest.mark.parametrize(
    "line", [(b"Cache-Control", b"no-cache"), (b"Cache-Control", b"max-age=0"), (b"Pragma", b"no-cache")]
)
def test_who_wants_it_from_the_origin_leads_only(line: FieldLine) -> None:
    found = asked(line)
    assert found is not None
    assert (found.leads, found.follows) == (True, False)
    assert asked(line, (b"Range", b"bytes=0-")) is None


def test_some_age_is_no_reason_not_to_follow() -> None:
    found = asked((b"Cache-Control", b"max-age=10, min-fresh=5"))
    assert found is not None
    assert found.follows


@pytest.mark.parametrize("forward", ["request", "partial", "method", "bypass"])
def test_what_goes_forward_for_a_reason_of_its_own_goes_alone(forward: str) -> None:
    assert asked(forward=forward) is None
    assert asked(cached=False) is None


def test_without_a_client_it_may_only_lead() -> None:
    found = asked(alone=True, forward="stale")
    assert found is not None
    assert (found.leads, found.follows) == (True, False)


def test_variants_are_told_apart_by_what_vary_nominates() -> None:
    def among(*lines: FieldLine) -> bytes:
        found = asked(*lines, forward="vary-miss", vary=b"Accept-Encoding, Cookie")
        assert found is not None
        return found.among

    gzip = (b"Accept-Encoding", b"gzip, br")
    assert among(gzip) == among((b"Accept-Encoding", b"br;q=1.0,gzip"), (b"User-Agent", b"x"))
    assert len({among(gzip), among(), among(gzip, (b"Cookie", b"a")), among(gzip, (b"Cookie", b"b"))}) == 4
    assert b"secret" not in among((b"Cookie", b"secret"))
    assert asked(forward="vary-miss", vary=b"*") is None


def test_who_has_credentials_is_told_apart_but_not_by_whose() -> None:
    mine, yours, none = asked((b"Authorization", b"a")), asked((b"Authorization", b"b")), asked()
    assert mine == yours != none


def test_what_is_stale_as_it_comes_was_waited_for_in_vain() -> None:
    progress = Progress(Request(b"GET", b"/"), Policy(), forward="stale", collapsed=True)
    found = collapse(progress)
    assert found is not None
    assert found.vain
