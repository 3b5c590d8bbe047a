"""What the one exchange fails to say of itself, and what its credentials carry, as reports have it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from proxy.commands.explaining import shape
from proxy.commands.explaining.origins import Had
from proxy.visibility.findings.of_message import findings
from proxy.visibility.observation import Held, Observation, Part
from proxy.visibility.record import rfc3339
from proxy.visibility.redaction import Redaction
from proxy.visibility.sessions.carried import Credential, carried
from proxy.visibility.sessions.classify import classify
from proxy.visibility.sessions.kinds import Where
from proxy.visibility.sessions.reading import form_of

_ALL = Held("message", ~Part(0))


def observed(had: Had, redaction: Redaction) -> Observation:
    """The exchange as a log would tell of it that holds everything."""
    request, response = had.request, had.response
    return Observation(
        time=had.time,
        method=request.method.decode("latin-1"),
        scheme=request.scheme.decode("latin-1"),
        authority=redaction.authority(request.authority),
        target=redaction.target(request.target)[0],
        request_fields=tuple(redaction.line(name, value)[0] for name, value in request.fields),
        request_bytes=0,
        status=response.status,
        response_fields=tuple(redaction.line(name, value)[0] for name, value in response.fields),
        response_bytes=had.received,
        complete=had.ended,
        content=had.beginning or None,
    )


def found(observation: Observation) -> Iterator[shape.Finding]:
    """The findings on it, the worst first."""
    for one in findings(observation, _ALL):
        yield shape.Finding(
            one.slug,
            one.severity,
            one.part,
            one.sentence,
            one.evidence,
            one.source,
            one.advice,
        )


def credentials(had: Had, observation: Observation, *, reveal: bool = False) -> Iterator[shape.Credential]:
    """Its credentials, those of the request first; with `reveal` also what is read out of their values."""
    both = carried(observation)
    shown = _read_out(had) if reveal else {}
    beside = frozenset(one.name for one in (*both.sent, *both.given) if one.where is Where.COOKIE)
    for one in both.sent:
        yield _credential(one, "request", beside, shown.get(("request", one.where, one.name)))
    for one in both.given:
        if not one.removed:
            yield _credential(one, "response", beside, shown.get(("response", one.where, one.name)))


def _read_out(had: Had) -> dict[tuple[str, Where, str], str]:
    """What can be read in the values themselves, as JSON; of several of one name the first."""
    request, response = had.request, had.response
    whole = carried(
        Observation(
            target=request.target.decode("latin-1"),
            request_fields=tuple(_text(line) for line in request.fields),
            response_fields=tuple(_text(line) for line in response.fields),
        )
    )
    found: dict[tuple[str, Where, str], str] = {}
    for message, those in (("request", whole.sent), ("response", whole.given)):
        for one in those:
            payload = form_of(one.value.encode("latin-1")).payload
            if payload is not None:
                found.setdefault(
                    (message, one.where, one.name), msgspec.json.encode(payload, enc_hook=repr).decode()
                )
    return found


def _text(line: tuple[bytes, bytes]) -> tuple[str, str]:
    return line[0].decode("latin-1"), line[1].decode("latin-1")


def _credential(
    one: Credential, message: Literal["request", "response"], beside: frozenset[str], payload: str | None
) -> shape.Credential:
    verdict = classify(one.name, None, one.where, one.length, one.form, one.scheme, beside)
    return shape.Credential(
        message,
        one.where,
        one.name,
        verdict.kind,
        round(verdict.confidence, 2),
        verdict.degree,
        verdict.format,
        verdict.signed,
        verdict.encrypted,
        None if verdict.issued is None else rfc3339(verdict.issued),
        None if verdict.expires is None else rfc3339(verdict.expires),
        verdict.keys,
        verdict.held,
        payload,
        verdict.evidence,
    )
