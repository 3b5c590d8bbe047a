"""What a cache can't read as it was meant: ignored, or taken for what restricts most, and said so."""

from __future__ import annotations

from collections.abc import Iterator

from proxy.caching.age import age_value
from proxy.caching.decision import Because
from proxy.caching.reasons import declare
from proxy.message.cache_control import Directives, parse_delta_seconds
from proxy.message.conditions import parse_etag
from proxy.message.dates import parse_date
from proxy.message.fields import Fields
from proxy.message.grammar import is_token, list_members
from proxy.message.ranges import parse_range
from proxy.message.structured import parse_dictionary

ILL_FORMED = declare(
    "ill-formed",
    "RFC 9110 §5.5",
    "A field that a cache reads isn't formed as it should be: it is ignored, or read as what restricts most.",
)

_MOST_EVIDENCE = 80
_SECONDS = (
    b"max-age",
    b"s-maxage",
    b"min-fresh",
    b"max-stale",
    b"stale-while-revalidate",
    b"stale-if-error",
)
_DATES = (b"date", b"expires", b"last-modified")
_CONDITIONAL_DATES = (b"if-modified-since", b"if-unmodified-since")
_READ_OF_REQUEST = frozenset((b"cache-control", b"range", *_CONDITIONAL_DATES))


def ill_formed_response(
    fields: Fields, directives: Directives, source: bytes, now: float
) -> tuple[Because, ...]:
    """What is ill-formed in a response; `directives` are those in force, from the field `source`."""
    return (*age_value(fields)[1], *_told(fields, directives, source, now, _DATES, _of_response(fields)))


def ill_formed_request(fields: Fields, directives: Directives, now: float) -> tuple[Because, ...]:
    """What is ill-formed among the fields of a request that a cache reads."""
    if not fields.has_any(_READ_OF_REQUEST):
        return ()
    return tuple(_told(fields, directives, b"cache-control", now, _CONDITIONAL_DATES, _of_request(fields)))


def _told(
    fields: Fields,
    directives: Directives,
    source: bytes,
    now: float,
    dates: tuple[bytes, ...],
    others: Iterator[bytes],
) -> Iterator[Because]:
    if len(directives) or directives.problems():
        yield from _of_directives(directives, source)
    for name in dates:
        if name in fields and parse_date(fields.get(name) or b"", now) is None:
            yield _because(name, fields)
    for name in others:
        yield _because(name, fields)


def _of_directives(directives: Directives, source: bytes) -> Iterator[Because]:
    for problem in directives.problems():
        yield Because(ILL_FORMED, f"{source.decode('latin-1')}: {problem}"[:_MOST_EVIDENCE])
    for name in _SECONDS:
        argument = directives.argument(name) if name in directives else None
        if argument is not None and parse_delta_seconds(argument) is None:
            said = f"{source.decode('latin-1')}: {name.decode()}={argument.decode('latin-1')}"
            yield Because(ILL_FORMED, said[:_MOST_EVIDENCE])


def _of_response(fields: Fields) -> Iterator[bytes]:
    tag = fields.get(b"etag")
    if tag is not None and ((read := parse_etag(tag)) is None or not read.quoted):
        yield b"etag"
    vary = fields.get(b"vary")
    if vary is not None and not all(is_token(member) for member in list_members(vary)):
        yield b"vary"
    if b"no-vary-search" in fields and parse_dictionary(fields.all(b"no-vary-search")) is None:
        yield b"no-vary-search"


def _of_request(fields: Fields) -> Iterator[bytes]:
    if b"range" in fields and parse_range(fields.all(b"range")) is None:
        yield b"range"


def _because(name: bytes, fields: Fields) -> Because:
    value = (fields.get(name) or b"").decode("latin-1")
    return Because(ILL_FORMED, f"{name.decode()}: {value}"[:_MOST_EVIDENCE])
