"""The command as a person meets it, in front of a real origin server on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import ssl
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from proxy.commands.explaining import fetching
from proxy.commands.explaining.fetching import fetch
from proxy.commands.explaining.origins import Had
from proxy.commands.explaining.wanted import make_request, parse_url
from proxy.config import load
from tests.commands.calling import called, refused
from tests.real.running import free_port

SECRET = "31d4d96e407aad42"
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


@dataclass
class Origin:
    """A server that answers every request with the same bytes, and keeps the heads that it was sent."""

    port: int = 0
    scheme: str = "http"
    heads: list[str] = field(default_factory=list)

    def url(self, path: str = "/") -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"


@contextlib.asynccontextmanager
async def serving(
    answer: bytes, *, tls: ssl.SSLContext | None = None, hold: bool = False
) -> AsyncIterator[Origin]:
    """With `hold` the connection stays open after the answer, as that of a stream of events does."""
    origin = Origin(scheme="https" if tls else "http")
    released = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            origin.heads.append((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
            writer.write(answer)
            await writer.drain()
            if hold:
                await released.wait()
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    origin.port = server.sockets[0].getsockname()[1]
    async with server:
        yield origin
        released.set()


def answer(*lines: str, content: bytes = b"0123456789", status: str = "200 OK") -> bytes:
    length = f"Content-Length: {len(content)}"
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", length, *lines))
    return f"{head}\r\n".encode("latin-1") + content


async def explain(*arguments: str) -> tuple[int, str, str]:
    """The exit status, and what was printed to standard output and standard error."""
    run = await called("explain", *arguments)
    return run.status, run.out, run.err


async def process(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """The same of a process of its own."""
    clean = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "COLUMNS")}
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "proxy", "explain", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**clean, "PYTHONWARNINGS": "error", **environment},
    )
    output, errors = await started.communicate()
    assert started.returncode is not None
    return started.returncode, output.decode(), errors.decode()


async def test_a_response_is_explained_as_text() -> None:
    async with serving(answer("Cache-Control: max-age=60", 'ETag: "a"')) as origin:
        status, output, errors = await process(origin.url("/things?page=2"))
    assert (status, errors) == (0, "")
    assert output.startswith(f"GET {origin.url('/things?page=2')}\nA shared cache stores this response")
    assert re.search(r"the same request at once +hit for (59|60) s +fresh\n", output)
    assert "\x1b" not in output
    assert len(origin.heads) == 1
    head = origin.heads[0]
    assert head.startswith("GET /things?page=2 HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{origin.port}\r\n" in head


async def test_a_response_is_explained_as_json() -> None:
    async with serving(answer("Cache-Control: no-store", status="404 Not Found")) as origin:
        status, output, errors = await explain(origin.url(), "--format", "json")
    assert (status, errors) == (0, "")
    shown = json.loads(output)
    assert (shown["response"]["status"], shown["response"]["content_bytes"]) == (404, 10)
    assert shown["storing"]["stored"] is False
    assert shown["storing"]["reasons"][0]["slug"] == "no-store"


async def test_fields_and_a_method_may_be_given_and_credentials_are_not_shown() -> None:
    async with serving(answer(f"Set-Cookie: id={SECRET}", content=b"")) as origin:
        status, output, errors = await explain(
            *(origin.url(f"/?token={SECRET}"), "--method", "HEAD"),
            *("--header", f"Authorization: Bearer {SECRET}", "--header", f"X-Mine: {SECRET}"),
            *("--header", "Accept-Encoding:"),
        )
    assert (status, errors) == (0, "")
    assert SECRET not in output
    assert origin.heads[0].startswith(f"HEAD /?token={SECRET} ")
    assert f"Authorization: Bearer {SECRET}\r\n" in origin.heads[0]
    assert "Accept-Encoding" not in origin.heads[0]
    assert "authorization, RFC 9111 §3.5" in output


async def test_redirects_are_not_followed() -> None:
    async with serving(answer("Location: /there", status="301 Moved Permanently")) as origin:
        status, output, _ = await explain(origin.url())
    assert status == 0
    assert "Location: /there" in output
    assert len(origin.heads) == 1


async def test_the_settings_are_those_of_the_proxy(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('[cache]\nname = "edge"\ntargeted = ["edge-cache-control"]\n')
    async with serving(answer("Edge-Cache-Control: max-age=600", "Cache-Control: no-store")) as origin:
        status, output, _ = await explain(
            *(origin.url(), "--config", str(tmp_path / "settings.toml")),
            *("--set", "cache.stale_limit=1h", "--format", "json"),
        )
    assert status == 0
    shown = json.loads(output)
    assert shown["storing"]["cache_status"].startswith("edge;")
    assert shown["freshness"]["source"] == "edge-cache-control"
    unreachable = next(one for one in shown["situations"] if one["name"] == "unreachable")
    assert (unreachable["outcome"], unreachable["lasts_seconds"]) == ("stale", 3600)


async def test_https(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with serving(answer("Cache-Control: max-age=60"), tls=context) as origin:
        trusting = "--set", f"upstream.tls_ca_file={tmp_path / 'ca.pem'}"
        status, output, errors = await explain(origin.url(), *trusting)
        assert (status, errors) == (0, "")
        assert output.startswith(f"GET https://127.0.0.1:{origin.port}/\n")
        status, output, errors = await explain(origin.url())
        assert (status, output) == (1, "")
        assert errors.startswith("pellucid: no TLS with 127.0.0.1")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "URL"),
        (["nonsense"], "nonsense"),
        ([f"ftp://user:{SECRET}@a.example/"], "http://"),
        ([f"http://user:{SECRET}@a.example/"], "user name"),
        (["http://127.0.0.1:1/", "--method", "POST"], "POST"),
        (["http://127.0.0.1:1/", "--header", SECRET], "--header"),
        (["http://127.0.0.1:1/", "--header", f"Content-Length: {SECRET}"], "Content-Length"),
        (["http://127.0.0.1:1/", "--set", "cache.nothing=1"], "cache.nothing"),
        (["https://127.0.0.1:1/", "--set", "upstream.tls_ca_file=/no/such/file"], "authorities"),
        (["http://127.0.0.1:1/", "--config", "/no/such/file"], "/no/such/file"),
        (["http://127.0.0.1:1/", "--format", "xml"], "xml"),
    ],
)
def test_what_can_t_be_done_is_said_in_one_line(arguments: list[str], complaint: str) -> None:
    assert SECRET not in refused("explain", *arguments, about=complaint).err


async def test_where_there_is_no_response_that_is_said_in_one_line() -> None:
    status, output, errors = await explain(f"http://127.0.0.1:{free_port()}/?token={SECRET}")
    assert (status, output, len(errors.splitlines())) == (1, "", 1)
    assert errors.startswith("pellucid: no connection to 127.0.0.1")
    assert SECRET not in errors


async def test_what_answers_in_something_else_than_http_is_said_in_one_line() -> None:
    async with serving(b"220 mail.example ESMTP\r\n") as origin:
        status, output, errors = await explain(origin.url())
    assert (status, output, len(errors.splitlines())) == (1, "", 1)
    assert "doesn't answer in HTTP/1" in errors


async def test_a_response_that_breaks_off_is_none() -> None:
    whole = answer("Cache-Control: max-age=60", content=b"x" * 100)
    async with serving(whole[:-1]) as origin:
        status, output, errors = await explain(origin.url())
    assert (status, output, len(errors.splitlines())) == (1, "", 1)
    assert "broke off" in errors


async def test_a_terminal_that_knows_ascii_only() -> None:
    async with serving(answer("Cache-Control: max-age=60")) as origin:
        status, output, errors = await process(origin.url(), PYTHONIOENCODING="ascii")
    assert (status, errors) == (0, "")
    assert "RFC 9111 ?5.2.2.1" in output


async def test_a_reader_that_leaves_early() -> None:
    async with serving(answer("Cache-Control: max-age=60")) as origin:
        shell = await asyncio.create_subprocess_shell(
            f"{sys.executable} -m proxy explain {origin.url()} | true",
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await shell.communicate()
    assert errors == b""


async def had(origin: Origin, *settings: str) -> Had:
    server, target = parse_url(origin.url())
    return await fetch(server, make_request(server, target, "GET", []), load(None, list(settings)))


async def test_the_content_is_read_to_its_end() -> None:
    async with serving(answer(content=b"x" * 100_000)) as origin:
        found = await had(origin)
    assert (found.received, found.ended, found.content) == (100_000, True, 100_000)
    assert found.arrived.length == 100_000
    assert found.arrived.request_time <= found.time


async def test_no_more_content_is_read_than_is_stored() -> None:
    async with serving(answer(content=b"x" * 1_000_000)) as origin:
        found = await had(origin, "storage.object_limit=10000")
    assert found.limit == 10_000
    assert 10_000 < found.received < 1_000_000
    assert found.content is None


async def test_a_stream_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PATIENCE", 0.05)
    async with serving(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: a\n\n", hold=True
    ) as origin:
        found = await had(origin)
    assert (found.received, found.ended) == (9, False)


async def test_fields_for_the_connection_are_not_the_caches() -> None:
    async with serving(answer("Connection: x-hop", "X-Hop: a", "Keep-Alive: 3", f"Date: {DATE}")) as origin:
        found = await had(origin)
    assert list(found.response.fields.names()) == [b"content-length", b"date"]


async def test_the_limit_is_the_stores_own() -> None:
    async with serving(answer()) as origin:
        found = await had(origin, "storage.memory=80000")
    assert found.limit == 20000
