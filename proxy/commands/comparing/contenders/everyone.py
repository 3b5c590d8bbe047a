"""All contenders, in the order in which they are shown."""

from __future__ import annotations

from proxy.commands.comparing.contenders.aiohttp_alone import AIOHTTP
from proxy.commands.comparing.contenders.caddy import CADDY
from proxy.commands.comparing.contenders.contract import Contender
from proxy.commands.comparing.contenders.haproxy import HAPROXY
from proxy.commands.comparing.contenders.mitmproxy import MITMPROXY
from proxy.commands.comparing.contenders.nginx import BUFFERED, NGINX
from proxy.commands.comparing.contenders.pellucid import PELLUCID
from proxy.commands.comparing.contenders.squid import SQUID
from proxy.commands.comparing.contenders.varnish import VARNISH

EVERYONE: tuple[Contender, ...] = (
    *(PELLUCID, NGINX, BUFFERED, VARNISH, HAPROXY, SQUID),
    *(CADDY, AIOHTTP, MITMPROXY),
)
