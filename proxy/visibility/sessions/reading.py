"""What form a value has: every format is tried, the most particular first."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from proxy.visibility.sessions.decoding import LONGEST, base64, percent_decoded, unquoted
from proxy.visibility.sessions.form import Form, mark
from proxy.visibility.sessions.formats import elixir, others, plain, python, ruby, web_tokens
from proxy.visibility.sessions.formats.signatures import opaque

_RECENT, _KEPT = 2048, 512
_SHORTEST = 5
_Reader = Callable[[bytes], Form | None]
_DOTTED: tuple[_Reader, ...] = (
    web_tokens.jose,
    web_tokens.paseto,
    elixir.plug,
    others.express,
    others.iron,
    python.itsdangerous,
    plain.bigip,
)
_STRUCTURED: tuple[_Reader, ...] = (
    plain.json_text,
    python.django,
    ruby.rails,
    python.tornado,
    python.bottle,
    others.wordpress,
    others.play,
    others.cookie_rs,
    plain.php,
    plain.routed,
    plain.query,
)
_ENCODED: tuple[_Reader, ...] = (
    others.aspnet,
    python.fernet,
    others.laravel,
    plain.base64_json,
    others.gorilla,
    python.pyramid,
    plain.basic,
    plain.uuid,
)
"""For what stands in Base64, which is decoded once for all of them."""

_SIMPLE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-="
_FIRSTS = frozenset(b'\x80\x09 {["%0123456789eWYZIJ')
"""With these begins what a reader of `_ENCODED` knows by its beginning."""

_SURELY = frozenset(("hex", "uuid", "digits"))
_UUID, _HASHED = 36, 64
_KEYS = {name: Form(name) for name in ("hex", "uuid", "digits", "alnum", "base64")}
_BEGINNINGS = (b"rd", b"vi", b"base64-")
_TEXT = Form("text")
_LONG = Form("long")


def form_of(value: bytes) -> Form:
    """The form of a credential's value, with what can be read out of it. The work is bounded."""
    if len(value) > LONGEST:
        return _LONG
    if len(value) < _SHORTEST:
        return _TEXT
    if b"%" in value or value[:1] == b'"':
        value = unquoted(percent_decoded(value))
    alphabet = opaque(value)
    if alphabet in _SURELY:
        return _KEYS[alphabet]
    found = _structured(value)
    if found is not None:
        return found
    return _KEYS[alphabet] if alphabet else _TEXT


def _structured(value: bytes) -> Form | None:
    if value.translate(None, _SIMPLE) or b"--" in value or b"=" in value.rstrip(b"="):
        for reader in _DOTTED if b"." in value else ():
            if found := reader(value):
                return found
        for reader in _STRUCTURED:
            if found := reader(value):
                return found
    elif value.startswith(_BEGINNINGS) and (found := plain.bigip(value) or plain.labelled_json(value)):
        return found
    data = base64(value)
    if data and (data[0] in _FIRSTS or len(data) == _UUID or len(data) > _HASHED or b":" in data):
        for reader in _ENCODED:
            if found := reader(data):
                return found
    return None


def mark_of(value: bytes) -> str:
    """The mark of a value's form (see `form.mark`)."""
    return _recent_mark(value) if len(value) < _KEPT else mark(form_of(value))


@lru_cache(_RECENT)
def _recent_mark(value: bytes) -> str:
    return mark(form_of(value))
