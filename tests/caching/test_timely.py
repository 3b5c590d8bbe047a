"""What the time has to do with a response that is passed on."""

from __future__ import annotations

import pytest

from proxy.caching.policy import Policy
from proxy.caching.timely import timely
from proxy.message.fields import Fields
from proxy.message.response import Response

NOON = 784_111_777.0
DATE = (b"Date", b"Sun, 06 Nov 1994 08:49:37 GMT")


@pytest.mark.parametrize(
    ("lines", "asked", "had", "expected"),
    [
        ([], 0, 1, (None, False, False)),
        ([(b"Cache-Control", b"max-age=60")], 0, 1.5, (58, True, True)),
        ([(b"Cache-Control", b"max-age=60"), (b"Age", b"70")], 0, 1.5, (-12, False, True)),
        ([(b"Cache-Control", b"max-age=0")], 0, 0.5, (-1, False, False)),
        ([(b"Expires", b"0")], 0, 0.5, (-1, False, False)),
        ([(b"Expires", b"Sun, 06 Nov 1994 08:50:37 GMT")], 0, 0.5, (59, True, True)),
        ([(b"Last-Modified", b"Sun, 06 Nov 1994 08:32:57 GMT")], 0, 0.5, (None, True, True)),
    ],
)
def test_freshness_on_arrival(lines, asked, had, expected):
    response = Response(200, Fields([DATE, *lines]))
    assert timely(response, NOON + asked, NOON + had, Policy()) == expected
