"""What the rules of an exchange ask the engine to do, and what it tells them: plain values, no I/O.

`exchange()` in `exchange.py` is a generator: it yields one of the requests below, the engine performs it and
sends back the matching result, until the generator returns an `Answer`. Each result carries the time at which
it was had, so that no rule ever reads a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Struct

from proxy.caching.decision import Decision
from proxy.caching.stored import StoredResponse
from proxy.message.fields import NO_FIELDS, Fields
from proxy.message.request import Request
from proxy.message.response import Response


class LookUp(Struct, frozen=True):
    """Find what is stored under `key`, or where `label` is set, the newest entries that carry the label."""

    key: bytes
    label: bytes | None = None


class Found(Struct, frozen=True):
    """The stored responses, in no order; `now` is the current time in seconds since the epoch."""

    stored: Sequence[StoredResponse]
    now: float


class Collapse(Struct, frozen=True):
    """With whom a request may share one way to the origin and back (RFC 9111 §4).

    With those whose `key` and `among` are the same: the key to look up, and what tells apart those that one
    response can't serve. `leads`: its response may be for the others; `follows`: it may be answered with
    the response to another. `vain`: what it waited for is not to be used by anybody without validation.
    """

    key: bytes
    among: bytes = b""
    leads: bool = True
    follows: bool = True
    vain: bool = False


class Forward(Struct, frozen=True):
    """Send `request` to the origin, with the client's content if it has any.

    Interim responses are passed on to the client as they come, without the rules' help. Where another
    exchange is forwarding for the same `collapse` already, the engine may wait for the head of that one's
    response and then send back `Found` with what is stored under its key, among it the response that is
    being stored (RFC 9111 §4); or without that, where it's not for others. None: don't wait.
    """

    request: Request
    collapse: Collapse | None = None


class Arrived(Struct, frozen=True):
    """The head of the origin's final response, hop-by-hop fields removed.

    `length` is the number of bytes of content announced, None where only its end will tell.
    """

    response: Response
    request_time: float
    response_time: float
    length: int | None


@dataclass(frozen=True, slots=True)
class Unreached:
    """No response was had: `status` is what to answer (502, 503 or 504), `cause` says why in a few words."""

    status: int
    cause: str
    now: float


@dataclass(frozen=True, slots=True)
class Freshen:
    """Replace what is known of `selected` by `updated`; the content stays (RFC 9111 §4.3.4)."""

    selected: StoredResponse
    updated: StoredResponse


@dataclass(frozen=True, slots=True)
class Invalidate:
    """Invalidate all that is stored under these keys and with these labels (RFC 9111 §4.4)."""

    keys: tuple[bytes, ...] = ()
    labels: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Store:
    """Keep the response that goes to the client, under `key`.

    `stored.length` is not known yet where the content has still to come: the engine fills it in when the
    content has ended as it should, and keeps nothing when it has not. `replaces` are the stored responses
    whose place it takes. `extends` is the stored partial response whose content comes before or after this
    one's (RFC 9111 §3.4): the engine joins the two; `arriving` is then the offset of the first byte that
    arrives, and `stored.first` that of the joined whole.
    """

    key: bytes
    stored: StoredResponse
    labels: tuple[bytes, ...] = ()
    replaces: tuple[StoredResponse, ...] = ()
    extends: StoredResponse | None = None
    arriving: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `first` to `last`, both included and counted within the representation, of a stored content.

    `last` is None for all of a content that is still arriving, and whose end isn't known yet.
    """

    stored: StoredResponse
    first: int
    last: int | None


class FromOrigin:
    """The content that is arriving from the origin."""


FROM_ORIGIN = FromOrigin()

Content = tuple[bytes | Span | FromOrigin, ...]
"""What to send as content, piece after piece."""


@dataclass(frozen=True, slots=True)
class Validate:
    """Validate `selected` in the background with `request`, bounded, never twice at once (RFC 5861 §3)."""

    request: Request
    selected: StoredResponse


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of an exchange: the head to send (`Age` and `Cache-Status` in it, `Via` not) and the content.

    For HEAD, 204, 205 and 304 `content` is empty whatever the fields say. Where `content` lacks
    `FROM_ORIGIN` although a response is arriving, the engine reads that response's content to its end (when
    `store` wants it) or gives it up. `source` is the stored response that it was made from, where one was
    reused, whether or not its content is sent.
    """

    response: Response
    content: Content
    decision: Decision
    store: Store | None = None
    background: Validate | None = None
    trailers: Fields = NO_FIELDS
    source: StoredResponse | None = None


Effect = LookUp | Forward | Freshen | Invalidate
Result = Found | Arrived | Unreached | None
