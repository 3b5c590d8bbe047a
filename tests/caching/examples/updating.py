"""Also of invalidation, and of partial responses that are not kept."""

from proxy.caching.invalidation import invalidation
from proxy.caching.policy import Policy
from proxy.caching.stored import StoredResponse
from proxy.caching.updating import freshened, updated_by_head
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response

HELD = StoredResponse(
    Request(b"GET", b"/"),
    Response(200, Fields([(b"ETag", b'"a"'), (b"Cache-Control", b"max-age=60")])),
    0,
    0,
    10,
    complete_length=10,
)


def after_304(*lines):
    return freshened(HELD, Request(b"GET", b"/"), Response(304, Fields(lines)), (0, 0), Policy()).reasons


def after_head(tag):
    response = Response(200, Fields([(b"ETag", tag)]))
    return updated_by_head(HELD, Request(b"HEAD", b"/"), response, (0, 0), Policy()).reasons


def after_post(*lines):
    request = Request(b"POST", b"/", authority=b"example.org")
    return invalidation(request, Response(200, Fields(lines)), (), ())[1]


EXAMPLES = {
    "freshened": after_304,
    "update-not-stored": lambda: after_304((b"Cache-Control", b"no-store")),
    "head-freshened": lambda: after_head(b'"a"'),
    "head-disagrees": lambda: after_head(b'"b"'),
    "target-invalidated": after_post,
    "related-invalidated": lambda: after_post((b"Location", b"/made")),
    "other-origin": lambda: after_post((b"Content-Location", b"//example.net/")),
    "groups-invalidated": lambda: after_post((b"Cache-Group-Invalidation", b'"a"')),
}
