"""The kinds of state that a credential may carry, and a verdict on one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a credential is to the servers that get it."""

    SERVER_HELD = "server-held"
    """A key to state that servers keep: nobody else can understand a message that needs it."""
    CLIENT_HELD = "client-held"
    """The state itself, which the client keeps: the message carries all that it needs."""
    AFFINITY = "affinity"
    """The name of one server, so that requests come back to it: state is held in that one."""
    IDENTITY = "identity"
    """Who asks, the same in every request; nothing that happened before."""
    PREFERENCE = "preference"
    """How answers should be: a language, a theme, a currency."""
    MEASUREMENT = "measurement"
    """What counts visits, tells programs from people, or holds consent; answers do not depend on it."""
    CSRF = "csrf"
    """Proof that a request was made by the site's own page."""
    UNKNOWN = "unknown"


class Where(StrEnum):
    """The part of a message in which a credential stands."""

    COOKIE = "cookie"
    AUTHORIZATION = "authorization"
    PATH = "path"
    QUERY = "query"
    FIELD = "field"
    BODY = "body"


class Degree(StrEnum):
    """A confidence in a word."""

    CERTAIN = "certain"
    """From 0.95: a form that nothing else has, or a name that one program is known for."""
    LIKELY = "likely"
    """From 0.75: several signs that agree."""
    POSSIBLE = "possible"
    """From 0.45: some sign, and none that speaks against it."""
    UNSURE = "unsure"


def degree(confidence: float) -> Degree:
    """The word for a confidence between 0 and 1."""
    if confidence >= 0.95:
        return Degree.CERTAIN
    if confidence >= 0.75:
        return Degree.LIKELY
    return Degree.POSSIBLE if confidence >= 0.45 else Degree.UNSURE


@dataclass(frozen=True, slots=True)
class Clue:
    """One fact that speaks for a kind. Weights are logarithms of odds: 3 is twenty to one."""

    kind: Kind
    weight: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What kind of state a credential carries, and what tells so.

    `confidence` is between 0 and 1. `format` names the form of the value, empty where it has none that is
    known; `signed` and `encrypted` say what protects it. `issued` and `expires` are in seconds since the
    epoch, read out of the value itself. `keys` are the names of what it holds, `held` how many there are
    (also such as may not be named); no value is in here. `evidence` has the strongest fact first.
    """

    kind: Kind
    confidence: float
    evidence: tuple[str, ...]
    format: str = ""
    signed: bool = False
    encrypted: bool = False
    issued: int | None = None
    expires: int | None = None
    keys: tuple[str, ...] = ()
    held: int = 0

    @property
    def degree(self) -> Degree:
        return degree(self.confidence)
