"""Tags: what a response says that it's about, for whoever runs the cache to purge it by.

`Cache-Groups` is RFC 9875's; `Surrogate-Key`, `Cache-Tag` and `xkey` are what other caches know by those
names. Unlike a group, a tag is never invalidated by a response, only by whoever may purge.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from proxy.caching.decision import Because
from proxy.caching.groups import MOST_GROUPS, named_groups
from proxy.caching.policy import Policy
from proxy.caching.reasons import declare
from proxy.message.fields import Fields
from proxy.message.uri import Uri

MOST_TAGS = 256
"""How many tags of one response count."""

LONGEST_TAG = 1024
"""Bytes of a tag that counts."""

TAGS_BEYOND_LIMIT = declare(
    "tags-beyond-limit",
    "RFC 9875 §2",
    "The response has more tags, or longer ones, than are remembered: a purge by those won't reach it.",
)

_SHORT = 64
_BETWEEN = re.compile(rb"[ \t,]+")


def tags_of(fields: Fields, policy: Policy) -> tuple[bytes, ...]:
    """The tags of a response that count, each once, in the order in which they come.

    In `Cache-Groups` they are a list of strings (RFC 9875 §2); in all other fields words, with spaces or
    commas between them.
    """
    named = [name for name in policy.tags if name in fields]
    return _counting(_named(fields, named)) if named else ()


def tag_labels(uri: Uri, fields: Fields, policy: Policy) -> tuple[bytes, ...]:
    """The labels of a response to `uri`: one for each tag."""
    return tuple(tag_label(tag, uri if policy.tags_by_origin else None) for tag in tags_of(fields, policy))


@lru_cache(maxsize=4096)
def tag_label(tag: bytes, uri: Uri | None = None) -> bytes:
    """The label of what has this tag, of the origin of `uri` alone where that is given.

    A digest keeps long ones short.
    """
    origin = b"|".join(uri.origin) if uri is not None else b""
    said = b"=" + tag if len(tag) <= _SHORT else b"#" + hashlib.sha256(tag).hexdigest().encode()
    return b"tag:" + origin + said


def beyond_limit(fields: Fields, policy: Policy) -> Because | None:
    """Why some tags of a response don't count; None where all do."""
    named = [name for name in policy.tags if name in fields]
    if not named:
        return None
    found = _named(fields, named)
    left_out = len(dict.fromkeys(found)) - len(_counting(found))
    return Because(TAGS_BEYOND_LIMIT, f"{left_out} left out") if left_out else None


def hidden(fields: Fields, policy: Policy) -> Fields:
    """`fields` as a client gets them: without tags, where they are hidden. Cache-Groups is for all caches."""
    if not policy.hide_tags:
        return fields
    names = [name for name in policy.tags if name != b"cache-groups" and name in fields]
    return fields.without(*names) if names else fields


def _named(fields: Fields, names: list[bytes]) -> list[bytes]:
    found: list[bytes] = []
    for name in names:
        if name == b"cache-groups":
            groups = named_groups(fields, name)[:MOST_GROUPS]
            found += [group.encode("utf-8", "surrogatepass") for group in groups]
        else:
            found += [tag for value in fields.all(name) for tag in _BETWEEN.split(value) if tag]
    return found


def _counting(found: list[bytes]) -> tuple[bytes, ...]:
    return tuple(tag for tag in dict.fromkeys(found) if len(tag) <= LONGEST_TAG)[:MOST_TAGS]
