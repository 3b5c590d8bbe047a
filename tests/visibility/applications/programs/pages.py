"""What every one of the applications shows: the same pages, so that only where their state is differs."""

from __future__ import annotations

import socket

SECRET = "a secret that only these applications know"
ABOUT = "<h1>About</h1><p>One shop, in as many frameworks as there are.</p>"
FORM = '<form method="post"><input name="username"><button>Log in</button></form>'
ITEMS = 6


def greeting(name: str | None) -> str:
    """The page that differs from person to person."""
    return f"<p>Hello, {name}.</p>" if name else "<p>Hello. You are not logged in.</p>"


def item(number: int) -> dict[str, object]:
    """What is the same for everybody."""
    return {"item": number, "name": f"Lantern no. {number}", "price": 900 + 25 * number}


def listening(port: int) -> socket.socket:
    """A socket that accepts connections at `port` of loopback."""
    return socket.create_server(("127.0.0.1", port), backlog=64)
