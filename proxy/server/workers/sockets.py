"""The sockets that clients connect to, one for each worker at each address.

Each worker has a listening socket of its own (SO_REUSEPORT): the kernel spreads connections by a hash of both
ends' addresses, evenly, where several processes on one socket leave it to chance who wakes first, and are all
woken. A socket that is closed takes along what waits in its queue; so the parent, which accepts nothing, has
all of them, and what has come for a worker that dies is served by the one that takes its place, or by another
one that is lent the socket until then.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import ExitStack

BACKLOG = 1024
"""Connections that may wait to be accepted, in each queue."""


def listen(host: str, port: int, workers: int) -> list[list[socket.socket]]:
    """For each worker its listening sockets: one for each address that `host` stands for.

    The first address decides for `port` 0. An address that somebody listens at already is refused, although
    the sockets here share theirs. Raises OSError.
    """
    found: list[list[socket.socket]] = [[] for _ in range(workers)]
    with ExitStack() as opened:
        for family, address in _addresses(host, port):
            port = port or (found[0][0].getsockname()[1] if found[0] else 0)
            bound = address
            for number, sockets in enumerate(found):
                one = opened.enter_context(_bound(family, bound, first=number == 0))
                bound = one.getsockname()
                sockets.append(one)
            for sockets in found:
                sockets[-1].listen(BACKLOG)
        opened.pop_all()
    return found


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    """What a host stands for, as asyncio's servers take it: an empty one for all addresses."""
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return [(family, (str(address[0]), int(address[1]))) for family, _, _, _, address in dict.fromkeys(found)]


def _bound(family: socket.AddressFamily, address: Sequence[str | int], *, first: bool) -> socket.socket:
    """A socket that shares its address with the others from here, but with nobody who was there before."""
    one = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if not first:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(tuple(address))
        if first:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except BaseException:
        one.close()
        raise
    return one
