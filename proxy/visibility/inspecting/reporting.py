"""From all that was counted to the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from proxy.caching.reasons import catalogue
from proxy.visibility.inspecting.activity import Activity
from proxy.visibility.inspecting.advice import advice
from proxy.visibility.inspecting.aggregate import SLOWEST, Aggregate
from proxy.visibility.inspecting.credentials_seen import behaviours_of, credentials, hiding, judged
from proxy.visibility.inspecting.dependence import dependence
from proxy.visibility.inspecting.figures import Sums, sums_of, together
from proxy.visibility.inspecting.lacking import lacking
from proxy.visibility.inspecting.noticed import noticed
from proxy.visibility.inspecting.predictions import Case, cases, predict_case, ranked
from proxy.visibility.inspecting.report import (
    FORMAT,
    Answer,
    Endpoint,
    ErrorGroup,
    Finding,
    Prediction,
    ReasonCount,
    Report,
    Sampling,
    Severity,
    Source,
    Summary,
)
from proxy.visibility.inspecting.showing import shown
from proxy.visibility.inspecting.tally import Histogram
from proxy.visibility.inspecting.undeclared import undeclared, undeclared_cookies
from proxy.visibility.inspecting.whereabouts import Found, found_endpoints
from proxy.visibility.inspecting.wording import dependence_of
from proxy.visibility.observation import Held, Part
from proxy.visibility.sessions.kinds import Verdict, Where

Predict = Callable[[Sequence[Case]], Iterable[list[Prediction]]]
"""What runs the replays: one after another, or in several processes."""

MOST_ENDPOINTS = 500
"""How many endpoints are listed one by one."""

MOST_ERRORS = 50


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a report is to hold. `filters` are shown in it; `reveal` allows credentials' values in it."""

    filters: tuple[str, ...] = ()
    reveal: bool = False
    predictions: bool = True


def one_by_one(found: Sequence[Case]) -> Iterator[list[Prediction]]:
    """Replays, one after another."""
    return map(predict_case, found)


def report(
    aggregate: Aggregate,
    sources: Sequence[Source] = (),
    wishes: Wishes | None = None,
    predict: Predict = one_by_one,
) -> Report:
    """What the logs show. The aggregate is not to be used afterwards."""
    wishes = wishes or Wishes()
    held = _held(aggregate)
    endpoints = found_endpoints(aggregate)
    sampling = _sampling(aggregate, endpoints)
    every = [one for endpoint in endpoints for one in endpoint.exchanges]
    activity = Activity(every)
    for endpoint in endpoints:
        if Part.DIGEST in held.parts:
            endpoint.verdicts = dependence(endpoint.exchanges, activity)
    behaviours = behaviours_of(every, held)
    kinds = judged(behaviours, endpoints)
    hidden = hiding(kinds)
    histogram = Histogram()
    for endpoint in endpoints:
        endpoint.sums = sums_of(endpoint.tally, endpoint.stateful(hidden), undeclared_cookies(endpoint))
        histogram.merge(endpoint.tally.histogram)
    total = together(endpoint.sums for endpoint in endpoints)
    found = list(cases(endpoints, held, aggregate.policy)) if wishes.predictions else []
    predictions = ranked(one for several in predict(found) for one in several)
    findings = _findings(endpoints, held)
    costs = total.ranked()
    return Report(
        FORMAT,
        tuple(sources),
        aggregate.timeline.first,
        aggregate.timeline.last,
        sampling,
        Summary(
            total.figures(histogram.durations()),
            total.opacity(),
            advice(costs, endpoints, predictions),
            tuple(one for one in findings if one.severity in (Severity.CRITICAL, Severity.HIGH))[:5],
        ),
        aggregate.timeline.all(),
        tuple(_endpoint(one, _kinds_of_cookies(kinds)) for one in endpoints[:MOST_ENDPOINTS]),
        credentials(behaviours, kinds, endpoints, wishes.reveal),
        findings,
        _reasons(total),
        predictions,
        tuple(shown(one) for _, _, one in sorted(aggregate.slowest, reverse=True)[:SLOWEST]),
        _errors(endpoints),
        lacking(held for held, _ in aggregate.helds.items()),
        wishes.filters,
    )


def _kinds_of_cookies(kinds: Mapping[tuple[Where, str], Verdict]) -> dict[str, str]:
    return {name: str(verdict.kind) for (where, name), verdict in kinds.items() if where is Where.COOKIE}


def _held(aggregate: Aggregate) -> Held:
    """What the log holds from which most exchanges are."""
    return max(aggregate.helds, key=lambda held: aggregate.helds[held], default=Held("", Part(0)))


def _sampling(aggregate: Aggregate, endpoints: Sequence[Found]) -> Sampling:
    kept = sum(len(one.exchanges) for one in endpoints)
    shares = [one.tally.bucket.share for one in endpoints if one.exchanges]
    share = min(shares, default=0.0)
    return Sampling(aggregate.exchanges, kept, share, kept == aggregate.exchanges)


def _endpoint(found: Found, kinds: dict[str, str]) -> Endpoint:
    sums, tally = found.sums, found.tally
    return Endpoint(
        found.name,
        found.authority,
        dict(sums.methods.most_common()),
        dict(sorted(sums.statuses.items())),
        sums.figures(tally.histogram.durations()),
        sums.opacity(),
        tally.paths.count,
        tally.paths.exact,
        sums.ranked(),
        tuple(map(dependence_of, found.verdicts)),
        dict(sums.lifetimes.most_common(8)),
        tuple(sorted(sums.vary)),
        tuple(sorted(sums.media_types)),
        tuple(sorted(sums.sets)),
        tuple(sorted(tally.parameters)),
        _style(found, kinds),
    )


def _style(found: Found, kinds: dict[str, str]) -> str:
    """Where the state is that the content shows, in a word; empty where that was not seen."""
    depends = [one.candidate for one in found.verdicts if one.answer is Answer.DEPENDS]
    personal = [one for one in depends if one.personal]
    if any(kinds.get(one.name) == "server-held" for one in personal):
        return "server-held"
    if personal and found.answer("history") is Answer.DEPENDS:
        return "server-held"
    if any(kinds.get(one.name) == "client-held" for one in personal):
        return "client-held"
    if personal:
        return "personalised"
    if found.answer("time") is Answer.DEPENDS:
        return "changing by itself"
    seen = [
        one
        for one in found.verdicts
        if one.candidate.personal or one.candidate.kind in ("time", "history", "replica")
    ]
    return "stateless" if seen and all(one.answer is Answer.DOES_NOT for one in seen) else ""


def _findings(endpoints: Sequence[Found], held: Held) -> tuple[Finding, ...]:
    order = list(Severity)
    found = [*undeclared(endpoints), *noticed(endpoints, held)]
    return tuple(sorted(found, key=lambda one: (order.index(one.severity), -one.count, one.slug)))


def _reasons(total: Sums) -> tuple[ReasonCount, ...]:
    known = catalogue()
    found = []
    for slug, count in total.all.items():
        reason = known.get(slug)
        sentence, section = (reason.sentence, reason.section) if reason else ("", "")
        found.append(ReasonCount(slug, sentence, section, total.main[slug], count))
    return tuple(sorted(found, key=lambda one: (-one.main, -one.all, one.slug)))


def _errors(endpoints: Sequence[Found]) -> tuple[ErrorGroup, ...]:
    found = [
        ErrorGroup(endpoint.name, status, error, count, shown(example))
        for endpoint in endpoints
        for (status, error), (count, example) in endpoint.tally.errors.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.count, one.endpoint, one.status))[:MOST_ERRORS])
