from proxy.caching.policy import Policy
from proxy.caching.private_cache import decide_storing_privately
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response


def of(*lines):
    return decide_storing_privately(
        Request(b"GET", b"/"),
        Response(200, Fields(lines)),
        request_time=0,
        response_time=0,
        policy=Policy(),
    ).reasons


EXAMPLES = {
    "for-one-user": lambda: of((b"Cache-Control", b"private, max-age=60")),
    "for-shared-caches": lambda: of((b"Cache-Control", b"max-age=60, s-maxage=600")),
    "for-other-caches": lambda: of((b"CDN-Cache-Control", b"max-age=600"), (b"Cache-Control", b"max-age=60")),
}
