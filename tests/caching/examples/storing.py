"""Also of the rules that storing composes: `understood` and `excepted`."""

from proxy.caching.policy import Policy
from proxy.caching.storing import decide_storing
from proxy.caching.understood import method_forbids
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response

FRESH = b"max-age=60"
COOKIE = (b"Set-Cookie", b"a=b")
AUTHORIZATION = (b"Authorization", b"Basic eDp5")


def of(
    said: bytes = FRESH,
    *lines: tuple[bytes, bytes],
    status: int = 200,
    method: bytes = b"GET",
    wished: tuple[tuple[bytes, bytes], ...] = (),
    authority: bytes = b"",
):
    request = Request(method, b"/", Fields(wished), authority=authority)
    response = Response(status, Fields([(b"Cache-Control", said), *lines]))
    return decide_storing(request, response, request_time=0, response_time=0, policy=Policy()).reasons


EXAMPLES = {
    "method": lambda: of(method=b"PUT"),
    "head": lambda: (method_forbids(Request(b"HEAD", b"/")),),
    "post": lambda: of(method=b"POST"),
    "post-as-get": lambda: of(FRESH, (b"Content-Location", b"/"), method=b"POST", authority=b"a"),
    "query-content": lambda: of(method=b"QUERY"),
    "content-in-get": lambda: of(wished=((b"Content-Length", b"3"),)),
    "interim": lambda: of(status=103),
    "status-invalid": lambda: of(status=600),
    "not-modified": lambda: of(status=304),
    "of-one-request": lambda: of(status=412, wished=((b"If-Match", b'"a"'),)),
    "never-stored-status": lambda: of(status=429),
    "partial-not-understood": lambda: of(FRESH, (b"Content-Range", b"lines 1-2/3"), status=206),
    "status-not-understood": lambda: of(b"max-age=60, must-understand", status=599),
    "no-store": lambda: of(b"no-store"),
    "request-no-store": lambda: of(wished=((b"Cache-Control", b"no-store"),)),
    "must-understand": lambda: of(b"max-age=60, must-understand, no-store"),
    "private": lambda: of(b"private"),
    "authorization": lambda: of(wished=(AUTHORIZATION,)),
    "authorization-shared": lambda: of(b"public, max-age=60", wished=(AUTHORIZATION,)),
    "not-cacheable": lambda: of(b"", status=201),
    "fields-withheld": lambda: of(b'max-age=60, private="set-cookie"', COOKIE),
    "needed-field-listed": lambda: of(b'max-age=60, private="vary"'),
    "vary-star": lambda: of(FRESH, (b"Vary", b"*")),
    "set-cookie": lambda: of(b"", COOKIE, (b"Last-Modified", b"Sun, 09 Sep 1962 01:00:00 GMT")),
    "set-cookie-shared": lambda: of(FRESH, COOKIE),
    "cookie-unshared": lambda: of(b"", (b"ETag", b'"a"'), wished=((b"Cookie", b"id=1"),)),
    "unusable": lambda: of(b"max-age=0"),
}
