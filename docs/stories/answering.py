"""Stories of requests that meet a stored response."""

from __future__ import annotations

_A_MINUTE = "GET / > 200 | Cache-Control: max-age=60"
_TAGGED = 'GET / > 200 | Cache-Control: max-age=60 | ETag: "a"'
_AGAIN = "> 200 | Cache-Control: max-age=60"

ANSWERING: dict[str, tuple[str, ...]] = {
    # reuse.py
    "nothing-stored": (_A_MINUTE,),
    "fresh": (_A_MINUTE, "10 s: GET /"),
    "stale": (_TAGGED, '70 s: GET / > 304 | ETag: "a"'),
    "response-no-cache": (
        'GET / > 200 | Cache-Control: no-cache | ETag: "a"',
        '10 s: GET / > 304 | ETag: "a"',
    ),
    "invalidated": (_TAGGED, '70 s: HEAD / > 200 | ETag: "b"', f'GET / {_AGAIN} | ETag: "b"'),
    "request-no-cache": (_TAGGED, '10 s: GET / | Cache-Control: no-cache > 304 | ETag: "a"'),
    "pragma-no-cache": (_TAGGED, '10 s: GET / | Pragma: no-cache > 304 | ETag: "a"'),
    "request-max-age": (_TAGGED, '10 s: GET / | Cache-Control: max-age=5 > 304 | ETag: "a"'),
    "request-min-fresh": (_TAGGED, '10 s: GET / | Cache-Control: min-fresh=55 > 304 | ETag: "a"'),
    "other-credentials": (
        "GET / > 401 | Cache-Control: max-age=60 | WWW-Authenticate: Basic",
        f"10 s: GET / | Authorization: Basic eDp5 {_AGAIN}",
    ),
    "only-if-cached": ("GET / | Cache-Control: only-if-cached",),
    "incomplete": (
        'GET / | Range: bytes=0-4 > 206 | Cache-Control: max-age=60 | ETag: "a"'
        " | Content-Range: bytes 0-4/10 | Content-Length: 5",
        '10 s: GET / > 206 | Cache-Control: max-age=60 | ETag: "a"'
        " | Content-Range: bytes 5-9/10 | Content-Length: 5",
    ),
    # vary.py
    "vary-any": ("GET / > 200 | Cache-Control: max-age=60 | Vary: Accept, *",),
    "vary-ill-formed": (
        "GET / > 200 | Cache-Control: max-age=60 | Vary: Accept Language",
        f"10 s: GET / {_AGAIN}",
    ),
    "vary-mismatch": (
        "GET / | Accept: text/html > 200 | Cache-Control: max-age=60 | Vary: Accept",
        f"10 s: GET / | Accept: text/csv {_AGAIN} | Vary: Accept",
    ),
    "selected": (
        "GET / | Accept: text/html > 200 | Cache-Control: max-age=60 | Vary: Accept",
        "10 s: GET / | Accept: text/html",
    ),
    # immutable.py
    "immutable": (
        "GET / > 200 | Cache-Control: max-age=60, immutable",
        "10 s: GET / | Cache-Control: max-age=0",
    ),
    # answering.py
    "client-up-to-date": (_TAGGED, '10 s: GET / | If-None-Match: "a"'),
    "range-from-stored": (_A_MINUTE, "10 s: GET / | Range: bytes=0-4"),
    "range-unsatisfiable": (_A_MINUTE, "10 s: GET / | Range: bytes=10-"),
    "range-ignored": (_A_MINUTE, "10 s: GET / | Range: lines=0-1"),
    # stale.py
    "stale-while-revalidate": (
        "GET / > 200 | Cache-Control: max-age=60, stale-while-revalidate=30",
        "70 s: GET /",
    ),
    "past-stale-while-revalidate": (
        "GET / > 200 | Cache-Control: max-age=60, stale-while-revalidate=30",
        f"100 s: GET / {_AGAIN}",
    ),
    "made-stale": (_TAGGED, "10 s: (a soft purge)", '5 s: GET / > 304 | ETag: "a"'),
    "no-stale-while-revalidate": (_A_MINUTE, f"70 s: GET / {_AGAIN}"),
    "stale-if-error": (
        "GET / > 200 | Cache-Control: max-age=60, stale-if-error=600",
        "70 s: GET / > 503",
    ),
    "past-stale-if-error": (
        "GET / > 200 | Cache-Control: max-age=60, stale-if-error=600",
        "700 s: GET / > 503",
    ),
    "no-stale-if-error": (_A_MINUTE, "70 s: GET / > 503"),
    "disconnected": (_A_MINUTE, "70 s: GET / > unreachable"),
    "past-stale-limit": (_A_MINUTE, "90000 s: GET / > unreachable"),
    "max-stale": (_A_MINUTE, "70 s: GET / | Cache-Control: max-stale=60"),
    "past-max-stale": (_A_MINUTE, f"130 s: GET / | Cache-Control: max-stale=60 {_AGAIN}"),
    "no-max-stale": (_A_MINUTE, f"70 s: GET / {_AGAIN}"),
    "must-revalidate": (
        "GET / > 200 | Cache-Control: max-age=60, must-revalidate",
        "70 s: GET / > unreachable",
    ),
    "proxy-revalidate": (
        "GET / > 200 | Cache-Control: max-age=60, proxy-revalidate",
        "70 s: GET / > unreachable",
    ),
    "s-maxage-when-stale": ("GET / > 200 | Cache-Control: s-maxage=60", "70 s: GET / > unreachable"),
    "no-cache-when-stale": (
        'GET / > 200 | Cache-Control: no-cache | ETag: "a"',
        "70 s: GET / > unreachable",
    ),
    "invalidated-when-stale": (_TAGGED, '70 s: HEAD / > 200 | ETag: "b"', "GET / > unreachable"),
    "request-refuses-stale": (_A_MINUTE, "70 s: GET / | Cache-Control: max-age=90 > unreachable"),
}
