"""The variables of nginx's `log_format`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from proxy.visibility.reading.pieces import STOP, Piece
from proxy.visibility.reading.roles import Role, Says

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_URI = rf"[^\s\"{STOP}]*+"
_PATH = rf"[^\s\"?{STOP}]*+"
_HOST = rf"[^\s\"/?{STOP}]*+"

_KNOWN: dict[str, Piece] = {
    "remote_addr": Piece(Role(Says.CLIENT)),
    "realip_remote_addr": Piece(None, _URI),
    "remote_user": Piece(None, "words"),
    "time_local": Piece(Role(Says.END_TIME), "clf"),
    "time_iso8601": Piece(Role(Says.END_TIME), "iso"),
    "msec": Piece(Role(Says.END_TIME), "epoch"),
    "request": Piece(Role(Says.REQUEST)),
    "request_method": Piece(Role(Says.METHOD)),
    "request_uri": Piece(Role(Says.TARGET), _URI),
    "uri": Piece(Role(Says.PATH), _PATH),
    "document_uri": Piece(Role(Says.PATH), _PATH),
    "args": Piece(Role(Says.QUERY), _URI),
    "query_string": Piece(Role(Says.QUERY), _URI),
    "is_args": Piece(None, r"\??+"),
    "server_protocol": Piece(Role(Says.VERSION)),
    "scheme": Piece(Role(Says.SCHEME)),
    "host": Piece(Role(Says.AUTHORITY), _HOST),
    "http_host": Piece(Role(Says.AUTHORITY), _HOST),
    "server_name": Piece(Role(Says.AUTHORITY), _HOST),
    "server_port": Piece(None, r"\d++"),
    "status": Piece(Role(Says.STATUS)),
    "body_bytes_sent": Piece(Role(Says.RESPONSE_BYTES)),
    "content_length": Piece(Role(Says.REQUEST_BYTES), r"\d{0,19}+|-"),
    "content_type": Piece(Role(Says.REQUEST_FIELD, "Content-Type")),
    "request_time": Piece(Role(Says.DURATION)),
    "upstream_cache_status": Piece(Role(Says.CACHE)),
    "upstream_addr": Piece(Role(Says.UPSTREAM)),
    "request_id": Piece(Role(Says.ID)),
    "request_completion": Piece(Role(Says.COMPLETE)),
}
_PREFIXES = (
    ("http_", Says.REQUEST_FIELD),
    ("sent_http_", Says.RESPONSE_FIELD),
    ("cookie_", Says.COOKIE),
)


def variable(name: str) -> Piece:
    """What the variable `name` says."""
    if name in _KNOWN:
        return _KNOWN[name]
    for prefix, says in _PREFIXES:
        if name.startswith(prefix):
            bare = name.removeprefix(prefix)
            return Piece(Role(says, bare if says is Says.COOKIE else field_name(bare)))
    return Piece(None)


def field_name(text: str) -> str:
    """`user_agent` as `User-Agent`."""
    return "-".join(part.capitalize() for part in text.split("_"))


def pieces(text: str) -> Iterator[str | Piece]:
    """A format string as literal text and variables."""
    end = 0
    for found in _VARIABLE.finditer(text):
        yield text[end : found.start()]
        yield variable(found[1] or found[2])
        end = found.end()
    yield text[end:]
