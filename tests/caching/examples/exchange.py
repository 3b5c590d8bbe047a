"""Whole exchanges: each is told beforehand what its effects will bring, in order."""

from msgspec.structs import replace

from proxy.caching.effects import Arrived, Found, Unreached
from proxy.caching.exchange import exchange
from proxy.caching.policy import Policy
from proxy.caching.stored import StoredResponse
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response

FRESHNESS = (b"Cache-Control", b"max-age=60")
TAG = (b"ETag", b'"a"')
NONE = Found((), 0)


def asking(*lines, method=b"GET"):
    return Request(method, b"/", Fields(lines), authority=b"example.org")


def held(*lines, first=0, length=10, asked=()):
    fields = Fields([FRESHNESS, TAG, *lines])
    return Found([StoredResponse(asking(*asked), Response(200, fields), 0, 0, length, first, 10)], 100)


def came(status, *lines, length=5):
    return Arrived(Response(status, Fields(lines)), 100, 100, length)


def reasons(request, *results, bypass=False):
    rules = exchange(request, Policy(), bypass=bypass)
    left = list(results)
    result = None
    while True:
        try:
            rules.send(result)
        except StopIteration as end:
            assert not left
            return end.value.decision.reasons
        result = left.pop(0)


PART = (b"Content-Range", b"bytes 5-9/10")

EXAMPLES = {
    "written-through": lambda: reasons(asking(method=b"OPTIONS"), came(200)),
    "bypassed": lambda: reasons(asking(), came(200), bypass=True),
    "upgrade": lambda: reasons(asking((b"Upgrade", b"websocket")), came(426)),
    "outdated": lambda: reasons(asking(), held(), NONE, came(200, (b"Cache-Control", b"no-store")), None),
    "unexpected-answer": lambda: reasons(asking(), held(), NONE, came(412), came(200)),
    "unreached": lambda: reasons(asking(), NONE, NONE, Unreached(502, "refused", 0)),
    "waited": lambda: reasons(asking(), NONE, NONE, replace(held(), now=0), NONE),
    "not-identified": lambda: reasons(asking(), held(), NONE, came(304, (b"ETag", b'"b"')), came(200)),
    "client-condition": lambda: reasons(asking((b"If-None-Match", b'"b"')), NONE, NONE, came(304)),
    "variant-validated": lambda: reasons(
        asking((b"Accept", b"a/b")), held((b"Vary", b"Accept")), NONE, came(304, TAG)
    ),
    "part-not-kept": lambda: reasons(
        asking(), NONE, NONE, came(206, FRESHNESS, (b"Content-Range", b"bytes 5-9/*"))
    ),
    "held-already": lambda: reasons(
        asking((b"Range", b"bytes=5-")), held(), NONE, came(206, FRESHNESS, TAG, PART)
    ),
}
