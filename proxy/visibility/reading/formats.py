"""The formats by name, and which of them lines are written in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from proxy.message.errors import ConfigurationError
from proxy.visibility.observation import Observation, Part
from proxy.visibility.reading import ncsa, proxies
from proxy.visibility.reading.caddy import CaddyFormat
from proxy.visibility.reading.hiding import Hiding
from proxy.visibility.reading.jsonlines import JsonFormat
from proxy.visibility.reading.lineformat import LineFormat, NotRead, TextFormat
from proxy.visibility.reading.patterns import compile_format
from proxy.visibility.reading.quick import combined
from proxy.visibility.reading.records import RecordFormat

HAR = "har"

_TEXTS = {
    "vhost_combined": ncsa.VHOST_COMBINED,
    "combined": ncsa.COMBINED,
    "varnish": ncsa.COMBINED,
    "vhost_common": ncsa.VHOST_COMMON,
    "common": ncsa.COMMON,
}
_KNOWN: dict[str, Callable[[Hiding], LineFormat]] = {
    "pellucid": lambda hiding: RecordFormat(),
    "caddy": CaddyFormat,
    "json": JsonFormat,
    "squid": lambda hiding: TextFormat("squid", proxies.SQUID, proxies.SQUID_ROLES, hiding, Part.AUTHORITY),
    "haproxy": lambda hiding: TextFormat("haproxy", proxies.HAPROXY, proxies.HAPROXY_ROLES, hiding),
}
NAMES = ("pellucid", HAR, *_TEXTS, "squid", "haproxy", "caddy", "json")
"""The formats that have a name."""

_LOOKED_AT = 64
"""Lines by which the format is told."""

_JSON = ("pellucid", "caddy", "json")
_PLAIN = ("vhost_combined", "combined", "squid", "haproxy", "vhost_common", "common")


class Formats:
    """Makes what reads each format, once."""

    def __init__(self, hiding: Hiding) -> None:
        self._hiding = hiding
        self._made: dict[str, LineFormat] = {}

    def get(self, name: str) -> LineFormat:
        """By its name or format string. Raises ConfigurationError."""
        if name not in self._made:
            if len(self._made) > _LOOKED_AT:  # of lines that are each written in another way
                self._made.clear()
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> LineFormat:
        if name in _KNOWN:
            return _KNOWN[name](self._hiding)
        if name not in _TEXTS and "$" not in name and "%" not in name:
            raise ConfigurationError(
                f"no format has that name; known are {', '.join(NAMES)}, and a format string",
                evidence=name[:80],
            )
        pattern, roles = compile_format(_TEXTS.get(name, name))
        further = Part.AUTHORITY if name == "varnish" else Part(0)
        quick = combined if _TEXTS.get(name) == ncsa.COMBINED else None
        return TextFormat(name, pattern, roles, self._hiding, further, quick)

    def find(self, lines: Sequence[bytes]) -> LineFormat | None:
        """What reads most of the first of `lines`; None where nothing reads any."""
        lines = [line for line in lines if line.strip()][:_LOOKED_AT]
        best, most, unread = None, 0, lines
        for name in _JSON if any(line[:1] == b"{" for line in lines) else _PLAIN:
            found = self.get(name)
            read = [line for line in lines if self.reads(found, line)]
            if len(read) > most:
                best, most = found, len(read)
            if read:
                unread = [line for line in unread if line not in read]
        if len(unread) > most and (extended := self._extended(unread)) is not None:
            return extended
        if best is not None and best.name == "combined" and self._is_varnish(lines):
            return self.get("varnish")
        return best or (self._other(lines) if len(lines) > 1 else None)

    def _other(self, lines: Sequence[bytes]) -> LineFormat | None:
        """Where the lines begin with something else than it seemed."""
        return next(
            (found for name in _PLAIN for line in lines if self.reads(found := self.get(name), line)), None
        )

    def _extended(self, lines: Sequence[bytes]) -> LineFormat | None:
        """What reads lines that go on after the end of those of NCSA."""
        text = ncsa.extended([line.decode("latin-1") for line in lines])
        if not text:
            return None
        found = self.get(text)
        return found if all(self.reads(found, line) for line in lines) else None

    def _is_varnish(self, lines: Sequence[bytes]) -> bool:
        combined = self.get("combined")
        read = [seen for line in lines if (seen := self.reads(combined, line)) is not None]
        return sum(bool(seen.authority) for seen in read) * 2 > len(read)

    def reads(self, found: LineFormat, line: bytes) -> Observation | None:
        """What a format reads of one line; None where it is not written in it."""
        try:
            return found.read(line, 1)[0]
        except NotRead:
            return None
