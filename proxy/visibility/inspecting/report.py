"""What `pellucid inspect` found, as one value: text, JSON and HTML only render it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct

FORMAT: Literal["pellucid-report/1"] = "pellucid-report/1"
"""The form that this module describes. What is only added to it does not change its name."""

Share = Annotated[float, Meta(ge=0, le=1, description="A share, from 0 to 1.")]
Count = Annotated[int, Meta(ge=0)]
Moment = Annotated[float, Meta(description="Seconds since the epoch.")]
Seconds = Annotated[float, Meta(ge=0, description="A duration in seconds.")]


class Answer(StrEnum):
    """Whether the content of an endpoint's answers depends on something."""

    DEPENDS = "depends"
    DOES_NOT = "does not depend"
    UNKNOWN = "not enough seen"


class Severity(StrEnum):
    """How much a finding matters; the first is the worst."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class Fault(Struct, frozen=True):
    """A line that could not be read: its number, from 1, and why."""

    line: Count
    why: str


class Source(Struct, frozen=True):
    """One file as it was read.

    `faults` are the first few of the `left_out` lines. `parts` name what the log holds of each exchange.
    """

    name: str
    format: str
    exchanges: Count
    left_out: Count
    parts: tuple[str, ...]
    faults: tuple[Fault, ...] = ()


class Lacking(Struct, frozen=True):
    """What can't be said from these logs, and the field of the log that would help."""

    verdict: str
    needs: str


class Sampling(Struct, frozen=True):
    """What the verdicts on dependence and the predictions rest on.

    `kept` of `exchanges` were looked at one by one, all those of a chosen `share` of the paths; where `exact`
    these are all. Everything that is counted elsewhere in the report is counted exactly.
    """

    exchanges: Count
    kept: Count
    share: Share
    exact: bool


class Durations(Struct, frozen=True):
    """How long exchanges took, to within 9 %; `known` of them say so."""

    known: Count = 0
    median: Seconds = 0.0
    p95: Seconds = 0.0
    p99: Seconds = 0.0
    longest: Seconds = 0.0


class Figures(Struct, frozen=True):
    """Numbers of exchanges and bytes of content sent to clients.

    `told` is the number of exchanges of which the log says whether a cache answered, `told_bytes` the bytes
    of these. `hits` were answered without the origin sending the content, `origin_requests` asked it for
    something. Both ratios are None where nothing is told. `errors` have a status of 500 or more, or none.
    """

    exchanges: Count = 0
    bytes: Count = 0
    told: Count = 0
    told_bytes: Count = 0
    hits: Count = 0
    hit_bytes: Count = 0
    origin_requests: Count = 0
    origin_bytes: Count = 0
    errors: Count = 0
    refused: Annotated[Count, Meta(description="Answers with a status from 400 to 499.")] = 0
    hit_ratio: Share | None = None
    byte_hit_ratio: Share | None = None
    durations: Durations = Durations()


class Opacity(Struct, frozen=True):
    """How many messages an intermediary can't decide about from the message alone.

    `judged` is the number of exchanges that hold what a judgement needs; `share` is None where there are
    none. A message is opaque where it says nothing of whether and how long it may be kept (`not explicit`),
    or where its meaning hangs on state that it only refers to (`not stateless`), or both.
    """

    judged: Count = 0
    opaque: Count = 0
    not_explicit: Count = 0
    not_stateless: Count = 0
    share: Share | None = None


class Cost(Struct, frozen=True):
    """What one cause has cost: requests and bytes that reached the origin because of it.

    `cause` is the slug of a reason in the catalogue, `sentence` what it says. `derived` is the number of
    those requests for which the log names no reason, so that the rules were asked.
    """

    cause: str
    sentence: str
    section: str
    requests: Count
    bytes: Count
    derived: Count = 0


class Exchange(Struct, frozen=True):
    """One exchange, shown as an example. `id` is that of the record, or the line's number as `line 7`."""

    id: str
    time: Moment | None
    method: str
    target: str
    status: int
    bytes: int
    duration: float | None
    client: str = ""
    detail: str = ""


class Dependence(Struct, frozen=True):
    """Whether the content of one endpoint's answers depends on one candidate.

    `candidate` is written `cookie sid`, `field accept-language`, `query page`, `replica`, `history` (what the
    same client asked before) or `time`. Comparisons are of answers to requests for the same path that differ
    in this and in nothing else that is known to matter: `equal` had equal content, `different` had not.
    `values` is how many values were seen, `confidence` how sure the verdict is. `together_with` are
    candidates that always changed at once with this one, so that the logs can't tell them apart. `declared`:
    the responses say that they differ by it (Vary), or keep shared caches away. `examples` are the exchanges
    that show it, the first two with equal values where there are three.
    """

    candidate: str
    answer: Answer
    confidence: Share
    equal: Count
    different: Count
    values: Count
    sentence: str
    together_with: tuple[str, ...] = ()
    declared: bool | None = None
    examples: tuple[Exchange, ...] = ()


class Endpoint(Struct, frozen=True):
    """One endpoint: a template of paths, with all that was seen there.

    `name` begins with the host where there are several. `paths` is the number of distinct paths, where
    `paths_exact` is False only an estimate. `costs` are the causes for which the origin was asked, the
    greatest first. `vary`, `media_types` and `sets` (cookies) are what the responses said.
    """

    name: str
    authority: str
    methods: dict[str, Count]
    statuses: dict[str, Count]
    figures: Figures
    opacity: Opacity
    paths: Count
    paths_exact: bool = True
    costs: tuple[Cost, ...] = ()
    dependence: tuple[Dependence, ...] = ()
    lifetimes: dict[str, Count] = {}
    vary: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    style: Annotated[str, Meta(description="What the content shows of where the state is; may be empty.")] = (
        ""
    )


class Credential(Struct, frozen=True):
    """One credential by its place and name: what kind of state it carries, and what shows that.

    `set_by` and `sent_to` are endpoints, `read_by` those whose content depends on it. `values` is the number
    of distinct values. `example` is a value where that was asked for, else None.
    """

    where: str
    name: str
    kind: str
    confidence: Share
    format: str = ""
    evidence: tuple[str, ...] = ()
    values: Count = 0
    values_exact: bool = True
    sent: Count = 0
    set: Count = 0
    set_by: tuple[str, ...] = ()
    sent_to: tuple[str, ...] = ()
    read_by: tuple[str, ...] = ()
    example: str | None = None


class Finding(Struct, frozen=True):
    """Something that messages fail to say of themselves, or say wrongly; the worst come first.

    `count` is the number of exchanges that show it, at the `endpoints` named (the first few).
    """

    slug: str
    severity: Severity
    sentence: str
    advice: str
    source: str
    count: Count
    evidence: str = ""
    endpoints: tuple[str, ...] = ()
    examples: tuple[Exchange, ...] = ()
    part: str = ""


class Change(Struct, frozen=True):
    """One change at the origin. `slug` is stable, `sentence` says what to do, `provided` when it is right.

    `supposes` is a warning: the traffic says that `provided` doesn't hold yet, or can't tell.
    """

    slug: str
    sentence: str
    provided: str = ""
    supposes: str = ""


class Effect(Struct, frozen=True):
    """What is predicted for some exchanges, or was measured: hits, and what goes to the origin."""

    exchanges: Count
    hits: Count
    hit_ratio: Share
    origin_requests: Count
    origin_bytes: Count


class Prediction(Struct, frozen=True):
    """What would come of a set of changes at one endpoint (or everywhere, where `endpoint` is empty).

    `before` is the replay of the log as it is, so that both are had in the same way; `measured` is the hit
    ratio that the log itself tells. `spared` and `spared_bytes` are what would no longer be asked of the
    origin. `assumes` says what the log doesn't hold.
    """

    endpoint: str
    changes: tuple[Change, ...]
    before: Effect
    after: Effect
    spared: Count
    spared_bytes: Count
    sentence: str
    measured: Share | None = None
    assumes: tuple[str, ...] = ()


class ReasonCount(Struct, frozen=True):
    """How often a reason of the catalogue was given: as the main one, and at all."""

    slug: str
    sentence: str
    section: str
    main: Count
    all: Count


class ErrorGroup(Struct, frozen=True):
    """Errors of one kind at one endpoint: the status (0: no response), or what went wrong in words."""

    endpoint: str
    status: int
    error: str
    count: Count
    example: Exchange | None = None


class Slice(Struct, frozen=True):
    """What happened in the `seconds` from `time` on."""

    time: Moment
    seconds: Seconds
    exchanges: Count
    hits: Count
    errors: Count
    bytes: Count


class Advice(Struct, frozen=True):
    """One of the causes that cost most: what it costs, and what to do about it."""

    cost: Cost
    endpoints: tuple[str, ...]
    advice: str
    prediction: Prediction | None = None


class Summary(Struct, frozen=True):
    """What fits on one screen."""

    figures: Figures
    opacity: Opacity
    advice: tuple[Advice, ...] = ()
    worst: tuple[Finding, ...] = ()


class Report(Struct, frozen=True):
    """What the logs show. Every list is ordered from what matters most; endpoints by their requests."""

    format: Literal["pellucid-report/1"]
    sources: tuple[Source, ...]
    first: Moment | None
    last: Moment | None
    sampling: Sampling
    summary: Summary
    timeline: tuple[Slice, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    credentials: tuple[Credential, ...] = ()
    findings: tuple[Finding, ...] = ()
    reasons: tuple[ReasonCount, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    slowest: tuple[Exchange, ...] = ()
    errors: tuple[ErrorGroup, ...] = ()
    lacking: tuple[Lacking, ...] = ()
    filters: tuple[str, ...] = ()
