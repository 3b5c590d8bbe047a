"""The credentials in the traffic: what kind of state each carries, who sets it, and what depends on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from proxy.visibility.inspecting.report import Answer, Credential
from proxy.visibility.inspecting.whereabouts import Found
from proxy.visibility.observation import Held, Observation
from proxy.visibility.sessions.behaviour import Behaviour
from proxy.visibility.sessions.behaviours import Behaviours
from proxy.visibility.sessions.carried import carried
from proxy.visibility.sessions.kinds import Kind, Verdict, Where

LIKELY = 0.6
"""How sure it must be that a credential refers to hidden state, for messages with it to count as opaque."""

MOST_NAMED = 12
"""How many endpoints are named at a credential."""

_HIDING = (Kind.SERVER_HELD, Kind.AFFINITY)


def behaviours_of(exchanges: Iterable[Observation], held: Held) -> Behaviours:
    """How the credentials of some exchanges behave."""
    found = Behaviours()
    for one in exchanges:
        found.observe(one, held)
    return found


def judged(behaviours: Behaviours, endpoints: Sequence[Found]) -> dict[tuple[Where, str], Verdict]:
    """The kind of each credential, from its form and from what depends on it."""
    return {
        place: behaviour.verdict(_depends(behaviour, endpoints), _remembers(behaviour, endpoints))
        for place, behaviour in behaviours.by_place.items()
    }


def hiding(verdicts: dict[tuple[Where, str], Verdict]) -> dict[str, float]:
    """The cookies that refer to state which only servers have, and how sure that is."""
    return {
        name: verdict.confidence
        for (where, name), verdict in verdicts.items()
        if where is Where.COOKIE and verdict.kind in _HIDING and verdict.confidence >= LIKELY
    }


def credentials(
    behaviours: Behaviours,
    verdicts: dict[tuple[Where, str], Verdict],
    endpoints: Sequence[Found],
    reveal: bool,
) -> tuple[Credential, ...]:
    """The credentials as they stand in the report, those that hide most first."""
    set_by, sent_to, examples = _whereabouts(endpoints, reveal)
    found = []
    for place, behaviour in behaviours.by_place.items():
        where, name = place
        verdict = verdicts[place]
        values = behaviour.values.distinct
        sent = sum(one.sums.cookies[name] for one in endpoints) if where is Where.COOKIE else 0
        found.append(
            Credential(
                str(where),
                name,
                str(verdict.kind),
                round(verdict.confidence, 4),
                verdict.format,
                verdict.evidence,
                min(values, behaviour.counts.sent + behaviour.counts.given),
                values < _COUNTED,
                max(sent, behaviour.counts.sent),
                behaviour.counts.given,
                _most(set_by.get(place)),
                _most(sent_to.get(place)),
                tuple(one.name for one in endpoints if one.answer(_candidate(place)) is Answer.DEPENDS),
                examples.get(place),
            )
        )
    return tuple(sorted(found, key=lambda one: (one.kind not in _HIDING, -one.sent, one.name)))


_COUNTED = 256


def _candidate(place: tuple[Where, str]) -> str:
    where, name = place
    kind = {Where.COOKIE: "cookie", Where.QUERY: "query"}.get(where, "field")
    return f"{kind} {'authorization' if where is Where.AUTHORIZATION else name}"


def _depends(behaviour: Behaviour, endpoints: Sequence[Found]) -> bool | None:
    candidate = _candidate((behaviour.where, behaviour.name))
    answers = {one.answer(candidate) for one in endpoints}
    if Answer.DEPENDS in answers:
        return True
    return False if Answer.DOES_NOT in answers else None


def _remembers(behaviour: Behaviour, endpoints: Sequence[Found]) -> bool | None:
    """Whether content that depends on the credential also depends on what was done with it before."""
    candidate = _candidate((behaviour.where, behaviour.name))
    answers = {one.answer("history") for one in endpoints if one.answer(candidate) is Answer.DEPENDS}
    if Answer.DEPENDS in answers:
        return True
    return False if answers == {Answer.DOES_NOT} else None


Places = dict[tuple[Where, str], Counter[str]]


def _whereabouts(
    endpoints: Sequence[Found], reveal: bool
) -> tuple[Places, Places, dict[tuple[Where, str], str]]:
    set_by: Places = {}
    sent_to: Places = {}
    examples: dict[tuple[Where, str], str] = {}
    for endpoint in endpoints:
        for exchange in endpoint.exchanges:
            found = carried(exchange)
            for one in found.sent:
                sent_to.setdefault((one.where, one.name), Counter())[endpoint.name] += 1
                if reveal and one.value:
                    examples.setdefault((one.where, one.name), one.value)
            for one in found.given:
                if not one.removed:
                    set_by.setdefault((one.where, one.name), Counter())[endpoint.name] += 1
    return set_by, sent_to, examples


def _most(counted: Counter[str] | None) -> tuple[str, ...]:
    return tuple(name for name, _ in (counted or Counter()).most_common(MOST_NAMED))
