"""An API whose clients carry a JSON Web Token: jwt_api.py PORT."""

from __future__ import annotations

import sys
import time

import jwt
from aiohttp import web
from pages import ABOUT, ITEMS, SECRET, item, listening

CHALLENGE = {"WWW-Authenticate": "Bearer"}


def bearer(request: web.Request) -> str:
    """Who the token was issued to. Raises HTTPUnauthorized."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        claims = jwt.decode(token, SECRET, ["HS256"])
    except jwt.InvalidTokenError:
        raise web.HTTPUnauthorized(headers=CHALLENGE) from None
    if scheme.lower() != "bearer":
        raise web.HTTPUnauthorized(headers=CHALLENGE)
    return str(claims["sub"])


async def login(request: web.Request) -> web.Response:
    given = await request.json()
    now = int(time.time())
    claims = {"sub": given["username"], "iat": now, "exp": now + 3600}
    token = jwt.encode(claims, SECRET, "HS256")
    return web.json_response(
        {"access_token": token, "token_type": "Bearer"}, headers={"Cache-Control": "no-store"}
    )


async def index(request: web.Request) -> web.Response:
    return web.json_response({"hello": bearer(request)}, headers={"Vary": "Authorization"})


async def items(request: web.Request) -> web.Response:
    number = int(request.match_info["number"])
    if not 0 < number <= ITEMS:
        raise web.HTTPNotFound
    return web.json_response(item(number))


async def about(request: web.Request) -> web.Response:
    headers = {"Cache-Control": "public, max-age=60"}
    return web.Response(text=ABOUT, content_type="text/html", headers=headers)


if __name__ == "__main__":
    app = web.Application()
    app.add_routes(
        [
            web.post("/login", login),
            web.get("/", index),
            web.get(r"/items/{number:\d+}", items),
            web.get("/about", about),
        ]
    )
    web.run_app(app, sock=listening(int(sys.argv[1])), print=lambda *_: None)
