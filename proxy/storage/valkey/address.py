"""Where Valkey is and who asks it: `valkey://[user[:password]@]host[:port][,host[:port]...][/db]`."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote

from proxy.message.errors import ConfigurationError

PORT = 6379

_SCHEMES = {"valkey": False, "valkeys": True}

Place = tuple[str, int]
"""The host and the port of one server."""


@dataclass(frozen=True, slots=True)
class Address:
    """The servers to ask first, the account, the number of the database, and whether to speak TLS."""

    places: tuple[Place, ...]
    user: str = ""
    password: str = field(default="", repr=False)
    db: int = 0
    tls: bool = False

    def __str__(self) -> str:
        hosts = ",".join(shown(place) for place in self.places)
        return f"{'valkeys' if self.tls else 'valkey'}://{hosts}{f'/{self.db}' if self.db else ''}"


def shown(place: Place) -> str:
    """A server as a URL has it."""
    host, port = place
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse(url: str) -> Address:
    """The parts of a URL. Raises ConfigurationError, whose evidence shows no password."""
    scheme, found, rest = url.partition("://")
    if not found or scheme.lower() not in _SCHEMES:
        raise ConfigurationError(
            "not of the form valkey://host:port or valkeys://host:port", evidence=scheme[:40]
        )
    account, _, hosts = rest.rpartition("@")
    hosts, _, path = hosts.partition("/")
    user, _, password = account.partition(":")
    places = tuple(_place(one.strip()) for one in hosts.split(","))
    return Address(places, unquote(user), unquote(password), _db(path.strip("/")), _SCHEMES[scheme.lower()])


def _place(text: str) -> Place:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = text.partition(":")
    if not host or any(not char.isprintable() or char in ' "?#\\' for char in host):
        raise ConfigurationError("no host to be found in the address of Valkey", evidence=repr(text))
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ConfigurationError("no port to be found in the address of Valkey", evidence=repr(port))
    return host, int(port) if port else PORT


def _db(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise ConfigurationError("not the number of a database of Valkey", evidence=repr(text))
    return int(text)
