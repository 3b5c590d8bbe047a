"""Names and the addresses behind them, which change."""

from __future__ import annotations

import asyncio
import socket

import pytest

from proxy.upstream.address import Server
from proxy.upstream.contract import Unreachable
from proxy.upstream.failures import connect_failure
from proxy.upstream.resolver import Resolver

NAMED = Server("http", "origin.example", 80)


class Names:
    """A name service whose answers a test changes."""

    def __init__(self, *hosts: str) -> None:
        self.hosts = hosts
        self.asked = 0
        self.error: Exception | None = None

    async def __call__(self, host, port):
        self.asked += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in self.hosts]


def hosts(answer):
    return [info[4][0] for info in answer]


async def test_an_answer_is_good_for_a_while():
    names = Names("192.0.2.1")
    resolver = Resolver(NAMED, 60.0, names)
    assert resolver.names("anything")
    for _ in range(3):
        assert hosts(await resolver.addresses()) == ["192.0.2.1"]
    assert names.asked == 1
    assert resolver.names("192.0.2.1")
    assert not resolver.names("192.0.2.2")


async def test_afterwards_the_name_is_looked_up_again():
    names, changes = Names("192.0.2.1"), []
    resolver = Resolver(NAMED, 0.0, names, lambda: changes.append(1))
    await resolver.addresses()
    await resolver.addresses()
    assert (names.asked, changes) == (2, [])
    names.hosts = ("192.0.2.2", "192.0.2.3")
    assert hosts(await resolver.addresses()) == ["192.0.2.2", "192.0.2.3"]
    assert changes == [1]
    assert not resolver.names("192.0.2.1")


async def test_all_who_ask_at_once_share_one_lookup():
    names = Names("192.0.2.1")
    resolver = Resolver(NAMED, 60.0, names)
    waiting = [asyncio.create_task(resolver.addresses()) for _ in range(10)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert [hosts(result) for result in results[1:]] == [["192.0.2.1"]] * 9
    assert names.asked == 1


async def test_an_old_answer_serves_while_the_name_service_fails():
    names = Names("192.0.2.1")
    resolver = Resolver(NAMED, 0.0, names)
    await resolver.addresses()
    names.error = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    assert hosts(await resolver.addresses()) == ["192.0.2.1"]
    names.error = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    with pytest.raises(socket.gaierror):
        await resolver.addresses()
    names.error = None
    assert hosts(await resolver.addresses()) == ["192.0.2.1"]


async def test_without_any_answer_the_failure_is_told():
    names = Names()
    resolver = Resolver(NAMED, 60.0, names)
    with pytest.raises(socket.gaierror, match="no address"):
        await resolver.addresses()


async def test_addresses_are_not_looked_up():
    for host, family in (("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6)):
        names = Names()
        resolver = Resolver(Server("http", host, 8080), 0.0, names)
        [(found, kind, _, _, address)] = await resolver.addresses()
        assert (found, kind, address[:2]) == (family, socket.SOCK_STREAM, (host, 8080))
        assert await resolver.other_addresses(await resolver.addresses()) == ()
        assert not resolver.due(1e12)
        assert resolver.names("::ffff:192.0.2.1")
        assert names.asked == 0


async def test_a_server_that_is_down_does_not_flood_the_name_service():
    names = Names("192.0.2.1")
    resolver = Resolver(NAMED, 60.0, names)
    failed = await resolver.addresses()
    for _ in range(100):
        assert await resolver.other_addresses(failed) == ()
        assert not resolver.due(asyncio.get_running_loop().time())
    assert names.asked == 1


async def test_an_unknown_name_is_a_dns_error(kit):
    names = Names()
    names.error = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    client = kit.client(Server("http", "nowhere.example", 80), look_up=names)
    with pytest.raises(Unreachable, match=r"nowhere\.example can't be resolved: Name or service") as caught:
        await client.send()
    assert (caught.value.token, caught.value.status) == ("dns_error", 502)
    names.error = UnicodeError("label too long")
    with pytest.raises(Unreachable) as caught:
        await client.send()
    assert caught.value.token == "dns_error"


async def test_the_system_knows_localhost(kit, ok):
    origin = await kit.origin(kit.answering(ok), host="localhost")
    client = kit.client(origin)
    response = await client.send()
    assert await kit.read_all(response) == b"ok"
    assert response.timing.server == f"localhost:{origin.port}"


def always(answer):
    async def script(conversation):
        while await conversation.request():
            await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + answer)

    return script


async def test_a_name_that_moves_is_followed_and_old_connections_are_left(kit):
    before = await kit.origin(always(b"1"), host="127.0.0.1")
    after = await kit.origin(always(b"2"), host="127.0.0.2", port=before.port)
    names = Names("127.0.0.1")
    client = kit.client(Server("http", "origin.example", before.port), look_up=names, names=0.0)
    assert await client.fetch() == (200, b"1")
    names.hosts = ("127.0.0.2",)
    busy = await client.send()  # notices that it's time to look up, in the background
    await kit.until(lambda: not client.pool._idle)
    assert await client.fetch() == (200, b"2")
    assert await kit.read_all(busy) == b"1"
    assert await client.fetch() == (200, b"2")
    assert (before.connections, after.connections) == (1, 1)


async def test_a_name_is_looked_up_again_when_its_address_fails(kit):
    origin = await kit.origin(always(b"2"), host="127.0.0.2")
    names = Names("127.0.0.1")
    client = kit.client(Server("http", "origin.example", origin.port), look_up=names)
    await client.pool._resolver.addresses()
    client.pool._resolver._asked -= 1.0  # a second ago
    names.hosts = ("127.0.0.2",)
    assert await client.fetch() == (200, b"2")
    assert names.asked == 2


async def test_no_better_address_leaves_the_first_failure(kit):
    origin = await kit.origin(always(b"1"))
    await origin.stop()
    names = Names("127.0.0.1")
    client = kit.client(Server("http", "origin.example", origin.port), look_up=names)
    await client.pool._resolver.addresses()
    client.pool._resolver._asked -= 1.0  # a second ago
    names.error = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    with pytest.raises(Unreachable) as caught:
        await client.send()
    assert caught.value.token == "connection_refused"
    assert names.asked == 2


async def test_the_next_address_is_tried_when_the_first_fails(kit):
    origin = await kit.origin(always(b"2"), host="127.0.0.2")
    names = Names("127.0.0.3", "127.0.0.2")
    client = kit.client(Server("http", "origin.example", origin.port), look_up=names)
    assert await client.fetch() == (200, b"2")


@pytest.mark.parametrize(
    ("error", "status", "token"),
    [
        (ConnectionRefusedError(111, "Connection refused"), 502, "connection_refused"),
        (OSError(101, "Network is unreachable"), 502, "destination_ip_unroutable"),
        (OSError(113, "No route to host"), 502, "destination_ip_unroutable"),
        (ConnectionResetError(104, "Connection reset by peer"), 502, "connection_terminated"),
        (OSError(24, "Too many open files"), 503, "connection_limit_reached"),
        (OSError(99, "Cannot assign requested address"), 503, "connection_limit_reached"),
        (OSError("Multiple exceptions: this, that"), 502, "destination_unavailable"),
        (RuntimeError("the loop says no"), 502, "destination_unavailable"),
    ],
)
def test_each_way_not_to_connect_has_its_token(error, status, token):
    failure = connect_failure(error, NAMED)
    assert (failure.status, failure.token, failure.server) == (status, token, "origin.example:80")
    assert failure.evidence
