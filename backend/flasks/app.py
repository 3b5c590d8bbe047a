"""The shop as a Flask application: what is shared with the other styles is all that isn't Flask's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request
from multidict import CIMultiDict
from werkzeug.exceptions import HTTPException

from backend import faces
from backend.app import LARGEST_BODY, STATUS_PROBLEMS, common_fields
from backend.figures import TERMS as FIGURES_TERMS
from backend.figures import URL as FIGURES_URL
from backend.figures import Figures
from backend.flasks import sessions
from backend.flasks.counter import Counter
from backend.flasks.pages import Pages, with_charset
from backend.intake import refuse_other_sites
from backend.pace import Pace
from backend.premises import Premises, open_premises
from backend.problems import Problem
from backend.representation import prefers_html, represent_problem
from backend.settings import Settings
from backend.tokens.keys import KeyRing
from backend.valkeys import at_once
from backend.views import Views


def build(settings: Settings, clock: Callable[[], float] = time.time) -> Flask:
    """The application; raises CannotOpen and BadKeys."""
    premises = open_premises(settings, clock, threads=True)
    try:
        at_once(premises.move_in())
        return _app(settings, premises)
    except BaseException:
        at_once(premises.records.close())
        raise


def close(app: Flask) -> None:
    """Lets go of what the application has opened."""
    at_once(app.extensions["shop"].records.close())
    interface = app.session_interface
    if isinstance(interface, sessions.InValkey):
        interface.close()


def reload(app: Flask) -> None:
    """Reads the keys again; raises BadKeys."""
    keys: KeyRing = app.extensions["keys"]
    keys.reload()
    sessions.use_keys(app, keys)


def _app(settings: Settings, premises: Premises) -> Flask:
    app = Flask("backend.flasks", static_folder=None)
    app.url_map.merge_slashes = False
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_BODY, PROVIDE_AUTOMATIC_OPTIONS=False)
    keys = KeyRing(settings.secrets, settings.key_file)
    app.extensions.update(shop=premises, keys=keys)
    sessions.set_up(app, settings, keys)
    sessions.fill(app, settings.fill)
    views = Views(premises, faces.MENU)
    for rule, method, handler in (*Pages(premises, views).routes(), *Counter(premises, views).routes()):
        app.add_url_rule(rule, f"{method} {rule}", handler, methods=[method])
    _explain(app, views)
    _hold_to(app, settings)
    _count(app, settings, premises)
    app.after_request(_finish)
    return app


def _explain(app: Flask, views: Views) -> None:
    """Turns whatever goes wrong into a problem document, or a page that says the same."""
    menu = views.view("problem", "", {})

    def explain(problem: Problem) -> Response:
        html = prefers_html(request.headers.get("Accept", ""))
        body, media_type = represent_problem(problem, menu, html=html)
        fields = CIMultiDict([("Cache-Control", "no-store"), ("Vary", "Accept"), *problem.headers])
        return Response(body, problem.status, fields.items(), content_type=with_charset(media_type))

    def translate(error: HTTPException) -> Response:
        cause = getattr(error, "original_exception", None)
        if isinstance(cause, Problem):
            return explain(cause)
        allow = dict(error.get_headers()).get("Allow")
        kind = STATUS_PROBLEMS.get(error.code or 500, "internal")
        return explain(Problem(kind, headers=[("Allow", allow)] if allow else ()))

    app.register_error_handler(Problem, explain)
    app.register_error_handler(HTTPException, translate)
    app.logger.addFilter(lambda line: not (line.exc_info and isinstance(line.exc_info[1], Problem)))


def _hold_to(app: Flask, settings: Settings) -> None:
    pace = Pace(settings.rate)

    @app.before_request
    def before() -> None:
        if request.path == FIGURES_URL:
            return
        seconds = settings.latency + pace.wait(time.monotonic())
        if seconds:
            time.sleep(seconds)
        refuse_other_sites(request.method, request.headers.get("Sec-Fetch-Site", ""))


def _count(app: Flask, settings: Settings, premises: Premises) -> None:
    figures = Figures(settings)
    lock = threading.Lock()

    @app.before_request
    def count() -> None:
        with lock:
            figures.requests += request.path != FIGURES_URL

    @app.get(FIGURES_URL)
    def report() -> Any:
        carts, orders = at_once(premises.records.held())
        body = figures.report(sessions=sessions.held(app), carts=carts, orders=orders)
        return Response(body, headers={"Cache-Control": FIGURES_TERMS}, content_type="application/json")


def _finish(response: Response) -> Response:
    response.headers.update(common_fields(response.mimetype or ""))
    return response
