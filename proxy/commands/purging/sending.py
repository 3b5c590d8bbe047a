"""Has proxies purge by their admin addresses, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import aiohttp
import msgspec
from msgspec.structs import replace

from proxy.engine.purging import Answer, Item, Wish
from proxy.message.errors import ConfigurationError
from proxy.units import show_address

AT_ONCE = 1000
"""How many things are named in one request; what is longer goes in several, one after the other."""

_CONNECTING = 5.0
_SAYING_NOTHING = 600.0

Address = tuple[str, int]


class Done(msgspec.Struct, omit_defaults=True):
    """What one proxy did. `error` says why not, or not all: `answer` is then what it did before that."""

    admin: str
    answer: Answer | None = None
    error: str = ""


class _Refused(Exception):  # noqa: N818 - it says what the proxy said
    pass


async def send(wish: Wish, admins: Sequence[Address]) -> list[Done]:
    """What became of a wish at each of the admin addresses."""
    timeout = aiohttp.ClientTimeout(sock_connect=_CONNECTING, sock_read=_SAYING_NOTHING, total=None)
    async with aiohttp.ClientSession(timeout=timeout, skip_auto_headers=["User-Agent"]) as session:
        return list(await asyncio.gather(*(_purged(session, wish, admin) for admin in admins)))


async def _purged(session: aiohttp.ClientSession, wish: Wish, admin: Address) -> Done:
    done = Done(show_address(*admin))
    items: list[Item] = []
    try:
        for part in _parts(wish):
            items += (await _asked(session, part, done.admin)).items
    except _Refused as refused:
        done.error = str(refused)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        done.error = f"can't be asked ({_why(error)})"
    if items:
        done.answer = Answer.of(items, soft=wish.soft, dry=wish.dry)
    return done


async def _asked(session: aiohttp.ClientSession, wish: Wish, admin: str) -> Answer:
    content, named = msgspec.json.encode(wish), {"Content-Type": "application/json"}
    async with session.post(
        f"http://{admin}/purge", data=content, headers=named, allow_redirects=False
    ) as response:
        body = await response.read()
        if response.status != 200:
            raise _Refused(_detail(body) or f"answers {response.status} {response.reason}")
        try:
            return msgspec.json.decode(body, type=Answer)
        except msgspec.MsgspecError:
            raise _Refused("answers something else: is that the admin address of a Pellucid?") from None


def _parts(wish: Wish) -> Iterator[Wish]:
    """The same in several, none of which names too much at one time."""
    names = ("urls", "prefixes", "tags", "groups", "match")
    left = {name: list(getattr(wish, name)) for name in names}
    everything = wish.all
    while everything or any(left.values()):
        room, part = AT_ONCE, {}
        for name, values in left.items():
            part[name], left[name] = values[:room], values[room:]
            room -= len(part[name])
        yield replace(wish, **part, all=everything)
        everything = False


def _detail(body: bytes) -> str:
    try:
        told = msgspec.json.decode(body)
    except msgspec.MsgspecError:
        return ""
    detail = told.get("detail") if isinstance(told, dict) else None
    return detail if isinstance(detail, str) else ""


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or str(error.os_error)
    return str(error) or type(error).__name__


def unique(admins: Sequence[Address]) -> list[Address]:
    """Each once. Raises ConfigurationError where a port is 0, which nobody listens on."""
    for host, port in admins:
        if port == 0:
            raise ConfigurationError("--admin has to name a port", evidence=show_address(host, port))
    return list(dict.fromkeys(admins))
