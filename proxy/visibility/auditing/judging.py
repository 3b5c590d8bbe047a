"""What the answers to an audit's requests show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from proxy.visibility.auditing.shape import (
    Asked,
    Candidate,
    Dependence,
    Endpoint,
    Exhibit,
    Finding,
    Heard,
    Probe,
    Way,
)
from proxy.visibility.sessions.kinds import Kind

Pair = tuple[Probe, Heard]

_OF_KIND = {
    Kind.SERVER_HELD: Dependence.SERVER_HELD,
    Kind.AFFINITY: Dependence.SERVER_HELD,
    Kind.CLIENT_HELD: Dependence.CLIENT_HELD,
}
_WEIGHT = {dependence: weight for weight, dependence in enumerate(Dependence)}
_SEVERAL = 3
"""How many values of what is hidden have to have had the same answer to show that it hangs on none."""

_IN_GENERAL = (Dependence.STATELESS, Dependence.UNCLEAR)


@dataclass(slots=True)
class Case:
    """One request and everything that was heard of it, in the order in which it was sent.

    `offered` are the cookies that its answer set, as candidates.
    """

    asked: Asked
    heard: list[Pair] = field(default_factory=list)
    offered: tuple[Candidate, ...] = ()
    _moving: frozenset[int] | None = None

    @property
    def moving(self) -> frozenset[int]:
        """The parts of the content that differ between equal requests sent one after the other."""
        if self._moving is None:
            self._moving = _moving([heard.pieces for _, heard in self.again if not heard.error])
        return self._moving

    def answer(self, heard: Heard) -> tuple[object, ...]:
        """What has to be equal in equal answers: all but what is different each time anyway."""
        content: object = heard.digest
        if self.moving:
            parts = memoryview(heard.pieces).cast("Q")
            content = tuple(part for place, part in enumerate(parts) if place not in self.moving)
        return heard.status, heard.location, content

    @property
    def again(self) -> list[Pair]:
        """The sendings of the request as it is, in one go with its variations."""
        return [pair for pair in self.plain if pair[0].way is Way.AGAIN]

    @property
    def plain(self) -> list[Pair]:
        """The sendings of the request as it is, to the first replica."""
        return [pair for pair in self.heard if pair[0].plain]

    def of(self, way: Way) -> list[Pair]:
        """The sendings in one way."""
        return [pair for pair in self.heard if pair[0].way is way]


def _moving(contents: Sequence[bytes]) -> frozenset[int]:
    if len(contents) < 2 or not contents[0] or len({len(one) for one in contents}) != 1:
        return frozenset()
    columns = zip(*(memoryview(one).cast("Q") for one in contents), strict=True)
    places = frozenset(place for place, parts in enumerate(columns) if len(set(parts)) > 1)
    return places if len(places) * 16 <= len(contents[0]) else frozenset()


def judge(case: Case) -> Finding:
    """What the answers to one request show: the strongest of all that was found."""
    if not case.heard or all(heard.error for _, heard in case.heard):
        why = case.heard[0][1].error if case.heard else "it was not sent"
        return Finding(Dependence.UNCLEAR, f"No answer could be had: {why}.")
    found = [finding for look in _LOOKS for finding in look(case)]
    if not found:
        unseen = _unseen(case)
        depends = Dependence.UNCLEAR if unseen else Dependence.STATELESS
        return Finding(depends, unseen or _unmoved(case), proof=_exhibits(case.plain[:2]))
    return min(found, key=lambda finding: _WEIGHT[finding.depends])


def _unseen(case: Case) -> str:
    """Why an answer that never changed tells nothing: it was had without what the log hides.

    Empty where nothing was hidden, and where whoever asked with it got the very same answer.
    """
    hidden = ", ".join(case.asked.hidden)
    if not hidden:
        return ""
    told = case.asked.recorded
    here = {(heard.status, heard.digest) for _, heard in case.plain if not heard.error}
    if not told or case.asked.bearers < _SEVERAL:
        return f"Not enough seen: it was sent without {hidden}, which the log hides."
    if not set(told) <= here:
        return f"Not enough seen: with {hidden}, which the log hides, the recorded answers were other ones."
    return ""


def _unmoved(case: Case) -> str:
    ways = ["sent twice", "in another order"]
    if any(probe.without for probe, _ in case.heard):
        ways.append("without each credential")
    if any(probe.replica for probe, _ in case.heard):
        ways.append("at every replica")
    if case.of(Way.PAUSED):
        ways.append("after a pause")
    return f"The answer is the same {', '.join(ways[:-1])} and {ways[-1]}."


def _changing(case: Case) -> Iterator[Finding]:
    """Equal requests, one right after the other, that are answered differently."""
    found = _first_difference(case.again)
    if found is None:
        return
    bare = _bare(case)
    if bare is not None and _first_difference(bare) is None and _usable(bare[0][1]):
        yield Finding(
            Dependence.SERVER_HELD,
            f"Equal requests are answered differently with {_named(bare[0][0])}, and alike without: "
            "each leaves something behind in a server.",
            on=_names(bare[0][0].without),
            proof=_exhibits(found),
        )
        return
    yield Finding(Dependence.CHANGING, "Equal requests are answered differently.", proof=_exhibits(found))


def _elsewhere(case: Case) -> Iterator[Finding]:
    """Replicas that answer the same bytes differently."""
    if _restless(case):
        return
    base = case.plain[0]
    for pair in case.of(Way.REPLICA):
        if not pair[1].error and case.answer(pair[1]) != case.answer(base[1]):
            on = _names(case.asked.candidates)
            yield Finding(
                Dependence.SERVER_HELD,
                "Another replica answers the same bytes differently: what they mean only one server knows.",
                on=on,
                proof=_exhibits((base, pair)),
            )
            return


def _history(case: Case) -> Iterator[Finding]:
    """An answer that depends on what was asked before, or on when it is asked."""
    if _restless(case):
        return
    moved = _first_difference(case.plain, case)
    if moved is None:
        return
    later = moved[1][0].way
    others = [heard for probe, heard in case.plain if probe.way is not Way.REORDERED]
    back = all(case.answer(heard) == case.answer(others[0]) for heard in others)
    if later is Way.REORDERED and back:
        because = "After other requests the same bytes are answered differently: they leave something behind."
        yield Finding(Dependence.SERVER_HELD, because, _names(case.asked.candidates), _exhibits(moved))
    else:
        because = "Equal requests were answered differently as time went by."
        yield Finding(Dependence.CHANGING, because, proof=_exhibits(moved))


def _dependent(case: Case) -> Iterator[Finding]:
    """Credentials without which the answer is another one."""
    for probe, heard, before in _lacking(case):
        if case.answer(heard) == case.answer(before[1]) or heard.error or len(probe.without) > 1:
            continue
        one = probe.without[0]
        depends = _OF_KIND.get(one.kind, Dependence.PERSONALISED)
        yield Finding(
            depends,
            f"Without {one.words} the answer is another one. {_what(one)}",
            on=one.name,
            proof=_exhibits((before, (probe, heard))),
        )


def _begun(case: Case) -> Iterator[Finding]:
    """What the cookies that an answer sets do in the next request."""
    had = [pair for pair in case.of(Way.GIVEN) if not pair[1].error]
    here = [pair for pair in had if pair[0].replica == 0]
    names = ", ".join(one.name for one in case.offered)
    if not here or _restless(case):
        return
    moved = _first_difference(here, case)
    if moved is not None:
        because = f"With the cookies that it gave ({names}), each request changes the next one's answer."
        yield Finding(Dependence.SERVER_HELD, because, names, _exhibits(moved))
        return
    for pair in had:
        known, again = set(here[0][1].given), set(pair[1].given)
        opaque = {one.name for one in case.offered if one.kind not in (Kind.CLIENT_HELD, Kind.MEASUREMENT)}
        if pair[0].replica and (case.answer(pair[1]) != case.answer(here[0][1]) or (again - known) & opaque):
            because = f"Another replica does not know what one server gave out ({names})."
            yield Finding(Dependence.SERVER_HELD, because, names, _exhibits((here[0], pair)))
            return
    if case.answer(here[0][1]) != case.answer(case.plain[0][1]):
        kind = max((_OF_KIND.get(one.kind, Dependence.PERSONALISED) for one in case.offered), key=_WEIGHT.get)  # type: ignore[arg-type]
        because = f"With the cookies that it gave ({names}) the answer is another one."
        yield Finding(kind, because, names, _exhibits((case.plain[0], here[0])))


_LOOKS = (_changing, _elsewhere, _history, _dependent, _begun)


def _restless(case: Case) -> bool:
    """Whether the answer changes from one sending to the next, so that no other difference tells anything."""
    return not case.moving and _first_difference(case.again) is not None


def _first_difference(pairs: Sequence[Pair], case: Case | None = None) -> tuple[Pair, Pair] | None:
    """The first two neighbours with different answers; with `case`, not counting what always differs."""
    had = [pair for pair in pairs if not pair[1].error]
    answers = [_all(heard) if case is None else case.answer(heard) for _, heard in had]
    differing = (number for number, (a, b) in enumerate(pairwise(answers)) if a != b)
    number = next(differing, None)
    return None if number is None else (had[number], had[number + 1])


def _all(heard: Heard) -> tuple[object, ...]:
    return heard.status, heard.location, heard.digest


def _lacking(case: Case) -> Iterator[tuple[Probe, Heard, Pair]]:
    """Each first sending without something, with the plain one before it, where those around it agree."""
    before: Pair | None = None
    for number, pair in enumerate(case.heard):
        probe, heard = pair
        if probe.plain:
            before = pair
        elif probe.way is Way.WITHOUT and before is not None:
            twin = case.heard[number + 1] if number + 1 < len(case.heard) else pair
            after = next((other for other in case.heard[number:] if other[0].plain), before)
            steady = twin[0].without != probe.without or case.answer(twin[1]) == case.answer(heard)
            if steady and case.answer(after[1]) == case.answer(before[1]) and not before[1].error:
                yield probe, heard, before


def _bare(case: Case) -> list[Pair] | None:
    """The sendings without any credential, where the request has some."""
    if not case.asked.candidates:
        return None
    bare = [pair for pair in case.of(Way.WITHOUT) if pair[0].without == case.asked.candidates]
    return bare or None


def _usable(heard: Heard) -> bool:
    return not heard.error and heard.status < 400


def _what(one: Candidate) -> str:
    match one.kind:
        case Kind.SERVER_HELD:
            what = "It is a key to state that servers keep"
        case Kind.CLIENT_HELD:
            what = "It holds the state itself"
        case Kind.AFFINITY:
            what = "It names the server that holds the state"
        case Kind.IDENTITY:
            what = "It says who asks"
        case Kind.PREFERENCE:
            what = "It says how the answer should be"
        case _:
            return "What it holds can't be told from its form."
    told = f": {one.evidence[0]}" if one.evidence else ""
    return f"{what}{told}".rstrip(".") + "."


def _named(probe: Probe) -> str:
    return " and ".join(one.words for one in probe.without)


def _names(candidates: Iterable[Candidate]) -> str:
    return ", ".join(one.name for one in candidates)


def sent(probe: Probe) -> str:
    """In words, what was sent."""
    words = f"{probe.asked.method} {probe.asked.shown}"
    if probe.without:
        words += f", without {_named(probe)}"
    if probe.given:
        words += ", with the cookies that it gave"
    if probe.way is Way.REORDERED:
        words += ", after other requests"
    if probe.way is Way.PAUSED:
        words += ", after a pause"
    return words


def _exhibits(pairs: Iterable[Pair]) -> tuple[Exhibit, ...]:
    return tuple(
        Exhibit(
            sent(probe),
            probe.replica + 1,
            round(heard.at, 3),
            heard.status,
            heard.content_bytes,
            heard.digest,
            heard.location,
            heard.given,
            heard.error,
        )
        for probe, heard in pairs
    )


def verdicts(cases: Sequence[Case]) -> tuple[Endpoint, ...]:
    """The verdict on each endpoint: the strongest of its requests', the endpoints with most state first."""
    by_endpoint: dict[str, list[tuple[Case, Finding]]] = {}
    for case in cases:
        by_endpoint.setdefault(case.asked.endpoint, []).append((case, judge(case)))
    found = [_endpoint(name, judged) for name, judged in by_endpoint.items()]
    return tuple(sorted(found, key=lambda one: (_WEIGHT[one.verdict], one.endpoint)))


def _endpoint(name: str, judged: list[tuple[Case, Finding]]) -> Endpoint:
    told = [pair for pair in judged if pair[1].depends is not Dependence.UNCLEAR] or judged
    case, finding = min(told, key=lambda pair: _WEIGHT[pair[1].depends])
    also = dict.fromkeys(
        str(other.depends)
        for _, other in judged
        if other.depends is not finding.depends and other.depends not in _IN_GENERAL
    )
    gives = {
        one.name: None
        for each, _ in judged
        for one in each.offered
        if one.kind is Kind.SERVER_HELD and one.name not in {sent.name for sent in each.asked.candidates}
    }
    return Endpoint(
        name,
        finding.depends,
        finding.because,
        finding.on,
        len(judged),
        sum(other.depends is finding.depends for _, other in judged),
        f"{case.asked.method} {case.asked.shown}",
        finding.proof,
        tuple(gives),
        tuple(also),
    )
