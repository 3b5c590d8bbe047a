"""The form of a credential's value: what can be seen in it without a key, and how a log says so."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import lru_cache
from typing import Any

from proxy.visibility.sessions.decoding import moment
from proxy.visibility.sessions.vocabulary import KEYS

MARK = r"[a-z][a-z0-9-]*(?::[A-Za-z0-9_-]+)*"
"""The regular expression of a mark."""

_EXPIRY = ("exp", "expires", "expires_at", "expiresAt", "_expire")
_NAMED = 8
_LISTED = 32
_LONGEST_KEY = 64
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_FACT = re.compile(r"([ien])([0-9]{1,12})")


class Holds(Enum):
    """What a format is for."""

    STATE = auto()
    """The state itself."""
    KEY = auto()
    """A key to something elsewhere."""
    SERVER = auto()
    """The name of a server."""
    IDENTITY = auto()
    """Who asks."""
    ANYTHING = auto()
    """The format does not tell."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format: what a person calls it, what protects it, and what is written in it."""

    label: str
    holds: Holds
    signed: bool = False
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """The form of one value. `name` is a key of `FORMATS`; times are in seconds since the epoch.

    `keys` are the names of what it holds, at most 32 of them, and `held` how many there are. `payload` is
    what was read out of it, None where that was nothing; it is no part of what a log is told.
    """

    name: str
    issued: int | None = None
    expires: int | None = None
    keys: tuple[str, ...] = ()
    held: int = 0
    payload: Any = None

    @property
    def format(self) -> Format:
        return FORMATS[self.name]


FORMATS = {
    "jwt": Format("a JSON Web Token, signed (RFC 7519, RFC 7515)", Holds.STATE, signed=True),
    "jwt-unsigned": Format("a JSON Web Token without a signature (RFC 7519 §6)", Holds.STATE),
    "jwe": Format("an encrypted JSON Web Token (RFC 7516)", Holds.STATE, True, True),
    "paseto-public": Format("a PASETO, signed", Holds.STATE, signed=True),
    "paseto-local": Format("a PASETO, encrypted", Holds.STATE, True, True),
    "fernet": Format("a Fernet token, encrypted", Holds.STATE, True, True),
    "itsdangerous": Format("signed by itsdangerous, as Flask and Starlette do", Holds.STATE, signed=True),
    "django": Format("signed by Django", Holds.STATE, signed=True),
    "django-text": Format("a text signed by Django", Holds.STATE, signed=True),
    "pyramid": Format("JSON behind its signature, as Pyramid writes it", Holds.STATE, signed=True),
    "tornado": Format("a secure cookie of Tornado, signed", Holds.STATE, signed=True),
    "bottle": Format("a signed cookie of Bottle", Holds.STATE, signed=True),
    "rails-signed": Format("a signed cookie of Rails or Rack", Holds.STATE, signed=True),
    "rails-encrypted": Format("an encrypted cookie of Rails", Holds.STATE, True, True),
    "phoenix-signed": Format("a token signed by Plug, as Phoenix does", Holds.STATE, signed=True),
    "phoenix-encrypted": Format("a token encrypted by Plug, as Phoenix does", Holds.STATE, True, True),
    "iron": Format("sealed by iron, as iron-session and hapi do", Holds.STATE, True, True),
    "express-json": Format("JSON signed by Express", Holds.STATE, signed=True),
    "express-text": Format("a text signed by Express", Holds.STATE, signed=True),
    "express-key": Format("a key signed by Express", Holds.KEY, signed=True),
    "signed-json": Format("JSON with a signature behind it", Holds.STATE, signed=True),
    "signed-key": Format("a key with a signature behind it", Holds.KEY, signed=True),
    "play": Format("a signed session of Play", Holds.STATE, signed=True),
    "gorilla": Format("a secure cookie of Gorilla, signed", Holds.STATE, signed=True),
    "laravel": Format("an encrypted cookie of Laravel", Holds.ANYTHING, True, True),
    "aspnet": Format("protected by ASP.NET Core", Holds.ANYTHING, True, True),
    "wordpress": Format("a login cookie of WordPress, signed", Holds.KEY, signed=True),
    "json": Format("JSON", Holds.STATE),
    "base64-json": Format("JSON in Base64", Holds.STATE),
    "php": Format("serialized by PHP", Holds.STATE),
    "query": Format("names and values as in a query", Holds.STATE),
    "basic": Format("a user-id and a password (RFC 7617)", Holds.IDENTITY),
    "bigip": Format("the address and port of a server, as BIG-IP writes them", Holds.SERVER),
    "route": Format("a key and the name of the server that knows it", Holds.KEY),
    "uuid": Format("a UUID (RFC 9562)", Holds.KEY),
    "hex": Format("a long hexadecimal number without visible meaning", Holds.KEY),
    "alnum": Format("many letters and digits without visible meaning", Holds.KEY),
    "base64": Format("many characters of Base64 without visible meaning", Holds.KEY),
    "digits": Format("a long number", Holds.ANYTHING),
    "text": Format("of no form that is known", Holds.ANYTHING),
    "long": Format("too long to be looked at", Holds.ANYTHING),
}
"""Every format by the name that marks have."""


def holding(name: str, payload: object, issued: int | None = None, expires: int | None = None) -> Form:
    """The form of a value that `payload` was read out of; it may tell itself when it expires."""
    if expires is None and isinstance(payload, dict):
        told = (payload.get(key) for key in _EXPIRY if key in payload)
        expires = next(filter(None, map(moment, told)), None)
    keys = tuple(str(key) for key in payload) if isinstance(payload, dict) else ()
    listed = tuple(key[:_LONGEST_KEY] for key in keys[:_LISTED])
    return Form(name, issued, expires, listed, len(keys), payload)


def mark(form: Form) -> str:
    """The form in few words, such as `jwt:i1700000000:e1700003600:n3:sub:role`.

    A key is named only if it is in the vocabulary, as the others may be about a person. Where nothing
    protects the value, a time in it could be the value, so none is told.
    """
    if form.held == 0 and form.issued is None and form.expires is None:
        return form.name
    words = [form.name]
    if form.format.signed:
        words += [
            f"{letter}{time}"
            for letter, time in (("i", form.issued), ("e", form.expires))
            if time is not None and time >= 0
        ]
    if form.held:
        words.append(f"n{form.held}")
        told = (key for key in form.keys if key in KEYS and _PLAIN.fullmatch(key))
        words += [key for key, _ in zip(told, range(_NAMED), strict=False)]
    return ":".join(words)


@lru_cache(2048)
def unmarked(text: str) -> Form | None:
    """The form that a mark tells of; None where it tells of none that is known."""
    name, *words = text.split(":")
    if name not in FORMATS:
        return None
    form = Form(name)
    keys = []
    for word in words:
        fact = _FACT.fullmatch(word)
        if fact is None:
            keys.append(word)
        elif fact[1] == "i":
            form = replace(form, issued=int(fact[2]))
        elif fact[1] == "e":
            form = replace(form, expires=int(fact[2]))
        else:
            form = replace(form, held=int(fact[2]))
    return replace(form, keys=tuple(keys))
