from __future__ import annotations

import pytest

from proxy.caching.immutable import spares_validation
from proxy.caching.policy import Policy
from proxy.caching.stored import StoredResponse
from proxy.caching.targeted import effective_directives
from proxy.message.cache_control import parse_cache_control
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response


def spared(
    said: bytes = b"max-age=60, immutable",
    wished: bytes = b"max-age=0",
    *,
    fresh: bool = True,
    length: int = 3,
    invalidated: bool = False,
) -> bool:
    fields = Fields([(b"Cache-Control", said)])
    stored = StoredResponse(
        Request(b"GET", b"/"), Response(200, fields), 0, 0, length, complete_length=3, invalidated=invalidated
    )
    effective = effective_directives(fields, Policy())
    return spares_validation(stored, effective, parse_cache_control([wished]), fresh) is not None


def test_a_reload_is_spared() -> None:
    assert spared()


@pytest.mark.parametrize("said", [b"immutable=1", b'Immutable="x"', b"immutable, immutable"])
def test_arguments_and_repetition_mean_nothing(said: bytes) -> None:
    assert spared(said)


def test_not_without_the_directive() -> None:
    assert not spared(b"max-age=60")
    assert not spared(b"max-age=60", b"max-age=0, immutable")


def test_not_once_it_is_stale() -> None:
    assert not spared(fresh=False)


@pytest.mark.parametrize("wished", [b"no-cache", b"max-age=0, no-cache", b"max-age=0, min-fresh=5"])
def test_not_where_the_request_asks_for_more_than_a_reload_does(wished: bytes) -> None:
    assert not spared(wished=wished)


def test_not_where_the_response_itself_asks_for_validation() -> None:
    assert not spared(b"max-age=60, immutable, no-cache")
    assert spared(b'max-age=60, immutable, no-cache="set-cookie"')


def test_not_what_is_incomplete_or_was_invalidated() -> None:
    assert not spared(length=2)
    assert not spared(invalidated=True)
