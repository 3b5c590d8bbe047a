"""A finding, and the catalogue: each declared once, beside the rule that finds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Part(StrEnum):
    """The part of self-description that a message lacks (Fielding 2000, §5.3.1)."""

    STATELESS = "stateless"
    """Understanding it needs something that is not in it."""
    STANDARD = "standard"
    """Method, status or media type do not mean what they say."""
    EXPLICIT = "explicit"
    """It does not say whether and how long it may be cached, by what it varies, or how to validate it."""


class Severity(StrEnum):
    """How much a finding matters; the first is the worst."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a message fails to say of itself, or says wrongly.

    `slug` is stable. `evidence` is the piece of the message that showed it, without credentials; what differs
    from message to message, such as a date, may be left out of it. `source` is the section that says so.
    """

    slug: str
    severity: Severity
    part: Part
    sentence: str
    evidence: str
    source: str
    advice: str


@dataclass(frozen=True, slots=True)
class Declared:
    """An entry of the catalogue."""

    slug: str
    severity: Severity
    part: Part
    source: str
    sentence: str
    advice: str

    def shown_by(self, evidence: str = "") -> Finding:
        """The finding, as a message shows it."""
        return Finding(self.slug, self.severity, self.part, self.sentence, evidence, self.source, self.advice)


_declared: dict[str, Declared] = {}


def declare(slug: str, severity: Severity, part: Part, source: str, sentence: str, advice: str) -> Declared:
    """Add an entry to the catalogue. Raises ValueError where the slug is taken."""
    if slug in _declared:
        raise ValueError(f"the finding {slug!r} is declared twice")
    entry = Declared(slug, severity, part, source, sentence, advice)
    _declared[slug] = entry
    return entry


def declared() -> Mapping[str, Declared]:
    """What has been declared by the modules that are loaded."""
    return MappingProxyType(_declared)
