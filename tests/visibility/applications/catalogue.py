"""The applications: real installs, each with its state in another place."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.real.running import free_port, program

PROGRAMS = Path(__file__).parent / "programs"


@dataclass(frozen=True, slots=True)
class Application:
    """One application. `kind` says what its visitors have to do: use a form, carry a token, or shop."""

    name: str
    script: str
    style: str
    kind: str = "form"

    def command(self, port: int, folder: Path) -> list[str]:
        """What starts a replica at `port`, whose own files are in `folder`."""
        if self.kind == "shop":
            own = [
                "--style",
                self.style,
                "--listen",
                f"127.0.0.1:{port}",
                "--secret",
                "a secret of these tests",
            ]
            return [sys.executable, "-m", "backend", *own]
        return [sys.executable, str(PROGRAMS / self.script), str(port), self.style, str(folder)]


APPLICATIONS = {
    each.name: each
    for each in [
        Application("flask", "flask_login.py", "cookie"),
        Application("flask-server-side", "flask_login.py", "files"),
        Application("django-database", "django_login.py", "database"),
        Application("django-signed", "django_login.py", "cookie"),
        Application("starlette", "starlette_login.py", "cookie"),
        Application("aiohttp-session-encrypted", "aiohttp_login.py", "encrypted"),
        Application("aiohttp-session-simple", "aiohttp_login.py", "plain"),
        Application("jwt", "jwt_api.py", "token", "token"),
        Application("sample-sessions", "", "sessions", "shop"),
        Application("sample-resources", "", "resources", "shop"),
        Application("sample-tokens", "", "tokens", "shop"),
    ]
}


@contextlib.asynccontextmanager
async def running(name: str, folder: Path, replicas: int = 1) -> AsyncIterator[list[str]]:
    """So many replicas of an application, which share their secret but nothing else; their URLs."""
    application = APPLICATIONS[name]
    async with contextlib.AsyncExitStack() as stack:
        urls = []
        for number in range(replicas):
            own = folder / f"replica-{number}"
            own.mkdir()
            port = free_port()
            server = await stack.enter_async_context(program(*application.command(port, own), port=port))
            urls.append(server.url)
        yield urls
