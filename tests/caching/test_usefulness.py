"""Until when a stored response is worth its room."""

from __future__ import annotations

import pytest

from proxy.caching.policy import Policy
from proxy.caching.stored import StoredResponse
from proxy.caching.usefulness import useful_until
from proxy.message.dates import format_date
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response

NOON = 1_700_000_000


def until(said, *lines):
    fields = Fields([(b"Date", format_date(NOON)), (b"Cache-Control", said), *lines])
    stored = StoredResponse(Request(b"GET", b"/"), Response(200, fields), NOON, NOON, 1, complete_length=1)
    return useful_until(stored, Policy(stale_limit=100))


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (b"max-age=60", 160),
        (b"max-age=60, stale-if-error=500", 560),
        (b"max-age=60, stale-while-revalidate=30", 160),
        (b"max-age=0", 100),
    ],
)
def test_what_has_no_validator_is_of_use_for_a_while(said, seconds):
    assert until(said) == NOON + seconds


def test_its_age_when_it_came_counts():
    assert until(b"max-age=60", (b"Age", b"50")) == NOON + 110
    assert until(b"max-age=60", (b"Age", b"900")) == NOON


@pytest.mark.parametrize("line", [(b"ETag", b'"a"'), (b"Last-Modified", format_date(NOON - 9))])
def test_what_can_be_validated_always_is(line):
    assert until(b"max-age=60", line) is None
