"""Fields that are excepted from storage (RFC 9111 §3.1)."""

from __future__ import annotations

from proxy.caching.decision import Because
from proxy.caching.policy import Policy
from proxy.caching.reasons import declare
from proxy.caching.targeted import Effective
from proxy.message.cache_control import Directives
from proxy.message.fields import Fields

FIELDS_WITHHELD = declare(
    "fields-withheld",
    "RFC 9111 §3.1",
    "Some fields are not for reuse, so the response is stored without them.",
)
NEEDED_FIELD_LISTED = declare(
    "needed-field-listed",
    "RFC 9111 §3.1",
    "A field is listed as not for reuse without which the response can't be reused.",
)

_PROXY_FIELDS = (b"proxy-authenticate", b"proxy-authentication-info", b"proxy-authorization")
_NEEDED = frozenset(
    b"age cache-control content-encoding content-range date expires vary no-vary-search".split()
)


def withheld_fields(directives: Directives) -> frozenset[bytes]:
    """The lower-case names that `private` and `no-cache` list: a shared cache stores none of these fields.

    One that `no-cache` lists could be stored and then left out of every answer that isn't validated; not to
    store it comes to the same (RFC 9111 §5.2.2.4, §5.2.2.7).
    """
    if b"private" not in directives and b"no-cache" not in directives:
        return frozenset()
    private = directives.field_names(b"private") or frozenset()
    return private | (directives.field_names(b"no-cache") or frozenset())


def storable_fields(fields: Fields, effective: Effective) -> Fields:
    """`fields` less those excepted from storage; the same holds when they update others (§3.2)."""
    return fields.without(*_PROXY_FIELDS, *withheld_fields(effective.directives))


def fields_withheld(fields: Fields, directives: Directives) -> Because | None:
    """The remark that `storable_fields` leaves something out."""
    names = [name for name in (*_PROXY_FIELDS, *sorted(withheld_fields(directives))) if name in fields]
    return Because(FIELDS_WITHHELD, _joined(names)) if names else None


def needed_field_listed(directives: Directives, policy: Policy) -> Because | None:
    """Why the response can't be stored: to take the field away would change what the rest means."""
    listed = withheld_fields(directives)
    needed = listed & _NEEDED | listed.intersection(policy.targeted)
    return Because(NEEDED_FIELD_LISTED, _joined(sorted(needed))) if needed else None


def _joined(names: list[bytes]) -> str:
    return b", ".join(names).decode("latin-1")
