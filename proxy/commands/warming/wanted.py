"""What is to be asked for: each once, of the hosts that may be asked for only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from proxy.message.errors import ConfigurationError
from proxy.message.target import is_authority
from proxy.message.uri import Uri, typed_uri

_MOST_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Target:
    """A resource: the Host to name, and the target."""

    host: str
    path: str

    def __str__(self) -> str:
        return f"http://{self.host}{self.path}"


@dataclass(slots=True)
class Wanted:
    """Gathers targets. `hosts` may be asked for, all of them where it is empty; paths are the `default`'s.

    No more than `limit` are taken. What is left out is counted by why.
    """

    default: str
    hosts: frozenset[str]
    limit: int
    targets: dict[Target, None] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, text: str) -> None:
        """Take a URL or a path, unless it is neither, or there already."""
        text = text.strip()
        if not text:
            return
        target = self.read(text)
        if target is None:
            self._leave_out("neither a URL nor a path")
        elif not self.allows(target.host):
            self._leave_out(f"of another host: {target.host}")
        elif target not in self.targets:
            if len(self.targets) < self.limit:
                self.targets[target] = None
            else:
                self._leave_out("beyond --limit")

    def add_lines(self, lines: Iterable[str]) -> None:
        """Take the lines of a list, but for those that begin with `#`."""
        for line in lines:
            if not line.lstrip().startswith("#"):
                self.add(line)

    def read(self, text: str) -> Target | None:
        """The target that a URL or a path means."""
        uri = typed_uri(f"http://{self.default}{text}" if text.startswith("/") else text)
        return None if uri is None or not is_authority(uri.authority) else _target(uri)

    def allows(self, host: str) -> bool:
        """Whether a host may be asked for."""
        return not self.hosts or host in self.hosts

    def _leave_out(self, why: str) -> None:
        if why in self.left_out or len(self.left_out) < _MOST_KEPT:
            self.left_out[why] += 1
        else:
            self.left_out["of further hosts"] += 1


def host_of(text: str) -> str:
    """A host as it is compared, its port with it unless that is 80. Raises ConfigurationError for others."""
    uri = typed_uri(f"http://{text}/")
    if uri is None or uri.path != b"/" or not is_authority(text.encode("utf-8", "surrogateescape")):
        raise ConfigurationError("--host is the name of a host, and its port where it has one", evidence=text)
    return _target(uri).host


def _target(uri: Uri) -> Target:
    """Host as a client names it that has come by a default port; the proxy stands behind one with another."""
    authority = uri.authority.decode("ascii")
    query = b"" if uri.query is None else b"?" + uri.query
    return Target(authority, (uri.path + query).decode("ascii", "surrogateescape"))
