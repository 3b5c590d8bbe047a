"""Varnish with its built-in rules, one pool of threads on one core; varnishncsa writes its log."""

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
from proxy.commands.comparing.contenders.finding import find, in_system
from proxy.commands.comparing.errors import ComparisonError

PARAMETERS = {"thread_pools": "1", "timeout_idle": str(IDLE), "listen_depth": "4096"}


def rules(place: Place) -> str:
    """What it is told in its own language: where the origin is, and nothing else."""
    where = f'.host = "127.0.0.1"; .port = "{place.origin}";'
    return f"vcl 4.1;\nbackend origin {{ {where} }}\n"


def _find() -> Found:
    if in_system("varnishncsa") is None:
        raise ComparisonError("varnishd and varnishncsa are not both installed")
    return find("varnishd", "-V", r"varnish-(\S+)")


def _launch(found: Found, place: Place) -> Launch:
    file = place.folder / "rules.vcl"
    folder = str(place.folder / "state")
    command = [found.path, "-F", "-n", folder, "-j", "none", "-a", f"127.0.0.1:{place.port}"]
    command += ["-f", str(file), "-s", f"malloc,{MEMORY}m"]
    for name, value in PARAMETERS.items():
        command += ["-p", f"{name}={value}"]
    log = [in_system("varnishncsa") or "varnishncsa", "-n", folder, "-a", "-w", str(place.log)]
    return Launch(command, {"rules.vcl": rules(place)}, helper=log)


VARNISH = Contender(
    name="varnish",
    title="Varnish",
    parts=EVERYTHING,
    log="combined, by varnishncsa, whose processor time counts too",
    find=_find,
    launch=_launch,
)
