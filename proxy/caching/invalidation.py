"""What a response to an unsafe request makes invalid (RFC 9111 §4.4, RFC 9875)."""

from __future__ import annotations

from collections.abc import Sequence

from proxy.caching.decision import Because
from proxy.caching.effects import Invalidate
from proxy.caching.groups import invalidated_groups, shared_groups
from proxy.caching.key import SAFE, get_key, uri_label
from proxy.caching.no_vary_search import Rule, label
from proxy.caching.reasons import declare
from proxy.caching.stored import StoredResponse
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.message.uri import Uri, resolve_for, target_uri

TARGET_INVALIDATED = declare(
    "target-invalidated",
    "RFC 9111 §4.4",
    "A request that may have changed something succeeded, so what is stored for its target is invalid.",
)
RELATED_INVALIDATED = declare(
    "related-invalidated",
    "RFC 9111 §4.4",
    "Location, Content-Location or the Destination of a COPY or MOVE names another URI of this origin, and "
    "what is stored for that is invalid.",
)
OTHER_ORIGIN = declare(
    "other-origin",
    "RFC 9111 §4.4",
    "Location, Content-Location or Destination names a URI of another origin, and nothing stored for that is "
    "invalidated.",
)
GROUPS_INVALIDATED = declare(
    "groups-invalidated", "RFC 9875 §3", "Cache-Group-Invalidation makes everything in those groups invalid."
)


_WITH_DESTINATION = frozenset((b"COPY", b"MOVE"))


def related_uris(request: Request, response: Response) -> tuple[list[Uri], list[Because]]:
    """The URIs of the same origin that were written to as well, but not the target's, and why.

    Location and Content-Location of the response name them, and the request's Destination where the method is
    one that writes there (RFC 4918 §10.3): programs save by moving a new file to the place of the old one.
    """
    target = target_uri(request)
    found: dict[Uri, None] = {}
    reasons: list[Because] = []
    named = [(name, response.fields.all(name)) for name in (b"location", b"content-location")]
    if request.method in _WITH_DESTINATION:
        named.append((b"destination", request.fields.all(b"destination")))
    for name, values in named:
        uri = resolve_for(values[0], request) if len(values) == 1 else None
        if uri is None or uri == target:
            continue
        evidence = f"{name.decode()}: {values[0][:80].decode('latin-1')}"
        if uri.origin == target.origin:
            found[uri] = None
            reasons.append(Because(RELATED_INVALIDATED, evidence))
        else:
            reasons.append(Because(OTHER_ORIGIN, evidence))
    return list(found), reasons


def invalidation(
    request: Request, response: Response, held: Sequence[StoredResponse], rules: Sequence[Rule]
) -> tuple[Invalidate | None, tuple[Because, ...]]:
    """What becomes invalid by `response` to `request`, and why.

    `held` is what is stored for the target: its groups go with it (RFC 9875 §2.2.1). `rules` are those by
    which a response that is stored for another query may answer a GET for this target.
    """
    if request.method in SAFE:
        return None, ()
    target = target_uri(request)
    groups = invalidated_groups(target, response.fields)
    reasons = [Because(GROUPS_INVALIDATED)] if groups else []
    if not 200 <= response.status < 400:
        return (Invalidate(labels=groups) if groups else None), tuple(reasons)
    related, because = related_uris(request, response)
    uris = [target, *related]
    alike = Request(b"GET", request.target, scheme=request.scheme, authority=request.authority)
    labels = (
        *(uri_label(uri) for uri in uris),
        *(label(alike, rule) for rule in rules),
        *groups,
        *shared_groups(held),
    )
    keys = tuple(get_key(uri) for uri in uris)
    everything = Invalidate(keys, tuple(dict.fromkeys(labels)))
    return everything, (Because(TARGET_INVALIDATED), *because, *reasons)
