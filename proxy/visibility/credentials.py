"""Where credentials stand in a message: each function passes every one that it finds to `hide`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from itertools import chain
from urllib.parse import unquote_to_bytes

from proxy.visibility.names import SCHEMES, means_secret, normalized

Hide = Callable[[bytes], bytes]
"""Gives what stands in the place of a credential."""

_ATTRIBUTES = {
    b"domain": re.compile(rb"[A-Za-z0-9.-]{0,255}"),
    b"expires": re.compile(rb"[A-Za-z0-9 ,:+-]{0,40}"),
    b"httponly": re.compile(rb""),
    b"max-age": re.compile(rb"-?[0-9]{1,20}"),
    b"partitioned": re.compile(rb""),
    b"path": re.compile(rb"[^,=]*"),
    b"priority": re.compile(rb"(?i:low|medium|high)"),
    b"samesite": re.compile(rb"(?i:strict|lax|none)"),
    b"secure": re.compile(rb""),
}
_TOKEN_CHALLENGE = re.compile(rb"(?i)\b((?:negotiate|ntlm)[ \t]+)([^\s,]+)")
_USERINFO = re.compile(rb"((?:^|[:=])//)([^/?#\\\s]*)@")
_NAMED = re.compile(rb"(?:^|(?<=[?#;/&]))([^=?#;/&]+)=")
_PATH_PART = re.compile(rb"[^/;]+")
_WORD = re.compile(rb"[^\s\"'<>]+")
_STRUCTURE = re.compile(rb"[\[\].]")
_MEMBER = re.compile(rb'"([^"\\]+)"\s*:')
_TOKEN = re.compile(
    rb"eyJ[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){2,4}|v[1-4]\.(?:local|public)\.[A-Za-z0-9_-]{20,}"
    rb"|AIza[A-Za-z0-9_-]{35}|(?<=\([A-Z]\()[^()]+(?=\))"
)
"""What is a credential by its form.

JWT and JWE (RFC 7515 §7.1, RFC 7516 §7.1), PASETO, an API key of Google, ASP.NET's `/(S(…))/`.
"""

_SIGNS = (b"eyJ", b".local.", b".public.", b"(S(", b"(F(", b"AIza")
_SIGNS_OF_TEXT = tuple(sign.decode() for sign in _SIGNS)


def cookies(value: bytes, hide: Hide) -> bytes:
    """A `Cookie` value with each cookie's name kept (RFC 6265 §4.2)."""
    return b";".join(_pair(part, hide) for part in value.split(b";"))


def set_cookie(value: bytes, hide: Hide) -> bytes:
    """A `Set-Cookie` value with the cookie's name and its attributes kept (RFC 6265 §4.1).

    An attribute stays only if its value has that attribute's form: a second cookie may hide in it.
    """
    first, *attributes = value.split(b";")
    return b";".join([_pair(first, hide), *(_attribute(part, hide) for part in attributes)])


def _pair(part: bytes, hide: Hide) -> bytes:
    name, equals, value = _split(part)
    return name + equals + (hide(value) if value else b"")


def _attribute(part: bytes, hide: Hide) -> bytes:
    form = _ATTRIBUTES.get(part.partition(b"=")[0].strip().lower())
    if form is not None and form.fullmatch(part.partition(b"=")[2].strip()):
        return part
    return _pair(part, hide)


def _split(part: bytes) -> tuple[bytes, bytes, bytes]:
    """Name, equals sign and value; the name is white space only where there is no equals sign."""
    name, equals, value = part.partition(b"=")
    if equals:
        return name, equals, value.strip()
    value = part.strip()
    return part[: len(part) - len(part.lstrip())], b"", value


def authorization(value: bytes, hide: Hide) -> bytes:
    """An `Authorization` value with the scheme kept, where it is one (RFC 9110 §11.4)."""
    scheme, _, rest = value.partition(b" ")
    if scheme.lower() not in SCHEMES:
        return hide(value)
    return b"%b %b" % (scheme, hide(rest.strip())) if rest.strip() else value


def challenge(value: bytes, hide: Hide) -> bytes:
    """A `WWW-Authenticate` value with only those tokens hidden that are half of a login (RFC 4559 §4)."""
    return _TOKEN_CHALLENGE.sub(lambda found: found[1] + hide(found[2]), value)


def uri(value: bytes, secret: Collection[bytes], hide: Hide) -> bytes:
    """A URI reference without userinfo and without the values of parameters whose name is in `secret`.

    The names in `secret` are `normalized`. Parameters stand in the query, in a fragment (RFC 6749 §4.2.2) and
    behind path segments (`;jsessionid=`); also in a URI that is itself the value of a parameter. A JSON Web
    Token and the like is hidden wherever it stands.
    """
    if b"@" in value:
        value = _USERINFO.sub(lambda found: b"%b%b@" % (found[1], hide(found[2])), value)
    if b"=" in value or b"%" in value:
        value = _parameters(value, secret, hide)
    if any(map(value.__contains__, _SIGNS)):
        value = _TOKEN.sub(lambda found: hide(found[0]), value)
    return value


def _parameters(value: bytes, secret: Collection[bytes], hide: Hide) -> bytes:
    end = min((at for at in (value.find(b"?"), value.find(b"#")) if at >= 0), default=len(value))
    path = _PATH_PART.sub(lambda found: _parameter(found[0], secret, hide), value[:end])
    return path + b"&".join(_parameter(part, secret, hide) for part in value[end:].split(b"&"))


def _parameter(part: bytes, secret: Collection[bytes], hide: Hide) -> bytes:
    """One `name=value`, with whatever it may begin with, from one `&` to the next."""
    for found in _NAMED.finditer(part):
        if is_secret(found[1], secret):
            value = part[found.end() :]
            return part[: found.end()] + (hide(value) if value else b"")
    if b"%" in part:
        name, equals, value = part.partition(b"=")
        if _wraps_secret(name, secret):
            return hide(part)
        if _wraps_secret(value, secret):
            return name + equals + hide(value)
    return part


def _wraps_secret(encoded: bytes, secret: Collection[bytes]) -> bool:
    """Whether there is a credential in a URI that was percent-encoded to be part of another one."""
    plain = unquote_to_bytes(unquote_to_bytes(encoded))
    if plain == encoded:
        return False
    names = chain(_NAMED.finditer(plain), _MEMBER.finditer(plain))
    named = any(is_secret(found[1], secret) for found in names) or _TOKEN.search(plain) is not None
    return named or _USERINFO.search(plain) is not None


def is_secret(name: bytes, secret: Collection[bytes]) -> bool:
    """Whether a parameter is one of `secret`, also as `user[password]` or `login.password`."""
    if b"%" in name:
        name = unquote_to_bytes(name)
    if normalized(name) in secret or means_secret(name):
        return True
    return any(normalized(part) in secret or means_secret(part) for part in _STRUCTURE.split(name) if part)


def seems_secret(value: str) -> bool:
    """Whether it is worth looking for what is a credential by its form alone in a URI reference."""
    return any(map(value.__contains__, _SIGNS_OF_TEXT))


def text(value: bytes, secret: Collection[bytes], hide: Hide) -> bytes:
    """Any text, with every word of it taken as a URI reference that it may be."""
    if b"=" not in value and b"@" not in value and not any(map(value.__contains__, _SIGNS)):
        return value
    return _WORD.sub(lambda found: uri(found[0], secret, hide), value)
