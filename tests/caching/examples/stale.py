from proxy.caching.policy import Policy
from proxy.caching.stale import Why, may_serve_stale
from proxy.caching.stored import StoredResponse
from proxy.caching.targeted import effective_directives
from proxy.message.cache_control import parse_cache_control
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response


def of(said: bytes, why: Why, staleness: float = 30, wished: bytes = b"", invalidated: bool = False):
    fields = Fields([(b"Cache-Control", said)])
    request = Request(b"GET", b"/")
    stored = StoredResponse(
        request, Response(200, fields), 0, 0, 0, complete_length=0, invalidated=invalidated
    )
    effective = effective_directives(fields, Policy())
    return may_serve_stale(stored, effective, parse_cache_control([wished]), staleness, why, Policy()).reasons


EXAMPLES = {
    "no-cache-when-stale": lambda: of(b"no-cache", Why.UNREACHED),
    "must-revalidate": lambda: of(b"max-age=60, must-revalidate", Why.UNREACHED),
    "proxy-revalidate": lambda: of(b"max-age=60, proxy-revalidate", Why.UNREACHED),
    "s-maxage-when-stale": lambda: of(b"s-maxage=60", Why.UNREACHED),
    "invalidated-when-stale": lambda: of(b"max-age=60", Why.UNREACHED, invalidated=True),
    "request-refuses-stale": lambda: of(b"max-age=60", Why.UNREACHED, wished=b"max-age=0"),
    "stale-while-revalidate": lambda: of(b"stale-while-revalidate=60", Why.REVALIDATING),
    "past-stale-while-revalidate": lambda: of(b"stale-while-revalidate=5", Why.REVALIDATING),
    "no-stale-while-revalidate": lambda: of(b"max-age=60", Why.REVALIDATING),
    "stale-if-error": lambda: of(b"stale-if-error=60", Why.ERROR),
    "past-stale-if-error": lambda: of(b"stale-if-error=5", Why.ERROR),
    "no-stale-if-error": lambda: of(b"max-age=60", Why.ERROR),
    "disconnected": lambda: of(b"max-age=60", Why.UNREACHED),
    "past-stale-limit": lambda: of(b"max-age=60", Why.UNREACHED, staleness=1e6),
    "max-stale": lambda: of(b"max-age=60", Why.REQUESTED, wished=b"max-stale"),
    "past-max-stale": lambda: of(b"max-age=60", Why.REQUESTED, wished=b"max-stale=5"),
    "no-max-stale": lambda: of(b"max-age=60", Why.REQUESTED),
}
