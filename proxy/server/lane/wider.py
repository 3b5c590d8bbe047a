"""Targets that were never seen, but are equivalent to one that was by the rule of No-Vary-Search.

A tracking parameter is new in each request. The answer is the same all the same, where the rules found it by
one rule alone, and where nothing is stored for the target itself (draft-ietf-httpbis-no-vary-search §6).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from proxy.caching.effects import Span
from proxy.caching.no_vary_search import DEFAULT, Rule, rule_of, rules_among
from proxy.caching.policy import Policy
from proxy.engine.licence import Licence
from proxy.visibility.record import encode_piece
from proxy.visibility.redaction import Redaction

_END = b" HTTP/1.1"
_QUERY = re.compile(rb"[\x21\x22\x24-\x7e\x80-\xff]*+")
"""What may stand behind the `?` of a target: neither white space nor control characters nor `#`."""

Applied = tuple[tuple[str, str], ...]
"""What counts of a query, in an order in which equivalent queries are equal."""


class Asked(NamedTuple):
    """A request line taken apart: `shared` is what it has in common with those for other queries."""

    shared: bytes
    target: bytes
    query: bytes


def taken_apart(line: bytes) -> Asked | None:
    """The parts of a request line with a query; None where it has none, or isn't valid (RFC 9112 §3)."""
    beginning, mark, rest = line.partition(b"?")
    query = rest[: -len(_END)]
    if not mark or rest[-len(_END) :] != _END or _QUERY.fullmatch(query) is None:
        return None
    target = beginning.partition(b" ")[2] + b"?" + query
    return Asked(beginning + b"?\r\n", target, query)  # no request line has a line's end in it


def rule_for(licence: Licence, policy: Policy) -> Rule | None:
    """The rule by which the licence holds for other queries too; None where it holds for its own alone."""
    source = licence.answer.source
    if not licence.wider or policy.key_in_status or source is None:
        return None
    rule = rule_of(source.response.fields)
    alone = rules_among(entry.stored for entry, _ in licence.found) == (rule,)
    own = any(entry.key == licence.key for entry, _ in licence.found)
    parts = any(not isinstance(piece, Span) for piece in licence.answer.content)  # by a boundary of its own
    return rule if alone and not own and not parts and rule != DEFAULT else None


def applied(rule: Rule, query: bytes) -> Applied:
    """What counts of a query under this rule."""
    return tuple(rule.applied(query))


class Around(NamedTuple):
    """What stands in a record before and after the request's target, up to the field lines."""

    before: bytes
    after: bytes

    @classmethod
    def of(cls, text: bytes, target: bytes, redaction: Redaction) -> Around | None:
        """Taken from the text with that `target`; None where that holds a credential."""
        shown = target_text(target, redaction)
        if shown is None:
            return None
        before, found, after = text.partition(b',"target":' + shown)
        return cls(before + b',"target":', after) if found else None


def target_text(target: bytes, redaction: Redaction) -> bytes | None:
    """A target as it stands in the record; None where it holds a credential."""
    shown, secrets = redaction.target_once(target)
    return None if secrets else encode_piece(shown)
