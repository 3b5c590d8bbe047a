"""Freshness lifetimes from max-age, s-maxage, Expires and Last-Modified (RFC 9111 §4.2, §5.3)."""

from __future__ import annotations

import pytest

from tests.conformance.judge import Bench, carry_out
from tests.conformance.script import At, Case, ask, case, fresh, not_reused, reply, reused

FUTURE_DATES = {
    "an IMF-fixdate": At(3600),
    "an rfc850-date": At(3600, "rfc850"),
    "an asctime-date": At(3600, "asctime"),
    "a month in small letters": At(3600, "%a, %d aug 2050 %H:%M:%S GMT"),
    "a month in capitals": At(3600, "%a, %d AUG 2050 %H:%M:%S GMT"),
    "a weekday in small letters": At(3600, "thu, %d %b %Y %H:%M:%S GMT"),
    "a weekday in capitals": At(3600, "THU, %d %b %Y %H:%M:%S GMT"),
    "a zone in small letters": At(3600, "%a, %d %b %Y %H:%M:%S gmt"),
    "a zone of mixed case": At(3600, "%a, %d %b %Y %H:%M:%S Gmt"),
    "a date beyond 31 bits": At(0, "Thu, 18 Aug 2050 02:01:18 GMT"),
    "a date beyond 32 bits": At(0, "Thu, 18 Aug 2150 02:01:18 GMT"),
    "the last date of all": At(0, "Fri, 31 Dec 9999 23:59:59 GMT"),
}

INVALID_DATES = (
    "0",
    "-1",
    "never",
    "",
    "3600",
    "4102444800",
    "Thu, 18 Aug 2050 02:01:18",
    "Thu, 18 Aug 2050 02:01:18 UTC",
    "Thu, 18 Aug 2050 02:01:18 Z",
    "Thu, 18 Aug 2050 02:01:18 EST",
    "Thu, 18 Aug 2050 02:01:18 AEST",
    "Thu, 18 Aug 2050 02:01:18 PDT",
    "Thu, 18 Aug 2050 02:01:18 +0000",
    "Thu, 18 Aug 2050 02:01:18 GMT+1",
    "Thu, 18 Aug 2050 02:01:18 GMT-0500",
    "Thu, 18 Aug 2050 2:01:18 GMT",
    "Thu, 18 Aug 2050 02:01 GMT",
    "Thu, 18 Aug 2050 02.01.18 GMT",
    "Thu, 18 Aug 2050 02:1:18 GMT",
    "Thu, 18 Aug 2050 24:00:00 GMT",
    "Thu, 18 Aug 2050 02:60:18 GMT",
    "Thu, 18 Aug 2050 02:01:61 GMT",
    "Thu, 8 Aug 2050 02:01:18 GMT",
    "Thu, 18 Aug 50 02:01:18 GMT",
    "Thu, 18 08 2050 02:01:18 GMT",
    "Thu, 18 August 2050 02:01:18 GMT",
    "Thursday, 18 Aug 2050 02:01:18 GMT",
    "Thu, 18-Aug-2050 02:01:18 GMT",
    "Thu, 18 Aug-2050 02:01:18 GMT",
    "Thu 18 Aug 2050 02:01:18 GMT",
    "Thu,18 Aug 2050 02:01:18 GMT",
    "Thu,  18 Aug 2050 02:01:18 GMT",
    "Thu, 18  Aug 2050 02:01:18 GMT",
    "Thu, 18 Aug 2050  02:01:18 GMT",
    "Thu, 18 Aug 2050 02:01:18  GMT",
    "Thu, 18 Aug 2050 02:01:18GMT",
    "Thu, 31 Feb 2050 02:01:18 GMT",
    "Thu, 00 Aug 2050 02:01:18 GMT",
    "Thu, 32 Aug 2050 02:01:18 GMT",
    "Foo, 18 Aug 2050 02:01:18 GMT",
    "18 Aug 2050 02:01:18 GMT",
    "Thu, 18 Aug 2050",
    "Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:18 GMT",
    "Thu, 18 Aug 2050 02:01:18 GMT; foo",
    '"Thu, 18 Aug 2050 02:01:18 GMT"',
    "2050-08-18T02:01:18Z",
    "2050-08-18 02:01:18",
    "Thu, 18 Aug 0000 02:01:18 GMT",
    "Thu, 18 Aug 20500 02:01:18 GMT",
    "Thu, -8 Aug 2050 02:01:18 GMT",
    "@4102444800",
)

FAR = "Thu, 18 Aug 2050 02:01:18 GMT"
SECTION = "RFC 9111 §5.3"

EXPIRES = [
    *(reused(SECTION, f"Expires is {what}", reply(Expires=value)) for what, value in FUTURE_DATES.items()),
    *(not_reused(SECTION, f"Expires: {value or 'nothing'}", reply(Expires=value)) for value in INVALID_DATES),
    *(
        not_reused(
            SECTION,
            f"Expires: {value or 'nothing'} allows no heuristic",
            reply(Expires=value, Last_Modified=At(-(10**8))),
        )
        for value in ("0", "", "-1", "Thu, 18 Aug 2050 02:01:18 EST")
    ),
    not_reused(SECTION, "Expires in the past", reply(Expires=At(-3600))),
    not_reused(SECTION, "Expires is now", reply(Expires=At(0))),
    not_reused(SECTION, "Expires equals Date", reply(Expires=At(300), date=At(300))),
    not_reused(SECTION, "Expires before Date, both in the future", reply(Expires=At(300), date=At(400))),
    not_reused(SECTION, "Expires in 1970", reply(Expires="Thu, 01 Jan 1970 00:00:00 GMT")),
    not_reused(SECTION, "Expires in 1994", reply(Expires="Thu, 01 Dec 1994 16:00:00 GMT")),
    not_reused(
        SECTION, "an rfc850-date of the last century", reply(Expires="Sunday, 06-Nov-94 08:49:37 GMT")
    ),
    reused(SECTION, "Expires counts from Date, which is fast", reply(Expires=At(7200), date=At(3600))),
    not_reused(SECTION, "Age beyond Expires less Date", reply(Expires=At(3600), Age="7200")),
    not_reused(
        SECTION,
        "Age beyond Expires less Date, which is fast",
        reply(Expires=At(7200), date=At(3600), Age="3700"),
    ),
    not_reused(
        SECTION,
        "Age beyond Expires less Date, which is slow",
        reply(Expires=At(3600), date=At(-60), Age="3700"),
    ),
    reused(
        SECTION,
        "Age within Expires less Date, which is fast",
        reply(Expires=At(7200), date=At(3600), Age="3000"),
    ),
    reused(SECTION, "Expires without Date counts from reception", reply(Expires=At(3600), date=None)),
    not_reused(SECTION, "Expires in the past without Date", reply(Expires=At(-10), date=None)),
    reused(
        SECTION, "Expires with an invalid Date counts from reception", reply(Expires=At(3600), date="foo")
    ),
    reused(SECTION, "Expires with a Date in the rfc850 form", reply(Expires=At(3600), date=At(0, "rfc850"))),
    not_reused(
        SECTION,
        "two lines, the first in the past",
        reply(lines=[("Expires", At(-3600)), ("Expires", At(3600))]),
    ),
    reused(SECTION, "two lines that are equal", reply(lines=[("Expires", At(3600)), ("Expires", At(3600))])),
    not_reused(
        SECTION, "two lines, the second invalid", reply(lines=[("Expires", At(3600)), ("Expires", "0")])
    ),
    not_reused(
        SECTION, "two lines, the first invalid", reply(lines=[("Expires", "0"), ("Expires", At(3600))])
    ),
    reused("RFC 9111 §4.2.1", "max-age before a past Expires", fresh(Expires=At(-3600))),
    reused("RFC 9111 §4.2.1", "max-age before an invalid Expires", fresh(Expires="0")),
    not_reused("RFC 9111 §4.2.1", "max-age=0 before a future Expires", reply("max-age=0", Expires=FAR)),
    not_reused(
        "RFC 9111 §4.2.1", "an invalid max-age before a future Expires", reply("max-age=x", Expires=FAR)
    ),
    reused("RFC 9111 §4.2.1", "s-maxage before a past Expires", reply("s-maxage=60", Expires=At(-3600))),
    not_reused("RFC 9111 §4.2.1", "s-maxage=0 before a future Expires", reply("s-maxage=0", Expires=FAR)),
    reused(SECTION, "Expires with other directives", reply("foobar, no-transform", Expires=FAR)),
    not_reused(SECTION, "no-store before Expires", reply("no-store", Expires=FAR)),
    not_reused(SECTION, "private before Expires", reply("private", Expires=FAR)),
    not_reused(SECTION, "no-cache before Expires", reply("no-cache", Expires=FAR)),
]

SECTION = "RFC 9111 §4.2.1"

STATED = [
    reused(SECTION, "s-maxage before max-age", reply("max-age=60, s-maxage=3600", Age="1800")),
    reused(
        SECTION,
        "s-maxage before max-age in another line",
        reply("max-age=60", lines=[("Cache-Control", "s-maxage=3600")], Age="1800"),
    ),
    not_reused(SECTION, "s-maxage is shorter than max-age", reply("max-age=3600, s-maxage=60", Age="1800")),
    not_reused(SECTION, "s-maxage is shorter than Expires", reply("s-maxage=60", Expires=FAR, Age="1800")),
    reused(SECTION, "max-age is longer than Expires", reply("max-age=3600", Expires=At(60), Age="1800")),
    not_reused(SECTION, "max-age is shorter than Expires", reply("max-age=60", Expires=FAR, Age="1800")),
    not_reused(SECTION, "no-cache before max-age", reply("max-age=3600, no-cache")),
    reused(SECTION, "public and max-age", reply("public, max-age=3600")),
    not_reused(SECTION, "public and max-age=0", reply("public, max-age=0", Last_Modified=At(-(10**8)))),
    case(
        "RFC 9111 §4.2",
        "stale once it is older than it may be",
        ask(reply("max-age=3", Age="1")),
        ask(reply(), wait=2.1),
    ),
    case(
        "RFC 9211 §2.4",
        "ttl tells what is left",
        ask(fresh(Age="100")),
        ask(has={"Cache-Status": lambda v: "ttl=3499" in v or "ttl=3500" in v}),
    ),
]

SECTION = "RFC 9111 §4.2.2"
LONG = At(-(10**8))

HEURISTIC = [
    reused(SECTION, "Last-Modified long ago", reply(Last_Modified=LONG)),
    reused(SECTION, "Last-Modified in the rfc850 form", reply(Last_Modified=At(-(10**8), "rfc850"))),
    reused(SECTION, "Last-Modified in the asctime form", reply(Last_Modified=At(-(10**8), "asctime"))),
    reused(
        SECTION,
        "a tenth of the time since the last change is not over",
        reply(Last_Modified=At(-36000), Age="3000"),
    ),
    not_reused(
        SECTION,
        "a tenth of the time since the last change is over",
        reply(Last_Modified=At(-36000), Age="3700"),
    ),
    not_reused(SECTION, "no more than a day", reply(Last_Modified=LONG, Age="90000")),
    not_reused(SECTION, "just changed", reply(Last_Modified=At(0))),
    not_reused(SECTION, "changed in the future", reply(Last_Modified=At(3600))),
    not_reused(SECTION, "changed at no time", reply(Last_Modified="foo")),
    not_reused(SECTION, "nothing to go by", reply(None)),
    not_reused(SECTION, "an entity tag tells no time", reply(ETag='"x"')),
    case(
        SECTION,
        "also for a target with a query",
        ask(reply(Last_Modified=LONG), path="?a=b"),
        ask(path="?a=b"),
    ),
    reused(SECTION, "with must-revalidate", reply("must-revalidate", Last_Modified=LONG)),
    reused(SECTION, "with public", reply("public", Last_Modified=LONG)),
    reused(SECTION, "with directives nobody knows", reply("foobar", Last_Modified=LONG)),
    not_reused(SECTION, "not with no-cache", reply("no-cache", Last_Modified=LONG)),
    not_reused(SECTION, "not with no-store", reply("no-store", Last_Modified=LONG)),
    not_reused(SECTION, "not with private", reply("private", Last_Modified=LONG)),
    not_reused(SECTION, "not with max-age=0", reply("max-age=0", Last_Modified=LONG)),
    not_reused(SECTION, "not with an invalid max-age", reply("max-age=x", Last_Modified=LONG)),
    not_reused(SECTION, "not with a past Expires", reply(Expires=At(-10), Last_Modified=LONG)),
    reused(SECTION, "counted from Date", reply(Last_Modified=At(-36000), date=At(-60))),
    reused(
        SECTION,
        "with a Pragma in the response, which means nothing (§5.4)",
        reply(Last_Modified=LONG, Pragma="no-cache"),
    ),
    reused(SECTION, "with Content-Disposition", reply(Last_Modified=LONG, Content_Disposition="attachment")),
]

PRAGMA = [
    reused("RFC 9111 §5.4", "Pragma in a response means nothing", fresh(Pragma="no-cache")),
    reused("RFC 9111 §5.4", "an unknown Pragma in a response", fresh(Pragma="foo")),
    reused("RFC 9111 §5.4", "Pragma: no-cache with Expires", reply(Expires=At(3600), Pragma="no-cache")),
]

CASES = [*EXPIRES, *STATED, *HEURISTIC, *PRAGMA]


@pytest.mark.parametrize("one", CASES, ids=str)
def test_lifetimes(one: Case, bench: Bench) -> None:
    carry_out(one, bench)
