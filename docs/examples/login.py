"""A log-in with Flask's session: login.py PORT [server]. With `server` the session is kept in memory here."""

from __future__ import annotations

import sys

from cachelib import SimpleCache
from flask import Flask, redirect, request, session
from flask_session import Session
from werkzeug.wrappers import Response

app = Flask(__name__)
app.secret_key = "an example, and no secret"
if "server" in sys.argv:
    app.config.update(SESSION_TYPE="cachelib", SESSION_CACHELIB=SimpleCache())
    Session(app)


@app.get("/")
def index() -> str:
    return f"Hello {session.get('username', 'stranger')}"


@app.post("/login")
def login() -> Response:
    session["username"] = request.form["username"]
    return redirect("/")


@app.get("/news")
def news() -> str:
    return "The same for everybody."


if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[1]))
