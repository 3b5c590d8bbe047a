"""A log-in as Flask's users write it: flask_login.py PORT cookie|files FOLDER."""

from __future__ import annotations

import sys

from cachelib.file import FileSystemCache
from flask import Flask, Response, redirect, request, session, url_for
from flask_session import Session
from pages import ABOUT, FORM, ITEMS, SECRET, greeting, item
from werkzeug.serving import make_server


def application(style: str, folder: str) -> Flask:
    """The session is in the cookie, as Flask has it, or in files of the server's."""
    app = Flask(__name__)
    app.secret_key = SECRET
    if style == "files":
        app.config["SESSION_TYPE"] = "cachelib"
        app.config["SESSION_CACHELIB"] = FileSystemCache(folder)
        Session(app)

    @app.get("/")
    def index() -> str:
        return greeting(session.get("username"))

    @app.route("/login", methods=["GET", "POST"])
    def login() -> str | Response:
        if request.method == "POST":
            session["username"] = request.form["username"]
            return redirect(url_for("index"), 303)  # type: ignore[return-value]
        return FORM

    @app.post("/logout")
    def logout() -> Response:
        session.pop("username", None)
        return redirect(url_for("index"), 303)  # type: ignore[return-value]

    @app.get("/visits")
    def visits() -> dict[str, int]:
        session["visits"] = session.get("visits", 0) + 1
        return {"visits": session["visits"]}

    @app.get("/items/<int:number>")
    def items(number: int) -> dict[str, object] | tuple[str, int]:
        return item(number) if 0 < number <= ITEMS else ("no such item", 404)

    @app.get("/about")
    def about() -> Response:
        return Response(ABOUT, headers={"Cache-Control": "public, max-age=60"})

    return app


if __name__ == "__main__":
    make_server(
        "127.0.0.1", int(sys.argv[1]), application(sys.argv[2], sys.argv[3]), threaded=True
    ).serve_forever()
