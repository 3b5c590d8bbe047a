"""Stories of responses that are stored or not, and of how long they stay fresh."""

from __future__ import annotations

STORING: dict[str, tuple[str, ...]] = {
    # understood.py
    "method": ("PUT / > 200 | Cache-Control: max-age=60",),
    "head": ("GET / > 200 | Cache-Control: max-age=60", "70 s: HEAD / > 200 | Cache-Control: max-age=60"),
    "post": ("POST / > 200 | Content-Location: / | Last-Modified: Fri, 04 Nov 1994 08:49:37 GMT",),
    "post-as-get": ("POST / > 200 | Content-Location: / | Cache-Control: max-age=60",),
    "query-content": ("QUERY / | (unread content) > 200 | Cache-Control: max-age=60",),
    "content-in-get": ("GET / | Content-Length: 3 > 200 | Cache-Control: max-age=60",),
    "interim": ("GET / > 103 | Link: </style.css>",),
    "status-invalid": ("GET / > 600 | Cache-Control: max-age=60",),
    "not-modified": ('GET / | If-None-Match: "mine" > 304 | ETag: "mine"',),
    "of-one-request": ('GET / | If-Match: "mine" > 412',),
    "never-stored-status": ("GET / > 429 | Cache-Control: max-age=60",),
    "partial-not-understood": ("GET / | Range: lines=1-2 > 206 | Content-Range: lines 1-2/3",),
    "status-not-understood": ("GET / > 599 | Cache-Control: max-age=60, must-understand",),
    # storing.py
    "no-store": ("GET / > 200 | Cache-Control: no-store",),
    "request-no-store": ("GET / | Cache-Control: no-store > 200 | Cache-Control: max-age=60",),
    "must-understand": ("GET / > 200 | Cache-Control: max-age=60, must-understand, no-store",),
    "private": ("GET / > 200 | Cache-Control: private, max-age=60",),
    "authorization": ("GET / | Authorization: Bearer a > 200 | Cache-Control: max-age=60",),
    "authorization-shared": ("GET / | Authorization: Bearer a > 200 | Cache-Control: public, max-age=60",),
    "not-cacheable": ('GET / > 302 | Location: /elsewhere | ETag: "a"',),
    "vary-star": ("GET / > 200 | Cache-Control: max-age=60 | Vary: *",),
    "set-cookie": ("GET / > 200 | Last-Modified: Fri, 04 Nov 1994 08:49:37 GMT | Set-Cookie: id=1",),
    "set-cookie-shared": ("GET / > 200 | Cache-Control: max-age=60 | Set-Cookie: id=1",),
    "cookie-unshared": ("GET / | Cookie: id=1 > 200 | Last-Modified: Fri, 04 Nov 1994 08:49:37 GMT",),
    "unusable": ("GET / > 200 | Cache-Control: max-age=0",),
    # tags.py
    "tags-beyond-limit": ("GET / > 200 | Cache-Control: max-age=60 | (with 300 tags)",),
    # excepted.py
    "fields-withheld": ('GET / > 200 | Cache-Control: max-age=60, private="set-cookie" | Set-Cookie: id=1',),
    "needed-field-listed": ('GET / > 200 | Cache-Control: max-age=60, private="vary" | Vary: Accept',),
    # targeted.py
    "targeted": ("GET / > 200 | CDN-Cache-Control: max-age=600 | Cache-Control: no-store",),
    "targeted-ill-formed": ("GET / > 200 | CDN-Cache-Control: max-age = 600 | Cache-Control: max-age=60",),
    "targeted-empty": ("GET / > 200 | CDN-Cache-Control:  | Cache-Control: max-age=60",),
    # freshness.py
    "s-maxage": ("GET / > 200 | Cache-Control: max-age=60, s-maxage=600",),
    "max-age": ("GET / > 200 | Cache-Control: max-age=60",),
    "expires": ("GET / > 200 | Expires: Sun, 06 Nov 1994 08:50:37 GMT",),
    "expires-ill-formed": ('GET / > 200 | Expires: 0 | ETag: "a"',),
    "lifetime-ill-formed": ('GET / > 200 | Cache-Control: max-age=-1 | ETag: "a"',),
    "lifetime-conflicting": ('GET / > 200 | Cache-Control: max-age=60, max-age=1 | ETag: "a"',),
    "heuristic": ("GET / > 200 | Last-Modified: Fri, 04 Nov 1994 08:49:37 GMT",),
    "no-lifetime": ('GET / > 200 | ETag: "a"',),
    # age.py
    "age-several": ("GET / > 200 | Age: 60, 0",),
    "age-ill-formed": ("GET / > 200 | Age: soon",),
    # ill_formed.py
    "ill-formed": ("GET / > 200 | Cache-Control: max-age=60 | Last-Modified: yesterday",),
    # private_cache.py
    "for-one-user": ("GET / > 200 | Cache-Control: private, max-age=60",),
    "for-shared-caches": ("GET / > 200 | Cache-Control: max-age=60, s-maxage=600",),
    "for-other-caches": ("GET / > 200 | CDN-Cache-Control: max-age=600 | Cache-Control: max-age=60",),
}
