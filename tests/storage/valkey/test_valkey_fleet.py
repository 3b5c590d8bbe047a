"""Two proxies that share a Valkey."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable

import pytest
import trustme

from proxy.message.errors import ConfigurationError
from proxy.storage.selection import Selection
from proxy.storage.valkey import channel, finding
from proxy.storage.valkey.names import digest
from proxy.storage.valkey.purging import FEW
from proxy.storage.valkey.resp import Reply
from proxy.storage.valkey.store import ValkeyStore
from tests.storage.putting import DIGEST, NOW, contents, put, read, response
from tests.storage.valkey.conftest import patient
from tests.storage.valkey.relay import Relay
from tests.storage.valkey.servers_for_tests import Cluster, Server
from tests.storage.valkey.test_valkey_faults import found, hasty, until

Proxies = Callable[..., ValkeyStore]


@pytest.fixture(params=["one server", "a Cluster"])
def url(request: pytest.FixtureRequest) -> str:
    made: Server | Cluster = request.getfixturevalue("server" if request.param == "one server" else "cluster")
    return made.url


@pytest.fixture
async def pair(url: str, proxies: Proxies) -> tuple[ValkeyStore, ValkeyStore]:
    settings = patient()
    pair = proxies(url, settings), proxies(url, settings)
    for proxy in pair:
        await proxy.start()
        await until(lambda proxy=proxy: proxy.in_touch)  # type: ignore[misc]
    return pair


async def test_one_finds_what_the_other_stored(pair: tuple[ValkeyStore, ValkeyStore]) -> None:
    one, other = pair
    large = random.Random(1).randbytes(700_000)
    await put(one, b"small", b"content" * 100, labels=(b"label",))
    await put(one, b"large", large)
    assert await contents(other, b"small") == [b"content" * 100]
    assert await contents(other, b"large") == [large]
    (entry,) = await other.look_up(b"large")
    assert await read(entry, 65_000, 200_000) == large[65_000:200_001]
    assert entry.content is None


async def test_what_one_invalidates_the_other_hears(pair: tuple[ValkeyStore, ValkeyStore]) -> None:
    one, other = pair
    told: list[Selection] = []
    other.hear(told.append)
    mine: list[Selection] = []
    one.hear(mine.append)
    epoch = other.epoch
    await one.invalidate([b"key"], [b"label"])
    await one.purge(Selection(prefixes=(b"https://a",)), soft=NOW)
    await one.purge(Selection(everything=True))
    await until(lambda: any(selection.everything for selection in told))
    assert {selection.keys for selection in told} >= {(b"key",)}
    assert {selection.labels for selection in told} >= {(b"label",)}
    assert {selection.prefixes for selection in told} >= {(b"https://a",)}
    assert sum(selection.everything for selection in told) == 1
    assert mine == []
    assert other.epoch == epoch


async def test_what_one_changes_the_other_is_told(pair: tuple[ValkeyStore, ValkeyStore]) -> None:
    one, other = pair
    told: list[bytes] = []
    other.watch(told.append)
    entry = await put(one, b"replaced")
    await put(one, b"replaced", replaces=(entry,))
    entry = await put(one, b"freshened")
    await one.freshen(entry, response(7, at=NOW + 1))
    entry = await put(one, b"removed")
    await one.remove(entry)
    await put(one, b"beside")
    await put(one, b"beside")
    await until(lambda: len(told) == 4)
    assert told == [b"replaced", b"freshened", b"removed", b"beside"]


@pytest.mark.parametrize(
    "wanted",
    [
        Selection(keys=(b"GET https://a/1",)),
        Selection(labels=(b"label",)),
        Selection(prefixes=(b"https://a/",)),
        Selection(patterns=(rb"/\d$",)),
        Selection(everything=True),
    ],
)
@pytest.mark.parametrize("heard", [True, False])
async def test_what_was_on_its_way_elsewhere_is_not_kept(
    pair: tuple[ValkeyStore, ValkeyStore], wanted: Selection, heard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where word of it comes after the commit."""
    one, other = pair
    if not heard:
        monkeypatch.setattr(one.servers, "told", lambda *_: None)
    if wanted.labels:
        await put(one, b"before", labels=wanted.labels)
    writers = [one.begin(b"GET https://a/1", wanted.labels, (), None) for _ in range(2)]
    bystander = one.begin(b"GET https://b/x", (), (), None)
    await other.purge(wanted)
    for writer in writers:
        assert writer is not None
        assert await writer.commit(response(0), DIGEST) is None
        await asyncio.sleep(0.01)
    assert list(await other.look_up(b"GET https://a/1")) == []
    if heard and not wanted.everything:
        assert bystander is not None
        assert await bystander.commit(response(0), DIGEST) is not None


async def test_a_label_that_many_carry(pair: tuple[ValkeyStore, ValkeyStore]) -> None:
    """None of its entries is touched, and none is found any more."""
    one, other = pair
    count = FEW + 50
    for number in range(count):
        await put(one, b"%d" % number, labels=(b"many", b"own%d" % number))
    assert await other.purge(Selection(labels=(b"many",)), dry=True) == {"valkey": count}
    assert await other.purge(Selection(labels=(b"many",))) == {"valkey": count}
    assert not any([await one.look_up(b"%d" % number) for number in range(0, count, 17)])
    assert not await one.labelled(b"own3", 2)
    await put(one, b"3", b"new", labels=(b"many",))
    assert await contents(other, b"3") == [b"new"]
    assert await one.purge(Selection(labels=(b"many",))) == {"valkey": 1}


async def test_what_is_known_of_labels_is_asked_for_together_with_the_entry(
    server: Server, proxies: Proxies, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = patient()
    store, other = proxies(server.url, settings), proxies(server.url, settings)
    await store.start()
    await other.start()
    trips: list[int] = []

    async def answers(futures: list[asyncio.Future[Reply]], within: float) -> list[Reply]:
        trips.append(len(futures))
        return await channel.answers(futures, within)

    await put(store, b"key", labels=(b"a", b"b"))
    assert await store.labelled(b"a", 1)
    monkeypatch.setattr(finding, "answers", answers)
    assert await other.look_up(b"key")
    assert await other.look_up(b"key")
    assert trips == [1, 2, 3]
    # What is known of a label counts, also where nobody knows what carries it.
    server.do("DEL", store.names.members(digest(b"a")))
    await store.purge(Selection(labels=(b"a",)))
    assert list(await other.look_up(b"key")) == []
    await put(store, b"key", b"other", labels=(b"b", b"c"))
    assert await store.labelled(b"c", 1)
    trips.clear()
    assert [entry.labels for entry in await other.look_up(b"key")] == [(b"b", b"c")]
    assert trips == [3, 1]
    server.do("DEL", store.names.members(digest(b"c")))
    await store.purge(Selection(labels=(b"c",)), soft=NOW + 1)
    assert [entry.stored.stale_from for entry in await other.look_up(b"key")] == [NOW + 1]
    await store.purge(Selection(labels=(b"c",)))
    assert list(await other.look_up(b"key")) == []


async def test_variants_are_bounded(url: str) -> None:
    store = ValkeyStore(url, patient(), 1 << 20, variants=3)
    await store.start()
    for number in range(6):
        await put(store, b"key", b"%d" % number, labels=(b"label",))
    assert await contents(store, b"key") == [b"3", b"4", b"5"]
    await until(lambda: True)
    assert await store.purge(Selection(labels=(b"label",)), dry=True) == {"valkey": 3}
    await store.close()


async def test_lifetimes_are_given_to_valkey(server: Server, proxies: Proxies) -> None:
    settings = patient()
    store = proxies(server.url, settings)
    await store.start()
    names = store.names
    await put(store, b"ends", bytes(200_000), labels=(b"label",), expires=NOW)
    await put(store, b"stays", labels=(b"other",))
    hour = 3_600_000
    (entry,) = await store.look_up(b"ends")
    label = digest(b"label")
    lasting = (names.index(digest(b"ends")), names.body(digest(b"ends"), entry.id))
    left = [server.do("PTTL", name) for name in (*lasting, names.label(label), names.members(label))]
    assert all(hour - 60_000 < int(str(one)) <= hour + 2_000 for one in left)
    assert server.do("PTTL", names.index(digest(b"stays"))) == -1
    await store.freshen(entry, response(200_000, at=NOW + 1), NOW + 3600)
    assert int(str(server.do("PTTL", names.body(digest(b"ends"), entry.id)))) > hour + 60_000
    await store.remove(entry)
    assert 0 < int(str(server.do("PTTL", names.body(digest(b"ends"), entry.id)))) <= 60_000


async def test_what_is_given_up_leaves_nothing_behind(server: Server, proxies: Proxies) -> None:
    store = proxies(server.url, patient())
    await store.start()
    writer = store.begin(b"key", (), (), None)
    assert writer is not None
    writer.write(bytes(300_000))
    body = store.names.body(digest(b"key"), writer.id)
    async with asyncio.timeout(20):
        while not server.do("EXISTS", body):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert 0 < int(str(server.do("PTTL", body))) <= 60_000, "nor would it, were this proxy killed"
    writer.abort()
    async with asyncio.timeout(20):
        while server.do("EXISTS", body):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_what_gets_smaller_by_it_is_compressed(server: Server, proxies: Proxies) -> None:
    plain, squeezed = proxies(server.url, patient(compress=False)), proxies(server.url, patient())
    text = b'{"name": "value", "number": 17}' * 2000
    noise = random.Random(1).randbytes(60_000)
    sizes = {}
    for store in (plain, squeezed):
        await store.start()
        for key, content in ((b"text", text), (b"noise", noise)):
            await put(store, key, content)
            assert await contents(store, key) == [content]
            (entry,) = await store.look_up(key)
            sizes[store, key] = int(
                str(server.do("HSTRLEN", store.names.index(digest(key)), b"c" + entry.id))
            )
    assert sizes[squeezed, b"text"] * 10 < sizes[plain, b"text"]
    assert sizes[squeezed, b"noise"] == sizes[plain, b"noise"]


async def test_a_server_that_was_emptied(own: Callable[..., Server], proxies: Proxies) -> None:
    server = own()
    store = proxies(server.url, hasty())
    await store.start()
    await put(store, b"key", labels=(b"label",))
    epoch = store.epoch
    server.do("FLUSHALL")
    assert list(await store.look_up(b"key")) == []
    await until(lambda: store.epoch > epoch and store.in_touch)
    await put(store, b"key", b"new", labels=(b"label",))
    await found(store, b"key")


async def test_over_tls(server: Server, proxies: Proxies, tmp_path: object) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    relay = Relay(server.port)
    await relay.start(context)
    url = relay.url.replace("valkey:", "valkeys:")
    path = f"{tmp_path}/ca.pem"
    authority.cert_pem.write_to_path(path)
    store = proxies(url, patient(ca=path))
    await store.start()
    await put(store, b"key")
    assert len(await store.look_up(b"key")) == 1
    with pytest.raises(ConfigurationError, match="can't be trusted"):
        await proxies(url, patient()).start()
    with pytest.raises(ConfigurationError, match="certificates"):
        proxies(url, patient(ca=f"{tmp_path}/none.pem"))
    await store.close()
    await relay.close()


# Who asks the origin for what.


async def test_one_claims_and_the_other_waits(pair: tuple[ValkeyStore, ValkeyStore]) -> None:
    one, other = (proxy.claims() for proxy in pair)
    for shared in (True, False):
        claim = await one.claim(b"way")
        assert claim is not None
        assert await other.claim(b"way") is None
        apart = await other.claim(b"another way")
        assert apart is not None
        waiting = asyncio.ensure_future(other.settled(b"way", 30))
        await asyncio.sleep(0.02)
        assert not waiting.done()
        claim.release(shared=shared)
        claim.release(shared=not shared)
        assert await waiting is shared
        apart.release(shared=True)
        assert await other.settled(b"way", 30)
        again = await other.claim(b"way")
        assert again is not None
        again.release(shared=True)
        await other.settled(b"way", 30)


async def test_of_many_at_once_one_has_it(pair: tuple[ValkeyStore, ValkeyStore]) -> None:
    claims = await asyncio.gather(*(proxy.claims().claim(b"way") for proxy in pair for _ in range(20)))
    assert sum(claim is not None for claim in claims) == 1
    for claim in claims:
        if claim is not None:
            claim.release(shared=True)


async def test_patience_has_an_end(pair: tuple[ValkeyStore, ValkeyStore]) -> None:
    one, other = (proxy.claims() for proxy in pair)
    assert await one.claim(b"way") is not None
    assert not await other.settled(b"way", 0.05)


async def test_a_claim_lasts_as_long_as_its_proxy(server: Server, proxies: Proxies) -> None:
    settings = patient(lease=0.3)
    relay = Relay(server.port)
    await relay.start()
    one, other = proxies(relay.url, settings), proxies(server.url, settings)
    await one.start()
    await other.start()
    claim = await one.claims().claim(b"way")
    assert claim is not None
    assert not await other.claims().settled(b"way", 1.0)  # it was renewed
    relay.freeze()  # as if that machine had died
    assert await other.claims().settled(b"way", 30)
    successor = await other.claims().claim(b"way")
    assert successor is not None
    relay.thaw()
    claim.release(shared=True)  # of what is no longer its own
    await asyncio.sleep(0.05)
    assert await one.claims().claim(b"way") is None
    successor.release(shared=True)
    await relay.close()


async def test_without_valkey_each_goes_by_itself(own: Callable[..., Server], proxies: Proxies) -> None:
    server = own()
    store = proxies(server.url, hasty())
    await store.start()
    server.kill()
    for _ in range(2):
        claim = await store.claims().claim(b"way")
        assert claim is not None
        claim.release(shared=True)
    assert await store.claims().settled(b"way", 30)
