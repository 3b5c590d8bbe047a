"""Purges: who may have what is stored removed by a request, and how each is answered and recorded."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from time import perf_counter, time

import msgspec

from proxy.caching.decision import Because, Decision, Outcome, Reason
from proxy.caching.policy import Policy
from proxy.caching.tags import LONGEST_TAG, MOST_TAGS, beyond_limit, tags_of
from proxy.engine.downstream import Downstream
from proxy.engine.driver import Driver
from proxy.engine.purging import Answer, BadWish, Report, Wish
from proxy.message.dates import format_date
from proxy.message.errors import ConfigurationError, PellucidError
from proxy.message.fields import NO_FIELDS, Fields
from proxy.message.grammar import list_members
from proxy.message.problems import problem
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.message.uri import Uri, target_uri
from proxy.server.ids import next_id
from proxy.visibility.account import Account

METHOD = b"PURGE"

PURGED = Reason("purged", "RFC 9111 §4.4", "Whoever runs this proxy had what was stored removed.")
PURGED_SOFTLY = Reason(
    "purged-softly", "RFC 9111 §4.2.4", "Whoever runs this proxy had what was stored count as stale."
)
COUNTED = Reason("purge-counted", "RFC 9111 §4.4", "What would be purged was counted, and all of it stays.")
NOTHING_PURGED = Reason("nothing-purged", "RFC 9111 §4.4", "Nothing of what was to be purged was stored.")
NOT_ALLOWED = Reason("purge-refused", "RFC 9110 §15.5.4", "Purging is not allowed from this address.")
NOT_UNDERSTOOD = Reason(
    "purge-not-understood", "RFC 9110 §15.5.1", "What is to be purged can't be understood."
)

FIELD = b"pellucid-purge"
"""Says more of a PURGE request: `soft`, `dry-run`, `prefix`."""

_PASSED_ON = (b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via")
_MOST_TOLD = 5


class Purges:
    """Answers PURGE requests from the addresses that `allowed` lists. Raises ConfigurationError for others.

    The address is the peer's. A request that was passed on for somebody else is refused wherever it's from:
    a proxy in front, whose address is allowed, would have all of its clients purge.
    """

    def __init__(self, driver: Driver, policy: Policy, allowed: Sequence[str]) -> None:
        self._driver = driver
        self._policy = policy
        self._networks = [_network(one) for one in allowed]

    def concern(self, request: Request) -> bool:
        """Whether a request as it was received is for us, rather than for the origin."""
        return request.method == METHOD and bool(self._networks)

    async def answer(self, client: Downstream, account: Account) -> None:
        """Do what it asks for, and say what came of it."""
        refusal = self._refusal(client.received, account.client)
        if refusal is not None:
            await self._refuse(client, account, 403, NOT_ALLOWED, refusal)
            return
        try:
            wish = wished(client.received, target_uri(client.request), self._policy)
            report = await self._driver.purge(wish)
        except PellucidError as error:
            await self._refuse(client, account, error.status or 400, NOT_UNDERSTOOD, str(error))
            return
        account.decision = decided(report)
        content = msgspec.json.encode(Answer.of(report.items, soft=report.soft, dry=report.dry)) + b"\n"
        lines = (
            (b"Date", format_date(time())),
            (b"Content-Type", b"application/json"),
            (b"Content-Length", b"%d" % len(content)),
            (b"Cache-Control", b"no-store"),
        )
        await _send(client, Response(200, Fields(lines), b"OK"), content)

    def _refusal(self, received: Request, client: str) -> str | None:
        found = _address(client.rpartition(":")[0].strip("[]"))
        if found is None or not any(found in network for network in self._networks):
            return "purging is not allowed from this address"
        passed_on = next((name for name in _PASSED_ON if name in received.fields), None)
        if passed_on is not None:
            return f"a purge is not taken from behind another proxy: the request has {passed_on.decode()}"
        return None

    async def _refuse(
        self, client: Downstream, account: Account, status: int, reason: Reason, why: str
    ) -> None:
        account.decision = Decision(Outcome.REFUSED, (Because(reason, why[:200]),))
        response, content = problem(
            status,
            why,
            exchange_id=account.id,
            error_token="http_request_denied",
            name=self._policy.name,
            now=time(),
        )
        await _send(client, response, content)


def wished(received: Request, uri: Uri, policy: Policy) -> Wish:
    """What a PURGE request for `uri` wants: that URL, or what has the tags that its fields name.

    The fields are those that name tags in responses. Raises BadWish for a `Pellucid-Purge` that says what
    nobody knows.
    """
    url = bytes(uri).decode("ascii", "surrogateescape")
    words = {word.lower() for value in received.fields.all(FIELD) for word in list_members(value)}
    unknown = words - {b"soft", b"dry-run", b"prefix"}
    if unknown:
        evidence = min(unknown)[:40].decode("latin-1")
        raise BadWish("Pellucid-Purge is soft, dry-run or prefix", evidence=evidence)
    soft = b"soft" in words or received.fields.get(b"fastly-soft-purge") == b"1"
    wish = Wish(soft=soft, dry=b"dry-run" in words)
    left_out = beyond_limit(received.fields, policy)
    if left_out is not None:
        raise BadWish(f"at most {MOST_TAGS} tags of {LONGEST_TAG} bytes each", evidence=left_out.evidence)
    tags = [tag.decode("utf-8", "surrogateescape") for tag in tags_of(received.fields, policy)]
    if tags:
        wish.tags, wish.origin = tags, url
    elif b"prefix" in words:
        wish.prefixes = [url]
    else:
        wish.urls = [url]
    return wish


def decided(report: Report) -> Decision:
    """A purge as the log has it: which kind it was, of what, and how many entries there were."""
    entries = report.entries
    if report.dry:
        reason = COUNTED
    elif not any(entries.values()):
        reason = NOTHING_PURGED
    else:
        reason = PURGED_SOFTLY if report.soft else PURGED
    kinds: dict[str, list[str]] = {}
    for item in report.items:
        kinds.setdefault(item.kind, []).append(item.value)
    named = "; ".join(_told(kind, values) for kind, values in kinds.items())
    counted = ", ".join(f"{tier} {count}" for tier, count in entries.items())
    return Decision(Outcome.LOCAL, (Because(reason, f"{named}: {counted}"),))


def recorded(report: Report, client: str, started: float, clock: float) -> Account:
    """A purge that came another way than by a request to the proxy, as an exchange that can be recorded.

    `client` is who asked for it; `started` is when, in seconds since the epoch, and `clock` the same by
    `perf_counter`.
    """
    account = Account(next_id(), started, client)
    account.received = Request(METHOD, b"*", NO_FIELDS, authority=b"")
    account.response = Response(200, NO_FIELDS, b"OK")
    account.decision = decided(report)
    account.duration = perf_counter() - clock
    return account


def _told(kind: str, values: list[str]) -> str:
    """What was named, less what may hold secrets: queries, and user information."""
    shown = [value.partition("?")[0][:80] if kind in ("url", "prefix") else value[:80] for value in values]
    more = f" and {len(shown) - _MOST_TOLD} more" if len(shown) > _MOST_TOLD else ""
    return f"{kind} {', '.join(shown[:_MOST_TOLD])}{more}".strip()


async def _send(client: Downstream, response: Response, content: bytes) -> None:
    await client.start(response, len(content))
    await client.write(content)
    await client.finish(NO_FIELDS)


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _network(text: str) -> _Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ConfigurationError("server.purge_from lists addresses and networks", evidence=text) from error


def _address(text: str) -> _Address | None:
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
