"""What the lane sends and records under one licence: made as the long way makes it; then its age moves."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from proxy.caching.ageing import told_again
from proxy.caching.decision import Decision
from proxy.caching.policy import Policy
from proxy.engine.licence import Licence
from proxy.message.fields import NO_FIELDS
from proxy.message.head import serialise_response
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.server.clients.outgoing import outgoing
from proxy.visibility.account import Account
from proxy.visibility.record import encode, encode_piece, to_record
from proxy.visibility.redaction import Redaction

_AGE = 7_318_429_056
_TTL = 8_642_097_531
"""Numbers of seconds that nothing else in an answer is equal to: they show where the true ones go."""

_FIELDS_END = b'],"content_bytes":0}'

Kind = tuple[str, int, str]
"""What the figures tell apart: outcome, status code, slug of the main reason."""


class Template(NamedTuple):
    """An answer with places for its `age` and `ttl`, in %-notation; see `Rendering`."""

    head: bytes
    tail: bytes
    evidence: str
    before: bytes
    kind: Kind
    sent: int


class Rendering:
    """An answer at one age. It holds from `since` to `last`, both included.

    `head` is the head as sent. The record is `before`, the request's field lines, and `tail` with the end of
    the line, all in UTF-8. `evidence` is all text in it that may quote a credential of the request: then the
    record would be another. Nothing is asked of upstream: there is no reason for it (`forward`), and no time
    that it took.
    """

    __slots__ = ("before", "evidence", "head", "kind", "last", "sent", "since", "tail")

    forward = ""
    upstream: float | None = None

    def __init__(self, head: bytes, before: bytes, tail: bytes, evidence: str, kind: Kind, sent: int) -> None:
        self.head = head
        self.before = before
        self.tail = tail
        self.evidence = evidence
        self.kind = kind
        self.sent = sent
        self.since = math.inf
        self.last = -math.inf

    def equals(self, other: Rendering) -> bool:
        """Whether both send and record the same."""
        return (self.head, self.before, self.tail, self.evidence, self.kind, self.sent) == (
            other.head,
            other.before,
            other.tail,
            other.evidence,
            other.kind,
            other.sent,
        )


class Renderer:
    """Renders what is answered under licences: `name` stands in Via."""

    def __init__(self, name: str, policy: Policy, redaction: Redaction) -> None:
        self._name = name
        self._policy = policy
        self._redaction = redaction

    def answer(self, licence: Licence, received: Request) -> Answered | None:
        """The answer under a licence to requests that are like one that was `received`.

        None where it can't be told where in it the age stands.
        """
        told = told_again(licence.answer, self._policy, licence.key, licence.ageing, _AGE, _TTL)
        if told is None:
            return None
        answered = Answered(licence, self._render(licence, received, *told))
        first = self._render(licence, received, licence.answer.response, licence.answer.decision)
        return answered if answered.at(licence.since).equals(first) else None

    def _render(
        self, licence: Licence, received: Request, response: Response, decision: Decision
    ) -> Rendering:
        out = outgoing(response, len(licence.content), received, stays=True, name=self._name)
        sent = len(licence.content)
        account = Account(
            "",
            0.0,
            "",
            received=replace(received, fields=NO_FIELDS),
            response=out.head,
            response_bytes=sent,
            digest=licence.digest,
            decision=decision,
        )
        record = to_record(account, self._redaction)
        line, request = encode(record), encode_piece(record.request)
        _, found, rest = line.partition(b',"request":' + request)
        if not found or not request.endswith(_FIELDS_END):
            raise ValueError("the record has not the form that it used to have")
        told = [because.evidence for because in decision.reasons if because.evidence]
        if record.decision is not None:
            told += [reason.evidence for reason in record.decision.reasons if reason.evidence]
        main = decision.reasons[0].reason.slug if decision.reasons else ""
        return Rendering(
            serialise_response(out.head),
            request[: -len(_FIELDS_END)],
            _FIELDS_END + rest + b"\n",
            "\n".join(dict.fromkeys(told)),
            (decision.outcome, response.status, main),
            sent,
        )


class Answered:
    """The answer under one licence, with its age left open."""

    __slots__ = ("_evidence", "_head", "_like", "_tail", "_until", "ageing")

    def __init__(self, licence: Licence, marked: Rendering) -> None:
        self.ageing = licence.ageing
        self._until = licence.until
        self._head = _template(marked.head.decode("latin-1")).encode("latin-1")
        self._tail = _template(marked.tail.decode()).encode()
        self._evidence = _template(marked.evidence)
        self._like = marked.before, marked.kind, marked.sent

    @property
    def size(self) -> int:
        """Bytes of memory, those of one rendering included."""
        return 1200 + 2 * (len(self._head) + len(self._tail) + len(self._evidence)) + len(self._like[0])

    @property
    def template(self) -> Template:
        """What it is made from at any age."""
        return Template(self._head, self._tail, self._evidence, *self._like)

    def at(self, now: float) -> Rendering:
        """The answer at `now`, which has to be within the licence's time."""
        age, ttl = self.ageing.at(now)
        before, kind, sent = self._like
        rendering = Rendering(
            self._head % {b"age": age, b"ttl": ttl},
            before,
            self._tail % {b"age": age, b"ttl": ttl},
            self._evidence % {"age": age, "ttl": ttl},
            kind,
            sent,
        )
        rendering.since = now
        rendering.last = min(self.ageing.last(now), math.nextafter(self._until, -math.inf))
        return rendering


def _template(marked: str) -> str:
    """What gives the text when it is formatted with the numbers in the places of the marks."""
    return marked.replace("%", "%%").replace(str(_AGE), "%(age)d").replace(str(_TTL), "%(ttl)d")
