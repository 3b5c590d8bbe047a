"""Sessions as real frameworks set them: what kind of state each cookie carries is told from one response."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp_session
import flask
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiohttp_session.cookie_storage import EncryptedCookieStorage
from cachelib.file import FileSystemCache
from cryptography.fernet import Fernet
from flask_session import Session
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from proxy.visibility.redaction import Redaction
from proxy.visibility.sessions.carried import set_cookie
from proxy.visibility.sessions.classify import classify
from proxy.visibility.sessions.kinds import Degree, Kind, Verdict, Where
from tests.visibility.sessions.values import set_up_django

REDACTION = Redaction("one key for these tests")


def verdict(lines: list[str], name: str) -> Verdict:
    """The verdict on a cookie that a response sets; it is the same from a log, where only digests stand."""
    cookies = {line.partition("=")[0]: line for line in lines}
    (whole,) = set_cookie(cookies[name])
    seen = classify(name, whole.value.encode("latin-1"), Where.COOKIE)
    hidden = REDACTION.line(b"Set-Cookie", cookies[name].encode("latin-1"))[0][1]
    assert whole.value not in hidden
    (logged,) = set_cookie(hidden)
    told = classify(name, None, Where.COOKIE, logged.length, logged.form)
    assert (told.kind, told.confidence, told.format) == (seen.kind, seen.confidence, seen.format)
    assert (told.issued, told.expires) == (seen.issued, seen.expires)
    return told


def recent(moment: int | None) -> bool:
    return moment is not None and abs(moment - time.time()) < 600


def flask_app() -> flask.Flask:
    app = flask.Flask("shop")
    app.secret_key = "a secret of the tests"

    @app.post("/login")
    def login() -> str:
        flask.session["username"] = flask.request.form["username"]
        if "cart" in flask.request.form:
            flask.session["cart"] = ["P0001"] * 100
        return "welcome"

    return app


class TestFlask:
    def test_its_own_sessions_are_held_by_the_client(self) -> None:
        response = flask_app().test_client().post("/login", data={"username": "ann"})
        found = verdict(response.headers.getlist("Set-Cookie"), "session")
        assert (found.kind, found.degree) == (Kind.CLIENT_HELD, Degree.CERTAIN)
        assert (found.format, found.signed, found.encrypted) == ("itsdangerous", True, False)
        assert (found.keys, found.held) == (("username",), 1)
        assert recent(found.issued)
        assert found.evidence[0] == (
            "its value is signed by itsdangerous, as Flask and Starlette do, and holds 1 thing"
        )

    def test_what_is_long_is_compressed_and_read_all_the_same(self) -> None:
        response = flask_app().test_client().post("/login", data={"username": "ann", "cart": "full"})
        lines = response.headers.getlist("Set-Cookie")
        assert lines[0].startswith("session=.")
        assert set(verdict(lines, "session").keys) == {"username", "cart"}

    @pytest.mark.parametrize("signed", [False, True])
    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_with_flask_session_the_server_holds_them(self, tmp_path: Path, signed: bool) -> None:
        app = flask_app()
        app.config.update(
            SESSION_TYPE="cachelib",
            SESSION_CACHELIB=FileSystemCache(str(tmp_path)),
            SESSION_USE_SIGNER=signed,
        )
        Session(app)
        logins = [app.test_client().post("/login", data={"username": "ann"}) for _ in range(5)]
        found = [verdict(login.headers.getlist("Set-Cookie"), "session") for login in logins]
        assert {one.kind for one in found} == {Kind.SERVER_HELD}
        # One random key in two thousand looks like words, and is then less certain to be one.
        sure = [one for one in found if one.degree in (Degree.CERTAIN, Degree.LIKELY)]
        assert len(sure) >= 3
        assert all(one.signed is signed for one in sure)


@pytest.fixture(scope="module")
def django() -> Iterator[Any]:
    import django as package
    from django.test.utils import override_settings

    set_up_django()
    package.setup()
    with override_settings(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=["django.contrib.sessions", "django.contrib.messages"],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        MESSAGE_STORAGE="django.contrib.messages.storage.cookie.CookieStorage",
    ):
        yield override_settings


def _django_view(request: Any) -> Any:
    from django.contrib import messages
    from django.http import HttpResponse
    from django.middleware.csrf import get_token

    request.session["username"] = "ann"
    get_token(request)
    messages.info(request, "welcome")
    response = HttpResponse("welcome")
    response.set_signed_cookie("seen", "three times")
    return response


def _urlpatterns() -> list[Any]:
    from django.urls import path

    return [path("login", _django_view)]


class _Lazy(list[Any]):
    """The routes of Django, which may be made only once it is set up."""

    def __iter__(self) -> Iterator[Any]:
        return iter(_urlpatterns())

    def __reversed__(self) -> Iterator[Any]:
        return reversed(_urlpatterns())


urlpatterns = _Lazy()


def _django_lines(engine: str, override: Any) -> list[str]:
    from django.test import Client

    with override(SESSION_ENGINE=f"django.contrib.sessions.backends.{engine}"):
        if engine == "db":
            from django.core.management import call_command
            from django.db import connections

            call_command("migrate", verbosity=0)
            response = Client().get("/login")
            connections.close_all()
        else:
            response = Client().get("/login")
    assert response.status_code == 200
    return [morsel.OutputString() for morsel in response.cookies.values()]


class TestDjango:
    def test_sessions_in_the_database_are_held_by_the_server(self, django: Any) -> None:
        lines = _django_lines("db", django)
        found = verdict(lines, "sessionid")
        assert (found.kind, found.degree) == (Kind.SERVER_HELD, Degree.CERTAIN)
        assert found.format == "alnum"
        assert found.evidence[0].startswith("sessionid is a known name for the key to a session")
        assert verdict(lines, "csrftoken").kind is Kind.CSRF

    def test_sessions_in_signed_cookies_are_held_by_the_client(self, django: Any) -> None:
        found = verdict(_django_lines("signed_cookies", django), "sessionid")
        assert (found.kind, found.degree) == (Kind.CLIENT_HELD, Degree.CERTAIN)
        assert (found.format, found.keys) == ("django", ("username",))
        assert recent(found.issued)

    def test_other_signed_cookies(self, django: Any) -> None:
        lines = _django_lines("signed_cookies", django)
        assert verdict(lines, "seen").format == "django-text"
        assert verdict(lines, "messages").format == "django"
        assert verdict(lines, "messages").kind is Kind.CLIENT_HELD


async def test_starlette_keeps_sessions_in_the_cookie() -> None:
    async def login(request: Request) -> PlainTextResponse:
        request.session["username"] = "ann"
        return PlainTextResponse("welcome")

    app = Starlette(
        routes=[Route("/login", login, methods=["POST"])],
        middleware=[Middleware(SessionMiddleware, secret_key="a secret of the tests")],
    )
    events: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(event: Any) -> None:
        events.append(event)

    scope = {"type": "http", "method": "POST", "path": "/login", "query_string": b"", "headers": []}
    await app(scope, receive, send)
    lines = [value.decode() for name, value in events[0]["headers"] if name == b"set-cookie"]
    found = verdict(lines, "session")
    assert (found.kind, found.degree, found.format) == (Kind.CLIENT_HELD, Degree.CERTAIN, "itsdangerous")
    assert found.keys == ("username",)
    assert recent(found.issued)


async def _aiohttp(storage: aiohttp_session.AbstractStorage) -> list[str]:
    async def login(request: web.Request) -> web.Response:
        session = await aiohttp_session.new_session(request)
        session["username"] = "ann"
        return web.Response(text="welcome")

    app = web.Application()
    aiohttp_session.setup(app, storage)
    app.router.add_post("/login", login)
    async with TestClient(TestServer(app)) as client:
        response = await client.post("/login")
        return response.headers.getall("Set-Cookie")


@pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")
class TestAiohttp:
    async def test_encrypted(self) -> None:
        found = verdict(
            await _aiohttp(EncryptedCookieStorage(Fernet(Fernet.generate_key()))), "AIOHTTP_SESSION"
        )
        assert (found.kind, found.degree) == (Kind.CLIENT_HELD, Degree.CERTAIN)
        assert (found.format, found.encrypted, found.keys) == ("fernet", True, ())
        assert recent(found.issued)

    async def test_plain(self) -> None:
        found = verdict(await _aiohttp(aiohttp_session.SimpleCookieStorage()), "AIOHTTP_SESSION")
        assert (found.kind, found.degree) == (Kind.CLIENT_HELD, Degree.CERTAIN)
        assert (found.format, found.signed) == ("json", False)
        assert set(found.keys) == {"created", "session"}
