"""Format strings of nginx and Apache, compiled to what reads the lines that were written with them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from proxy.message.errors import ConfigurationError
from proxy.visibility.reading import apache, nginx
from proxy.visibility.reading.pieces import STOP, Piece
from proxy.visibility.reading.roles import Role, Says
from proxy.visibility.reading.times import CLF

QUOTED = r'[^"\\\n]*+(?:\\.[^"\\\n]*+)*+'
"""What stands between quotation marks, which are escaped in it."""

_NUMBER = r"\d{1,19}+|-"
_SECONDS = r"\d{1,12}(?:\.\d{1,9})?+|-"
_FORMS = {
    Says.STATUS: r"\d{1,3}+|-",
    Says.REQUEST_BYTES: _NUMBER,
    Says.RESPONSE_BYTES: _NUMBER,
    Says.DURATION: _SECONDS,
    Says.SCHEME: r"[A-Za-z][A-Za-z0-9+.-]*+|-",
    Says.METHOD: r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}",
    Says.UPSTREAM: rf"[^\s,\"{STOP}]++(?:(?:, | : )[^\s,\"{STOP}]++)*+",
    Says.CLIENT: rf"[^\s\"{STOP}]++",
    Says.VERSION: r"HTTP/\d(?:\.\d)?+|-?+",
}
_TIMES = {
    "clf": CLF,
    "iso": r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?+",
    "epoch": r"\d{1,19}(?:\.\d{1,9})?+",
}
_WORDS = r"[^\s\"\[]*+(?: [^\s\"\[]++)*+"
"""A user's name, which may have spaces in it."""


def compile_format(text: str) -> tuple[re.Pattern[str], tuple[Role, ...]]:
    """What matches a line, and the roles of its groups. Raises ConfigurationError."""
    pieces = list(nginx.pieces(text) if "$" in text else apache.pieces(text))
    if not any(isinstance(piece, Piece) and piece.role for piece in pieces):
        raise ConfigurationError(
            "a format is a name, or a format string with variables of nginx or Apache", evidence=text[:200]
        )
    return assemble(pieces)


def assemble(pieces: Sequence[str | Piece]) -> tuple[re.Pattern[str], tuple[Role, ...]]:
    """What matches lines of literal text and variables, and the roles of its groups."""
    merged = list(_merged(pieces))
    parts: list[str] = []
    roles: list[Role] = []
    for at, piece in enumerate(merged):
        if isinstance(piece, str):
            parts.append(re.escape(piece))
            continue
        following = merged[at + 1] if at + 1 < len(merged) else "\n"
        form = _form(piece, following)
        if piece.role is None:
            parts.append(f"(?:{form})")
        else:
            parts.append(f"({form})")
            roles.append(piece.role)
    return re.compile(f"^{''.join(parts)}[ \\t]*+$", re.MULTILINE | re.ASCII), tuple(roles)


def _merged(pieces: Sequence[str | Piece]) -> Iterator[str | Piece]:
    literal = ""
    for piece in pieces:
        if isinstance(piece, str):
            literal += piece
            continue
        if literal:
            yield literal
            literal = ""
        yield piece
    if literal.rstrip():
        yield literal.rstrip()


def _form(piece: Piece, following: str | Piece) -> str:
    role = piece.role
    if piece.form == "words":
        return _WORDS if isinstance(following, str) and following[1:2] in ("[", '"') else r"[^\s\"]*+"
    stop = re.escape(following[0]) if isinstance(following, str) and following[0] != "\n" else ""
    if piece.form:
        return _TIMES.get(piece.form, piece.form.replace(STOP, stop))
    if isinstance(following, Piece):
        raise ConfigurationError("the format has two variables that nothing tells apart")
    if role is not None and role.says in _FORMS and not (following[0] == '"' and role.says is Says.UPSTREAM):
        return _FORMS[role.says].replace(STOP, stop)
    if following[0] == '"':
        return QUOTED
    return "[^\\n]*+" if following[0] == "\n" else f"[^{re.escape(following[0])}\\n]*+"
