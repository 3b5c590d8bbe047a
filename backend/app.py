"""One replica of the shop as an aiohttp application."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from backend import representation
from backend.figures import TERMS as FIGURES_TERMS
from backend.figures import URL as FIGURES_URL
from backend.figures import Figures
from backend.intake import refuse_other_sites
from backend.pace import Pace
from backend.premises import Premises, open_premises
from backend.problems import Problem
from backend.settings import Settings
from backend.shelves import Shelves
from backend.styles import STYLES, SUMMARIES
from backend.styles.contract import Style

LARGEST_BODY = 64 * 1024
GRACE = 5.0
POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
STATUS_PROBLEMS = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}

STYLE = web.AppKey("style", Style)

log = logging.getLogger("backend")


def build(settings: Settings, clock: Callable[[], float] = time.time) -> web.Application:
    """The application; `clock` gives Unix seconds.

    Raises CannotOpen and BadKeys, and CannotOpen once more when it starts up and the records can't be asked.
    """
    premises = open_premises(settings, clock)
    style = STYLES[settings.style](premises)
    figures = Figures(settings)
    app = web.Application(
        middlewares=[_counting(figures), _explaining(style), _pacing(settings), _own_site_only],
        client_max_size=LARGEST_BODY,
    )
    app[STYLE] = style
    app.add_routes(style.routes())
    app.add_routes(Shelves(premises, style, SUMMARIES).routes())
    app.router.add_get(FIGURES_URL, _reporting(figures, premises, style))
    app.on_response_prepare.append(_finish)
    app.cleanup_ctx.append(_opening(premises, style))
    return app


def runner(app: web.Application) -> web.AppRunner:
    """Runs the application; requests under way have GRACE seconds to finish when it is stopped."""
    return web.AppRunner(app, access_log=None, shutdown_timeout=GRACE, auto_decompress=False)


def _counting(figures: Figures) -> Middleware:
    @web.middleware
    async def counting(request: web.Request, handler: Handler) -> web.StreamResponse:
        figures.requests += request.path != FIGURES_URL
        return await handler(request)

    return counting


def _pacing(settings: Settings) -> Middleware:
    pace = Pace(settings.rate)

    @web.middleware
    async def pacing(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != FIGURES_URL:
            seconds = settings.latency + pace.wait(time.monotonic())
            if seconds:
                await asyncio.sleep(seconds)
        return await handler(request)

    return pacing


def _reporting(figures: Figures, premises: Premises, style: Style) -> Handler:
    async def report(request: web.Request) -> web.StreamResponse:
        carts, orders = await premises.records.held()
        return web.Response(
            body=figures.report(sessions=style.held(), carts=carts, orders=orders),
            content_type=representation.JSON,
            headers={"Cache-Control": FIGURES_TERMS},
        )

    return report


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
    refuse_other_sites(request.method, request.headers.get("Sec-Fetch-Site", ""))
    return await handler(request)


async def _finish(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(common_fields(response.content_type))


def common_fields(media_type: str) -> dict[str, str]:
    """The header fields that every response has, by the media type of its content."""
    fields = {"Server": "pane-and-prism", "X-Content-Type-Options": "nosniff"}
    if media_type == representation.HTML:
        fields |= {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}
    return fields


def _opening(premises: Premises, style: Style) -> Callable[[web.Application], AsyncIterator[None]]:
    async def opening(app: web.Application) -> AsyncIterator[None]:
        try:
            await premises.move_in()
            await style.fill(premises.settings.fill)
            yield
        finally:
            await style.close()
            await premises.records.close()

    return opening
