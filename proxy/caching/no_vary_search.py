"""Target URIs whose queries differ only in what does not matter (draft-ietf-httpbis-no-vary-search).

A response that has the field is stored with two labels more: one by which the rules in use for a path are
found, and one for its own rule and what that rule leaves of its query. A request that finds nothing usable
under its own key asks for the first, and then, for each rule, for the second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from proxy.caching.key import key_of
from proxy.caching.stored import StoredResponse
from proxy.message import structured
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.uri import Uri, target_uri

MOST_RULES = 4
"""How many different rules for one path are followed; the draft lets a cache follow only the latest."""

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A URL variation config (§3): `ignored` or `significant` lists parameter names, the other is None."""

    ignored: frozenset[str] | None = frozenset()
    significant: frozenset[str] | None = None
    ordered: bool = True

    def applied(self, query: bytes | None) -> Pairs:
        """What counts of a query, in an order in which equivalent queries are equal (§5)."""
        pairs = _parse_query(query or b"")
        if self.ignored is not None:
            pairs = [pair for pair in pairs if pair[0] not in self.ignored]
        elif self.significant is not None:
            pairs = [pair for pair in pairs if pair[0] in self.significant]
        return pairs if self.ordered else sorted(pairs, key=lambda pair: pair[0])

    def __str__(self) -> str:
        listed = self.ignored if self.ignored is not None else self.significant
        return f"{self.ignored is None} {self.ordered} {sorted(listed or ())!r}"


DEFAULT = Rule()
"""Queries have to be equal as they stand."""


def rule_of(fields: Fields) -> Rule:
    """The rule that a response gives; `DEFAULT` where it gives none that can be read (§4.1, §4.2).

    §4.1 as it stands returns the default for `key-order` alone, which its own examples use to good effect:
    those are followed.
    """
    values = fields.all(b"no-vary-search")
    if not values:
        return DEFAULT
    if sum(map(len, values)) > 512:  # what is remembered stays small
        return _parse_rule(values)
    return _remembered(values)


def _parse_rule(values: tuple[bytes, ...]) -> Rule:
    dictionary = structured.parse_dictionary(values) or {}
    key_order = dictionary.get("key-order", (False, {}))[0]
    if not isinstance(key_order, bool) or ("params" in dictionary and "except" in dictionary):
        return DEFAULT
    name = "params" if "params" in dictionary else "except"
    listed = dictionary.get(name, ([], {}))[0]
    if not isinstance(listed, list) or not all(type(item[0]) is str for item in listed):
        return DEFAULT
    keys = frozenset(_decode(str(item[0]).encode("latin-1")) for item in listed)
    if name == "params" or name not in dictionary:
        return Rule(ignored=keys, ordered=not key_order)
    return Rule(ignored=None, significant=keys, ordered=not key_order)


_remembered = lru_cache(maxsize=256)(_parse_rule)


def rules_label(request: Request) -> bytes:
    """The label of everything with a rule that is stored for the request's target URI less its query."""
    return b"nvs-rules:" + _base(request)


def labels(request: Request, fields: Fields) -> tuple[bytes, ...]:
    """The labels under which a response with `fields` to `request` is found from equivalent targets."""
    rule = rule_of(fields)
    return () if rule == DEFAULT else (rules_label(request), label(request, rule))


def label(request: Request, rule: Rule) -> bytes:
    """The label of what is stored under `rule` for targets that are equivalent to the request's."""
    wanted = repr((_base(request), str(rule), rule.applied(target_uri(request).query)))
    return b"nvs:" + hashlib.sha256(wanted.encode("utf-8", "surrogatepass")).hexdigest().encode()


def rules_among(stored: Iterable[StoredResponse]) -> tuple[Rule, ...]:
    """The different rules of `stored`, at most `MOST_RULES`."""
    found = dict.fromkeys(rule_of(one.response.fields) for one in stored)
    found.pop(DEFAULT, None)
    return tuple(found)[:MOST_RULES]


def equivalent(stored: StoredResponse, request: Request) -> bool:
    """Whether the target URIs match, if only modulo the stored response's rule (§5, §6)."""
    one, other = target_uri(stored.request), target_uri(request)
    if one == other:
        return True
    rule = rule_of(stored.response.fields)
    if rule == DEFAULT or replace(one, query=None) != replace(other, query=None):
        return False
    return rule.applied(one.query) == rule.applied(other.query)


def _base(request: Request) -> bytes:
    uri = target_uri(request)
    return key_of(request, uri if uri.query is None else Uri(uri.scheme, uri.authority, uri.path))


def _parse_query(query: bytes) -> Pairs:
    """The application/x-www-form-urlencoded parser of the URL standard, which §5 builds on."""
    pairs = (piece.partition(b"=") for piece in query.split(b"&") if piece)
    return [(_decode(name), _decode(value)) for name, _, value in pairs]


def _decode(value: bytes) -> str:
    return unquote_to_bytes(value.replace(b"+", b" ")).decode("utf-8", "replace")
