"""What a piece of a log line says of the exchange."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from proxy.visibility.observation import Held, Part
from proxy.visibility.reading.outcomes import RESULT_FIELDS


class Says(Enum):
    """What a piece of a line says."""

    CLIENT = auto()
    CLIENT_PORT = auto()
    """The client's address with its port."""
    PEER = auto()
    """The client's address, perhaps with its port."""
    TIME = auto()
    END_TIME = auto()
    """When the exchange ended, or was logged."""
    REQUEST = auto()
    """The request line."""
    METHOD = auto()
    TARGET = auto()
    """The target, or the target URI."""
    PATH = auto()
    QUERY = auto()
    """With or without the question mark."""
    VERSION = auto()
    SCHEME = auto()
    AUTHORITY = auto()
    STATUS = auto()
    REQUEST_BYTES = auto()
    RESPONSE_BYTES = auto()
    DURATION = auto()
    REQUEST_FIELD = auto()
    RESPONSE_FIELD = auto()
    COOKIE = auto()
    CACHE = auto()
    """A word for where the answer came from."""
    SQUID = auto()
    """The same as Squid's result code."""
    UPSTREAM = auto()
    ID = auto()
    COMPLETE = auto()
    """Whether the client got the response to its end, as a word."""
    DIGEST = auto()


@dataclass(frozen=True, slots=True)
class Role:
    """What a piece says. `name` is that of the field or cookie, `unit` of a duration in seconds.

    `form` is how a time is written, as for `strftime`; empty: whichever way is recognized.
    """

    says: Says
    name: str = ""
    unit: float = 1.0
    form: str = ""


_PARTS = {
    Says.CLIENT: Part.CLIENT,
    Says.CLIENT_PORT: Part.CLIENT,
    Says.PEER: Part.CLIENT,
    Says.TIME: Part.TIME,
    Says.END_TIME: Part.TIME,
    Says.AUTHORITY: Part.AUTHORITY,
    Says.REQUEST_BYTES: Part.REQUEST_BYTES,
    Says.RESPONSE_BYTES: Part.RESPONSE_BYTES,
    Says.DURATION: Part.DURATION,
    Says.CACHE: Part.OUTCOME,
    Says.SQUID: Part.OUTCOME,
    Says.UPSTREAM: Part.UPSTREAM,
    Says.DIGEST: Part.DIGEST,
}


NOTHING = Part(0)


def held(name: str, roles: Iterable[Role], further: Part = NOTHING) -> Held:
    """What a log holds whose lines consist of `roles`."""
    parts = further
    request: set[str] = set()
    response: set[str] = set()
    for role in roles:
        parts |= _PARTS.get(role.says, Part(0))
        if role.says is Says.REQUEST_FIELD:
            request.add(role.name.lower())
        elif role.says is Says.RESPONSE_FIELD:
            response.add(role.name.lower())
            if role.name.lower() in RESULT_FIELDS:
                parts |= Part.OUTCOME
        elif role.says is Says.COOKIE:
            request.add("cookie")
    return Held(name, parts, frozenset(request), frozenset(response))
