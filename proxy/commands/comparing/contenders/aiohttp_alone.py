"""aiohttp with neither a proxy nor a cache around it: what Python's usual server needs for an answer."""

from __future__ import annotations

import sys

import aiohttp

from proxy.commands.comparing.contenders.contract import Contender, Found, Launch, Part, Place

_MODULE = "proxy.commands.comparing.contenders.aiohttp_process"


def _find() -> Found:
    return Found(sys.executable, aiohttp.__version__, "this installation")


def _launch(found: Found, place: Place) -> Launch:
    return Launch([found.path, "-m", _MODULE, str(place.port), str(place.origin), str(place.log)])


AIOHTTP = Contender(
    name="aiohttp",
    title="aiohttp alone",
    parts=frozenset({Part.HITS, Part.PASSING, Part.START}),
    log="its own access log",
    find=_find,
    launch=_launch,
    note="no cache: it has the content at hand, and passes through with ClientSession",
)
