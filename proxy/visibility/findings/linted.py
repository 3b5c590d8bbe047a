"""What httplint finds in the fields of a response. It does no input or output, and takes its time.

It is imported where it is first needed, as that takes half a second and 20 MB.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxy.visibility.findings.canonical import MADE_EQUAL, NOW_SECONDS
from proxy.visibility.findings.finding import Finding, Part, Severity, declare
from proxy.visibility.findings.signature import Signature

if TYPE_CHECKING:
    from httplint import Note

PREFIX = "httplint:"
"""Stands before the ids of httplint, which are else as it has them."""

_SEVERITIES = {"bad": Severity.MEDIUM, "warning": Severity.LOW, "info": Severity.INFO}
_EXPLICIT = frozenset(("CACHING", "VALIDATION", "CONNEG"))
_ASIDE = frozenset(("SECURITY", "CORS"))
_RESTATED = re.compile(r"STORE_|FRESHNESS_|STALE_|CURRENT_AGE|CL_CORRECT|DATE_CORRECT|AGE_")
"""What says in words how caches deal with the response, which our own rules decide."""

_FOUND_HERE = frozenset(("MISSING_DATE", "DATE_CLOCKLESS", "PRAGMA_NO_CACHE"))
_PERMITTED = frozenset(("LOCATION_NOT_ABSOLUTE",))
"""What RFC 9110 permits, and costs nothing."""
_TAG = re.compile(r"<[^>]+>")
_SENTENCE = re.compile(r"(?<=[.!?])\s")
_NO_ADVICE = "See what httplint says of it."
_LONGEST = 240
_SHOWN = 120


FAILED = declare(
    "not-linted", Severity.INFO, Part.STANDARD, "RFC 9110 §5.5",
    "The fields are such that httplint could not take them.",
    "Look at them with care; and tell its makers.",
)  # fmt: skip


def linted(seen: Signature) -> Iterator[Finding]:
    """The findings of httplint: good news, security of browsers and what our own rules say are left out."""
    fields = [
        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in seen.fields
    ]
    if not fields:
        return
    try:
        yield from list(_found(seen, fields))
    except Exception as error:  # whatever goes wrong in it, a report goes on
        yield FAILED.shown_by(type(error).__name__)


def _found(seen: Signature, fields: list[tuple[bytes, bytes]]) -> Iterator[Finding]:
    told = set()
    for note in _all(_notes(seen, fields)):
        slug = type(note).__name__
        if slug in told or _RESTATED.match(slug) or slug in _FOUND_HERE | _PERMITTED:
            continue
        if note.level.value not in _SEVERITIES or note.category.name in _ASIDE:
            continue
        told.add(slug)
        yield _finding(slug, note, seen)


def _notes(seen: Signature, fields: list[tuple[bytes, bytes]]) -> list[Note]:
    from httplint import HttpRequestLinter, HttpResponseLinter

    request = HttpRequestLinter(start_time=NOW_SECONDS, no_content=True)
    request.process_request_topline(seen.method.encode("latin-1", "replace"), b"/", b"HTTP/1.1")
    linter = HttpResponseLinter(start_time=NOW_SECONDS, no_content=True, _related=request)
    linter.is_head_response = seen.method == "HEAD"
    linter.process_response_topline(b"HTTP/1.1", b"%03d" % seen.status, b"")
    linter.process_headers(fields)
    linter.finish_content(True)
    return list(linter.notes)


def _all(notes: list[Note]) -> Iterator[Note]:
    for note in notes:
        yield note
        yield from _all(note.subnotes)


def _finding(slug: str, note: Note, seen: Signature) -> Finding:
    names = [part.removeprefix("field-") for part in note.subject.split() if part.startswith("field-")]
    evidence = "; ".join(
        name if value in MADE_EQUAL else f"{name}: {value}" for name in names for value in seen.values(name)
    )
    return Finding(
        PREFIX + slug,
        _SEVERITIES[note.level.value],
        Part.EXPLICIT if note.category.name in _EXPLICIT else Part.STANDARD,
        " ".join(str(note.summary).split()),
        evidence[:_SHOWN],
        "httplint",
        _advice(str(note.detail)) or _NO_ADVICE,
    )


def _advice(detail: str) -> str:
    """The first sentences of what httplint says at length in HTML."""
    text = " ".join(html.unescape(_TAG.sub("", detail)).split())
    said = ""
    for sentence in _SENTENCE.split(text):
        if said and len(said) + len(sentence) > _LONGEST:
            break
        said = f"{said} {sentence}".strip()
    return said[: 2 * _LONGEST]
