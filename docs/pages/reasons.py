"""docs/reasons.md: every reason for a decision, with a story in which it applies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from docs.pages import NOTICE
from docs.stories import STORIES, teller, told
from docs.story import Told, Turn, turns
from proxy.caching.decision import Reason
from proxy.caching.reasons import catalogue

_INTRODUCTION = """
Everything that Pellucid decides it can give reasons for. Each reason has a name (its slug), the section
of a specification in which it is written, and one sentence. The main reason of a decision is the `detail`
of `Cache-Status`; all of them stand in the record of the exchange, and `pellucid explain URL` tells them
of a URL.

Each example is a story: a few exchanges with a server at example.org, run by the rules themselves when
this page was made. After ⇒ stands what the last one's `Cache-Status` says, and in brackets the piece of
the message that showed the reason. Responses have a `Date` and ten bytes of content where nothing else is
said.
"""

_DOCUMENTS = {
    "RFC 9111": "HTTP Caching",
    "RFC 9110": "HTTP Semantics",
    "RFC 5861": "Stale Content",
    "RFC 8246": "Immutable Responses",
    "RFC 9213": "Targeted Cache Control",
    "RFC 9211": "Cache-Status",
    "RFC 6585": "Additional Status Codes",
    "draft-ietf-httpbis-safe-method-w-body": "The QUERY Method",
}
_CHAPTERS = {3: "Storing", 4: "Answering", 5: "Fields and their directives", 7: "Security"}
_CHAPTERED = "RFC 9111"
_SECTION = re.compile(r"(.+) §([0-9.]+)")


def page() -> str:
    """The text of the page. Raises LookupError for a reason that no story comes to."""
    reasons = sorted(catalogue().values(), key=_place)
    parts = ["# Reasons", NOTICE, _INTRODUCTION.strip()]
    for title, group in groupby(reasons, key=_title):
        rows = "\n".join(map(_row, group))
        parts.append(f"## {title}\n\n| reason | what it says | for example |\n|---|---|---|\n{rows}")
    return "\n\n".join(parts) + "\n"


def _split(reason: Reason) -> tuple[str, tuple[int, ...]]:
    match = _SECTION.fullmatch(reason.section)
    if match is None:
        raise LookupError(f"{reason.slug!r} is written in no section: {reason.section}")
    return match[1], tuple(map(int, match[2].split(".")))


def _place(reason: Reason) -> tuple[object, ...]:
    document, numbers = _split(reason)
    known = list(_DOCUMENTS)
    return known.index(document) if document in known else len(known), document, numbers, reason.slug


def _title(reason: Reason) -> str:
    document, numbers = _split(reason)
    named = f"{document}, {_DOCUMENTS[document]}" if document in _DOCUMENTS else document
    if document != _CHAPTERED:
        return named
    return f"{named}, §{numbers[0]}: {_CHAPTERS.get(numbers[0], '')}".removesuffix(": ")


def _row(reason: Reason) -> str:
    name = f'<a id="{reason.slug}"></a>`{reason.slug}`'
    said = f"{_escaped(reason.sentence)} [{reason.section}]({_link(reason)})"
    return f"| {name} | {said} | {'<br>'.join(_story(reason))} |"


def _link(reason: Reason) -> str:
    document, numbers = _split(reason)
    section = "section-" + ".".join(map(str, numbers))
    if document.startswith("RFC "):
        return f"https://www.rfc-editor.org/rfc/rfc{document.removeprefix('RFC ')}#{section}"
    return f"https://datatracker.ietf.org/doc/html/{document}#{section}"


def _story(reason: Reason) -> Iterator[str]:
    found = told(reason.slug)
    yield from map(_turn, turns(STORIES[reason.slug]))
    evidence = next((one.evidence for one in found.reasons if one.reason == reason), "")
    yield f"⇒ {_ending(reason, found)}" + (f" ({_code(evidence)})" if evidence else "")


def _ending(reason: Reason, found: Told) -> str:
    if found.response is None:
        return f"told by {teller(reason.slug)}"
    return _code(found.cache_status) if found.cache_status else f"the client gets {found.response.status}"


def _turn(turn: Turn) -> str:
    when = f"{turn.after:,} s later: " if turn.after else ""
    answers = "".join(f" → {_answer(answer)}" for answer in turn.answers)
    return f"{when}{_message(turn.request)}{answers}"


def _answer(answer: str) -> str:
    if answer == "unreachable":
        return "the origin is unreachable"
    if answer.startswith("waits, "):
        return f"waits for another's response: {_message(answer.removeprefix('waits, '))}"
    return _message(answer)


def _message(text: str) -> str:
    return " ".join(_line(piece.strip()) for piece in text.split(" | "))


def _line(piece: str) -> str:
    return piece if piece.startswith("(") else _code(piece)


def _code(text: str) -> str:
    return f"`{_escaped(text)}`"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
