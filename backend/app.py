"""One replica of the shop as an aiohttp application."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from backend import representation
from backend.premises import Premises, open_premises
from backend.problems import Problem
from backend.settings import Settings
from backend.shelves import Shelves
from backend.styles import STYLES
from backend.styles.contract import Style

LARGEST_BODY = 64 * 1024
GRACE = 5.0
POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
STATUS_PROBLEMS = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}

log = logging.getLogger("backend")


def build(settings: Settings, clock: Callable[[], float] = time.time) -> web.Application:
    """The application; `clock` gives Unix seconds. Raises sqlite3.Error if the records can't be opened."""
    premises = open_premises(settings, clock)
    style = STYLES[settings.style](premises)
    app = web.Application(
        middlewares=[_latency(settings.latency), _explaining(style), _own_site_only],
        client_max_size=LARGEST_BODY,
    )
    app.add_routes(style.routes())
    app.add_routes(Shelves(premises, style, {name: each.summary for name, each in STYLES.items()}).routes())
    app.on_response_prepare.append(_finish)
    app.cleanup_ctx.append(_closing(premises))
    return app


def runner(app: web.Application) -> web.AppRunner:
    """Runs the application; requests under way have GRACE seconds to finish when it is stopped."""
    return web.AppRunner(app, access_log=None, shutdown_timeout=GRACE, auto_decompress=False)


def _latency(seconds: float) -> Middleware:
    @web.middleware
    async def latency(request: web.Request, handler: Handler) -> web.StreamResponse:
        if seconds:
            await asyncio.sleep(seconds)
        return await handler(request)

    return latency


def _explaining(style: Style) -> Middleware:
    """Turns whatever goes wrong into a problem document, or a page that says the same."""
    menu = style.views.view("problem", "", {})

    @web.middleware
    async def explaining(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Problem as found:
            problem = found
        except web.HTTPException as error:
            allow = error.headers.get("Allow")
            kind = STATUS_PROBLEMS.get(error.status, "internal")
            problem = Problem(kind, headers=[("Allow", allow)] if allow else ())
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            problem = Problem("internal")
        return representation.problem(request, problem, menu)

    return explaining


@web.middleware
async def _own_site_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses changes that a browser says come from another site: cookies and credentials go with them."""
    safe = request.method in ("GET", "HEAD", "OPTIONS")
    if not safe and request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise Problem("cross-site")
    return await handler(request)


async def _finish(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "pane-and-prism"
    response.headers["X-Content-Type-Options"] = "nosniff"
    if response.content_type == representation.HTML:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Referrer-Policy"] = "same-origin"


def _closing(premises: Premises) -> Callable[[web.Application], AsyncIterator[None]]:
    async def closing(app: web.Application) -> AsyncIterator[None]:
        yield
        premises.records.close()

    return closing
