"""Groups of stored responses of one origin, invalidated together (RFC 9875)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from proxy.caching.stored import StoredResponse
from proxy.message import structured
from proxy.message.fields import Fields
from proxy.message.uri import Uri, target_uri

MOST_GROUPS = 64
"""How many groups of one field value count; at least 32 have to (RFC 9875 §2)."""


def group_labels(uri: Uri, fields: Fields) -> tuple[bytes, ...]:
    """The labels of a response to `uri`: one for each group that its Cache-Groups names."""
    return _labels(uri, fields, b"cache-groups")


def invalidated_groups(uri: Uri, fields: Fields) -> tuple[bytes, ...]:
    """The labels of the groups that the response to an unsafe request for `uri` invalidates (§3)."""
    return _labels(uri, fields, b"cache-group-invalidation")


def shared_groups(stored: Iterable[StoredResponse]) -> tuple[bytes, ...]:
    """The labels of all groups that any of `stored` belongs to: who goes may take them along (§2.2.1)."""
    found = (label for one in stored for label in group_labels(target_uri(one.request), one.response.fields))
    return tuple(dict.fromkeys(found))


def _labels(uri: Uri, fields: Fields, name: bytes) -> tuple[bytes, ...]:
    groups = named_groups(fields, name)[:MOST_GROUPS]
    return tuple(dict.fromkeys(group_label(uri, group) for group in groups))


def named_groups(fields: Fields, name: bytes) -> list[str]:
    """The groups that the field `name` lists (§2, §3); none where it is not well-formed."""
    values = fields.all(name)
    members = structured.parse_list(values) if values else None
    return [str(member[0]) for member in members or () if type(member[0]) is str]


def group_label(uri: Uri, group: str) -> bytes:
    """The label of a group of the origin of `uri`.

    Groups of different origins are different groups (§2.1); a digest keeps long names short.
    """
    digest = hashlib.sha256(group.encode("utf-8", "surrogatepass")).hexdigest()
    return b"group:" + b"|".join(uri.origin) + b"|" + digest.encode()
