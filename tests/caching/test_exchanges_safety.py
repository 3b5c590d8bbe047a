"""One user's response is never given to another unless HTTP says that it may be: any history of exchanges."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.caching.effects import Unreached
from proxy.message.fields import Fields
from proxy.message.ranges import parse_range
from proxy.message.request import Request
from proxy.message.response import Response

USERS = (b"alice", b"bobby")
SHARED = (
    b"max-age=5",
    b"public, max-age=60",
    b"s-maxage=5",
    b"max-age=60, must-revalidate",
    b"max-age=5, stale-while-revalidate=60, stale-if-error=60",
    b"max-age=60, immutable",
    b"max-age=60, no-cache",
)
PERSONAL = (b"private", b"private, max-age=60", b"no-store", b"max-age=60, PRIVATE", b'private="", max-age=9')
WITHHELD = (b'max-age=60, private="x-secret"', b'max-age=60, no-cache="X-Secret"')
UNSHARED = (b"max-age=60", b"", b"max-age=60, no-cache", b"max-age=60, proxy-revalidate")


@dataclass(frozen=True)
class Kind:
    """A way in which a response may, or may not, concern one user only."""

    said: bytes
    content: bool = False  # the content is the user's own
    fields: bool = False  # a field is
    credentials: bool = False  # the request is authenticated
    varies: bool = False


def kinds(said, **others):
    return st.builds(Kind, st.sampled_from(said), **{name: st.just(True) for name in others})


KINDS = st.one_of(
    kinds(SHARED),
    kinds(SHARED, content=True, fields=True, varies=True),
    kinds(PERSONAL, content=True, fields=True),
    kinds(PERSONAL, fields=True),
    kinds(WITHHELD, fields=True),
    kinds(UNSHARED, content=True, fields=True, credentials=True),
    kinds(UNSHARED, fields=True, credentials=True),
)


@dataclass(frozen=True)
class Step:
    """One exchange: who asks for what, and how the origin server takes it."""

    user: bytes
    kind: Kind
    method: bytes
    target: bytes
    status: int
    wishes: bytes | None
    range: bytes | None
    condition: bytes | None
    search: bytes | None
    location: bytes | None
    wait: int

    def request(self) -> Request:
        lines = [(b"X-User", self.user), (b"Cookie", b"session=" + self.user)]
        if self.kind.credentials:
            lines.append((b"Authorization", b"Bearer " + self.user))
        named = ((b"Cache-Control", self.wishes), (b"Range", self.range), (b"If-None-Match", self.condition))
        lines += [line for line in named if line[1] is not None]
        digest = b"1" if self.method == b"QUERY" else None
        return Request(self.method, self.target, Fields(lines), authority=b"h", content_digest=digest)

    def origin(self, request: Request) -> tuple[Response, bytes] | Unreached:
        """Answers truly: who is told that it is unmodified has it, and equal tags mean equal content."""
        if self.status == 0:
            return Unreached(502, "refused", 0)
        content = (self.user if self.kind.content else b"-----") * 2
        tag = b'"' + content + b'"'
        lines = [(b"Cache-Control", self.kind.said), (b"ETag", tag)]
        if self.kind.fields:
            lines.append((b"X-Secret", self.user))
        if self.kind.varies:
            lines.append((b"Vary", b"X-User"))
        if self.search is not None:
            lines.append((b"No-Vary-Search", self.search))
        if self.location is not None:
            lines.append((b"Content-Location", self.location))
        if self.status == 304:
            known = tag in (request.fields.get(b"if-none-match") or b"")
            return Response(304 if known else 200, Fields(lines)), content
        specs = parse_range(request.fields.all(b"range"))
        if self.status == 206 and specs is not None and len(specs) > 1:
            parts = (b"Content-Type", b"multipart/byteranges; boundary=x")
            return Response(206, Fields([*lines, parts])), b"--x\r\n\r\n" + content + b"\r\n--x--"
        if self.status == 206 and specs is not None and (extent := specs[0].resolve(10)) is not None:
            line = (b"Content-Range", b"bytes %d-%d/10" % (extent.first, extent.last))
            return Response(206, Fields([*lines, line])), content[extent.first : extent.last + 1]
        return Response(200 if self.status == 206 else self.status, Fields(lines)), content


def mostly(usual, *others):
    return st.sampled_from([*[usual] * 5, *others])


STEPS = st.builds(
    Step,
    user=st.sampled_from(USERS),
    kind=KINDS,
    method=mostly(b"GET", b"HEAD", b"QUERY", b"POST"),
    target=mostly(b"/", b"/?u=1"),
    status=st.sampled_from([200, 200, 304, 304, 304, 206, 404, 503, 0]),
    wishes=mostly(None, b"no-cache", b"max-stale", b"max-age=0", b"no-store", b"only-if-cached"),
    range=mostly(None, b"bytes=0-4", b"bytes=5-", b"bytes=0-1,8-9"),
    condition=mostly(None, b'"----------"', b'"alicealice"', b"*"),
    search=mostly(None, b'params=("u")'),
    location=mostly(None, b"/"),
    wait=st.sampled_from([0, 1, 10, 100]),
)


def test_what_is_one_users_reaches_no_other(engine):
    @settings(max_examples=300, deadline=None)
    @given(st.lists(STEPS, min_size=3, max_size=16))
    def history(steps):
        anew = type(engine)()
        for step in steps:
            anew.origin = step.origin
            reply = anew.exchange(step.request())
            told = reply.content + b" " + (reply.fields.get(b"x-secret") or b"")
            assert [other for other in USERS if other in told and other != step.user] == []
            anew.wait(step.wait)

    history()


def test_the_history_would_show_a_breach(engine):
    """The same check, of an origin server that shares by mistake what is one user's."""
    kind = Kind(b"public, max-age=60", content=True)
    step = Step(USERS[0], kind, b"GET", b"/", 200, None, None, None, None, None, 0)
    engine.origin = step.origin
    engine.exchange(step.request())
    assert USERS[0] in engine.exchange(replace(step, user=USERS[1]).request()).content
