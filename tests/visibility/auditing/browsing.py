"""A browser that notes what it sends and gets, as the panel of a real one saves it: as HAR."""

from __future__ import annotations

import json
from typing import Any

import aiohttp


class Browser:
    """A browser that notes what it sends and gets, as the panel of a real one saves it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.entries: list[dict[str, Any]] = []
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        headers = {"Accept": "application/json", **options.pop("headers", {})}
        async with self.http.request(
            method, self.url + path, headers=headers, allow_redirects=False, **options
        ) as answer:
            text = await answer.text()
            sent = [{"name": n, "value": v} for n, v in answer.request_info.headers.items()]
            got = [{"name": n, "value": v} for n, v in answer.headers.items()]
            self.entries.append(
                {
                    "startedDateTime": "2026-01-01T00:00:00.000Z",
                    "time": 5,
                    "request": {
                        "method": method, "url": self.url + path, "httpVersion": "HTTP/1.1", "headers": sent,
                        "queryString": [], "cookies": [], "headersSize": -1, "bodySize": 0,
                    },
                    "response": {
                        "status": answer.status, "statusText": "", "httpVersion": "HTTP/1.1", "headers": got,
                        "cookies": [], "redirectURL": "", "headersSize": -1, "bodySize": len(text),
                        "content": {"size": len(text), "mimeType": "application/json", "text": text},
                    },
                    "cache": {},
                    "timings": {"send": 0, "wait": 5, "receive": 0},
                }
            )  # fmt: skip
            found: dict[str, Any] = json.loads(text) if text.startswith("{") else {}
            return found

    async def csrf(self, path: str) -> dict[str, str]:
        """The field that a form wants, where the page at `path` sets a cookie for it."""
        await self.ask("GET", path)
        tokens = [cookie.value for cookie in self.http.cookie_jar if cookie.key == "csrftoken"]
        return {"X-CSRFToken": tokens[0]} if tokens else {}

    def har(self) -> str:
        log = {"version": "1.2", "creator": {"name": "browser", "version": "1"}, "entries": self.entries}
        return json.dumps({"log": log})
