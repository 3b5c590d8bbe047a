"""The directives of Apache's `LogFormat` and of varnishncsa's `-F`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from proxy.visibility.reading.pieces import STOP, Piece
from proxy.visibility.reading.roles import Role, Says

_DIRECTIVE = re.compile(r"%[!0-9,]*[<>]?(?:\{([^}]*)\})?(\^t[io]|[A-Za-z%])")
_URI = rf"[^\s\"?{STOP}]*+"
_HOST = rf"[^\s\":{STOP}]++"

_KNOWN: dict[str, Piece] = {
    "a": Piece(Role(Says.CLIENT)),
    "h": Piece(Role(Says.CLIENT)),
    "u": Piece(None, "words"),
    "r": Piece(Role(Says.REQUEST)),
    "m": Piece(Role(Says.METHOD)),
    "U": Piece(Role(Says.PATH), _URI),
    "q": Piece(Role(Says.QUERY), rf"(?:\?[^\s\"{STOP}]*+)?+"),
    "H": Piece(Role(Says.VERSION)),
    "s": Piece(Role(Says.STATUS)),
    "b": Piece(Role(Says.RESPONSE_BYTES)),
    "B": Piece(Role(Says.RESPONSE_BYTES)),
    "D": Piece(Role(Says.DURATION, unit=1e-6)),
    "v": Piece(Role(Says.AUTHORITY), _HOST),
    "V": Piece(Role(Says.AUTHORITY), _HOST),
    "p": Piece(None, r"\d++"),
    "X": Piece(Role(Says.COMPLETE)),
    "L": Piece(Role(Says.ID)),
}
_NAMED = {"i": Says.REQUEST_FIELD, "o": Says.RESPONSE_FIELD, "C": Says.COOKIE}
_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
_EPOCH = {"sec": "epoch", "%s": "epoch", "msec": "epoch", "usec": "epoch"}
_VARNISH = {"Varnish:hitmiss": Says.CACHE, "Varnish:handling": Says.CACHE}
_TIME_FORMS = {"%d/%b/%Y:%H:%M:%S %z": "clf", "%Y-%m-%dT%H:%M:%S%z": "iso", "%FT%T%z": "iso", "%F %T": "iso"}


def directive(letter: str, argument: str | None) -> Iterator[str | Piece]:
    """What a directive says."""
    if letter == "%":
        yield "%"
    elif letter == "t":
        yield from _time(argument)
    elif letter == "T":
        yield Piece(Role(Says.DURATION, unit=_UNITS.get(argument or "s", 1.0)))
    elif argument is None:
        yield _KNOWN.get(letter, Piece(None))
    elif letter in _NAMED:
        host = letter == "i" and argument.lower() == "host"
        yield Piece(Role(Says.AUTHORITY) if host else Role(_NAMED[letter], argument))
    elif letter == "e" and argument == "UNIQUE_ID":
        yield Piece(Role(Says.ID))
    elif letter == "x" and argument in _VARNISH:
        yield Piece(Role(_VARNISH[argument]))
    elif letter in "ah":
        yield _KNOWN[letter]
    else:
        yield Piece(None)


def _time(argument: str | None) -> Iterator[str | Piece]:
    if argument is None:
        yield "["
        yield Piece(Role(Says.TIME), "clf")
        yield "]"
        return
    place, _, rest = argument.partition(":")
    says = Says.END_TIME if place == "end" else Says.TIME
    form = rest if place in ("begin", "end") else argument
    if form in _EPOCH:
        yield Piece(Role(says), "epoch")
    elif form in ("msec_frac", "usec_frac"):
        yield Piece(None, r"\d++")
    elif form in _TIME_FORMS:
        yield Piece(Role(says), _TIME_FORMS[form])
    else:
        yield Piece(Role(says, form=form.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S")))


def pieces(text: str) -> Iterator[str | Piece]:
    r"""A format string as literal text and variables; `\"` in it is a quotation mark."""
    text = text.replace('\\"', '"').replace("\\t", "\t")
    end = 0
    for found in _DIRECTIVE.finditer(text):
        yield text[end : found.start()]
        yield from directive(found[2], found[1])
        end = found.end()
    yield text[end:]
