"""Also of selecting by `vary`, and of answering with what was selected."""

from proxy.caching.answering import answer
from proxy.caching.policy import Policy
from proxy.caching.reuse import decide
from proxy.caching.stored import StoredResponse
from proxy.caching.vary import selects
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response


def stored(said=b"max-age=60", *lines, first=0, invalidated=False, status=200):
    fields = Fields([(b"Cache-Control", said), (b"Date", b"Thu, 01 Jan 1970 00:00:00 GMT"), *lines])
    held = Response(status, fields)
    return StoredResponse(Request(b"GET", b"/"), held, 0, 0, 10 - first, first, 10, invalidated)


def asking(*lines):
    return Request(b"GET", b"/", Fields(lines))


def decided(*held, now=10, wished=b"", lines=()):
    request = asking(*lines, *([(b"Cache-Control", wished)] if wished else []))
    return decide(request, held, now, Policy()).reasons


def selected(vary, *lines):
    return selects(stored(b"", (b"Vary", vary)), asking(*lines))[1]


def answered(*lines):
    held = stored(b"max-age=60", (b"ETag", b'"a"'))
    return answer(asking(*lines), held, held, 10)[2]


EXAMPLES = {
    "nothing-stored": decided,
    "fresh": lambda: decided(stored()),
    "stale": lambda: decided(stored(), now=70),
    "response-no-cache": lambda: decided(stored(b"no-cache")),
    "invalidated": lambda: decided(stored(invalidated=True)),
    "request-no-cache": lambda: decided(stored(), wished=b"no-cache"),
    "pragma-no-cache": lambda: decided(stored(), lines=[(b"Pragma", b"no-cache")]),
    "request-max-age": lambda: decided(stored(), wished=b"max-age=9"),
    "request-min-fresh": lambda: decided(stored(), wished=b"min-fresh=51"),
    "other-credentials": lambda: decided(stored(status=401), lines=[(b"Authorization", b"Basic eDp5")]),
    "only-if-cached": lambda: decided(wished=b"only-if-cached"),
    "incomplete": lambda: decided(stored(first=5)),
    "vary-any": lambda: selected(b"Accept, *"),
    "vary-ill-formed": lambda: selected(b"Accept Language"),
    "vary-mismatch": lambda: selected(b"Accept", (b"Accept", b"text/html")),
    "selected": lambda: selected(b"Accept"),
    "client-up-to-date": lambda: answered((b"If-None-Match", b'"a"')),
    "range-from-stored": lambda: answered((b"Range", b"bytes=0-1")),
    "range-unsatisfiable": lambda: answered((b"Range", b"bytes=10-")),
    "range-ignored": lambda: answered((b"Range", b"lines=0-1")),
}
