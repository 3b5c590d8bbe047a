"""The form of an explanation: what `--format json` prints, and what the text renders."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from proxy.caching.decision import Outcome
from proxy.visibility.findings.finding import Part, Severity
from proxy.visibility.sessions.kinds import Degree, Kind, Where
from proxy.visibility.shape import Bytes, FieldLines, Seconds, Status, Text, Time, Version

FORMAT: Literal["pellucid-explanation/1"] = "pellucid-explanation/1"
"""The form that this module describes. What is only added to it does not change its name."""

Words = Annotated[str, Meta(description="A few words for a reader; they may change.")]
Sentence = Annotated[str, Meta(description="A sentence for a reader; it may change.")]


class Reason(Struct, frozen=True):
    """One reason for a decision, as it applied."""

    slug: Annotated[str, Meta(description="The reason's name in the catalogue, as in Cache-Status; stable.")]
    section: Annotated[str, Meta(description="Where it is written, such as RFC 9111 §4.2.1.")]
    sentence: Annotated[str, Meta(description="What it says.")]
    evidence: Annotated[
        str, Meta(description="The piece of the message that showed it, without credentials; may be empty.")
    ]


class Asked(Struct, frozen=True):
    """The request as it was sent."""

    method: Annotated[str, Meta(description="The method (RFC 9110 §9).")]
    target: Annotated[Text, Meta(description="The request target (RFC 9112 §3.2).")]
    fields: FieldLines


class Answered(Struct, frozen=True):
    """The response as a cache takes it: without the fields for the connection, with a Date."""

    status: Status
    reason: Annotated[Text, Meta(description="The reason phrase; it may be empty (RFC 9112 §4).")]
    version: Version
    fields: FieldLines
    content_bytes: Annotated[Bytes, Meta(description="The content that was read, in bytes.")]
    complete: Annotated[bool, Meta(description="Whether the content ended while it was read.")]


class Storing(Struct, frozen=True):
    """Whether a shared cache stores the response."""

    stored: Annotated[bool, Meta(description="Whether it is stored.")]
    verdict: Sentence
    key: Annotated[Text, Meta(description="The cache key (RFC 9111 §2), without credentials.")]
    cache_status: Annotated[
        str | None, Meta(description="What Cache-Status says of this exchange (RFC 9211); null: nothing.")
    ]
    reasons: Annotated[
        tuple[Reason, ...], Meta(description="All reasons for the decision, the main one first.")
    ]
    note: Annotated[str, Meta(description="What hinders storing beside the rules, or empty.")]


class Freshness(Struct, frozen=True):
    """For how long the response may be used without asking (RFC 9111 §4.2)."""

    found: Annotated[
        Literal["explicit", "heuristic", "none"],
        Meta(description="Whether the origin server gave the lifetime, the cache assigned it, or neither."),
    ]
    source: Annotated[
        str, Meta(description="The lower-case name of the field that the lifetime comes from, or empty.")
    ]
    lifetime_seconds: Seconds
    age_seconds: Annotated[Seconds, Meta(description="The age on arrival (RFC 9111 §4.2.3), in seconds.")]
    ttl_seconds: Annotated[
        int, Meta(description="What is left of the lifetime on arrival, in seconds; negative when stale.")
    ]
    reasons: Annotated[
        tuple[Reason, ...], Meta(description="How the lifetime was found, and what is odd about Age.")
    ]


class Validators(Struct, frozen=True):
    """What the response can be validated by (RFC 9110 §8.8)."""

    etag: Annotated[Text | None, Meta(description="The entity tag, null where there's none that is valid.")]
    etag_weak: Annotated[bool | None, Meta(description="Whether the entity tag is weak; null without one.")]
    last_modified: Annotated[Text | None, Meta(description="Last-Modified, null where there's no valid one.")]
    last_modified_strong: Annotated[
        bool | None, Meta(description="Whether it counts as strong (RFC 9110 §8.8.2.2); null without one.")
    ]


class Varying(Struct, frozen=True):
    """One request field that Vary nominates (RFC 9111 §4.1)."""

    name: Annotated[str, Meta(description="The field's name in lower case.")]
    sent: Annotated[Text | None, Meta(description="Its value in this request, null where it was not sent.")]
    variants: Words


class QueryRule(Struct, frozen=True):
    """What No-Vary-Search says of the parameters in the query (draft-ietf-httpbis-no-vary-search)."""

    ignored: Annotated[
        tuple[str, ...] | None, Meta(description="Those that make no difference; null: see `significant`.")
    ]
    significant: Annotated[
        tuple[str, ...] | None, Meta(description="The only ones that make a difference; null: see `ignored`.")
    ]
    ordered: Annotated[bool, Meta(description="Whether their order makes a difference.")]


class Vary(Struct, frozen=True):
    """By what a cache tells responses of one resource apart (RFC 9111 §4.1)."""

    matchable: Annotated[bool, Meta(description="False where Vary says * or can't be read.")]
    by: Annotated[tuple[Varying, ...], Meta(description="The fields, in the order of Vary.")]
    query: Annotated[
        QueryRule | None, Meta(description="Which queries are told apart; null: all that aren't equal.")
    ]


class Situation(Struct, frozen=True):
    """One request that may come next, and how the rules would deal with it."""

    name: Annotated[str, Meta(description="Which request it is; stable.")]
    about: Words
    after_seconds: Annotated[
        Seconds, Meta(description="When it comes, in seconds after the response was had.")
    ]
    lasts_seconds: Annotated[
        float | None,
        Meta(
            description="For how many seconds such requests are answered alike, null where time alone"
            " changes nothing; while the origin fails, from the end of the freshness lifetime."
        ),
    ]
    outcome: Annotated[Outcome, Meta(description="How the client would get its answer.")]
    status: Status
    stored: Annotated[bool | None, Meta(description="Whether what came was stored; null: nothing came.")]
    background: Annotated[bool, Meta(description="Whether a validation follows in the background.")]
    conditions: Annotated[
        FieldLines, Meta(description="The conditional fields of the request that went forward, if one did.")
    ]
    cache_status: Annotated[str | None, Meta(description="What Cache-Status would say; null: nothing.")]
    brief: Words
    sentence: Sentence
    because: Annotated[str, Meta(description="The slug of the reason that tells most, or empty.")]
    reasons: Annotated[tuple[Reason, ...], Meta(description="All reasons, the main one first.")]


class PrivateCache(Struct, frozen=True):
    """What a cache that serves one user only, such as a browser's, may do."""

    stored: Annotated[bool, Meta(description="Whether it may store the response.")]
    sentence: Sentence
    lifetime_seconds: Seconds
    again: Annotated[
        str | None, Meta(description="How it would deal with the same request; null where nothing is stored.")
    ]
    lasts_seconds: Annotated[
        float | None, Meta(description="For how many seconds that holds; null where time changes nothing.")
    ]
    later: Annotated[str | None, Meta(description="How it would deal with the same request after that.")]
    reasons: Annotated[tuple[Reason, ...], Meta(description="Why, the main reason first.")]


class Step(Struct, frozen=True):
    """One field to change."""

    message: Annotated[Literal["request", "response"], Meta(description="Whose field it is.")]
    field: Annotated[str, Meta(description="The field's name.")]
    before: Annotated[Text | None, Meta(description="Its value now, null where there is none.")]
    after: Annotated[Text | None, Meta(description="What it should say, null where it should go.")]
    sentence: Sentence


class Effect(Struct, frozen=True):
    """Something that a change makes different, as the rules decide it."""

    about: Words
    before: Words
    after: Words


class Suggestion(Struct, frozen=True):
    """A change that the rules have been run on, and what they decide then."""

    name: Annotated[str, Meta(description="Which suggestion it is; stable.")]
    steps: Annotated[tuple[Step, ...], Meta(description="What to change, all of it.")]
    provided: Annotated[tuple[str, ...], Meta(description="What has to be true for it to be right.")]
    also: Annotated[
        bool, Meta(description="Whether it comes on top of the first suggestion, whose effects it adds to.")
    ]
    verdict: Sentence
    effects: Annotated[tuple[Effect, ...], Meta(description="What is then different; never empty.")]
    reasons: Annotated[
        tuple[Reason, ...], Meta(description="Why the changed response is stored, or still isn't.")
    ]


class Finding(Struct, frozen=True):
    """Something that the exchange fails to say of itself, or says wrongly."""

    slug: Annotated[str, Meta(description="The finding's name, with httplint: before those of httplint.")]
    severity: Annotated[Severity, Meta(description="How much it matters.")]
    part: Annotated[
        Part,
        Meta(
            description="The part of self-description that is missing: that nothing outside of the message"
            " is needed, that method, status and media type mean what they say, or that the message says how"
            " it may be cached."
        ),
    ]
    sentence: Sentence
    evidence: Annotated[
        str, Meta(description="The piece of the message that showed it, without credentials; may be empty.")
    ]
    source: Annotated[str, Meta(description="Where it is written, such as RFC 9111 §4.2.2, or httplint.")]
    advice: Sentence


class Credential(Struct, frozen=True):
    """What kind of state a credential carries, and what tells so."""

    message: Annotated[Literal["request", "response"], Meta(description="The message that it stands in.")]
    where: Annotated[Where, Meta(description="The part of that message.")]
    name: Annotated[Text, Meta(description="The name of the cookie, the field or the parameter.")]
    kind: Annotated[
        Kind,
        Meta(
            description="server-held: a key to state in a server; client-held: the state itself; affinity:"
            " the choice of a server; identity: who asks; and so on."
        ),
    ]
    confidence: Annotated[float, Meta(ge=0, le=1, description="How sure that is; 0 where it is unknown.")]
    degree: Annotated[Degree, Meta(description="The confidence in a word.")]
    format: Annotated[str, Meta(description="The form of its value, such as jwt or hex; may be empty.")]
    signed: Annotated[bool, Meta(description="Whether the form has a signature.")]
    encrypted: Annotated[bool, Meta(description="Whether the form is encrypted.")]
    issued: Annotated[Time | None, Meta(description="When it was issued, as it says; null: it doesn't.")]
    expires: Annotated[Time | None, Meta(description="When it expires, as it says; null: it doesn't.")]
    keys: Annotated[
        tuple[str, ...],
        Meta(description="The names of what it holds, as far as they say nothing of a person."),
    ]
    held: Annotated[int, Meta(ge=0, description="How many things it holds.")]
    payload: Annotated[
        str | None,
        Meta(
            description="What is read out of its value, as JSON; null without --reveal, or where nothing is."
        ),
    ]
    evidence: Annotated[tuple[str, ...], Meta(description="What tells its kind, the strongest first.")]


class Explanation(Struct, frozen=True):
    """What an intermediary can see of one response, and what the caching rules make of it."""

    format: Annotated[Literal["pellucid-explanation/1"], Meta(description="The form of this explanation.")]
    uri: Annotated[Text, Meta(description="The target URI, without credentials.")]
    time: Time
    request: Asked
    response: Answered
    storing: Storing
    freshness: Freshness
    validators: Validators
    vary: Vary
    situations: Annotated[tuple[Situation, ...], Meta(description="What would happen to the next requests.")]
    private_cache: PrivateCache
    suggestions: Annotated[tuple[Suggestion, ...], Meta(description="What would let caches do more.")]
    findings: Annotated[
        tuple[Finding, ...],
        Meta(description="What the exchange fails to say of itself, the worst first."),
    ]
    credentials: Annotated[
        tuple[Credential, ...], Meta(description="What kind of state its credentials carry.")
    ]
