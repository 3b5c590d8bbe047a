"""What is hidden from the record: each credential is replaced by a keyed digest of it.

`~` stands before the digest, and after it the credential's length in bytes and the form of its value, as in
`sid=~6f1d2c….32.hex` (see `sessions.form.mark`). Equal credentials are seen to be equal, also in different
places, and none can be read or guessed without the key.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection, Iterable
from functools import lru_cache, partial
from hashlib import blake2b
from urllib.parse import unquote_to_bytes

from proxy.message.errors import ConfigurationError
from proxy.visibility import credentials
from proxy.visibility.credentials import Hide
from proxy.visibility.names import FIELDS, FRAMING, PARAMETERS, URIS, means_secret, normalized
from proxy.visibility.sessions.form import MARK
from proxy.visibility.sessions.reading import mark_of
from proxy.visibility.settings import LogSettings

DIGEST = re.compile(rf"~[0-9a-f]{{16}}\.[0-9]+(?:\.{MARK})?")
"""What stands in the place of a credential; its length and, but for logs of old, the mark of its form."""

_DIGEST_BYTES = re.compile(DIGEST.pattern.encode())

_LINE_END = re.compile(rb"(\r\n|\r|\n)")
_FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)([ \t]*:[ \t]*)(.*)", re.DOTALL)
_RECENT, _KEEP_BELOW = 4096, 256
_RECENT_LONG, _KEEP_LONG_BELOW = 256, 2048
_QUOTED = 8
_TOO_COMMON = 6

Line = tuple[tuple[str, str], tuple[str, ...]]
"""A field line as [name, value] with the credentials replaced, and those credentials."""


class Redaction:
    """Hides credentials. All bytes become text as ISO-8859-1, from which they can be had back.

    With one `key` (at least 16 bytes) the digests of several processes can be compared; without one they are
    good for this object only. `fields` and `parameters` name what is hidden beside `FIELDS`, `PARAMETERS` and
    what RFC 9110 §11 and RFC 6265 make credentials. Raises ConfigurationError where the key is too short.
    """

    def __init__(
        self, key: str | bytes = b"", fields: Iterable[str] = (), parameters: Iterable[str] = ()
    ) -> None:
        given = key.encode() if isinstance(key, str) else key
        if given and len(given) < 16:
            raise ConfigurationError("the key for the digests of credentials has fewer than 16 bytes")
        self._key = blake2b(given).digest() if given else secrets.token_bytes(64)
        whole = FIELDS | {name.strip().lower().encode("latin-1", "replace") for name in fields}
        self._parameters = PARAMETERS | {normalized(name.encode()) for name in parameters}
        self._rules: dict[bytes, Callable[[bytes, Hide], bytes]] = {
            b"cookie": credentials.cookies,
            b"set-cookie": credentials.set_cookie,
            b"authorization": credentials.authorization,
            b"proxy-authorization": credentials.authorization,
            b"x-original-authorization": credentials.authorization,
            b"x-forwarded-authorization": credentials.authorization,
            b"www-authenticate": credentials.challenge,
            b"proxy-authenticate": credentials.challenge,
            **dict.fromkeys(whole, _whole),
        }
        names = sorted((re.escape(name) for name in self._rules if not name.endswith(b"ticate")), key=len)
        self._quoted = re.compile(rb"(?i)(?<![\w-])(%b)(\s*[:=]\s*)([^\r\n]+)" % b"|".join(reversed(names)))
        self._means_secret = lru_cache(_RECENT)(means_secret)
        self._recent_line = lru_cache(_RECENT)(self._line)
        self._recent_target = lru_cache(_RECENT)(self._target)
        self._recent_text = lru_cache(_RECENT)(self._text)
        self._recent_long_line = lru_cache(_RECENT_LONG)(self._line)
        self._recent_long_target = lru_cache(_RECENT_LONG)(self._target)
        self._recent_long_text = lru_cache(_RECENT_LONG)(self._text)

    @classmethod
    def of(cls, settings: LogSettings) -> Redaction:
        """As the settings say. Raises ConfigurationError."""
        return cls(settings.key, settings.redact, settings.redact_parameters)

    @property
    def scope(self) -> str:
        """The names of what is hidden: two objects of the same scope differ in their keys alone."""
        return f"{sorted(self._rules)} {sorted(self._parameters)}"

    def digest(self, value: bytes) -> str:
        """What stands in the place of a credential."""
        digits = blake2b(value, digest_size=8, key=self._key).hexdigest()
        return f"~{digits}.{len(value)}.{mark_of(value)}"

    def line(self, name: bytes, value: bytes) -> Line:
        """A field line."""
        size = len(name) + len(value)
        if size < _KEEP_BELOW:
            return self._recent_line(name, value)
        return self._recent_long_line(name, value) if size < _KEEP_LONG_BELOW else self._line(name, value)

    def line_once(self, name: bytes, value: bytes) -> Line:
        """The same for who remembers it himself."""
        return self._line(name, value)

    def shows(self, name: bytes) -> bool:
        """Whether the field `name` holds no credential where its value has neither `=` nor `@` in it."""
        lowered = name.lower()
        return self._rule(lowered) is None and lowered not in URIS

    def target(self, value: bytes) -> tuple[str, tuple[str, ...]]:
        """A request target, and the credentials that were in it."""
        size = len(value)
        if size < _KEEP_BELOW:
            return self._recent_target(value)
        return self._recent_long_target(value) if size < _KEEP_LONG_BELOW else self._target(value)

    def hides(self, name: bytes) -> bool:
        """Whether the value of a parameter of that name, in a URI, is a credential."""
        return credentials.is_secret(name, self._parameters)

    def target_once(self, value: bytes) -> tuple[str, tuple[str, ...]]:
        """The same for one that will hardly come again."""
        return self._target(value)

    def authority(self, value: bytes) -> str:
        """The host and port of a request, without userinfo (RFC 9110 §4.2.4)."""
        if b"@" not in value:
            return value.decode("latin-1")
        userinfo, _, host = value.rpartition(b"@")
        return f"{self.digest(userinfo)}@{host.decode('latin-1')}"

    def text(self, value: str, known: Collection[str] = ()) -> str:
        """What was written about messages, such as evidence, without the credentials in it.

        `known` are those of the exchange: each is hidden wherever it stands, also where only its first eight
        characters or more are quoted. One of less than six is too common a word for that.
        """
        for credential in sorted(known, key=len, reverse=True) if known else ():
            if len(credential) >= _TOO_COMMON:
                value = self._without(value, credential)
        size = len(value)
        if size < _KEEP_BELOW:
            return self._recent_text(value)
        return self._recent_long_text(value) if size < _KEEP_LONG_BELOW else self._text(value)

    @staticmethod
    def quotes(value: str, known: Iterable[str]) -> bool:
        """Whether `text` would find one of the credentials `known` in `value`."""
        return any(len(one) >= _TOO_COMMON and one[:_QUOTED] in value for one in known)

    def raw(self, data: bytes) -> str:
        """The first bytes of what could not be read as a request.

        The first line is taken as text. Of the lines after it, fields that frame a message or describe the
        client are shown; of the others only the names, as no value can be told for certain from a credential.
        """
        first, *rest = _LINE_END.split(data)
        return self._text(first.decode("latin-1")) + b"".join(map(self._raw_line, rest)).decode("latin-1")

    def _raw_line(self, line: bytes) -> bytes:
        hide = partial(self._hide, [])
        found = _FIELD_LINE.fullmatch(line)
        if found is None:
            return hide(line) if line.strip() else line
        name, colon, value = found.groups()
        if name.lower() in FRAMING:
            return name + colon + credentials.text(value, self._parameters, hide)
        return name + colon + (hide(value) if value else b"")

    def _line(self, name: bytes, value: bytes) -> Line:
        found: list[str] = []
        lowered = name.lower()
        rule = self._rule(lowered)
        if rule is not None:
            shown = rule(value, partial(self._hide, found)) if value else value
        elif b"=" not in value and b"@" not in value and b"eyJ" not in value and lowered not in URIS:
            shown = value
        else:
            of_uri = credentials.uri if lowered in URIS else credentials.text
            shown = of_uri(value, self._parameters, partial(self._hide_encoded, found))
        return (name.decode("latin-1"), shown.decode("latin-1")), tuple(found)

    def _rule(self, lowered: bytes) -> Callable[[bytes, Hide], bytes] | None:
        """How a field's value is hidden; None where it is not one that holds a credential by its name."""
        return self._rules.get(lowered) or (_whole if self._means_secret(lowered) else None)

    def _target(self, value: bytes) -> tuple[str, tuple[str, ...]]:
        found: list[str] = []
        shown = credentials.uri(value, self._parameters, partial(self._hide_encoded, found))
        return shown.decode("latin-1"), tuple(found)

    def _text(self, value: str) -> str:
        try:
            data, encoding = value.encode("latin-1"), "latin-1"
        except UnicodeEncodeError:
            data, encoding = value.encode("utf-8", "replace"), "utf-8"
        data = self._quoted.sub(self._quoted_line, data)
        return credentials.text(data, self._parameters, self._hide_encoded_once).decode(encoding)

    def _quoted_line(self, found: re.Match[bytes]) -> bytes:
        name, between, value = found.groups()
        return name + between + self._rules[name.lower()](value, self._hide_once)

    def _without(self, value: str, credential: str) -> str:
        beginning = credential[:_QUOTED]
        at = value.find(beginning)
        while at >= 0:
            length = len(beginning)
            while length < len(credential) and value[at : at + length + 1] == credential[: length + 1]:
                length += 1
            shown = self.digest(credential.encode("latin-1"))
            value = value[:at] + shown + value[at + length :]
            at = value.find(beginning, at + len(shown))
        return value

    def _hide(self, found: list[str], value: bytes) -> bytes:
        found.append(value.decode("latin-1"))
        return self.digest(value).encode()

    def _hide_encoded(self, found: list[str], value: bytes) -> bytes:
        """The digest is that of what was percent-encoded: the same token in a field has the same."""
        plain = unquote_to_bytes(value)
        found += {value.decode("latin-1"), plain.decode("latin-1")}
        return self.digest(plain).encode()

    def _hide_once(self, value: bytes) -> bytes:
        """In text where known credentials have been replaced already."""
        return value if _DIGEST_BYTES.fullmatch(value) else self.digest(value).encode()

    def _hide_encoded_once(self, value: bytes) -> bytes:
        return self._hide_once(unquote_to_bytes(value))


def _whole(value: bytes, hide: Hide) -> bytes:
    return hide(value)
