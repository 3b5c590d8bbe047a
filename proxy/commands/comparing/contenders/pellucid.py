"""Pellucid itself, as `pellucid serve` starts it, with a full record of each exchange."""

from __future__ import annotations

import sys

from proxy import __version__
from proxy.commands.comparing.contenders.contract import (
    EVERYTHING,
    IDLE,
    MEMORY,
    Contender,
    Found,
    Launch,
    Place,
)

SETTINGS = {
    "server.idle": f"{IDLE}s",
    "upstream.idle": f"{IDLE}s",
    "upstream.idle_connections": "256",
}


def _find() -> Found:
    return Found(sys.executable, __version__, "this installation")


def _launch(found: Found, place: Place) -> Launch:
    command = [found.path, "-m", "proxy", "serve", "--upstream", f"http://127.0.0.1:{place.origin}"]
    command += ["--listen", f"127.0.0.1:{place.port}", "--log", str(place.log)]
    command += ["--memory", f"{MEMORY}MiB", "--watch", "never"]
    for name in ("connections", "connections_per_client"):
        command += ["--set", f"server.{name}={place.connections}"]
    for name, value in SETTINGS.items():
        command += ["--set", f"{name}={value}"]
    return Launch(command)


PELLUCID = Contender(
    name="pellucid",
    title="Pellucid",
    parts=EVERYTHING,
    log="a full record of each exchange",
    find=_find,
    launch=_launch,
)
