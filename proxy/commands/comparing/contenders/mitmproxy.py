"""mitmproxy in reverse mode. It has no cache; it prints each exchange, and that is its log."""

from __future__ import annotations

from proxy.commands.comparing.contenders.contract import FORWARDING, Contender, Found, Launch, Place
from proxy.commands.comparing.contenders.finding import find


def _find() -> Found:
    return find("mitmdump", "--version", r"Mitmproxy: (\S+)")


def _launch(found: Found, place: Place) -> Launch:
    command = [found.path, "--mode", f"reverse:http://127.0.0.1:{place.origin}"]
    command += ["--listen-host", "127.0.0.1", "--listen-port", str(place.port)]
    command += ["--set", f"confdir={place.folder}", "--set", "flow_detail=1"]
    ours = dict.fromkeys(("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP"))  # its Python may be another one
    return Launch(command, env={"HOME": str(place.folder), **ours})


MITMPROXY = Contender(
    name="mitmproxy",
    title="mitmproxy",
    parts=FORWARDING,
    log="its own lines on standard output",
    find=_find,
    launch=_launch,
    note="made for looking at messages, with no cache",
)
