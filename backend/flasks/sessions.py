"""Flask's session: by Flask itself in a signed cookie, or on the server by Flask-Session."""

from __future__ import annotations

import secrets
import threading
from datetime import timedelta
from typing import Any

import msgspec
from cachelib import SimpleCache
from flask import Flask, Response, session
from flask_session import Session
from flask_session.base import ServerSideSession, ServerSideSessionInterface

from backend.settings import Settings
from backend.shop import Cart, Line
from backend.tokens.keys import KeyRing
from backend.valkeys import ThreadLine, at_once

COOKIE = "session"
PREFIX = "shop:flask:"


class InProcess(SimpleCache):
    """cachelib's cache in this process, for several threads."""

    def __init__(self, limit: int) -> None:
        super().__init__(threshold=limit)
        self._lock = threading.RLock()

    def get(self, key: str) -> Any:
        with self._lock:
            return super().get(key)

    def set(self, key: str, value: Any, timeout: Any = None) -> bool | None:
        with self._lock:
            return super().set(key, value, timeout)

    def delete(self, key: str) -> bool:
        with self._lock:
            return super().delete(key)

    def __len__(self) -> int:
        return len(self._cache)


class InValkey(ServerSideSessionInterface):  # type: ignore[misc]
    """Flask-Session's way, with a Valkey: read when a request begins, written when it ends."""

    def __init__(self, app: Flask, line: ThreadLine) -> None:
        super().__init__(app, key_prefix=PREFIX, permanent=False)
        self._line = line

    def save_session(self, app: Flask, session: ServerSideSession | None, response: Response) -> None:
        """Nothing where none could be opened, because the store is away."""
        if session is not None:
            super().save_session(app, session, response)

    def close(self) -> None:
        at_once(self._line.close())

    def _retrieve_session_data(self, store_id: str) -> dict[str, Any] | None:
        stored = at_once(self._line.ask("GET", _bytes(store_id)))
        return msgspec.json.decode(stored, type=dict[str, Any]) if stored else None

    def _delete_session(self, store_id: str) -> None:
        at_once(self._line.ask("DEL", _bytes(store_id)))

    def _upsert_session(self, session_lifetime: timedelta, session: ServerSideSession, store_id: str) -> None:
        milliseconds = max(1, int(session_lifetime.total_seconds() * 1000))
        at_once(
            self._line.ask("SET", _bytes(store_id), msgspec.json.encode(dict(session)), "PX", milliseconds)
        )


def set_up(app: Flask, settings: Settings, keys: KeyRing) -> None:
    """Has the app keep its sessions as the settings say."""
    app.config.update(
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_PERMANENT=False,
        PERMANENT_SESSION_LIFETIME=timedelta(
            seconds=settings.token_lifetime if settings.sessions == "client" else settings.session_lifetime
        ),
    )
    use_keys(app, keys)
    if settings.sessions == "server" and settings.state:
        app.session_interface = InValkey(app, ThreadLine(settings.state))
    elif settings.sessions == "server":
        cache = InProcess(settings.session_limit)
        app.config.update(SESSION_TYPE="cachelib", SESSION_CACHELIB=cache, SESSION_KEY_PREFIX=PREFIX)
        Session(app)


def use_keys(app: Flask, keys: KeyRing) -> None:
    app.config.update(SECRET_KEY=keys.secrets[0], SECRET_KEY_FALLBACKS=list(keys.secrets[1:]))


def held(app: Flask) -> int:
    """How many sessions are in this process."""
    cache = app.config.get("SESSION_CACHELIB")
    return len(cache) if isinstance(cache, InProcess) else 0


def fill(app: Flask, count: int) -> None:
    """Keeps so many shoppers with a small cart each, as if they had been here, where the server keeps any."""
    interface = app.session_interface
    if not isinstance(interface, ServerSideSessionInterface):
        return
    for number in range(1, count + 1):
        state = {"account": f"shopper-{number}", "cart": [["P0001", 1], ["P0002", 1], ["P0003", 1]]}
        sid = secrets.token_urlsafe(32)
        interface._upsert_session(
            app.permanent_session_lifetime, ServerSideSession(state, sid), f"{PREFIX}{sid}"
        )


def cart() -> Cart:
    """What is in the session's cart."""
    return Cart(tuple(Line(sku, quantity) for sku, quantity in session.get("cart", ())))


def keep_cart(chosen: Cart) -> None:
    session["cart"] = [[line.sku, line.quantity] for line in chosen.lines]


def renew(app: Flask) -> None:
    """Gives a session on the server another name, so that none can be fixed before a log-in."""
    if isinstance(app.session_interface, ServerSideSessionInterface):
        app.session_interface.regenerate(session)


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")
