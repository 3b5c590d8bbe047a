from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from proxy.server.workers.sockets import listen


@pytest.fixture
def kept() -> Iterator[ExitStack]:
    with ExitStack() as kept:
        yield kept


def opened(kept: ExitStack, host: str, port: int, workers: int) -> list[list[socket.socket]]:
    sockets = listen(host, port, workers)
    for one in (one for those in sockets for one in those):
        kept.enter_context(one)
    return sockets


def accepted(listening: socket.socket) -> int:
    count = 0
    try:
        while True:
            listening.accept()[0].close()
            count += 1
    except BlockingIOError:
        return count


def test_each_worker_has_its_own_socket_and_each_connection_goes_to_one(kept: ExitStack) -> None:
    sockets = opened(kept, "127.0.0.1", 0, 4)
    addresses = {one.getsockname() for those in sockets for one in those}
    assert len(addresses) == 1
    address = addresses.pop()
    for _ in range(200):
        kept.enter_context(socket.create_connection(address))
    shares = [accepted(those[0]) for those in sockets]
    assert sum(shares) == 200
    assert min(shares) > 10  # by a hash: 50 each, with a deviation of 6


def test_an_address_that_others_listen_at_is_refused(kept: ExitStack) -> None:
    (mine,), *_ = opened(kept, "127.0.0.1", 0, 2)
    host, port = mine.getsockname()
    with pytest.raises(OSError, match="in use"):
        listen(host, port, 2)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((host, port))


def test_what_waits_for_one_that_is_gone_is_there_for_the_next(kept: ExitStack) -> None:
    ((mine,),) = opened(kept, "127.0.0.1", 0, 1)
    copy = mine.dup()
    client = kept.enter_context(socket.create_connection(mine.getsockname()))
    copy.close()  # as a process does that dies
    server = kept.enter_context(mine.accept()[0])
    server.sendall(b"hello")
    assert client.recv(5) == b"hello"
