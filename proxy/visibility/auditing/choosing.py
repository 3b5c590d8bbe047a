"""Which of the recorded requests an audit replays, and as what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from proxy.message.grammar import VALUE, is_token
from proxy.visibility.auditing.shape import Asked, Candidate, LeftOut
from proxy.visibility.inspecting.templates import endpoints
from proxy.visibility.inspecting.tree import Tree
from proxy.visibility.observation import Lines, Observation
from proxy.visibility.redaction import DIGEST, Redaction
from proxy.visibility.sessions.carried import Credential, carried
from proxy.visibility.sessions.classify import classify
from proxy.visibility.sessions.kinds import Where

SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
"""Methods that ask for no change (RFC 9110 §9.2.1) and have no content that a log would have to hold."""

EXCLUDED = r"(?i)(?:log|sign)[-_]?(?:out|off)|delete|remove|unsubscribe"
"""Targets whose names speak of a change all the same: replaying them could end the very sessions at hand."""

LARGEST = 16 << 10
"""The most bytes that the fields of a request may take."""

_NOT_SENT = frozenset(
    b"""
    host content-length content-type content-encoding transfer-encoding connection keep-alive te trailer
    upgrade proxy-connection proxy-authorization expect range if-range if-match if-none-match
    if-modified-since if-unmodified-since via forwarded x-forwarded-for x-forwarded-host x-forwarded-proto
    http2-settings upgrade-insecure-requests max-forwards cdn-loop
    """.split()
)
"""What concerned another connection, or would keep the answer's content from being seen."""

_MOST_RECORDED = 50_000
_FEW = 8
"""How many recorded answers to one request are remembered."""

_value = re.compile(VALUE)


@dataclass(slots=True)
class Sample:
    """Some requests of one endpoint: as many of each kind of client as wanted."""

    each: int
    asked: list[Asked] = field(default_factory=list)
    weight: int = 0

    def merge(self, other: Sample) -> None:
        """Take in the requests of what turned out to be the same endpoint."""
        self.weight += other.weight
        kinds: Counter[tuple[str, ...]] = Counter()
        chosen = []
        for one in sorted(self.asked + other.asked, key=lambda asked: asked.number):
            kind = tuple(candidate.name for candidate in one.candidates)
            kinds[kind] += 1
            if kinds[kind] <= self.each:
                chosen.append(one)
        self.asked = chosen


@dataclass(slots=True)
class _Recorded:
    """The answers of the log to one request, and by what hidden values they were asked for; a few of each."""

    answers: set[tuple[int, str]] = field(default_factory=set)
    bearers: set[int] = field(default_factory=set)
    hidden: dict[str, None] = field(default_factory=dict)

    def note(self, observation: Observation, sent: Lines, hidden: tuple[str, ...]) -> None:
        """Take in an answer of the origin, and what it hangs on perhaps."""
        if len(self.hidden) < _FEW:
            self.hidden |= dict.fromkeys(hidden)
        if observation.digest and observation.from_cache is not True and observation.status != 304:
            if len(self.answers) < _FEW:
                self.answers.add((observation.status, observation.digest))
            if len(self.bearers) < _FEW:
                self.bearers.add(hash(tuple(line for line in observation.request_fields if line not in sent)))


@dataclass(frozen=True, slots=True)
class Chosen:
    """The requests to replay, in the order in which they were recorded, and what was left out."""

    asked: tuple[Asked, ...]
    left_out: tuple[LeftOut, ...]
    hidden: tuple[str, ...]


class Choosing:
    """Takes exchanges as they were recorded, and keeps at most `each` requests of a kind for an endpoint.

    Of requests that differ only in what is not sent, one is kept. `excluded` is a pattern for targets.
    """

    def __init__(
        self, redaction: Redaction, *, each: int = 5, most: int = 300, excluded: str = EXCLUDED
    ) -> None:
        self._redaction = redaction
        self._each = each
        self._most = most
        self._excluded = re.compile(excluded) if excluded else None
        self._tree: Tree[Sample] = Tree()
        self._seen: set[int] = set()
        self._recorded: dict[int, _Recorded] = {}
        self._left_out: Counter[str] = Counter()
        self._number = 0

    def add(self, observations: Iterable[Observation]) -> None:
        """Look at further exchanges, in the order in which they took place."""
        for observation in observations:
            why = self._take(observation)
            if why:
                self._left_out[why] += 1

    def chosen(self) -> Chosen:
        """The choice, after all exchanges have been looked at."""
        found = endpoints(self._tree)
        asked = [
            self._with_record(replace(one, endpoint=f"{one.method} {template}"))
            for (_, template), sample in found.items()
            for one in sample.asked
        ]
        asked.sort(key=lambda one: one.number)
        if len(asked) > self._most:
            self._left_out["more requests than --limit"] += len(asked) - self._most
            asked = _spread(asked, self._most)
        left_out = tuple(LeftOut(why, count) for why, count in self._left_out.most_common())
        hidden = tuple(sorted({name for one in asked for name in one.hidden}))
        return Chosen(tuple(asked), left_out, hidden)

    def _with_record(self, asked: Asked) -> Asked:
        found = self._recorded.get(hash((asked.method, asked.target, asked.fields)))
        if found is None:
            return asked
        return replace(
            asked,
            hidden=tuple(dict.fromkeys((*asked.hidden, *found.hidden))),
            recorded=tuple(sorted(found.answers)),
            bearers=len(found.bearers),
        )

    def _take(self, observation: Observation) -> str:
        """Keep a request; why not, where it isn't."""
        if why := self._unfit(observation):
            return why
        lines, hidden = sendable(observation.request_fields)
        key = hash((observation.method, observation.target, lines))
        if key in self._recorded or len(self._recorded) < _MOST_RECORDED:
            self._recorded.setdefault(key, _Recorded()).note(observation, lines, hidden)
        if key in self._seen:
            return "the same request again"
        if len(self._seen) >= 1_000_000:
            return "more different requests than are looked at"
        self._seen.add(key)
        self._number += 1
        asked = Asked(
            self._number,
            "",
            observation.method,
            observation.target,
            self._redaction.target(observation.target.encode("latin-1"))[0],
            lines,
            candidates(observation),
            hidden,
        )
        path = observation.target.partition("?")[0]
        node = self._tree.place("", path)
        if node.gathered is None:
            node.gathered = Sample(self._each)
        node.gathered.merge(Sample(self._each, [asked], 1))
        return ""

    def _unfit(self, observation: Observation) -> str:
        target = observation.target
        if observation.method not in SAFE:
            return "not a safe method" if observation.method else "not a request"
        if target[:1] != "/" or not target.isascii() or any(c <= " " or c == "\x7f" for c in target):
            return "a target that is no path"
        if DIGEST.search(target):
            return "a credential in the target that the log hides"
        if self._excluded is not None and self._excluded.search(target):
            return "excluded by its name (see --exclude)"
        return ""


def sendable(lines: Lines) -> tuple[Lines, tuple[str, ...]]:
    """The fields to send of a recorded request, and the names of those credentials that the log hides."""
    kept: list[tuple[str, str]] = []
    hidden: list[str] = []
    size = 0
    for name, value in lines:
        lowered, token = name.lower(), name.encode("latin-1", "replace")
        if token.lower() in _NOT_SENT or not is_token(token):
            continue
        if lowered == "cookie":
            value, lacking = _known_cookies(value)
            hidden += lacking
        elif DIGEST.search(value):
            hidden.append(lowered)
            continue
        data = value.encode("latin-1", "replace")
        size += len(name) + len(data) + 4
        if value and _value.fullmatch(data) and size <= LARGEST:
            kept.append((name, value))
    return tuple(kept), tuple(dict.fromkeys(hidden))


def candidates(observation: Observation) -> tuple[Candidate, ...]:
    """The credentials of a request that can be left out one by one: those that can be sent at all."""
    found: dict[tuple[Where, str], Candidate] = {}
    names = tuple(one.name for one in carried(observation).sent)
    for one in carried(observation).sent:
        if one.where in (Where.COOKIE, Where.AUTHORIZATION, Where.FIELD) and one.shown:
            found.setdefault((one.where, one.name), candidate(one, names))
    return tuple(found.values())


def candidate(credential: Credential, beside: tuple[str, ...] = ()) -> Candidate:
    """A credential with the kind that it has by its name and its form."""
    verdict = classify(
        credential.name,
        None,
        credential.where,
        credential.length,
        credential.form,
        credential.scheme,
        beside,
    )
    return Candidate(
        credential.where, credential.name, verdict.kind, verdict.confidence, tuple(verdict.evidence)
    )


def without(lines: Lines, left_out: Iterable[Candidate]) -> Lines:
    """Fields without some credentials."""
    cookies = {one.name for one in left_out if one.where is Where.COOKIE}
    fields = {one.name.lower() for one in left_out if one.where is not Where.COOKIE}
    kept: list[tuple[str, str]] = []
    for name, value in lines:
        if name.lower() == "cookie" and cookies:
            value = "; ".join(pair for pair in _pairs(value) if pair.partition("=")[0] not in cookies)
            if not value:
                continue
        if name.lower() not in fields:
            kept.append((name, value))
    return tuple(kept)


def with_cookies(lines: Lines, cookies: dict[str, str]) -> Lines:
    """Fields with these cookies beside those that are there, in the place of those called the same."""
    there = [pair for name, value in lines if name.lower() == "cookie" for pair in _pairs(value)]
    pairs = [pair for pair in there if pair.partition("=")[0] not in cookies]
    pairs += [f"{name}={value}" for name, value in cookies.items()]
    others = tuple(line for line in lines if line[0].lower() != "cookie")
    return (*others, ("Cookie", "; ".join(pairs))) if pairs else others


def _known_cookies(value: str) -> tuple[str, list[str]]:
    pairs = list(_pairs(value))
    hidden = [pair.partition("=")[0] for pair in pairs if DIGEST.search(pair)]
    return "; ".join(pair for pair in pairs if not DIGEST.search(pair)), hidden


def _pairs(value: str) -> Iterable[str]:
    return (pair.strip() for pair in value.split(";") if pair.strip())


def _spread(asked: list[Asked], most: int) -> list[Asked]:
    """At most so many, taken in turn from the endpoints, in their order."""
    turns: Counter[str] = Counter()
    ranked = []
    for one in asked:
        ranked.append((turns[one.endpoint], one.number, one))
        turns[one.endpoint] += 1
    ranked.sort(key=lambda item: item[:2])
    return sorted((one for _, _, one in ranked[:most]), key=lambda one: one.number)
