"""Which server a URL names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from proxy.message.errors import ConfigurationError

_DEFAULT_PORTS = {"http": 80, "https": 443}
_URL = re.compile(r"(?P<scheme>[^:/?#]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<rest>.*)", re.DOTALL)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_PORT = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class Server:
    """A server to connect to: `host` in lower case, an IPv6 address without its brackets."""

    scheme: str
    host: str
    port: int

    @property
    def secure(self) -> bool:
        return self.scheme == "https"

    @property
    def literal(self) -> bool:
        """Whether the host is an IP address, so that there's no name to look up."""
        return ":" in self.host or _is_ipv4(self.host)

    @property
    def url(self) -> str:
        """The server as `parse_server` takes it."""
        return f"{self.scheme}://{self}"

    @property
    def authority(self) -> bytes:
        """What `Host` says for this server: the port only where it isn't the scheme's own (RFC 9110 §7.2)."""
        host = self._bracketed()
        return (host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}").encode()

    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    def __str__(self) -> str:
        return f"{self._bracketed()}:{self.port}"


def parse_server(url: str) -> Server:
    """The server that `http[s]://host[:port]` names, an empty path or `/` after it (RFC 9110 §4.2).

    Raises `ConfigurationError` with what is wrong and the URL (without a password in it) as its evidence.
    """
    match = _URL.fullmatch(url)
    if match is None or match["scheme"].lower() not in _DEFAULT_PORTS:
        raise _wrong(url, "an upstream URL starts with http:// or https://")
    scheme, authority = match["scheme"].lower(), match["authority"]
    if "@" in authority:
        raise _wrong(url, "an upstream URL holds no user name or password")
    if match["rest"]:
        raise _wrong(url, "an upstream URL has no query and no fragment")
    if match["path"] not in ("", "/"):
        raise _wrong(url, "an upstream URL has no path: each request's own target is sent")
    host, port = _split(url, authority)
    return Server(scheme, _host(url, host), _port(url, port) if port is not None else _DEFAULT_PORTS[scheme])


def parse_weighted(text: str) -> tuple[Server, float]:
    """The server and its weight of `URL` or `URL,weight=N`. Raises ConfigurationError."""
    url, comma, weight = text.partition(",weight=")
    try:
        return parse_server(url), float(weight) if comma else 1.0
    except ValueError:
        raise ConfigurationError("a weight is a number", evidence=weight) from None


def _split(url: str, authority: str) -> tuple[str, str | None]:
    if authority.startswith("["):
        host, bracket, rest = authority.partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise _wrong(url, "an IPv6 address stands in brackets, with at most a port after them")
        return host + bracket, rest[1:] if rest else None
    host, colon, port = authority.partition(":")
    if ":" in port:
        raise _wrong(url, "an IPv6 address stands in brackets")
    return host, port if colon else None


def _host(url: str, host: str) -> str:
    if not host:
        raise _wrong(url, "an upstream URL names a host")
    if host.startswith("["):
        try:
            if "%" in host:
                raise AddressValueError
            return str(IPv6Address(host[1:-1]))
        except AddressValueError:
            raise _wrong(url, "what stands in the brackets is no IPv6 address") from None
    if not host.isascii():
        raise _wrong(url, "a host name is written in ASCII (xn--…)")
    name = host.lower().removesuffix(".")
    if re.fullmatch(r"[0-9.]+", name):
        if not _is_ipv4(name):
            raise _wrong(url, "the host is no IPv4 address")
    elif len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise _wrong(url, "the host is neither a name nor an IP address")
    return name


def _port(url: str, port: str) -> int:
    if not _PORT.fullmatch(port) or not 0 < int(port) < 65536:
        raise _wrong(url, "a port is a number from 1 to 65535")
    return int(port)


def _is_ipv4(host: str) -> bool:
    try:
        IPv4Address(host)
    except AddressValueError:
        return False
    return True


def _wrong(url: str, what: str) -> ConfigurationError:
    return ConfigurationError(what, evidence=ascii(re.sub(r"//[^/?#]*@", "//…@", url)))
