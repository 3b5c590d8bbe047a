"""Errors as problem documents (RFC 9457)."""

from __future__ import annotations

import http
import logging
from collections.abc import Mapping

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from proxy.message.errors import PellucidError

MEDIA_TYPE = "application/problem+json"

_log = logging.getLogger(__name__)


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """A response that says what is wrong; its type is `about:blank`: the status code says it all (§4.2.1)."""
    body = {
        "type": "about:blank",
        "title": http.HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    return web.Response(
        status=status, body=msgspec.json.encode(body), content_type=MEDIA_TYPE, headers=headers
    )


def problems() -> Middleware:
    """The middleware that turns every error into a problem document; the unexpected goes to the log."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPMethodNotAllowed as error:
            allowed = ", ".join(sorted(error.allowed_methods))
            return problem(405, f"The methods allowed here are {allowed}.", {"Allow": allowed})
        except web.HTTPException as error:
            return problem(error.status, error.text or error.reason)
        except PellucidError as error:
            return problem(error.status or 500, str(error))
        except ConnectionError:
            raise
        except Exception:
            _log.exception("the admin address could not answer %s", request.path)
            return problem(500, "The answer could not be made; the process's error output says why.")

    return answer
