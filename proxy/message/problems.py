"""Answers that the proxy makes itself when something is wrong: a problem document with `Proxy-Status`.

RFC 9457 says what the document holds, RFC 9209 what the field tells of the intermediary.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus

from proxy.message.dates import format_date
from proxy.message.fields import FieldLine, Fields
from proxy.message.response import Response
from proxy.message.structured import Token, serialise

_MOST_DETAIL = 300


def problem(
    status: int,
    detail: str,
    *,
    exchange_id: str,
    error_token: str | None = None,
    name: str = "pellucid",
    now: float | None = None,
    fields: Iterable[FieldLine] = (),
) -> tuple[Response, bytes]:
    """A response with its content, `application/problem+json`.

    `detail` says what is wrong here, without credentials; `exchange_id` is a UUID; `error_token` one of RFC
    9209's error types (§2.3), None where none applies; `name` who says so; `now` the time in seconds since
    the epoch for `Date`, which is left out without it; `fields` further field lines. It is never to be
    stored, for the same request may well succeed a moment later.
    """
    detail = _one_line(detail)
    document = {
        "type": "about:blank",
        "title": reason_phrase(status),
        "status": status,
        "detail": detail,
        "instance": f"urn:uuid:{exchange_id}",
    }
    content = json.dumps(document, ensure_ascii=False).encode() + b"\n"
    lines: list[FieldLine] = [
        (b"Content-Type", b"application/problem+json"),
        (b"Content-Length", b"%d" % len(content)),
        (b"Cache-Control", b"no-store"),
        (b"Proxy-Status", proxy_status(name, error=error_token, details=detail)),
        *fields,
    ]
    if now is not None:
        lines.insert(0, (b"Date", format_date(now)))
    return Response(status, Fields(lines), reason_phrase(status).encode("ascii")), content


def proxy_status(name: str, *, error: str | None = None, details: str = "") -> bytes:
    """One member of `Proxy-Status`: who (`name`), which error, and details as text (RFC 9209 §2, §2.1)."""
    parameters: dict[str, object] = {}
    if error is not None:
        parameters["error"] = Token(error)
    if details:
        ascii_only = details.replace("§", "section ").encode("ascii", "replace")
        parameters["details"] = ascii_only.decode("ascii")
    return serialise([(Token(name), parameters)])


def reason_phrase(status: int) -> str:
    """The registered reason phrase of a status code (RFC 9110 §15), empty where it isn't known."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _one_line(text: str) -> str:
    """`text` without control characters, which neither a field nor a log could take, and not too long."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= _MOST_DETAIL else line[: _MOST_DETAIL - 1] + "…"
