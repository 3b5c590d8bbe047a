"""What kind of thing one segment of a path is: a word of the API, or a value that stands in its place."""

from __future__ import annotations

import re
from functools import lru_cache

_SHORT = 16
LONGEST = 96
"""Characters of a segment that is taken as a word; a longer one is a value."""

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("{id}", re.compile(r"[0-9]+")),
    ("{uuid}", re.compile(r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")),
    ("{date}", re.compile(r"(?:19|20)[0-9]{2}-[01][0-9](?:-[0-3][0-9])?(?:T[0-9:.%A-Za-z+-]*)?")),
    ("{hash}", re.compile(r"(?i)(?=[a-z]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{16,}")),
    ("{email}", re.compile(r"[^@%\s]+(?:@|%40)[^@%\s]+\.[A-Za-z]{2,}")),
    ("{number}", re.compile(r"-?[0-9]+\.[0-9]+")),
    (
        "{token}",
        re.compile(r"(?=[^0-9]*[0-9])(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])[A-Za-z0-9_=~-]{20,}"),
    ),
)
_FORMATS = frozenset(
    b"""
    css js mjs map wasm html htm php xml json csv txt md pdf zip gz png jpg jpeg gif svg webp avif ico
    woff woff2 ttf mp3 mp4 webm m3u8 mpd ts
    """.decode().split()
)
_FINGERPRINT = re.compile(r"(?<=[.\-_])(?=[a-f]*[0-9])[0-9a-f]{8,64}(?=[.\-_])")
_VERSION = re.compile(r"[vV][0-9]{1,2}(?:\.[0-9]{1,2})?")
_SYLLABLES = re.compile(r"[^\W\d_]{2,}")
_RUN = re.compile(r"([0-9]+)|([^\W\d_]+)")


def kind_of(segment: str) -> str:
    """What stands in the template for `segment`: itself, or the kind of value that it is.

    `17` is `{id}`, `17.json` is `{id}.json`, and `app.3f2a9c81.js` is `app.{hash}.js`. What follows a
    semicolon is a parameter of the segment (RFC 3986 §3.3) and doesn't count.
    """
    if segment.isdigit() and segment.isascii():
        return "{id}"
    if segment.isalpha() and len(segment) < _SHORT:
        return segment
    return _kind(segment) if len(segment) <= LONGEST else "{text}"


def _kind_of(segment: str) -> str:
    segment = segment.partition(";")[0]
    kind = _whole(segment)
    if kind is not None:
        return kind
    suffix = suffix_of(segment)
    if suffix:
        kind = _whole(segment.removesuffix(suffix))
        if kind is not None:
            return kind + suffix
    return _FINGERPRINT.sub("{hash}", segment)


_kind = lru_cache(maxsize=65536)(_kind_of)


def _whole(segment: str) -> str | None:
    for kind, form in _KINDS:
        if form.fullmatch(segment):
            return kind
    return None


VALUES = frozenset((*(kind for kind, _ in _KINDS), "{text}", "{slug}", "{rest}"))
"""The kinds of value that are told apart."""


def is_value(kind: str) -> bool:
    """Whether what `kind_of` gave stands for segments of any number, and is no word with a value in it."""
    return kind in VALUES


def suffix_of(word: str) -> str:
    """What a word ends with, from its last dot on, where that is the name of a common format."""
    name, dot, suffix = word.rpartition(".")
    return f".{suffix}" if name and dot and suffix.lower() in _FORMATS else ""


def general(word: str) -> str:
    """What stands for a word that is one of many."""
    return ("{id}" if mask_of(word.removesuffix(suffix_of(word))) else "{slug}") + suffix_of(word)


def mask_of(word: str) -> str:
    """The form of a word that has a digit in it (`P0001` and `P17` are `A9`); empty for all other words.

    A version, such as `v2`, is a word of the API; what consists of words, such as `top-10-songs`, is no code.
    """
    if not any(character.isdigit() for character in word) or _VERSION.fullmatch(word):
        return ""
    if is_phrase(word) and len(_SYLLABLES.findall(word)) > 1:
        return ""
    return _RUN.sub(lambda found: "9" if found[1] else "A", word)


def is_phrase(word: str) -> bool:
    """Whether a word is made of several, as the names of articles are."""
    return "-" in word.strip("-") or "_" in word.strip("_") or "%20" in word or "+" in word
