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


def find_pellucid() -> Found:
    return Found(sys.executable, __version__, "this installation")


def serving(found: Found, place: Place, memory: str, *options: str) -> Launch:
    """How `pellucid serve` is started for a comparison, with so much memory and these options besides."""
    command = [found.path, "-m", "proxy", "serve", "--upstream", f"http://127.0.0.1:{place.origin}"]
    command += ["--listen", f"127.0.0.1:{place.port}", "--log", str(place.log)]
    command += ["--memory", memory, "--watch", "never", *options]
    for name in ("connections", "connections_per_client"):
        command += ["--set", f"server.{name}={place.connections}"]
    for name, value in SETTINGS.items():
        command += ["--set", f"{name}={value}"]
    return Launch(command)


def _launch(found: Found, place: Place) -> Launch:
    return serving(found, place, f"{MEMORY}MiB")


PELLUCID = Contender(
    name="pellucid",
    title="Pellucid",
    parts=EVERYTHING,
    log="a full record of each exchange",
    find=find_pellucid,
    launch=_launch,
)
