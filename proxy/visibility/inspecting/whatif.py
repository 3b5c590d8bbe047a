"""What would come of changes: the log replayed through the same rules, with a cause removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from proxy.caching.policy import Policy
from proxy.caching.vary import nominated
from proxy.visibility.inspecting import changes
from proxy.visibility.inspecting.changes import Possible
from proxy.visibility.inspecting.dependence import Verdict
from proxy.visibility.inspecting.messages import cookies_of, parameters_of
from proxy.visibility.inspecting.replay import Asked, Outcomes, replay
from proxy.visibility.inspecting.report import Answer
from proxy.visibility.inspecting.wording import declared

WORTH = 0.01
"""The share of an endpoint's requests that a change must spare to be worth mentioning."""

BYTES = 0.1
"""What it counts that no content has to be sent, beside that nothing is asked at all."""

ENOUGH = 0.95
"""The share of what a set of changes spares that is as good as all of it: what adds less is left out."""

MOST_OF_A_KIND = 4
"""How many cookies, and how many parameters, are tried at one endpoint."""

_NORMALISED = ("accept-encoding", "accept-language", "user-agent", "accept")


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What the replay says of a set of changes at one endpoint."""

    changes: tuple[Possible, ...]
    before: Outcomes
    after: Outcomes

    @property
    def gain(self) -> float:
        """How many requests would no longer reach the origin server, as a share of all."""
        if not self.before.exchanges:
            return 0.0
        return (self.before.origin_requests - self.after.origin_requests) / self.before.exchanges

    @property
    def spared(self) -> float:
        """How much less would be asked of the origin, as a share of all exchanges.

        Bytes that need not be sent count a little too: the request for them still has to be answered.
        """
        size = self.before.origin_bytes
        share = (size - self.after.origin_bytes) / size if size else 0.0
        load = self.before.origin_requests / self.before.exchanges if self.before.exchanges else 0.0
        return self.gain + BYTES * share * load


def possible(asked: Sequence[Asked], verdicts: Sequence[Verdict], policy: Policy) -> list[Possible]:
    """The changes that would change anything at an endpoint, and that what was seen there permits.

    What would give content to others than those it was made for is proposed only where the content was seen
    not to depend on who asks. The exception is a cookie: there it is the design that would have to change,
    and what that would bring is worth knowing. No lifetime is proposed where content differs by what no
    response declares: whoever asks first would decide what all others get.
    """
    answers = {str(one.candidate): one.answer for one in verdicts}
    personal = [one.answer for one in verdicts if one.candidate.personal]
    anonymous = not any(
        b"cookie" in one.request.fields or b"authorization" in one.request.fields for one in asked
    )
    alike = anonymous or (bool(personal) and set(personal) == {Answer.DOES_NOT})
    mixing = any(map(_mixes, verdicts))
    found = [*_for_cookies(asked), *_for_vary(asked), *_for_parameters(asked)]
    found += [changes.public(policy), changes.shared(policy), changes.storable(policy)]
    found += [changes.lifetime(policy), changes.tagged()]
    kept = []
    for one in found:
        if one.about == changes.PERSONAL:
            permitted = alike
        elif one.slug == "lifetime":
            permitted = not mixing
        elif one.about and not one.slug.startswith("cookie:"):
            permitted = answers.get(one.about) is Answer.DOES_NOT or (
                one.slug.startswith("ignore:") and changes.is_tracking(one.slug.removeprefix("ignore:"))
            )
        else:
            permitted = True
        if permitted and any(one.apply(request) is not request for request in asked):
            kept.append(one)
    return kept


def _mixes(verdict: Verdict) -> bool:
    """Whether content that is kept for all would be, or might be, that of one user or one variant."""
    differs = verdict.answer is Answer.DEPENDS or (
        verdict.answer is Answer.UNKNOWN and verdict.different > 0 and verdict.candidate.personal
    )
    return differs and declared(verdict) is False


def predict(
    asked: Sequence[Asked], chosen: Sequence[Possible], policy: Policy, beside: Sequence[Asked] = ()
) -> Outcomes:
    """What comes of requests once the origin has made these changes.

    `beside` are requests to other endpoints that may invalidate what is stored for these; they aren't
    counted.
    """
    changed = [_applied(one, chosen) for one in asked]
    everything = sorted([*changed, *(replace(one, weight=0.0) for one in beside)], key=lambda one: one.time)
    return replay(everything, policy)


def foresee(
    asked: Sequence[Asked], verdicts: Sequence[Verdict], policy: Policy, beside: Sequence[Asked] = ()
) -> list[Foreseen]:
    """What is worth changing at an endpoint, the best first: single changes, and the set that does most.

    That set holds nothing that could be left out of it without losing by it.
    """
    before = predict(asked, (), policy, beside)
    if not before.exchanges:
        return []
    tried = possible(asked, verdicts, policy)

    def run(chosen: Sequence[Possible]) -> Foreseen:
        return Foreseen(tuple(chosen), before, predict(asked, chosen, policy, beside))

    if not tried or (whole := run(tried)).spared < WORTH:
        return []
    best = _least(run, whole)
    found = [best]
    for one in best.changes:
        alone = _with_companions([one], tried)
        if len(alone) < len(best.changes):
            found.append(run(alone))
    worthy = {one.changes: one for one in found if one.spared >= WORTH}
    return sorted(worthy.values(), key=lambda one: (-one.spared, len(one.changes)))


def _least(run: Callable[[Sequence[Possible]], Foreseen], whole: Foreseen) -> Foreseen:
    """The set without what it can do without."""
    best = whole
    for one in sorted(whole.changes, key=_invasive, reverse=True):
        left = [other for other in best.changes if other is not one]
        if len(_with_companions(left, best.changes)) > len(left):
            continue
        without = run(left)
        if without.spared >= best.spared * ENOUGH:
            best = without
    return best


def _with_companions(chosen: Sequence[Possible], tried: Sequence[Possible]) -> list[Possible]:
    """With what has to go along: no response that sets a cookie is to become one that all others get."""
    lasting = any(one.slug in ("lifetime", "no-store", "private") for one in chosen)
    named = {f"set-{one.slug}" for one in chosen if one.slug.startswith("cookie:")}
    also = [
        one
        for one in tried
        if one not in chosen and ((lasting and one.slug.startswith("set-cookie:")) or one.slug in named)
    ]
    return [*also, *chosen]


def _invasive(change: Possible) -> int:
    """What asks for more is left out first."""
    order = ("lifetime", "validator", "set-cookie", "ignore", "vary", "normalise", "authorization", "cookie")
    kind = change.slug.partition(":")[0]
    return order.index(kind) if kind in order else len(order)


def _applied(asked: Asked, chosen: Sequence[Possible]) -> Asked:
    names = [one.slug.removeprefix("cookie:") for one in chosen if one.slug.startswith("cookie:")]
    for one in chosen:
        asked = one.apply(asked)
    if names and b"cookie" not in asked.request.fields:
        return _drop_vary.apply(asked)
    return asked


_drop_vary = changes.no_vary("cookie")


def _for_cookies(asked: Sequence[Asked]) -> list[Possible]:
    sent: dict[str, int] = {}
    given: dict[str, int] = {}
    for one in asked:
        fields = one.response.fields if one.response is not None else one.request.fields
        for value in fields.all(b"set-cookie"):
            name = value.partition(b"=")[0].strip().decode("latin-1")
            given[name] = given.get(name, 0) + 1
        if b"cookie" in (nominated(fields) or ()):
            for value in one.request.fields.all(b"cookie"):
                for name in cookies_of(value.decode("latin-1")):
                    sent[name] = sent.get(name, 0) + 1
    return [changes.no_set_cookie(name) for name in _commonest(given)] + [
        changes.no_cookie(name) for name in _commonest(sent)
    ]


def _for_vary(asked: Sequence[Asked]) -> list[Possible]:
    named: dict[str, int] = {}
    for one in asked:
        for name in nominated(one.response.fields) or () if one.response is not None else ():
            named[name.decode("latin-1")] = named.get(name.decode("latin-1"), 0) + 1
    names = [name for name in _commonest(named) if name != "cookie"]
    return [changes.no_vary(name) for name in names] + [
        changes.normalised(name) for name in names if name in _NORMALISED
    ]


def _for_parameters(asked: Sequence[Asked]) -> list[Possible]:
    found: dict[str, int] = {}
    for one in asked:
        for name in parameters_of(one.request.target.partition(b"?")[2].decode("latin-1")):
            found[name] = found.get(name, 0) + 1
    return [changes.no_parameter(name) for name in _commonest(found)]


def _commonest(found: dict[str, int]) -> list[str]:
    return sorted(found, key=lambda name: -found[name])[:MOST_OF_A_KIND]
