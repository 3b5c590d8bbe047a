"""Which field says how a response may be cached: a targeted one or Cache-Control (RFC 9213)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from proxy.caching.decision import Because
from proxy.caching.policy import Policy
from proxy.caching.reasons import declare
from proxy.message import structured
from proxy.message.cache_control import LOOSENING, Directives, Pair, parse_cache_control
from proxy.message.fields import Fields

TARGETED = declare(
    "targeted",
    "RFC 9213 §2.2",
    "A field addressed to this cache takes the place of Cache-Control and Expires.",
)
TARGETED_ILL_FORMED = declare(
    "targeted-ill-formed", "RFC 9213 §2.1", "A field addressed to this cache can't be read, so it is ignored."
)
TARGETED_EMPTY = declare(
    "targeted-empty", "RFC 9213 §2.1", "A field addressed to this cache says nothing, so it is ignored."
)

CACHE_CONTROL = b"cache-control"

_DURATIONS = frozenset((b"max-age", b"s-maxage", b"stale-while-revalidate", b"stale-if-error"))
_LISTING = frozenset((b"private", b"no-cache"))


@dataclass(frozen=True, slots=True)
class Effective:
    """The directives that hold for a response, and the lower-case name of the field they come from."""

    directives: Directives
    source: bytes = CACHE_CONTROL
    reasons: tuple[Because, ...] = ()

    @property
    def targeted(self) -> bool:
        """Whether a targeted field was chosen, so that Cache-Control and Expires count for nothing."""
        return self.source != CACHE_CONTROL


def effective_directives(fields: Fields, policy: Policy) -> Effective:
    """The directives of a response's `fields` that this cache has to obey.

    The first of `policy.targeted` with a valid, non-empty value (RFC 9213 §2.2), else Cache-Control. Pragma
    means nothing in a response (RFC 9111 §5.4).
    """
    passed_over: tuple[Because, ...] = ()
    for name in policy.targeted:
        values = fields.all(name)
        if not values:
            continue
        found = _targeted(name, values) if sum(map(len, values)) > 512 else _remembered_targeted(name, values)
        if found.targeted:
            return Effective(found.directives, name, passed_over + found.reasons) if passed_over else found
        passed_over += found.reasons
    values = fields.all(CACHE_CONTROL)
    if passed_over or sum(map(len, values)) > 512:  # what is remembered stays small
        return Effective(parse_cache_control(values), CACHE_CONTROL, passed_over)
    return _remembered_plain(values)


@lru_cache(maxsize=1024)
def _remembered_plain(values: tuple[bytes, ...]) -> Effective:
    return Effective(parse_cache_control(values))


def _targeted(name: bytes, values: tuple[bytes, ...]) -> Effective:
    """What one targeted field says; its source is Cache-Control where the field is to be ignored."""
    evidence = f"{name.decode('latin-1')}: {b', '.join(values)[:80].decode('latin-1')}"
    dictionary = structured.parse_dictionary(values)
    if dictionary is None:
        return Effective(Directives(), reasons=(Because(TARGETED_ILL_FORMED, evidence),))
    if not dictionary:
        return Effective(Directives(), reasons=(Because(TARGETED_EMPTY, evidence),))
    return Effective(_directives(dictionary), name, (Because(TARGETED, evidence),))


_remembered_targeted = lru_cache(maxsize=1024)(_targeted)


def _directives(dictionary: structured.Dictionary) -> Directives:
    pairs: list[Pair] = []
    problems: list[str] = []
    for key, member in dictionary.items():
        name = key.encode("ascii")
        value = member[0]
        if value is False:
            problems.append(f"{key} can't be false")
        elif _fits(name, value):
            pairs.append((name, _argument(value)))
        else:
            problems.append(f"{key} has a value of the wrong type")
            if name not in LOOSENING:
                pairs.append((name, None))
    return Directives(pairs, problems)


def _fits(name: bytes, value: object) -> bool:
    """Whether the value is of the type that the directive's definition implies (RFC 9213 §2.1)."""
    if name in _DURATIONS:
        return isinstance(value, int) and not isinstance(value, bool)
    if name in _LISTING:
        return value is True or isinstance(value, str)
    return True


def _argument(value: structured.BareItem | list[structured.Item]) -> bytes | None:
    if value is True:
        return None
    if isinstance(value, str | structured.Token):
        return str(value).encode("ascii")
    return structured.serialise([(value, {})])
