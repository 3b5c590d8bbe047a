"""Who may read the admin address: programs on this machine and pages that came from it, nobody else's pages.

It answers without a password, so the browser of its user must not be made to read it for another site: a name
that is pointed at this machine (DNS rebinding) is refused by its `Host`, a request from another origin's page
by its `Sec-Fetch-Site`. Neither field can be set by a page.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from proxy.server.admin.problem import problem

_HOST = re.compile(r"(?:\[([^\[\]]+)\]|([^:\[\]]+))(?::[0-9]*)?")

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "Pellucid",
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    ),
}


class Hosts:
    """The names under which the admin address may be asked for.

    `bound` is the address it listens at, as configured. Where that stands for all addresses, any address
    will do, since only a name can be pointed elsewhere. `names` are further names that its user vouches for.
    """

    def __init__(self, bound: str, names: Collection[str] = ()) -> None:
        self._names = {"localhost", *(name.lower() for name in names)}
        address = _address(bound)
        self._any = bound == "" or (address is not None and address.is_unspecified)
        self._bound = address
        if address is None and bound:
            self._names.add(bound.lower())

    def allows(self, host: str) -> bool:
        """Whether a `Host` field's value (RFC 9110 §7.2) is one of them, whatever its port."""
        name = _without_port(host).lower().removesuffix(".")
        address = _address(name)
        if address is None:
            return name in self._names or name.endswith(".localhost")
        return address.is_loopback or self._any or address == self._bound


def guard(hosts: Hosts) -> Middleware:
    """The middleware that refuses requests which another site's page may have caused."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        named = request.headers.getall(hdrs.HOST, [])
        if len(named) > 1 or (not named and request.version >= (1, 1)):
            return problem(400, "A request names one host (RFC 9112, section 3.2).")
        if named and not (hosts.allows(named[0]) and hosts.allows(request.host)):
            return problem(421, "This address does not answer for that host.")
        if not _same_site(request):
            return problem(403, "Pages of other origins may not read this.")
        return await handler(request)

    return check


async def protect(request: web.Request, response: web.StreamResponse) -> None:
    """The signal that adds, to every response, what a browser must know to keep it to itself."""
    response.headers.update(_HEADERS)


def _same_site(request: web.Request) -> bool:
    """False for what a page of another origin asks for; that a link of it leads here is no harm."""
    if request.headers.get("Sec-Fetch-Site", "none") in ("same-origin", "none"):
        return True
    return (
        request.headers.get("Sec-Fetch-Mode") == "navigate"
        and request.headers.get("Sec-Fetch-Dest") == "document"
    )


def _without_port(host: str) -> str:
    """The host of `host[:port]`, an IPv6 address without its brackets; as it stands where it isn't that."""
    match = _HOST.fullmatch(host)
    return (match[1] or match[2]) if match else host


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
