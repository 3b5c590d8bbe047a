"""Which requests may share one way to the origin and back: collapsed forwarding (RFC 9111 §4)."""

from __future__ import annotations

from collections.abc import Iterable

from proxy.caching.effects import Collapse
from proxy.caching.progress import Progress
from proxy.caching.reuse import wishes_of
from proxy.caching.vary import nominated, remembered_request
from proxy.message.conditions import CONDITIONAL
from proxy.message.preferences import normalise
from proxy.message.request import Request

_OWN = frozenset((*CONDITIONAL, b"range"))
"""With these in its request a response may be for this client alone: 304, 412, 206 or 416."""

_SHARED = frozenset(("uri-miss", "vary-miss", "stale"))
"""Why a request goes forward that another's response could have answered (RFC 9211 §2.2)."""


def collapse(p: Progress) -> Collapse | None:
    """With whom the request that `p` is about to forward may share its way; None: with nobody.

    Whether the response that comes back is for the others too is not decided here: each of them weighs it
    by all the rules for stored responses.
    """
    request = p.request
    if not p.cached or p.forward not in _SHARED:
        return None
    wishes = wishes_of(request)[0]
    leads = request.method != b"HEAD" and not request.fields.has_any(_OWN) and b"no-store" not in wishes
    follows = not p.alone and b"no-cache" not in wishes
    if follows and b"max-age" in wishes and not wishes.seconds(b"max-age"):
        follows = False
    if not leads and not follows:
        return None
    among = _among(p)
    if among is None:
        return None
    vain = bool(p.collapsed) and p.forward == "stale"
    return Collapse(p.key, among, leads, follows, vain)


def _among(p: Progress) -> bytes | None:
    """What tells apart requests for one target that one response is not good for, as far as that is known.

    Those are the fields that the Vary of what is stored nominates, and credentials, as most responses to
    requests with Authorization are for nobody else (RFC 9111 §3.5). None where nothing could match (§4.1).
    """
    names: set[bytes] = set()
    if p.forward != "uri-miss":
        for one in p.stored if p.selected is None else (p.selected,):
            nominates = nominated(one.response.fields)
            if nominates is None:
                return None
            names.update(nominates)
    marked = b"with credentials" if b"authorization" in p.request.fields else b""
    return marked + _values(p.request, sorted(names)) if names else marked


def _values(request: Request, names: Iterable[bytes]) -> bytes:
    kept = remembered_request(request, names).fields
    return repr([(name, _comparable(normalise(name, kept.all(name)))) for name in names]).encode()


def _comparable(value: object) -> object:
    return sorted(map(repr, value)) if isinstance(value, frozenset) else value
