"""What an audit sends, what it hears, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct

from proxy.visibility.observation import Lines
from proxy.visibility.sessions.kinds import Kind, Where


class Dependence(StrEnum):
    """What the answers of an endpoint depend on beside the request's target."""

    SERVER_HELD = "server-held"
    """State that servers keep about a client: the message alone does not say what it means."""
    CLIENT_HELD = "client-held"
    """State that the message itself carries."""
    PERSONALISED = "personalised"
    """Who asks, or how they want it, as the message says it."""
    CHANGING = "changing by itself"
    """Nothing that was varied: equal requests are answered differently, whoever asks."""
    STATELESS = "stateless"
    """Nothing: the message says all that is needed to understand it."""
    UNCLEAR = "unclear"
    """It could not be found out."""


class Way(StrEnum):
    """The ways in which a request is sent."""

    AGAIN = "again"  # the same bytes, one right after the other
    WITHOUT = "without"  # without one credential, or without all of them
    GIVEN = "given"  # with the cookies that its own answer set
    REPLICA = "replica"  # to another replica
    REORDERED = "reordered"  # after other requests than before
    PAUSED = "paused"  # after a pause


@dataclass(frozen=True, slots=True)
class Candidate:
    """A credential of a request, of which the answer may depend."""

    where: Where
    name: str
    kind: Kind
    confidence: float
    evidence: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """As people call it: `the cookie sid`."""
        match self.where:
            case Where.COOKIE:
                return f"the cookie {self.name}"
            case Where.AUTHORIZATION | Where.FIELD:
                return f"the field {self.name.title()}"
            case _:
                return f"{self.name} in the {self.where}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A recorded request, to be replayed: fields as they are sent, Host not among them.

    `target` is what is sent, `shown` what may be printed of it. `hidden` are the credentials that the log
    hides, so that they can't be sent; `recorded` are a few of the answers that the log has to requests like
    this one, as status and digest of the content, and `bearers` says with how many different values of what
    is hidden these were had.
    """

    number: int
    endpoint: str
    method: str
    target: str
    shown: str
    fields: Lines
    candidates: tuple[Candidate, ...] = ()
    hidden: tuple[str, ...] = ()
    recorded: tuple[tuple[int, str], ...] = ()
    bearers: int = 0


@dataclass(frozen=True, slots=True)
class Probe:
    """One sending of a request. `without` are the candidates left out; `replica` counts from 0.

    `given` says that the cookies are added which the request's first answer set.
    """

    asked: Asked
    way: Way
    replica: int = 0
    without: tuple[Candidate, ...] = ()
    given: bool = False

    @property
    def plain(self) -> bool:
        """Whether it is the recorded request, as it is, at the first replica."""
        return not self.without and not self.given and self.replica == 0


@dataclass(frozen=True, slots=True)
class Heard:
    """The answer to a probe. `at` is in seconds since the audit began; `given` are the cookies that it sets.

    `status` is 0 where there was none, and `error` says why. `digest` is that of the content, `pieces` are
    digests of its parts in their order, eight bytes each; none where there are too many.
    """

    at: float
    status: int = 0
    digest: str = ""
    content_bytes: int = 0
    location: str = ""
    given: tuple[str, ...] = ()
    error: str = ""
    pieces: bytes = b""


class Exhibit(Struct, frozen=True):
    """One exchange as proof: what was sent, in words, to which replica (from 1), and what came when."""

    sent: str
    replica: int
    at: float
    status: int
    content_bytes: int
    digest: str
    location: str = ""
    sets_cookies: tuple[str, ...] = ()
    error: str = ""


class Finding(Struct, frozen=True):
    """What one request's answers show. `because` is a sentence, `proof` the two exchanges that show it."""

    depends: Dependence
    because: str
    on: str = ""
    proof: tuple[Exhibit, ...] = ()


class Endpoint(Struct, frozen=True):
    """The verdict on an endpoint; `shown_by` is the request whose answers tell it.

    `agree` of `requests` came to the same verdict; `gives` are the keys to server-held state that it hands
    out to whoever has none.
    """

    endpoint: str
    verdict: Dependence
    because: str
    on: str
    requests: int
    agree: int
    shown_by: str
    proof: tuple[Exhibit, ...]
    gives: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


class LeftOut(Struct, frozen=True):
    """Exchanges of the log that were not replayed, and why."""

    why: str
    count: int


class Audit(Struct, frozen=True):
    """All that an audit found. `took` is in seconds; `sent` counts the requests that were sent."""

    format: str
    replicas: tuple[str, ...]
    sent: int
    took: float
    endpoints: tuple[Endpoint, ...]
    left_out: tuple[LeftOut, ...] = ()
    hidden: tuple[str, ...] = ()


FORMAT = "pellucid-audit/1"
