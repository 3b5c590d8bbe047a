from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from proxy.storage.contract import Writer
from proxy.storage.selection import Selection
from proxy.storage.valkey.store import ValkeyStore
from tests.storage.putting import DIGEST, NOW, read, response
from tests.storage.store_machine import Begun, Expected, StoreMachine
from tests.storage.valkey.conftest import patient
from tests.storage.valkey.relay import Relay
from tests.storage.valkey.servers_for_tests import Server

T = TypeVar("T")
FEW = settings(
    max_examples=5,
    stateful_step_count=25,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
"""Each step goes to a real server, so a history that fails is told as it is: a smaller one takes minutes."""

KEYS = [b"GET https://a/1", b"GET https://a/2", b"GET https://b/3"]
LABELS = [b"x", b"y"]


class OneMachine(StoreMachine):
    """One proxy by itself."""

    url = ""

    async def make(self) -> ValkeyStore:
        store = ValkeyStore(self.url, patient(), 1 << 20, variants=1000, clock=lambda: NOW - 3600)
        await store.start()
        await until(lambda: store.in_touch)
        return store

    @rule(target=StoreMachine.kept, began=StoreMachine.begun, lifetime=st.none() | st.integers(0, 3000))
    def commit(self, began: Begun, lifetime: int | None) -> Expected | None:
        """What is of no use when it comes is not found at all."""
        return super().commit(began, lifetime)

    @rule(later=st.integers(0, 2000))
    def expire(self, later: int) -> None:
        """Found entries are built anew each time, so they tell nothing; what is of no use is not found."""
        self.now += later
        assert self.run(self.store.expire(self.now)) == 0
        for old in list(self.model):
            if old.expires is not None and old.expires < self.now:
                self.forget(old)

    @invariant()
    def counts(self) -> None:
        """It's Valkey that counts."""


def test_random_histories_of_one_proxy(server: Server) -> None:
    machine = type("Machine", (OneMachine,), {"url": server.url})
    run_state_machine_as_test(machine, settings=FEW)


async def until(true: Callable[[], bool]) -> None:
    """Wait for what has to come; for ever would be too long."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.002)


class FleetMachine(RuleBasedStateMachine):
    """Two proxies that share a server, each over a network that fails now and then, against a plain model.

    `there` are the contents that may be found, by key and labels; `gone` those that may not be found any more
    by anybody. Each proxy also keeps copies in memory, as a tier in front does: it believes them while it's
    in touch, and drops what it is told of, or everything when it may have missed something.
    """

    target = 0

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.number = 0
        self.there: dict[bytes, tuple[bytes, tuple[bytes, ...]]] = {}
        self.gone: set[bytes] = set()
        self.writers: list[tuple[int, bytes, tuple[bytes, ...], Writer, bytes]] = []
        self.cut = [False, False]
        self.run(self.make())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)

    async def make(self) -> None:
        shared = patient(heartbeat=0.2)
        self.relays = [Relay(self.target), Relay(self.target)]
        self.proxies = []
        self.copies: list[dict[bytes, tuple[int, list[tuple[bytes, tuple[bytes, ...]]]]]] = [{}, {}]
        for number, relay in enumerate(self.relays):
            await relay.start()
            proxy = ValkeyStore(relay.url, shared, 1 << 20, clock=lambda: NOW - 3600)
            await proxy.start()
            copies = self.copies[number]
            proxy.watch(lambda key, copies=copies: copies.pop(key, None))
            proxy.hear(lambda wanted, copies=copies: self.drop(copies, wanted))
            self.proxies.append(proxy)
        await until(lambda: all(proxy.in_touch for proxy in self.proxies))

    def drop(self, copies: dict[bytes, Any], wanted: Selection) -> None:
        for key, (_, found) in list(copies.items()):
            if any(wanted.meant(key, labels) for _, labels in found):
                del copies[key]

    def teardown(self) -> None:
        async def close() -> None:
            for proxy in self.proxies:
                await proxy.close()
            for relay in self.relays:
                await relay.close()

        self.run(close())
        self.runner.close()

    @rule(
        who=st.integers(0, 1),
        key=st.sampled_from(KEYS),
        labels=st.lists(st.sampled_from(LABELS), unique=True),
    )
    def begin(self, who: int, key: bytes, labels: list[bytes]) -> None:
        writer = self.proxies[who].begin(key, tuple(labels), (), None)
        if writer is None:
            assert self.cut[who] or not self.proxies[who].in_touch
            return
        self.number += 1
        content = b"%d" % self.number
        writer.write(content)
        self.writers.append((who, key, tuple(labels), writer, content))

    @rule(first=st.booleans())
    def commit(self, first: bool) -> None:
        if self.writers:
            who, key, labels, writer, content = self.writers.pop(0 if first else -1)
            kept = self.run(writer.commit(response(len(content)), DIGEST))
            assert kept is None or content not in self.gone, "what was invalidated on its way was kept"
            if content not in self.gone:
                self.there[content] = key, labels
            del who

    @rule(
        who=st.integers(0, 1),
        wanted=st.one_of(
            st.builds(lambda key: Selection(keys=(key,)), st.sampled_from(KEYS)),
            st.builds(lambda label: Selection(labels=(label,)), st.sampled_from(LABELS)),
            st.just(Selection(prefixes=(b"https://a",))),
            st.just(Selection(everything=True)),
        ),
    )
    def purge(self, who: int, wanted: Selection) -> None:
        self.drop(self.copies[who], wanted)
        self.run(self.proxies[who].purge(wanted))
        self.drop(self.copies[who], wanted)
        if self.cut[who]:
            self.run(self.mend(who))  # it is done by then
        for content, (key, labels) in list(self.there.items()):
            if wanted.meant(key, labels):
                self.gone.add(content)
                del self.there[content]
        for _, key, labels, _, content in self.writers:
            if wanted.meant(key, labels):
                self.gone.add(content)

    @rule(who=st.integers(0, 1), key=st.sampled_from(KEYS))
    def look_up(self, who: int, key: bytes) -> None:
        async def look() -> list[tuple[bytes, tuple[bytes, ...]]]:
            proxy = self.proxies[who]
            epoch = proxy.epoch
            found = [(await read(entry), entry.labels) for entry in await proxy.look_up(key)]
            if proxy.in_touch and epoch == proxy.epoch and found:
                self.copies[who][key] = epoch, found
            return found

        for content, _ in self.run(look()):
            assert content not in self.gone
            assert self.there[content][0] == key

    @rule(who=st.integers(0, 1), key=st.sampled_from(KEYS))
    def look_at_copies(self, who: int, key: bytes) -> None:
        """A copy may be behind for as long as a message takes, and no longer."""

        async def right() -> None:
            proxy, copies = self.proxies[who], self.copies[who]

            def fine() -> bool:
                epoch, found = copies.get(key, (0, []))
                believed = proxy.in_touch and epoch == proxy.epoch
                return not believed or all(content not in self.gone for content, _ in found)

            await until(fine)

        self.run(right())

    @rule(who=st.integers(0, 1), how=st.sampled_from(["cut", "freeze"]))
    def cut_off(self, who: int, how: str) -> None:
        if not self.cut[who]:
            self.cut[who] = True
            self.relays[who].cut() if how == "cut" else self.relays[who].freeze()
            self.run(until(lambda: not self.proxies[who].in_touch))

    @rule(who=st.integers(0, 1))
    def join(self, who: int) -> None:
        if self.cut[who]:
            self.run(self.mend(who))

    async def mend(self, who: int) -> None:
        self.relays[who].mend()
        self.relays[who].thaw()
        self.cut[who] = False
        proxy = self.proxies[who]
        await until(lambda: proxy.in_touch and proxy.servers.complete and not proxy._purger.pending)


def test_random_histories_of_a_fleet(server: Server) -> None:
    machine = type("Machine", (FleetMachine,), {"target": server.port})
    run_state_machine_as_test(machine, settings=FEW)
