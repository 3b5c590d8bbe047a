"""The explanation of one exchange: what the rules said, without credentials. Decides nothing itself."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from proxy.caching.age import age_value, initial_age
from proxy.caching.decision import Because
from proxy.caching.key import cache_key
from proxy.caching.no_vary_search import DEFAULT, rule_of
from proxy.caching.policy import Policy
from proxy.caching.storing import Storing
from proxy.caching.vary import nominated
from proxy.commands.explaining import described, shape
from proxy.commands.explaining.origins import Had
from proxy.commands.explaining.outlook import Outlook, outlook
from proxy.commands.explaining.private import Alone
from proxy.commands.explaining.rehearsal import Rehearsed
from proxy.commands.explaining.situations import Situation
from proxy.commands.explaining.suggestions import Suggestion, suggestions
from proxy.commands.explaining.words import alone_sentence, brief, sentence, variants, verdict
from proxy.message.conditions import CONDITIONAL, validators_of
from proxy.message.fields import NO_FIELDS, Fields
from proxy.message.request import Request
from proxy.visibility.record import rfc3339
from proxy.visibility.redaction import Redaction


def explain(had: Had, policy: Policy, redaction: Redaction, *, reveal: bool = False) -> shape.Explanation:
    """All that the rules make of an exchange, in the form of `--format json`.

    With `reveal` it has what can be read out of credentials; else no credential is in it.
    """
    now = outlook(had, policy)
    return _Shaping(redaction, _known(had, redaction), reveal).explanation(now, suggestions(now, policy))


def _known(had: Had, redaction: Redaction) -> frozenset[str]:
    """The credentials of an exchange, wherever they stand."""
    known = set(redaction.target(had.request.target)[1])
    for name, value in (*had.request.fields, *had.response.fields):
        known.update(redaction.line(name, value)[1])
    return frozenset(known)


@dataclass(frozen=True, slots=True)
class _Shaping:
    """Turns what was found into text, the credentials in it hidden."""

    redaction: Redaction
    known: frozenset[str]
    reveal: bool

    def text(self, value: str) -> str:
        return self.redaction.text(value, self.known) if value else value

    def lines(self, fields: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
        shown = (self.redaction.line(name, value)[0] for name, value in fields)
        return tuple((name, self.text(value)) for name, value in shown)

    def value(self, fields: Fields, name: bytes) -> str | None:
        value = fields.get(name)
        return None if value is None else self.lines([(name, value)])[0][1]

    def reasons(self, reasons: Iterable[Because]) -> tuple[shape.Reason, ...]:
        return tuple(
            shape.Reason(one.reason.slug, one.reason.section, one.reason.sentence, self.text(one.evidence))
            for one in reasons
        )

    def cache_status(self, rehearsed: Rehearsed) -> str | None:
        """Our own member, which comes after those of the caches nearer to the origin (RFC 9211 §2)."""
        members = rehearsed.answer.response.fields.all(b"cache-status")
        return self.text(members[-1].decode("latin-1")) if members else None

    def explanation(self, now: Outlook, found: tuple[Suggestion, ...]) -> shape.Explanation:
        had = now.had
        seen = described.observed(had, self.redaction)
        return shape.Explanation(
            shape.FORMAT,
            self.uri(had.request),
            rfc3339(had.time),
            shape.Asked(
                had.request.method.decode("latin-1"), self.target(had.request), self.lines(had.request.fields)
            ),
            self.answered(had),
            self.storing(now),
            self.freshness(had, now.storing),
            self.validators(had),
            self.vary(had),
            tuple(map(self.situation, now.situations)),
            self.private_cache(now.alone),
            tuple(map(self.suggestion, found)),
            tuple(described.found(seen)),
            tuple(described.credentials(had, seen, reveal=self.reveal)),
        )

    def target(self, request: Request) -> str:
        return self.redaction.target(request.target)[0]

    def uri(self, request: Request) -> str:
        return f"{request.scheme.decode()}://{request.authority.decode('latin-1')}{self.target(request)}"

    def answered(self, had: Had) -> shape.Answered:
        response = had.response
        return shape.Answered(
            response.status,
            response.reason.decode("latin-1"),
            f"{response.version[0]}.{response.version[1]}",
            self.lines(response.fields),
            had.received,
            had.ended,
        )

    def storing(self, now: Outlook) -> shape.Storing:
        return shape.Storing(
            now.stored,
            verdict(now.stored, now.again),
            self.text(cache_key(now.had.request).decode("latin-1")),
            self.cache_status(now.first),
            self.reasons(now.reasons),
            _hindrance(now.had) if now.storing.allowed else "",
        )

    def freshness(self, had: Had, storing: Storing) -> shape.Freshness:
        lifetime = storing.lifetime
        age = initial_age(had.response.fields, had.arrived.request_time, had.time)
        return shape.Freshness(
            "explicit" if lifetime.explicit else "heuristic" if lifetime.heuristic else "none",
            _source(storing),
            lifetime.seconds,
            round(age, 3),
            math.floor(lifetime.seconds - age),
            self.reasons((*lifetime.reasons, *age_value(had.response.fields)[1])),
        )

    def validators(self, had: Had) -> shape.Validators:
        fields = had.response.fields
        found = validators_of(fields, had.time)
        dated = b"last-modified" in fields and found.modified is not None
        return shape.Validators(
            None if found.etag is None else self.text(bytes(found.etag).decode("latin-1")),
            None if found.etag is None else found.etag.weak,
            self.value(fields, b"last-modified") if dated else None,
            found.strong_date if dated else None,
        )

    def vary(self, had: Had) -> shape.Vary:
        names = nominated(had.response.fields)
        query = _query_rule(had.response.fields)
        if names is None:
            return shape.Vary(False, (), query)
        by = (
            shape.Varying(name.decode("ascii"), self.value(had.request.fields, name), variants(name))
            for name in names
        )
        return shape.Vary(True, tuple(by), query)

    def situation(self, one: Situation) -> shape.Situation:
        rehearsed = one.rehearsed
        asked = rehearsed.sent[-1].fields if rehearsed.sent else NO_FIELDS
        return shape.Situation(
            one.name,
            one.about,
            round(one.after, 3),
            None if one.lasts is None else round(one.lasts, 3),
            one.decision.outcome,
            one.status,
            one.decision.stored,
            rehearsed.answer.background is not None,
            self.lines(line for line in asked if line[0].lower() in CONDITIONAL),
            self.cache_status(rehearsed),
            brief(one),
            sentence(one),
            "" if one.because is None else one.because.reason.slug,
            self.reasons(one.decision.reasons),
        )

    def private_cache(self, alone: Alone) -> shape.PrivateCache:
        return shape.PrivateCache(
            alone.storing.allowed,
            alone_sentence(alone),
            alone.storing.lifetime.seconds,
            None if alone.again is None else str(alone.again.course),
            None if alone.lasts is None else round(alone.lasts, 3),
            None if alone.later is None else str(alone.later.course),
            self.reasons(alone.storing.reasons),
        )

    def suggestion(self, one: Suggestion) -> shape.Suggestion:
        steps = (
            shape.Step(
                "request" if step.of_request else "response",
                step.name,
                None if step.before is None else self.text(step.before),
                None if step.after is None else self.text(step.after),
                self.text(str(step)),
            )
            for step in one.steps
        )
        return shape.Suggestion(
            one.name,
            tuple(steps),
            one.provided,
            one.also,
            verdict(one.then.stored, one.then.again),
            tuple(shape.Effect(effect.about, effect.before, effect.after) for effect in one.effects),
            self.reasons(one.then.reasons),
        )


def _query_rule(fields: Fields) -> shape.QueryRule | None:
    rule = rule_of(fields)
    if rule == DEFAULT:
        return None
    return shape.QueryRule(_sorted(rule.ignored), _sorted(rule.significant), rule.ordered)


def _sorted(names: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(sorted(names))


def _source(storing: Storing) -> str:
    """The field that gave the lifetime."""
    lifetime, effective = storing.lifetime, storing.effective
    if lifetime.heuristic:
        return "last-modified"
    if not lifetime.explicit:
        return ""
    stated = any(name in effective.directives for name in (b"s-maxage", b"max-age"))
    return (effective.source if stated else b"expires").decode("latin-1")


def _hindrance(had: Had) -> str:
    if not had.ended:
        return "The content did not end while it was read; what has no end is not stored."
    if had.received > had.limit:
        return f"The content is larger than what is stored: over {had.limit} bytes (storage.object_limit)."
    return ""
