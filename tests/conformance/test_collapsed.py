"""Requests that come while the same is being fetched already (RFC 9111 §4)."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from tests.conformance.judge import Bench
from tests.conformance.origin import Script
from tests.conformance.script import Reply, fresh, reply
from tests.conformance.wire import Message, Wire, head_bytes

CLIENTS = 6


def all_at_once(
    bench: Bench, name: str, answered: Reply, fields: tuple[str, ...] = ()
) -> tuple[Script, list[Message]]:
    """What as many clients get who ask while the first is waiting, each with its own field `Client`."""
    script = bench.origin.scripts[name] = Script(name, time.time(), {}, [answered], sticky=True)
    answers: list[Message] = []

    def one(number: int) -> None:
        with socket.create_connection(("127.0.0.1", bench.port)) as connection:
            wire = Wire(connection)
            lines = [("Host", bench.authority), *((field, f"{number}") for field in ("Client", *fields))]
            wire.send(head_bytes(f"GET /{name} HTTP/1.1", lines))
            answers.append(wire.response("GET"))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return script, answers


def test_one_response_serves_all_who_wait_for_it(bench: Bench) -> None:
    script, answers = all_at_once(bench, "collapsed", fresh(delay=0.5))
    assert [answer.status for answer in answers] == [200] * CLIENTS
    assert len(script.seen) == 1
    assert len({answer.body for answer in answers}) == 1
    told = [answer.head.get("Cache-Status") or "" for answer in answers]
    assert sum("fwd=" in value and "collapsed" not in value for value in told) == 1


@pytest.mark.parametrize("value", ["private, max-age=60", "no-store", "max-age=0"])
def test_what_is_not_to_be_shared_is_fetched_for_each(bench: Bench, value: str) -> None:
    name = "each-" + value.replace(", ", "-")
    script, answers = all_at_once(bench, name, reply(value, delay=0.1))
    assert len(script.seen) == CLIENTS
    assert sorted(message.head.get("Client") or "" for message in script.seen) == [
        str(n) for n in range(CLIENTS)
    ]
    assert all(
        "collapsed" not in (answer.head.get("Cache-Status") or "")
        or "collapsed=?0" in (answer.head.get("Cache-Status") or "")
        for answer in answers
    )


def test_who_is_authenticated_does_not_wait_for_others(bench: Bench) -> None:
    script, _ = all_at_once(bench, "authorized", fresh(delay=0.1), ("Authorization",))
    assert len(script.seen) == CLIENTS


def test_variants_are_fetched_for_each(bench: Bench) -> None:
    script, answers = all_at_once(bench, "variants", fresh(delay=0.1, Vary="Client"))
    assert len(script.seen) == CLIENTS
    assert [answer.status for answer in answers] == [200] * CLIENTS
