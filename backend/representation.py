"""From a view to a response: which representation, with which validators, on what terms it may be reused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from re import findall

import msgspec
from aiohttp import web

from backend import pages
from backend.hypermedia import View
from backend.problems import Problem

JSON = "application/json"
HTML = "text/html"
PROBLEM = "application/problem+json"

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a response says of its own reuse: Cache-Control (None: nothing), Vary, and validators or none."""

    cache_control: str | None
    vary: str = "Accept"
    validators: bool = True
    headers: tuple[tuple[str, str], ...] = ()


def public(max_age: int, revalidate: int, vary: str = "Accept") -> Terms:
    """For everybody: fresh for `max_age` seconds, then stale for `revalidate` seconds more (RFC 5861 §3)."""
    return Terms(f"public, max-age={max_age}, stale-while-revalidate={revalidate}", vary)


IMMUTABLE = Terms("public, max-age=31536000, immutable", vary="")
"""For URLs that name their content (RFC 8246)."""


def wants_html(request: web.Request) -> bool:
    """Whether the client prefers HTML."""
    return prefers_html(", ".join(request.headers.getall("Accept", [])))


def prefers_html(accept: str) -> bool:
    """What an Accept value prefers (RFC 9110 §12.5.1): JSON if it has no preference or takes neither."""
    ranges = _ranges(accept)
    return _quality(HTML, ranges) > max(_quality(JSON, ranges), _quality(PROBLEM, ranges))


def represent(view: View, *, html: bool) -> tuple[bytes, str]:
    """The view's bytes and their media type."""
    if html:
        return pages.render(view).encode(), HTML
    return msgspec.json.encode(view.document()), JSON


def tag(*parts: bytes) -> str:
    """A strong entity tag, the same in every replica for the same bytes (RFC 9110 §8.8.3)."""
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return f'"{digest.hexdigest()[:20]}"'


def tags_of(view: View) -> set[str]:
    """The entity tags of all of the view's representations: what an If-Match may name."""
    return {tag(body) for body, _ in (represent(view, html=html) for html in (False, True))}


def answer(
    request: web.Request, view: View, terms: Terms, *, status: int = 200, headers: Headers = ()
) -> web.Response:
    """The view in the representation that the client prefers; 304 where it has that one already."""
    body, media_type = represent(view, html=wants_html(request))
    return content(request, body, media_type, terms, status=status, updated=view.updated, headers=headers)


def fields_of(terms: Terms, body: bytes, updated: int | None, entity_tag: str = "") -> list[tuple[str, str]]:
    """The header fields that the terms and the content make; `updated` in seconds since 1970."""
    fields = list(terms.headers)
    if terms.cache_control is not None:
        fields.append(("Cache-Control", terms.cache_control))
    if terms.vary:
        fields.append(("Vary", terms.vary))
    if terms.validators:
        fields.append(("ETag", entity_tag or tag(body)))
        if updated is not None:
            date = format_datetime(datetime.fromtimestamp(updated, UTC), usegmt=True)
            fields.append(("Last-Modified", date))
    return fields


def content(
    request: web.Request,
    body: bytes,
    media_type: str,
    terms: Terms,
    *,
    status: int = 200,
    updated: int | None = None,
    entity_tag: str = "",
    headers: Headers = (),
) -> web.Response:
    """A response with these bytes; 304 where a conditional GET or HEAD allows it (RFC 9110 §13.2.2)."""
    response = web.Response(status=status, headers=[*fields_of(terms, body, updated, entity_tag), *headers])
    if status == 200 and request.method in ("GET", "HEAD") and _not_modified(request, response, updated):
        response.set_status(304)
        return response
    response.body = body
    response.content_type = media_type
    if media_type == HTML:
        response.charset = "utf-8"
    return response


def problem(request: web.Request, found: Problem, menu: View) -> web.Response:
    """The problem as application/problem+json (RFC 9457) or as a page with the menu's links."""
    response = web.Response(
        status=found.status, headers=[("Cache-Control", "no-store"), ("Vary", "Accept"), *found.headers]
    )
    html = wants_html(request)
    response.body, response.content_type = represent_problem(found, menu, html=html)
    if html:
        response.charset = "utf-8"
    return response


def represent_problem(found: Problem, menu: View, *, html: bool) -> tuple[bytes, str]:
    """The problem's bytes and their media type; a page has the menu's links and actions."""
    document = found.document()
    if not html:
        return msgspec.json.encode(document), PROBLEM
    view = View("problem", document["title"], document, menu.links, menu.actions)
    return pages.render(view).encode(), HTML


def require_match(request_value: str, current: set[str]) -> None:
    """Evaluates an If-Match value (RFC 9110 §13.1.1); raises Problem("precondition-failed")."""
    if request_value.strip() != "*" and not current.intersection(findall(r'(?:W/)?"[^"]*"', request_value)):
        raise Problem("precondition-failed")


def _not_modified(request: web.Request, response: web.Response, updated: int | None) -> bool:
    wanted = ", ".join(request.headers.getall("If-None-Match", []))
    if wanted:
        opaque = [each.removeprefix("W/") for each in findall(r'(?:W/)?"[^"]*"', wanted)]
        return "ETag" in response.headers and (wanted.strip() == "*" or response.headers["ETag"] in opaque)
    since = request.headers.get("If-Modified-Since")
    if since is None or updated is None or "Last-Modified" not in response.headers:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except (ValueError, OverflowError):
        return False
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() >= updated


def _ranges(accept: str) -> dict[str, float]:
    ranges: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in accept.split(","))):
        name, _, parameters = part.partition(";")
        weight = findall(r"(?:^|;)\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*(?:;|$)", parameters.lower())
        ranges[name.strip().lower()] = float(weight[0]) if weight else 1.0
    return ranges or {"*/*": 1.0}


def _quality(media_type: str, ranges: dict[str, float]) -> float:
    """The weight of the most specific range that matches (RFC 9110 §12.5.1)."""
    family = media_type.partition("/")[0]
    return next((ranges[each] for each in (media_type, f"{family}/*", "*/*") if each in ranges), 0.0)
