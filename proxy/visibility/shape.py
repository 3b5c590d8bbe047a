"""The form of a record: one exchange that can be understood without anything else."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from proxy.caching.decision import Outcome

FORMAT: Literal["pellucid/1"] = "pellucid/1"
"""The form that this module describes. What is only added to it does not change its name."""

TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$"

Text = Annotated[
    str,
    Meta(description="Bytes of a message as ISO-8859-1: encoded as that, they are what was received."),
]
FieldLines = Annotated[
    tuple[tuple[Text, Text], ...],
    Meta(
        description="The field lines in the order received: each its name, as it was written, and its value."
    ),
]
Time = Annotated[
    str,
    Meta(
        pattern=TIME,
        description="A moment in UTC, in microseconds (RFC 3339).",
        extra_json_schema={"format": "date-time"},
    ),
]
Seconds = Annotated[float, Meta(ge=0, description="A duration in seconds, to the microsecond.")]
Bytes = Annotated[int, Meta(ge=0, description="A number of bytes.")]
Status = Annotated[int, Meta(ge=0, le=999, description="An HTTP status code (RFC 9110 §15).")]
Version = Annotated[str, Meta(pattern=r"^[0-9]\.[0-9]$", description="The version of HTTP, such as 1.1.")]


class RequestRecord(Struct, frozen=True, gc=False):
    """The request as it arrived from the client."""

    method: Annotated[Text, Meta(description="The method (RFC 9110 §9).")]
    target: Annotated[Text, Meta(description="The request target as it was sent (RFC 9112 §3.2).")]
    scheme: Annotated[Text, Meta(description="The scheme of the target URI (RFC 9110 §7.1).")]
    authority: Annotated[Text, Meta(description="The host and port of the target URI (RFC 9110 §7.1).")]
    version: Version
    fields: FieldLines
    content_bytes: Annotated[Bytes, Meta(description="The content received, in bytes.")]


class ResponseRecord(Struct, frozen=True, gc=False):
    """The final response as it was sent to the client."""

    status: Status
    reason: Annotated[Text, Meta(description="The reason phrase; it may be empty (RFC 9112 §4).")]
    version: Version
    fields: FieldLines
    content_bytes: Annotated[Bytes, Meta(description="The content sent, in bytes.")]
    digest: Annotated[
        str | None,
        Meta(description="The digest of the content as in Content-Digest (RFC 9530 §2); else null."),
    ]
    complete: Annotated[bool, Meta(description="Whether the client got the response to its end.")]


class ReasonRecord(Struct, frozen=True, gc=False):
    """One reason for a decision, as it applied."""

    slug: Annotated[str, Meta(description="The reason's name in the catalogue, as in Cache-Status; stable.")]
    section: Annotated[str, Meta(description="Where it is written, such as RFC 9111 §4.2.1.")]
    evidence: Annotated[
        str, Meta(description="The piece of the message that showed it, without credentials; may be empty.")
    ]


class DecisionRecord(Struct, frozen=True, gc=False):
    """What the cache decided, and why."""

    outcome: Annotated[
        Outcome,
        Meta(
            description="How the client got its answer. From the cache: hit (fresh), stale (as HTTP "
            "permits), validated (after the origin said that it is still good). From the origin: forwarded. "
            "By the proxy itself: refused (the request could not be taken or forbade going forward), failed "
            "(the origin gave no usable answer), local (as the method asks)."
        ),
    ]
    reasons: Annotated[
        tuple[ReasonRecord, ...], Meta(description="Every reason, in the order found; the first is the main.")
    ]
    until: Annotated[
        Time | None,
        Meta(description="When the same question is answered otherwise; null: time alone changes nothing."),
    ]
    forward: Annotated[
        str | None, Meta(description="Why the request went forward (RFC 9211 §2.2); null where it did not.")
    ]
    forward_status: Annotated[
        Status | None, Meta(description="The status code that came back from there (RFC 9211 §2.3).")
    ]
    ttl_seconds: Annotated[
        int | None, Meta(description="The freshness lifetime left, negative when stale (RFC 9211 §2.4).")
    ]
    stored: Annotated[bool | None, Meta(description="Whether the response was stored (RFC 9211 §2.5).")]
    collapsed: Annotated[
        bool | None, Meta(description="Whether it shared one forwarded request with others (RFC 9211 §2.6).")
    ]


class UpstreamRecord(Struct, frozen=True, gc=False):
    """What reaching the servers behind took."""

    server: Annotated[str, Meta(description="The server that was asked last, as host:port.")]
    attempts: Annotated[int, Meta(ge=0, description="How often the request was sent, or tried to be.")]
    reused: Annotated[bool, Meta(description="Whether a connection was used again.")]
    connect_seconds: Annotated[Seconds, Meta(description="The time to connect; 0 where that was not needed.")]
    first_byte_seconds: Annotated[
        Seconds | None, Meta(description="From sending to the first byte of a response; null: none came.")
    ]
    status: Annotated[Status | None, Meta(description="The status code received; null: none came.")]
    tried: Annotated[
        tuple[str, ...], Meta(description="Where there are several servers, those that were asked, in order.")
    ] = ()
    retry: Annotated[
        str | None, Meta(description="Why another was or was not asked after one had failed; null: none had.")
    ] = None


class Record(Struct, frozen=True, gc=False):
    """One exchange between a client and the proxy, which can be understood without any other.

    What was taken from messages is given as ISO-8859-1: encoded as that, it is the bytes that were received.
    In the place of each credential stands ~, 16 digits of its keyed digest, its length in bytes and the form
    of its value, with dots between them, as in ~0123456789abcdef.32.hex: equal ones are seen to be equal, and
    none can be read. Behind the form may stand, after a colon each, i and e with the times of issue and
    expiry in seconds since the epoch, n with the number of things that the value holds, and names of those.
    """

    format: Annotated[
        Literal["pellucid/1"], Meta(description="The form of this line, which this schema describes.")
    ]
    id: Annotated[str, Meta(description="The exchange's own name, unlike that of any other.")]
    time: Annotated[Time, Meta(description="When the request began to arrive (RFC 3339, in UTC).")]
    client: Annotated[str, Meta(description="The client's address as host:port.")]
    first_byte_seconds: Annotated[
        Seconds | None, Meta(description="From the beginning to the first byte sent; null: none was sent.")
    ]
    duration_seconds: Annotated[
        Seconds | None, Meta(description="From the beginning to the end; null where that is not known.")
    ]
    request: Annotated[
        RequestRecord | None, Meta(description="Null where what came was no request: see raw.")
    ]
    raw: Annotated[
        Text | None, Meta(description="The first bytes of what could not be read as a request; else null.")
    ]
    response: Annotated[ResponseRecord | None, Meta(description="Null where none could be sent.")]
    decision: Annotated[DecisionRecord | None, Meta(description="Null where it did not come to one.")]
    upstream: Annotated[UpstreamRecord | None, Meta(description="Null where nothing was asked of upstream.")]
    error: Annotated[str | None, Meta(description="What went wrong, in words; null where nothing did.")]

    @property
    def started(self) -> float:
        """`time` in seconds since the epoch."""
        return datetime.fromisoformat(self.time).timestamp()
