"""Predictions as they stand in the report: what each change would bring, in numbers of the whole log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from proxy.caching.policy import Policy
from proxy.visibility.inspecting.asked import Sampled, asked_of
from proxy.visibility.inspecting.changes import Possible
from proxy.visibility.inspecting.dependence import Verdict
from proxy.visibility.inspecting.figures import SELF
from proxy.visibility.inspecting.replay import Asked, Outcomes
from proxy.visibility.inspecting.report import Answer, Change, Effect, Prediction
from proxy.visibility.inspecting.sample import MOST_OF_A_PATH, Bucket, Slot
from proxy.visibility.inspecting.showing import amount, listed, percent
from proxy.visibility.inspecting.whatif import Foreseen, foresee
from proxy.visibility.inspecting.whereabouts import Found
from proxy.visibility.observation import Held, Part

MOST = 16_000
"""How many exchanges are replayed at most, of all endpoints; each is replayed about ten times."""

FAR = 0.05
"""By how much the replay of a log may miss what the log says, before that is worth a warning."""

_RELATED = ("location", "content-location", "cache-group-invalidation")
_READ = ("vary", "set-cookie", "etag", "last-modified")
_ASKED = ("cookie", "authorization", "cache-control")
_SAFE = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "QUERY"))


@dataclass(frozen=True, slots=True)
class Case:
    """One endpoint as it is replayed: small enough to be sent to another process."""

    name: str
    asked: tuple[Asked, ...]
    beside: tuple[Asked, ...]
    verdicts: tuple[Verdict, ...]
    total: int
    measured: float | None
    policy: Policy
    lacks: tuple[str, ...] = ()


def cases(endpoints: Sequence[Found], held: Held, policy: Policy) -> Iterator[Case]:
    """What is worth replaying; nothing where the log doesn't hold what the rules read."""
    if not held.has_response_field("cache-control") or Part.TIME not in held.parts:
        return
    lacks = (
        *(f"the response field {name.title()}" for name in _READ if not held.has_response_field(name)),
        *(f"the request field {name.title()}" for name in _ASKED if not held.has_request_field(name)),
    )
    each = max(200, MOST // max(1, len(endpoints)))
    related = list(_related(endpoints))
    for endpoint in endpoints:
        total = sum(count for row, count, _ in endpoint.tally.each() if row[2] not in SELF)
        sampled = list(_sampled(endpoint.tally.bucket, total, each if len(endpoints) > 1 else MOST))
        if not total or not sampled or not endpoint.sums.origin_requests:
            continue
        beside = [one for name, one in related if name != endpoint.name]
        yield Case(
            endpoint.name,
            tuple(asked_of(sampled)),
            tuple(asked_of(beside)),
            tuple(endpoint.verdicts),
            total,
            endpoint.sums.hits / endpoint.sums.told if endpoint.sums.told else None,
            policy,
            lacks,
        )


def predict_case(case: Case) -> list[Prediction]:
    """What is worth changing at one endpoint, the best first."""
    found = foresee(case.asked, case.verdicts, case.policy, case.beside)
    return [_prediction(case, one) for one in found]


def ranked(predictions: Iterable[Prediction]) -> tuple[Prediction, ...]:
    """All predictions, those first that spare most requests."""
    return tuple(sorted(predictions, key=lambda one: (-one.spared, -one.spared_bytes, len(one.changes))))


def _sampled(bucket: Bucket, total: int, most: int) -> Iterator[Sampled]:
    """What is replayed of an endpoint that had `total` exchanges: what was kept of some of its paths.

    The hottest stand for themselves. Of the others some are chosen by their hash, and stand for all.
    """
    slots = [slot for _, slot in sorted(bucket.slots.items()) if slot.kept]
    if bucket.share == 1 and sum(len(slot.kept) for slot in slots) <= most:
        yield from _standing_for(slots, 1.0, most)
        return
    of_a_path = max(MOST_OF_A_PATH // 4, most // 16)
    hottest = sorted(slots, key=lambda slot: -slot.seen)
    if bucket.share < 1:
        hottest = [slot for slot in hottest if slot.hot]
    certain = _fitting(hottest, most // 2, of_a_path)
    known = set(map(id, certain))
    others = _fitting([slot for slot in slots if id(slot) not in known], most // 2, of_a_path)
    left = max(0, total - sum(slot.seen for slot in certain))
    yield from _standing_for(certain, 1.0, of_a_path)
    yield from _standing_for(others, left / max(1, sum(slot.seen for slot in others)), of_a_path)


def _fitting(slots: Sequence[Slot], most: int, of_a_path: int) -> list[Slot]:
    """The first of some paths, for as many of their exchanges as there is room for."""
    found: list[Slot] = []
    kept = 0
    for slot in slots:
        kept += min(of_a_path, len(slot.kept))
        if kept > most:
            break
        found.append(slot)
    return found


def _standing_for(slots: Sequence[Slot], weight: float, of_a_path: int) -> Iterator[Sampled]:
    for slot in slots:
        kept = slot.kept[:of_a_path]
        for one in kept:
            yield Sampled(one, weight * slot.seen / len(kept))


def _related(endpoints: Sequence[Found]) -> Iterator[tuple[str, Sampled]]:
    """Requests that may invalidate what is stored for other endpoints than their own."""
    for endpoint in endpoints:
        for one in endpoint.exchanges:
            if one.method not in _SAFE and any(name.lower() in _RELATED for name, _ in one.response_fields):
                yield endpoint.name, Sampled(one, 0.0)


def _prediction(case: Case, foreseen: Foreseen) -> Prediction:
    before, after = _effect(case, foreseen.before), _effect(case, foreseen.after)
    spared = max(0, before.origin_requests - after.origin_requests)
    spared_bytes = max(0, before.origin_bytes - after.origin_bytes)
    changed = tuple(_change(one, case.verdicts) for one in foreseen.changes)
    return Prediction(
        case.name,
        changed,
        before,
        after,
        spared,
        spared_bytes,
        _sentence(case.name, changed, before, after, spared, spared_bytes),
        case.measured,
        tuple(_assumes(case, before)),
    )


def _effect(case: Case, outcomes: Outcomes) -> Effect:
    scale = case.total / outcomes.exchanges if outcomes.exchanges else 0.0
    hits = min(case.total, round(outcomes.hits * scale))
    requests = round(outcomes.origin_requests * scale)
    return Effect(case.total, hits, hits / case.total, requests, round(outcomes.origin_bytes * scale))


def _change(one: Possible, verdicts: Sequence[Verdict]) -> Change:
    answers = {str(verdict.candidate): verdict.answer for verdict in verdicts}
    supposes = ""
    if one.about.startswith("cookie"):
        answer = answers.get(one.about, Answer.UNKNOWN)
        if answer is Answer.DEPENDS:
            supposes = "Today the content does depend on it: that has to change first."
        elif answer is Answer.UNKNOWN:
            supposes = "Whether the content depends on it today, the log does not show."
    if one.slug == "lifetime" and Answer.DEPENDS in (answers.get("time"), answers.get("history")):
        supposes = "The content was seen to change: users would get to see older content."
    elif one.slug == "lifetime" and (unsure := _unsettled(verdicts)):
        supposes = f"Whether the content depends on {listed(unsure)}, the log does not show."
    return Change(one.slug, one.sentence, one.provided, supposes)


def _unsettled(verdicts: Sequence[Verdict]) -> list[str]:
    """What may tell users apart, and was not seen to be without effect."""
    return [
        f"the {one.candidate}" for one in verdicts if one.candidate.personal and one.answer is Answer.UNKNOWN
    ]


def _sentence(
    name: str, changed: Sequence[Change], before: Effect, after: Effect, spared: int, spared_bytes: int
) -> str:
    what = listed([one.sentence for one in changed])
    hits = f"hits {percent(before.hit_ratio)} → {percent(after.hit_ratio)}"
    if spared:
        gone = f"{amount(spared)} of {amount(before.origin_requests)} origin requests gone"
    else:
        share = percent(spared_bytes / before.origin_bytes) if before.origin_bytes else "0 %"
        gone = f"{share} of the origin's bytes gone"
    return f"{what[:1].upper()}{what[1:]} on `{name}`: {hits}, {gone}."


def _assumes(case: Case, before: Effect) -> Iterator[str]:
    if case.measured is not None and abs(case.measured - before.hit_ratio) > FAR:
        said, had = percent(case.measured), percent(before.hit_ratio)
        yield f"The log says hits {said}, its replay as it is gives {had}: take this prediction with care."
    if case.lacks:
        yield f"The log lacks {listed(list(case.lacks))}: it is taken that there was none."
    if not any(one.digest for one in case.asked):
        yield "The log has no digests of content: validators are assumed to stay the same for each path."
    yield "The store has room for everything, and the origin answers as it did."
