"""Writes docs/stateless.md from what really happens: `python -m docs.stateless`. It needs Flask."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from proxy.commands.auditing.rendering import render
from proxy.visibility.auditing.shape import Audit

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "stateless.md"
EXAMPLE = ROOT / "docs" / "examples" / "login.py"
VARIANTS = {"Flask's own session": (), "the same with a session in the server": ("server",)}
PEOPLE = ("anna", "ben", "cleo")

_TEXT = """# Flask has a session object; is that stateless?

<!-- Made by `python -m docs.stateless` from what really happens; changes belong there. -->

This is the example that everybody meets first:

```python
{code}
```

`session` looks like something that the server keeps. Whether it does can be seen from outside. Below,
the same visits (three people ask for `/`, log in, ask for `/` and `/news`, several times over) went
through `pellucid serve --log` to two variants of that program: Flask as it comes, and Flask with the
extension that keeps sessions in the server. Then `pellucid inspect` read the logs, which hold no value
of any cookie, and `pellucid audit` replayed one browser's requests against two servers that share their
secret key and nothing else.

{table}

So the answer is: **with Flask's own session, yes, in the sense of REST.** The state is not in the
server. It goes to the client in `Set-Cookie`, signed, and comes back in each request, which therefore
carries all that is needed to understand it: any server that knows the key can answer it, the one that
was started a second ago too. What `inspect` says of that cookie:

{client}

With the session in the server the cookie is only a key. The message means something to the one server
that knows the key, and nothing to anybody else:

{server}

`audit` shows it with two exchanges. The same bytes, sent to one server and to the other:

```text
{audit}
```

What statelessness does not buy by itself: `/` still differs from person to person, so a shared cache
can't answer it for all of them, and the cookie travels with every request, to `/news` too, which is the
same for everybody. And the state in a signed cookie can be read by whoever holds it, can't be taken back
before it expires, and the last of two answers at once wins. That is the price; [RFC 9110
§3.3](https://www.rfc-editor.org/rfc/rfc9110#section-3.3) has the definition.

Remade by `python -m docs.stateless`; a test holds the table against a new run.
"""


async def main() -> None:
    """Run everything, and write the page."""
    found = {name: await observed(arguments) for name, arguments in VARIANTS.items()}
    client, server = found.values()
    code = EXAMPLE.read_text().partition("\n\n\n")
    body = code[2].partition("\n\n\nif __name__")[0]
    text = _TEXT.format(
        code=body,
        table=table(found),
        client=_quoted(client["credential"]),
        server=_quoted(server["credential"]),
        audit=server["audit_text"].rstrip(),
    )
    PAGE.write_text(text, encoding="utf-8")


def table(found: dict[str, dict[str, Any]]) -> str:
    """What was found of each variant, as Markdown."""
    rows = ["| | Flask's own session | with a session in the server |", "|---|---|---|"]
    lines = {
        "the cookie `session`, says `inspect`": "kind",
        "`/` depends on it, says `inspect`": "depends",
        "`/`, says `audit`": "home",
        "`/news`, says `audit`": "news",
    }
    for title, key in lines.items():
        rows.append("| " + " | ".join([title, *(str(one[key]) for one in found.values())]) + " |")
    return "\n".join(rows)


async def observed(arguments: tuple[str, ...]) -> dict[str, Any]:
    """One variant, driven and looked at."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with _program(arguments) as first, _program(arguments) as second:
            async with _pellucid(first, folder / "log.jsonl") as proxy:
                await _visits(proxy)
            recording = folder / "visit.har"
            recording.write_text(json.dumps(await _recorded(first)))
            quick = ("--rate", "200", "--pause", "0")
            both = ("audit", "--upstream", first, "--upstream", second, *quick, str(recording))
            audit = msgspec.json.decode(await _run(*both, "--format", "json"), type=Audit)
        report = json.loads(await _run("inspect", "--format", "json", str(folder / "log.jsonl")))
    credential = next(one for one in report["credentials"] if one["name"] == "session")
    home = next(one for one in report["endpoints"] if one["name"] == "/")
    depends = next(one for one in home["dependence"] if one["candidate"] == "cookie session")
    verdicts = {one.endpoint: one.verdict for one in audit.endpoints}
    return {
        "kind": f"{credential['kind']} ({credential['format']})",
        "depends": "yes" if depends["answer"] == "depends" else depends["answer"],
        "home": verdicts["GET /"].value,
        "news": verdicts["GET /news"].value,
        "credential": credential,
        "audit_text": _part(render(audit, colors=False), "GET /:"),
    }


def _part(text: str, title: str) -> str:
    """The paragraph of an audit that begins so, with made-up addresses in the place of real ones."""
    found = next(part for part in text.split("\n\n") if part.startswith(title))
    return re.sub(r"[0-9]+\.[0-9]{3} s", "0.000 s", found)


def _quoted(credential: dict[str, Any]) -> str:
    lines = [
        f"cookie {credential['name']}: {credential['kind']}",
        *(f"· {one}" for one in credential["evidence"]),
    ]
    return "```text\n" + "\n".join(lines) + "\n```"


async def _visits(url: str) -> None:
    for _ in range(6):
        for person in PEOPLE:
            async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
                await _get(http, url, "/")
                async with http.post(f"{url}/login", data={"username": person}) as answer:
                    await answer.read()
                for path in ("/", "/news", "/"):
                    await _get(http, url, path)


async def _get(http: aiohttp.ClientSession, url: str, path: str) -> dict[str, Any]:
    async with http.get(url + path) as answer:
        text = await answer.text()
        sent = [{"name": n, "value": v} for n, v in answer.request_info.headers.items()]
        got = [{"name": n, "value": v} for n, v in answer.headers.items()]
        content = {"size": len(text), "mimeType": "text/html", "text": text}
        return {
            "startedDateTime": "2026-01-01T00:00:00.000Z",
            "time": 1,
            "request": {"method": "GET", "url": url + path, "httpVersion": "HTTP/1.1", "headers": sent},
            "response": {"status": answer.status, "headers": got, "content": content},
        }


async def _recorded(url: str) -> dict[str, Any]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with http.post(f"{url}/login", data={"username": "anna"}) as answer:
            await answer.read()
        entries = [await _get(http, url, path) for path in ("/", "/news")]
    return {"log": {"version": "1.2", "creator": {"name": "example", "version": "1"}, "entries": entries}}


async def _run(*arguments: str) -> str:
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "proxy", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@contextlib.asynccontextmanager
async def _program(arguments: tuple[str, ...]) -> AsyncIterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(EXAMPLE), str(port), *arguments]
    async with _running(command):
        await _accepting(port)
        yield f"http://127.0.0.1:{port}"


@contextlib.asynccontextmanager
async def _pellucid(upstream: str, log: Path) -> AsyncIterator[str]:
    command = [sys.executable, "-m", "proxy", "serve", "--upstream", upstream]
    command += ["--listen", "127.0.0.1:0", "--log", str(log)]
    async with _running(command) as process:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        found = re.search(r"listens on (http://[^ ]+)", line)
        if found is None:
            raise RuntimeError(f"the proxy did not start: {line!r}")
        yield found[1].rstrip("/")


@contextlib.asynccontextmanager
async def _running(command: list[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.communicate()


async def _accepting(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(main())
