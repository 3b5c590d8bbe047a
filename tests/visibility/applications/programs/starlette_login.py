"""The same with Starlette's SessionMiddleware: starlette_login.py PORT."""

from __future__ import annotations

import sys

import uvicorn
from pages import ABOUT, FORM, ITEMS, SECRET, greeting, item, listening
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route


async def index(request: Request) -> Response:
    return HTMLResponse(greeting(request.session.get("username")))


async def login(request: Request) -> Response:
    if request.method == "POST":
        given = (await request.body()).decode()
        request.session["username"] = given.removeprefix("username=")
        return RedirectResponse("/", 303)
    return HTMLResponse(FORM)


async def logout(request: Request) -> Response:
    request.session.clear()
    return RedirectResponse("/", 303)


async def visits(request: Request) -> Response:
    request.session["visits"] = request.session.get("visits", 0) + 1
    return JSONResponse({"visits": request.session["visits"]})


async def items(request: Request) -> Response:
    number = request.path_params["number"]
    return JSONResponse(item(number)) if 0 < number <= ITEMS else PlainTextResponse("no such item", 404)


async def about(request: Request) -> Response:
    return HTMLResponse(ABOUT, headers={"Cache-Control": "public, max-age=60"})


app = Starlette(
    routes=[
        Route("/", index),
        Route("/login", login, methods=["GET", "POST"]),
        Route("/logout", logout, methods=["POST"]),
        Route("/visits", visits),
        Route("/items/{number:int}", items),
        Route("/about", about),
    ],
    middleware=[Middleware(SessionMiddleware, secret_key=SECRET)],
)

if __name__ == "__main__":
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
    server.run([listening(int(sys.argv[1]))])
