"""HAProxy with its cache for small objects, one thread."""

from __future__ import annotations

from proxy.commands.comparing.contenders.contract import (
    EVERYTHING,
    IDLE,
    MEMORY,
    Contender,
    Found,
    Launch,
    Place,
)
from proxy.commands.comparing.contenders.finding import find

_CONFIG = """\
global
    nbthread 1
    maxconn {connections}
    log stdout format raw local0 info
defaults
    mode http
    log global
    option httplog
    timeout connect 5s
    timeout client {idle}s
    timeout server 60s
    timeout http-keep-alive {idle}s
    http-reuse always
cache responses
    total-max-size {memory}
    max-object-size {largest}
    max-age 3600
    process-vary on
frontend clients
    bind 127.0.0.1:{port} backlog 4096
    http-request cache-use responses
    http-response cache-store responses
    default_backend origin
backend origin
    server origin 127.0.0.1:{origin} pool-purge-delay {idle}s
"""
_LARGEST = 16 << 20


def config(place: Place) -> str:
    """Its configuration file."""
    return _CONFIG.format(
        connections=place.connections,
        idle=IDLE,
        memory=MEMORY,
        largest=_LARGEST,
        port=place.port,
        origin=place.origin,
    )


def _find() -> Found:
    return find("haproxy", "-v", r"version (\S+)")


def _launch(found: Found, place: Place) -> Launch:
    file = place.folder / "haproxy.cfg"
    return Launch([found.path, "-db", "-f", str(file)], {"haproxy.cfg": config(place)})


HAPROXY = Contender(
    name="haproxy",
    title="HAProxy",
    parts=EVERYTHING,
    log="httplog, each line written at once",
    find=_find,
    launch=_launch,
)
