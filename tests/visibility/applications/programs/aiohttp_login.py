"""The same with aiohttp-session: aiohttp_login.py PORT encrypted|plain."""

from __future__ import annotations

import sys

from aiohttp import web
from aiohttp_session import AbstractStorage, SimpleCookieStorage, get_session, setup
from pages import ABOUT, FORM, ITEMS, SECRET, greeting, item, listening


def storage(style: str) -> AbstractStorage:
    """Where the session is: in the cookie, encrypted or for everybody to read."""
    if style == "plain":
        return SimpleCookieStorage()
    from aiohttp_session.cookie_storage import EncryptedCookieStorage

    return EncryptedCookieStorage(SECRET[:32].encode())


async def index(request: web.Request) -> web.Response:
    session = await get_session(request)
    return web.Response(text=greeting(session.get("username")), content_type="text/html")


async def form(request: web.Request) -> web.Response:
    return web.Response(text=FORM, content_type="text/html")


async def login(request: web.Request) -> web.Response:
    session = await get_session(request)
    session["username"] = (await request.post())["username"]
    return web.Response(status=303, headers={"Location": "/"})


async def logout(request: web.Request) -> web.Response:
    (await get_session(request)).invalidate()
    return web.Response(status=303, headers={"Location": "/"})


async def visits(request: web.Request) -> web.Response:
    session = await get_session(request)
    session["visits"] = session.get("visits", 0) + 1
    return web.json_response({"visits": session["visits"]})


async def items(request: web.Request) -> web.Response:
    number = int(request.match_info["number"])
    if not 0 < number <= ITEMS:
        return web.Response(status=404, text="no such item")
    return web.json_response(item(number))


async def about(request: web.Request) -> web.Response:
    headers = {"Cache-Control": "public, max-age=60"}
    return web.Response(text=ABOUT, content_type="text/html", headers=headers)


def application(style: str) -> web.Application:
    app = web.Application()
    setup(app, storage(style))
    app.add_routes(
        [
            web.get("/", index),
            web.get("/login", form),
            web.post("/login", login),
            web.post("/logout", logout),
            web.get("/visits", visits),
            web.get(r"/items/{number:\d+}", items),
            web.get("/about", about),
        ]
    )
    return app


if __name__ == "__main__":
    web.run_app(application(sys.argv[2]), sock=listening(int(sys.argv[1])), print=lambda *_: None)
