"""What the lane has passed through: how it is rendered for the client, and recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from proxy.engine.passing import Verdict
from proxy.message.fields import NO_FIELDS
from proxy.message.head import serialise_response
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.server.clients.outgoing import outgoing
from proxy.server.lane.answers import Kind
from proxy.server.lane.told import Told
from proxy.visibility.account import Account
from proxy.visibility.record import encode, encode_piece, to_record
from proxy.visibility.redaction import Redaction

_DIGEST = b"sha-256=:to be filled in:"
_FIRST_BYTE = 7318.429056
"""What nothing else in a record is equal to: it shows where the true values go."""

_FIELDS_END = b'],"content_bytes":0}'


class Meaning(NamedTuple):
    """What a rendered response means, beside its bytes.

    `content` says whether the content goes to the client. `evidence` is all text in the record that may quote
    a credential: then the record would be another. `kind` and `forward` are what the figures tell apart.
    `ends` are what stands in the record after the content's digest, and after the time to the origin's first
    byte, with the end of the line.
    """

    content: bool
    evidence: str
    kind: Kind
    forward: str
    ends: tuple[bytes, bytes]


class Rendered:
    """A response as it goes to the client: `head`, and its content.

    `after` is what stands in the record between the request's field lines and the content's digest.
    """

    __slots__ = ("after", "head", "meaning")

    def __init__(self, head: bytes, after: bytes, meaning: Meaning) -> None:
        self.head = head
        self.after = after
        self.meaning = meaning


def request_text(received: Request, redaction: Redaction) -> bytes:
    """The beginning of the record's request, up to its field lines."""
    account = Account("", 0.0, "", received=replace(received, fields=NO_FIELDS))
    request = encode_piece(to_record(account, redaction).request)
    if not request.endswith(_FIELDS_END):
        raise ValueError("the record has not the form that it used to have")
    return request[: -len(_FIELDS_END)]


def render(
    verdict: Verdict, response: Response, received: Request, server: str, name: str, redaction: Redaction
) -> Rendered:
    """The response (hop-by-hop fields removed) to a request as it was `received`, as the long way has it.

    `server` is who gave it, `name` stands in Via. Raises ValueError where it can't be told from the parts
    how the whole looks.
    """
    fields = response.fields.adding(*verdict.added)
    length = int(response.fields.get(b"content-length") or b"0") if verdict.content else 0
    answer = Response(response.status, fields, response.reason, response.version)
    out = outgoing(answer, length, received, stays=True, name=name)
    if not out.persistent:
        raise ValueError("the connection does not stay")
    decision = verdict.decision
    account = Account(
        "",
        0.0,
        "",
        received=replace(received, fields=NO_FIELDS),
        response=out.head,
        response_bytes=length,
        digest=_DIGEST.decode(),
        decision=decision,
        server=server,
        attempts=1,
        reused=True,
        upstream_first_byte=_FIRST_BYTE,
        upstream_status=response.status,
    )
    record = to_record(account, redaction)
    request = encode_piece(record.request)
    _, found, rest = encode(record).partition(b',"request":' + request)
    pieces = rest.split(_DIGEST)
    ends = pieces[-1].split(str(_FIRST_BYTE).encode())
    if not found or not request.endswith(_FIELDS_END) or len(pieces) != 2 or len(ends) != 2:
        raise ValueError("the record has not the form that it used to have")
    told = [because.evidence for because in decision.reasons]
    if record.decision is not None:
        told += [reason.evidence for reason in record.decision.reasons]
    meaning = Meaning(
        verdict.content,
        "\n".join(told),
        (decision.outcome, response.status, decision.reasons[0].reason.slug if decision.reasons else ""),
        decision.forward or "",
        (ends[0], ends[1] + b"\n"),
    )
    return Rendered(serialise_response(out.head), _FIELDS_END + pieces[0], meaning)


class Template:
    """How responses are rendered that differ in nothing but fields which mean nothing here, and in length."""

    __slots__ = ("_after", "_begin", "_end", "_record", "meaning")

    def __init__(self, like: Rendered, told: Told, length: int) -> None:
        """Made from one of them with `length` bytes of content sent.

        Raises ValueError where its lines, or the length, can't be found in it.
        """
        self._begin, lines, self._end = like.head.partition(told.out)
        self._record, text, rest = like.after.partition(told.text)
        counted = b'"content_bytes":%d,"digest":"' % length
        if not lines or not text or not rest.endswith(counted):
            raise ValueError("the lines or the length are not there")
        self._after = rest.removesuffix(counted)
        self.meaning = like.meaning

    @property
    def size(self) -> int:
        """Bytes of memory."""
        texts = (self._begin, self._end, self._record, self._after, *self.meaning.ends, self.meaning.evidence)
        return 1200 + sum(map(len, texts))

    def filled(self, told: Told, length: int) -> Rendered:
        """The response with these lines, and so many bytes of content sent."""
        after = b'%b%b%b"content_bytes":%d,"digest":"' % (self._record, told.text, self._after, length)
        return Rendered(b"%b%b%b" % (self._begin, told.out, self._end), after, self.meaning)


class Passed:
    """One response that was passed through: what the record and the figures have to be told.

    `digest` is that of the content sent and `sent` its bytes; `upstream` is how long the origin took to its
    first byte, in seconds.
    """

    __slots__ = ("_after", "_digest", "_ends", "forward", "kind", "sent", "upstream")

    def __init__(self, rendered: Rendered, digest: bytes, sent: int, upstream: float) -> None:
        self._after = rendered.after
        self._digest = digest
        _, _, self.kind, self.forward, self._ends = rendered.meaning
        self.sent = sent
        self.upstream = upstream

    @property
    def tail(self) -> bytes:
        """The end of the record, in UTF-8 with the end of its line."""
        middle, end = self._ends
        return b"%b%b%b%.6f%b" % (self._after, self._digest, middle, self.upstream, end)
