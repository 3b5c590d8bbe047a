"""What the lane has passed through: how it is rendered for the client, and recorded."""

from __future__ import annotations

from dataclasses import replace

from proxy.engine.passing import Verdict
from proxy.message.fields import NO_FIELDS
from proxy.message.head import serialise_response
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.server.clients.outgoing import outgoing
from proxy.server.lane.answers import Kind
from proxy.visibility.account import Account
from proxy.visibility.record import encode, encode_piece, to_record
from proxy.visibility.redaction import Redaction

_DIGEST = "sha-256=:to be filled in:"
_FIRST_BYTE = 7318.429056
"""What nothing else in a record is equal to: it shows where the true values go."""

_FIELDS_END = b'],"content_bytes":0}'


class Rendered:
    """A response as it goes to the client: `head`, and its content where `content` says so.

    The record is `before`, the request's field lines, and `after` with the content's digest and the time to
    the origin's first byte between its three pieces. `evidence` is all text in it that may quote a credential
    of the request: then the record would be another. `kind` and `forward` are what the figures tell apart.
    """

    __slots__ = ("after", "before", "content", "evidence", "forward", "head", "kind")

    def __init__(
        self,
        verdict: Verdict,
        response: Response,
        received: Request,
        server: str,
        name: str,
        redaction: Redaction,
    ) -> None:
        """Raises ValueError where it can't be told from the parts how the whole looks."""
        fields = response.fields.adding(*verdict.added)
        length = int(response.fields.get(b"content-length") or b"0") if verdict.content else 0
        answer = Response(response.status, fields, response.reason, response.version)
        out = outgoing(answer, length, received, stays=True, name=name)
        if not out.persistent:
            raise ValueError("the connection does not stay")
        self.head = serialise_response(out.head)
        self.content = verdict.content
        decision = verdict.decision
        main = decision.reasons[0].reason.slug if decision.reasons else ""
        self.kind: Kind = (decision.outcome, response.status, main)
        self.forward = decision.forward or ""
        account = Account(
            "",
            0.0,
            "",
            received=replace(received, fields=NO_FIELDS),
            response=out.head,
            response_bytes=length,
            digest=_DIGEST,
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
        pieces = rest.decode().split(_DIGEST)
        ends = pieces[-1].split(str(_FIRST_BYTE))
        if not found or not request.endswith(_FIELDS_END) or len(pieces) != 2 or len(ends) != 2:
            raise ValueError("the record has not the form that it used to have")
        self.before = request[: -len(_FIELDS_END)].decode()
        self.after = (_FIELDS_END.decode() + pieces[0], *ends)
        told = [because.evidence for because in decision.reasons]
        if record.decision is not None:
            told += [reason.evidence for reason in record.decision.reasons]
        self.evidence = "\n".join(told)


class Passed:
    """One response that was passed through: what the record and the figures have to be told.

    `digest` is that of the content sent and `sent` its bytes; `upstream` is how long the origin took to its
    first byte, in seconds.
    """

    __slots__ = ("_digest", "_rendered", "sent", "upstream")

    def __init__(self, rendered: Rendered, digest: str, sent: int, upstream: float) -> None:
        self._rendered = rendered
        self._digest = digest
        self.sent = sent
        self.upstream = upstream

    @property
    def after(self) -> str:
        """The end of the record."""
        head, middle, end = self._rendered.after
        return f"{head}{self._digest}{middle}{self.upstream:.6f}{end}"

    @property
    def kind(self) -> Kind:
        return self._rendered.kind

    @property
    def forward(self) -> str:
        return self._rendered.forward
