"""Clients that know nothing of the shop's styles, for one suite against each of them.

`Shopper` speaks JSON, `Browser` HTML without scripts. Both know only the entrance's URL; everything else they
find in links, actions and forms. Where a shop has several replicas, each request goes to the next one.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import cycle
from typing import Any

import aiohttp

PASSWORDS = {"ann": "apple", "ben": "birch", "cleo": "cedar"}


class Clock:
    """A clock that only moves when a test moves it; begins at 1 January 2026."""

    def __init__(self) -> None:
        self.now = 1_767_225_600.0

    def __call__(self) -> float:
        return self.now


class Shop:
    """A running shop of one or more replicas; `http` keeps no cookies and follows no redirects."""

    def __init__(self, urls: list[str], style: str, clock: Clock, http: aiohttp.ClientSession) -> None:
        self.urls = urls
        self.style = style
        self.clock = clock
        self.http = http
        self._next = cycle(urls)

    @property
    def url(self) -> str:
        """The replica whose turn it is."""
        return next(self._next)

    async def ask(self, method: str, path: str, **options: Any) -> Answer:
        options.setdefault("allow_redirects", False)
        async with self.http.request(method, f"{self.url}{path}", **options) as response:
            return await Answer.of(response)

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.ask("GET", path, headers={name.replace("_", "-"): v for name, v in headers.items()})


@dataclass
class Answer:
    """A response that has been read."""

    status: int
    headers: Any
    body: bytes
    document: dict[str, Any] = field(default_factory=dict)

    @classmethod
    async def of(cls, response: aiohttp.ClientResponse) -> Answer:
        body = await response.read()
        is_json = response.content_type in ("application/json", "application/problem+json")
        document = await response.json(content_type=None) if body and is_json else {}
        return cls(response.status, response.headers.copy(), body, document)

    @property
    def problem(self) -> str:
        """The problem's name, "" where this isn't a problem document."""
        if self.headers.get("Content-Type") != "application/problem+json":
            return ""
        assert self.document["status"] == self.status
        return str(self.document["type"]).removeprefix("/problems#")

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that were handed out: value by name."""
        fields = self.headers.getall("Set-Cookie", [])
        return dict(each.partition(";")[0].split("=", 1) for each in fields)


class Client:
    """What any user agent does: keeps cookies, follows redirects, answers a challenge for credentials."""

    def __init__(self, shop: Shop, http: aiohttp.ClientSession, accept: str) -> None:
        self.shop = shop
        self.http = http
        self.accept = accept
        self.credentials: tuple[str, str] | None = None
        self.location = ""

    async def send(self, method: str, href: str, headers: Any = None, **content: Any) -> Answer:
        assert href.startswith("/"), "every URL the shop hands out is relative to it"
        headers = {"Accept": self.accept, **(headers or {})}
        response = await self._once(method, href, headers, content)
        if response.status == 401 and self.credentials:
            assert response.headers["WWW-Authenticate"].startswith("Basic ")
            headers["Authorization"] = aiohttp.encode_basic_auth(*self.credentials)
            response = await self._once(method, href, headers, content)
        return response

    async def _once(self, method: str, href: str, headers: Any, content: Any) -> Answer:
        async with self.http.request(
            method, f"{self.shop.url}{href}", headers=headers, **content
        ) as response:
            self.location = response.url.path_qs
            return await Answer.of(response)


class Shopper(Client):
    """Shops by following what JSON representations offer; holds on to the URL of its own cart."""

    cart_href: str | None = None

    async def get(self, href: str) -> dict[str, Any]:
        answer = await self.send("GET", href)
        assert answer.status == 200, (href, answer.status, answer.body)
        return answer.document

    async def perform(self, action: dict[str, Any], **values: Any) -> Answer:
        """Takes an action with its fields' own values, or with others that are given."""
        fields = {
            each["name"]: values.pop(each["name"], each.get("value")) for each in action.get("fields", ())
        }
        assert not values, f"the action has no fields {values}"
        given = {name: value for name, value in fields.items() if value is not None}
        if action["method"] == "GET":
            return await self.send("GET", action["href"], params=given)
        content = {"json": given} if given else {}
        headers = {"Idempotency-Key": f'"{secrets.token_urlsafe(18)}"'} if action["method"] == "POST" else {}
        headers |= action.get("headers", {})
        return await self.send(action["method"], action["href"], headers, **content)

    async def product(self, sku: str) -> dict[str, Any]:
        found = await self.perform((await self.get("/"))["actions"]["search"], q=sku)
        return await self.get(found.document["products"][0]["href"])

    async def add(self, sku: str, quantity: int = 1) -> Answer:
        if self.cart_href:
            cart = await self.cart()
            return await self.perform(cart["actions"]["add-item"], sku=sku, quantity=quantity)
        answer = await self.perform((await self.product(sku))["actions"]["add-to-cart"], quantity=quantity)
        if answer.status < 300:
            self.cart_href = answer.document["links"]["self"]["href"]
        return answer

    async def cart(self) -> dict[str, Any]:
        return await self.get(self.cart_href or (await self.get("/"))["links"]["cart"]["href"])

    async def line(self, sku: str) -> dict[str, Any]:
        return next(item for item in (await self.cart())["items"] if item["sku"] == sku)

    async def quantities(self) -> dict[str, int]:
        return {item["sku"]: item["quantity"] for item in (await self.cart()).get("items", ())}

    async def log_in(self, name: str, password: str = "") -> bool:
        password = password or PASSWORDS[name]
        entrance = await self.get("/")
        if action := entrance["actions"].get("log-in"):
            return (await self.perform(action, name=name, password=password)).status == 200
        self.credentials = (name, password)
        return (await self.send("GET", entrance["links"]["account"]["href"])).status == 200

    async def log_out(self) -> None:
        if action := (await self.account())["actions"].get("log-out"):
            assert (await self.perform(action)).status == 200
        self.credentials = None

    async def account(self) -> dict[str, Any]:
        return await self.get((await self.get("/"))["links"]["account"]["href"])

    async def orders(self) -> list[dict[str, Any]]:
        page = await self.get((await self.account())["links"]["orders"]["href"])
        orders = page["orders"]
        while "next" in page["links"]:
            page = await self.get(page["links"]["next"]["href"])
            orders += page["orders"]
        return orders

    async def place_order(self, **fields: Any) -> Answer:
        return await self.perform((await self.cart())["actions"]["place-order"], **fields)


@dataclass
class Form:
    """A form as a browser sees it: its hidden and visible fields with their values, and its button's text."""

    method: str
    href: str
    fields: dict[str, str]
    button: str = ""


class Page(HTMLParser):
    """What a reader of a page can use: its text, links and forms."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text = ""
        self.links: dict[str, str] = {}
        self.forms: list[Form] = []
        self.tags: list[str] = []
        self._href = ""
        self._open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag not in ("img", "input", "link", "meta", "br"):
            self._open.append(tag)
        if tag == "a":
            self._href = given["href"]
        elif tag == "form":
            self.forms.append(Form(given["method"], given["action"], {}))
        elif tag == "input":
            self.forms[-1].fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, "elements are nested properly"

    def handle_data(self, data: str) -> None:
        self.text += data
        if "a" in self._open:
            self.links.setdefault(data, self._href)
        if self._open and self._open[-1] == "button":
            self.forms[-1].button = data


class Browser(Client):
    """Shops by links and forms, as a browser without scripts does."""

    page: Page

    async def open(self, href: str) -> Page:
        return self._seen(await self.send("GET", href))

    async def follow(self, text: str) -> Page:
        return await self.open(self.page.links[text])

    async def submit(self, button: str, **values: str) -> Page:
        form = next(form for form in self.page.forms if form.button == button)
        fields = {**form.fields, **values}
        if form.method == "get":
            return self._seen(await self.send("GET", form.href, params=fields))
        return self._seen(await self.send("POST", form.href, {"Sec-Fetch-Site": "same-origin"}, data=fields))

    def _seen(self, answer: Answer) -> Page:
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        self.status = answer.status
        self.page = Page(answer.body.decode())
        assert "script" not in self.page.tags
        return self.page

    def sees(self, pattern: str) -> bool:
        return re.search(pattern, self.page.text) is not None
