"""The admin address: what the running proxy did, for people and for programs."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Collection, Sequence
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
from proxy.server.admin.purges import Purge, PurgePages
from proxy.server.admin.recent import KEPT, Exchange, Recent
from proxy.server.admin.servers import ServerPages, Servers
from proxy.server.admin.shown import Shown
from proxy.server.admin.window import FORMATS, Window
from proxy.server.process import process_figures
from proxy.storage.contract import Figures as StorageFigures
from proxy.visibility.account import Account
from proxy.visibility.record import Redaction, encode, to_record

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
    `purge` has stored responses removed.
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
    purge: Purge | None = None

    async def totals(self) -> dict[str, Any]:
        """All figures, for JSON."""
        self.flush()
        return {
            **self.figures.snapshot(self.now()),
            "storage": dataclasses.asdict(self.storage()),
            "log": {"lost": self.lost()},
            "process": process_figures(),
        }

    async def latest(self, limit: int) -> Sequence[bytes]:
        """The last `limit` exchanges as they stand in the log, the oldest of them first."""
        self.flush()
        return [line async for line in lines(self.recent.last(limit), self.line)]

    async def one(self, identifier: str) -> bytes | None:
        """The exchange with that id, None where it's not among those kept."""
        self.flush()
        found = self.recent.find(identifier)
        return self.line(found) if found is not None else None

    async def minutes(self) -> Sequence[bytes]:
        """The exchanges of the last minutes, the oldest of them first."""
        self.flush()
        return [line async for line in lines(self.window.exchanges(self.now()), self.line)]

    def line(self, exchange: Exchange) -> bytes:
        """An exchange as it stands in the log."""
        if isinstance(exchange, Account):
            return encode(to_record(exchange, self.redaction))
        return exchange.line()


def make_admin(sources: Shown, *, host: str = "127.0.0.1", names: Collection[str] = ()) -> web.Application:
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
    app.router.add_post("/purge", PurgePages(sources.purge).purged)
    for path in sorted(_DASHBOARD.iterdir()):
        if path.suffix in _TYPES:
            name = "" if path.name == "index.html" else path.name
            app.router.add_get(f"/{name}", functools.partial(_file, path.read_bytes(), _TYPES[path.suffix]))
    return app


async def admin_runner(shown: Shown, host: str) -> web.AppRunner:
    """The admin address, ready to be served at `host`; to be cleaned up."""
    runner = web.AppRunner(make_admin(shown, host=host), access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    return runner


class Admin:
    """The handlers: one for each resource."""

    def __init__(self, sources: Shown) -> None:
        self._from = sources
        self._catalogue = catalogue()

    async def health(self, request: web.Request) -> web.Response:
        """200 while the proxy takes requests, 503 once it is stopping."""
        if self._from.stopping():
            return problem(503, "The proxy is stopping.")
        return _json({"status": "ok"})

    async def figures(self, request: web.Request) -> web.Response:
        """All figures as one JSON object."""
        return _json(await self._figures())

    async def metrics(self, request: web.Request) -> web.Response:
        """The same figures, less those by the second, for Prometheus."""
        text = metrics.render(metrics.families(await self._figures()))
        return web.Response(body=text, headers={"Content-Type": metrics.CONTENT_TYPE})

    async def exchanges(self, request: web.Request) -> web.Response:
        """The last `limit` exchanges as they stand in the log, the oldest first."""
        body = await self._from.latest(_limit(request.query.get("limit")))
        return web.Response(body=b"".join(line + b"\n" for line in body), content_type=JSON_LINES)

    async def exchange(self, request: web.Request) -> web.Response:
        """One exchange, indented, each reason with its sentence from the catalogue."""
        line = await self._from.one(request.match_info["id"])
        if line is None:
            raise NotKept(f"no exchange of that id is among the last {KEPT}")
        record = msgspec.json.decode(line)
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
        kept = await self._from.minutes()
        report = await self._from.window.report(b"".join(line + b"\n" for line in kept), form)
        return web.Response(body=report, content_type=FORMATS[form], charset="utf-8")

    async def live(self, request: web.Request) -> web.StreamResponse:
        """Exchanges as they end, as server-sent events."""
        return await live(request, self._from.recent, self._from.line)

    async def reasons(self, request: web.Request) -> web.Response:
        """Every reason that a decision can have, by its slug."""
        return _json({slug: msgspec.structs.asdict(reason) for slug, reason in self._catalogue.items()})

    async def _figures(self) -> dict[str, Any]:
        return {"version": __version__, **await self._from.totals()}


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
