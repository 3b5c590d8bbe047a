"""For each reason of the catalogue a story in which it applies."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from docs.stories.answering import ANSWERING
from docs.stories.storing import STORING
from docs.stories.upstream import UPSTREAM
from docs.story import Told, tell, tell_selecting, tell_storing

Lines = tuple[str, ...]

STORIES: Mapping[str, Lines] = MappingProxyType({**STORING, **ANSWERING, **UPSTREAM})
"""From a reason's slug to the lines of its story."""

_BYPASSING = frozenset(("bypassed",))
_OF_STORING = frozenset(("method", "interim"))
_OF_PRIVATE_CACHES = frozenset(("for-one-user", "for-shared-caches", "for-other-caches"))
_OF_SELECTING = frozenset(("vary-any",))


def told(slug: str) -> Told:
    """A reason's story, told by the rules. Raises LookupError where it has none, or it doesn't come up."""
    if slug not in STORIES:
        raise LookupError(f"docs/stories has no story in which {slug!r} applies")
    lines = STORIES[slug]
    if slug in _OF_SELECTING:
        found = tell_selecting(lines)
    elif slug in _OF_STORING or slug in _OF_PRIVATE_CACHES:
        found = tell_storing(lines, private=slug in _OF_PRIVATE_CACHES)
    else:
        found = tell(lines, bypass=slug in _BYPASSING)
    if not any(because.reason.slug == slug for because in found.reasons):
        said = ", ".join(because.reason.slug for because in found.reasons)
        raise LookupError(f"the story of {slug!r} doesn't come to it, but to: {said}")
    return found


def teller(slug: str) -> str:
    """Who says so, where it isn't a shared cache in an exchange."""
    if slug in _OF_PRIVATE_CACHES:
        return "`pellucid explain`, of a browser's own cache"
    if slug in _OF_STORING | _OF_SELECTING:
        return "the rule itself; no exchange comes to ask it"
    return ""
