"""The admin address: what the running proxy did, for people and for programs."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from proxy import __version__
from proxy.caching.reasons import catalogue
from proxy.message.errors import PellucidError
from proxy.server.admin import metrics
from proxy.server.admin.figures import Figures
from proxy.server.admin.guard import Hosts, guard, protect
from proxy.server.admin.live import lines, live
from proxy.server.admin.problem import problem, problems
from proxy.server.admin.recent import KEPT, Exchange, Recent
from proxy.server.admin.servers import ServerPages, Servers
from proxy.server.admin.window import FORMATS, Window
from proxy.server.lane.records import Late
from proxy.server.process import process_figures
from proxy.storage.contract import Figures as StorageFigures
from proxy.visibility.record import Record, Redaction, encode, to_record

JSON = "application/json"
JSON_LINES = "application/jsonl"

_DASHBOARD = Path(__file__).with_name("dashboard")
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


class BadParameter(PellucidError):  # noqa: N818 - as the other refusals are called
    """A query parameter that can't be used as it was given."""

    status = 400


class NotKept(PellucidError):  # noqa: N818
    """An exchange that is not, or no longer, among those remembered."""

    status = 404


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the admin address gets what it shows.

    Nothing of an exchange is shown but its record, made with `redaction`. `storage` gives the store's
    figures, `stopping` whether the proxy takes no more requests, `lost` the number of log lines that could
    not be written, `now` the time in seconds since the epoch. `flush` has all counted that has ended.
    `servers` are those behind, where there may be several; `window` holds the last minutes' exchanges.
    """

    figures: Figures
    recent: Recent
    redaction: Redaction
    storage: Callable[[], StorageFigures]
    stopping: Callable[[], bool] = lambda: False
    lost: Callable[[], int] = lambda: 0
    now: Callable[[], float] = time.time
    flush: Callable[[], None] = lambda: None
    servers: Servers | None = None
    window: Window = dataclasses.field(default_factory=Window)


def make_admin(sources: Sources, *, host: str = "127.0.0.1", names: Collection[str] = ()) -> web.Application:
    """The application to serve at the admin address, `host` being where it listens.

    `names` are host names, beyond localhost's, under which it may be asked for.
    """
    app = web.Application(middlewares=[problems(), guard(Hosts(host, names))])
    app.on_response_prepare.append(protect)
    app.on_shutdown.append(lambda _: _close(sources.recent))
    admin = Admin(sources)
    app.router.add_get("/health", admin.health)
    app.router.add_get("/figures", admin.figures)
    app.router.add_get("/metrics", admin.metrics)
    app.router.add_get("/exchanges", admin.exchanges)
    app.router.add_get("/exchanges/{id}", admin.exchange)
    app.router.add_get("/inspect", admin.inspect)
    app.router.add_get("/live", admin.live)
    app.router.add_get("/reasons", admin.reasons)
    servers = ServerPages(sources.servers)
    app.router.add_get("/upstreams", servers.listed)
    app.router.add_post("/upstreams", servers.added)
    app.router.add_delete("/upstreams/{name}", servers.drained)
    for path in sorted(_DASHBOARD.iterdir()):
        if path.suffix in _TYPES:
            name = "" if path.name == "index.html" else path.name
            app.router.add_get(f"/{name}", functools.partial(_file, path.read_bytes(), _TYPES[path.suffix]))
    return app


class Admin:
    """The handlers: one for each resource."""

    def __init__(self, sources: Sources) -> None:
        self._from = sources
        self._catalogue = catalogue()

    async def health(self, request: web.Request) -> web.Response:
        """200 while the proxy takes requests, 503 once it is stopping."""
        if self._from.stopping():
            return problem(503, "The proxy is stopping.")
        return _json({"status": "ok"})

    async def figures(self, request: web.Request) -> web.Response:
        """All figures as one JSON object."""
        return _json(self._figures())

    async def metrics(self, request: web.Request) -> web.Response:
        """The same figures, less those by the second, for Prometheus."""
        text = metrics.render(metrics.families(self._figures()))
        return web.Response(body=text, headers={"Content-Type": metrics.CONTENT_TYPE})

    async def exchanges(self, request: web.Request) -> web.Response:
        """The last `limit` exchanges as they stand in the log, the oldest first."""
        self._from.flush()
        accounts = self._from.recent.last(_limit(request.query.get("limit")))
        body = [line async for line in lines(accounts, self._line)]
        return web.Response(body=b"".join(line + b"\n" for line in body), content_type=JSON_LINES)

    async def exchange(self, request: web.Request) -> web.Response:
        """One exchange, indented, each reason with its sentence from the catalogue."""
        self._from.flush()
        account = self._from.recent.find(request.match_info["id"])
        if account is None:
            raise NotKept(f"no exchange of that id is among the last {KEPT}")
        record = msgspec.to_builtins(self._record(account))
        for reason in (record["decision"] or {}).get("reasons", ()):
            known = self._catalogue.get(reason["slug"])
            if known is not None:
                reason["sentence"] = known.sentence
        return web.Response(body=msgspec.json.format(msgspec.json.encode(record)) + b"\n", content_type=JSON)

    async def inspect(self, request: web.Request) -> web.Response:
        """What `pellucid inspect` says of the last minutes, as JSON or in another `format`."""
        form = request.query.get("format", "json")
        if form not in FORMATS:
            raise BadParameter(f"format is one of {', '.join(FORMATS)}")
        self._from.flush()
        window = self._from.window
        kept = [line async for line in lines(window.exchanges(self._from.now()), self._line)]
        report = await window.report(b"".join(line + b"\n" for line in kept), form)
        return web.Response(body=report, content_type=FORMATS[form], charset="utf-8")

    async def live(self, request: web.Request) -> web.StreamResponse:
        """Exchanges as they end, as server-sent events."""
        return await live(request, self._from.recent, self._line)

    async def reasons(self, request: web.Request) -> web.Response:
        """Every reason that a decision can have, by its slug."""
        return _json({slug: msgspec.structs.asdict(reason) for slug, reason in self._catalogue.items()})

    def _figures(self) -> dict[str, Any]:
        self._from.flush()
        return {
            "version": __version__,
            **self._from.figures.snapshot(self._from.now()),
            "storage": dataclasses.asdict(self._from.storage()),
            "log": {"lost": self._from.lost()},
            "process": process_figures(),
        }

    def _record(self, account: Exchange) -> Record:
        return account.record() if isinstance(account, Late) else to_record(account, self._from.redaction)

    def _line(self, account: Exchange) -> bytes:
        return encode(self._record(account))


async def _close(recent: Recent) -> None:
    recent.close()


async def _file(body: bytes, media_type: str, request: web.Request) -> web.Response:
    return web.Response(body=body, content_type=media_type, charset="utf-8")


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value) + b"\n", content_type=JSON)


def _limit(text: str | None) -> int:
    """How many are asked for; a hundred where nothing is said. Raises BadParameter."""
    if text is None:
        return 100
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= KEPT):
        raise BadParameter(f"limit is a whole number from 1 to {KEPT}")
    return int(text)
