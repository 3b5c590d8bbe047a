"""What a log of another program wrote, with its credentials hidden as in records of our own."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field

from proxy.visibility import credentials
from proxy.visibility.reading.memo import Memo
from proxy.visibility.redaction import Redaction

Line = tuple[str, str]
RequestLine = tuple[str, str, str, str, str]
"""Method, scheme, authority, target and version; empty where the line doesn't tell."""

_NAMED = re.compile(r"(?<![^?#;/&])[^=?#;/&]+(?==)")
"""The names of parameters, wherever they may stand in a URI."""

_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)
_VERSION = re.compile(r"(?:HTTP/|h)?(\d)(?:\.(\d))?", re.IGNORECASE)
_METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE", "QUERY"}
)
_VERSIONS = {f"HTTP/{number}": number for number in ("1.0", "1.1", "2.0", "3.0")}
_LONG = 1024
"""Characters of a value that is not worth being remembered."""

_NO_REQUEST = ("", "", "", "", "")
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}")


@dataclass(frozen=True, slots=True)
class Reading:
    """How logs are read; the same value goes to every process that reads a part.

    `format` names the format, or is a format string of nginx or Apache; empty: it is found from the first
    lines. `key` is what credentials are digested with, a new one unless given; `redact` and
    `redact_parameters` name further fields and query parameters that carry some. `reveal` leaves them as
    they are.
    """

    format: str = ""
    key: str | bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    redact: tuple[str, ...] = ()
    redact_parameters: tuple[str, ...] = ()
    reveal: bool = False


class Hiding:
    """Makes pieces of an observation from what a log holds, text being ISO-8859-1 of the bytes."""

    def __init__(self, reading: Reading) -> None:
        self.reveal = reading.reveal
        self._redaction = Redaction(reading.key, reading.redact, reading.redact_parameters)
        self.request: Memo[str, RequestLine] = Memo(self._request)
        self._lines: dict[str, Memo[str, Line | None]] = {}
        self._fields: Memo[Line, Line] = Memo(self._line)
        self._secret: Memo[str, bool] = Memo(self._is_secret)

    def target(self, text: str) -> str:
        """A request target or another URI reference."""
        if self.reveal or not self._needs_care(text):
            return text
        return self._redaction.target(text.encode("latin-1", "replace"))[0]

    def _needs_care(self, text: str) -> bool:
        """False where it shows at a glance that no credential is in a URI reference, as in nearly all."""
        if "%" in text or "@" in text or credentials.seems_secret(text):
            return True
        return "=" in text and any(map(self._secret.__getitem__, _NAMED.findall(text)))

    def _is_secret(self, name: str) -> bool:
        return self._redaction.hides(name.encode("latin-1", "replace"))

    def line(self, name: str, value: str) -> Line:
        """A field line."""
        return self._fields[name, value] if len(value) < _LONG else self._line((name, value))

    def _line(self, pair: Line) -> Line:
        if self.reveal:
            return pair
        name, value = pair
        return self._redaction.line(name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))[0]

    def lines_of(self, name: str) -> Memo[str, Line | None]:
        """By the value that a log has of the field `name`: its line; None where it is absent."""
        return self._remembered(name, name, "")

    def cookies_of(self, name: str) -> Memo[str, Line | None]:
        """By the value that a log has of the cookie `name`: a Cookie line; None where it is absent."""
        return self._remembered(f"{name}=", "Cookie", f"{name}=")

    def _remembered(self, key: str, name: str, before: str) -> Memo[str, Line | None]:
        def line(value: str) -> Line | None:
            return None if value in ("-", "") else self.line(name, before + unescaped(value))

        if key not in self._lines:
            self._lines[key] = Memo(line)
        return self._lines[key]

    def url(self, text: str) -> tuple[str, str, str]:
        """Scheme, authority and target of a URI; the first two are empty where it has none."""
        found = _ABSOLUTE.fullmatch(text)
        if found is None:
            return "", "", self.target(text)
        scheme, authority, target = found.groups()
        target = target.partition("#")[0]
        if not target.startswith("/"):
            target = "/" + target
        return scheme.lower(), self.authority(authority), self.target(target)

    def authority(self, text: str) -> str:
        """A host, perhaps with its port."""
        if self.reveal or "@" not in text:
            return text
        return self._redaction.authority(text.encode("latin-1", "replace"))

    def _request(self, text: str) -> RequestLine:
        pieces = text.split(" ")
        if len(pieces) == 3 and pieces[0] in _METHODS and pieces[1][:1] == "/" and "\\" not in text:
            method, target, version = pieces
            if version in _VERSIONS:
                return method, "", "", self.target(target), _VERSIONS[version]
        return self._unusual(unescaped(text))

    def _unusual(self, line: str) -> RequestLine:
        method, _, rest = line.partition(" ")
        target, _, version = rest.rpartition(" ")
        if not target:
            target, version = rest, "HTTP/0.9"
        if not _METHOD.fullmatch(method) or not target or version[:5].upper() != "HTTP/":
            return _NO_REQUEST
        return method, *self.url(target), version_of(version)


def version_of(text: str) -> str:
    """`HTTP/1.1`, `h2` or `http/2.0` as `1.1` or `2.0`; empty where it is none of them."""
    found = _VERSION.fullmatch(text)
    return f"{found[1]}.{found[2] or '0'}" if found else ""


_ESCAPED = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "v": "\v", "f": "\f", "b": "\b"}


def unescaped(text: str) -> str:
    r"""What nginx, Apache or varnishncsa wrote with `\xHH`, `\"` and the like."""
    return _ESCAPED.sub(_character, text) if "\\" in text else text


def _character(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    if code:
        return chr(int(code, 16))
    return _LETTERS.get(found[3], found[3])
