"""Stories of what the origin server's answers do to what is stored."""

from __future__ import annotations

_TAGGED = 'GET / > 200 | Cache-Control: max-age=60 | ETag: "a"'
_PART = "Content-Range: bytes 5-9/10 | Content-Length: 5"

UPSTREAM: dict[str, tuple[str, ...]] = {
    # asking.py
    "written-through": ("OPTIONS / > 204 | Allow: GET",),
    "bypassed": ("GET / | Content-Length: 3 > 200 | Cache-Control: max-age=60",),
    "upgrade": ("GET / | Upgrade: websocket > 426 | Connection: close",),
    "unexpected-answer": (_TAGGED, '70 s: GET / > 412 > 200 | ETag: "b"'),
    "waited": ("GET / > waits, 200 | Cache-Control: max-age=60",),
    # ending.py
    "unreached": ("GET / > unreachable",),
    # hearing.py
    "client-condition": ('GET / | If-None-Match: "mine" > 304 | ETag: "mine"',),
    "variant-validated": (
        'GET / | Accept: text/html > 200 | Cache-Control: max-age=60 | Vary: Accept | ETag: "a"',
        '10 s: GET / | Accept: text/* > 304 | ETag: "a"',
    ),
    # placing.py
    "part-not-kept": (
        "GET / > 206 | Cache-Control: max-age=60 | Content-Range: bytes 5-9/* | Content-Length: 5",
    ),
    "held-already": (
        _TAGGED,
        "10 s: GET / | Range: bytes=5-9 | Cache-Control: no-cache"
        f' > 206 | Cache-Control: max-age=60 | ETag: "a" | {_PART}',
    ),
    # updating.py
    "freshened": (_TAGGED, '70 s: GET / > 304 | ETag: "a"'),
    "not-identified": (_TAGGED, '70 s: GET / > 304 | ETag: "b" > 200 | ETag: "b"'),
    "update-not-stored": (_TAGGED, '70 s: GET / > 304 | ETag: "a" | Cache-Control: no-store'),
    "head-freshened": (_TAGGED, '70 s: HEAD / > 200 | ETag: "a"'),
    "head-disagrees": (_TAGGED, '70 s: HEAD / > 200 | ETag: "b"'),
    "outdated": (
        _TAGGED,
        '10 s: GET / | Cache-Control: no-cache > 200 | ETag: "b" | Cache-Control: no-store',
    ),
    # invalidation.py
    "target-invalidated": (_TAGGED, "POST / > 200"),
    "related-invalidated": (_TAGGED, "POST / > 201 | Location: /made"),
    "other-origin": (_TAGGED, "POST / > 200 | Content-Location: https://example.net/"),
    "groups-invalidated": (
        'GET / > 200 | Cache-Control: max-age=60 | Cache-Groups: "news"',
        'POST /news > 200 | Cache-Group-Invalidation: "news"',
    ),
}
