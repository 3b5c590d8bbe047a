from proxy.caching.freshness import freshness_lifetime, lifetime_of
from proxy.caching.policy import Policy
from proxy.caching.stored import StoredResponse
from proxy.caching.targeted import effective_directives
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response


def of(*lines: tuple[bytes, bytes]):
    response = Response(200, Fields(lines))
    return freshness_lifetime(
        response, effective_directives(response.fields, Policy()), 1e9, Policy()
    ).reasons


def of_softened(lifetime: bytes):
    response = Response(200, Fields([(b"Cache-Control", lifetime)]))
    stored = StoredResponse(Request(b"GET", b"/"), response, 1e9, 1e9, 0).softened(1e9 + 10)
    return lifetime_of(stored, effective_directives(response.fields, Policy()), Policy()).reasons


EXAMPLES = {
    "s-maxage": lambda: of((b"Cache-Control", b"s-maxage=60")),
    "max-age": lambda: of((b"Cache-Control", b"max-age=60")),
    "expires": lambda: of((b"Expires", b"Sun, 09 Sep 2001 02:00:00 GMT")),
    "expires-ill-formed": lambda: of((b"Expires", b"0")),
    "lifetime-ill-formed": lambda: of((b"Cache-Control", b"max-age=-1")),
    "lifetime-conflicting": lambda: of((b"Cache-Control", b"max-age=60, max-age=1")),
    "heuristic": lambda: of((b"Last-Modified", b"Sun, 09 Sep 2001 01:00:00 GMT")),
    "no-lifetime": lambda: of(),
    "made-stale": lambda: of_softened(b"max-age=60"),
}
