"""What is put into a spool reaches its sink in order, later, on another thread, or is counted as lost."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from proxy.server.log.spool import Spool


class Sink:
    """Takes what comes, as far as it is allowed to."""

    def __init__(self, allowed: int = 1 << 30) -> None:
        self.taken: list[int] = []
        self.calls: list[int] = []
        self.threads: set[int] = set()
        self.allowed = allowed
        self.called = threading.Semaphore(0)
        self.gate = threading.Event()
        self.gate.set()

    def write(self, items: Sequence[int]) -> int:
        self.called.release()
        self.gate.wait(10)
        self.threads.add(threading.get_ident())
        self.calls.append(len(items))
        count = min(len(items), self.allowed)
        self.allowed -= count
        self.taken += items[:count]
        return count


def spool(sink: Sink, capacity: int = 1000, **how: float) -> Spool[int]:
    return Spool(sink, capacity, lambda item: 1, name="test", **how)


def test_everything_arrives_in_order_on_another_thread() -> None:
    sink = Sink()
    queue = spool(sink, 10_000)
    assert all(queue.put(number) for number in range(5000))
    assert queue.close(10)
    assert sink.taken == list(range(5000))
    assert sink.threads.isdisjoint({threading.get_ident()})
    assert queue.lost == 0


def test_what_comes_while_the_sink_is_busy_is_written_together() -> None:
    sink = Sink()
    queue = spool(sink)
    sink.gate.clear()
    queue.put(0)
    assert sink.called.acquire(timeout=10)
    for number in range(1, 100):
        queue.put(number)
    sink.gate.set()
    assert queue.close(10)
    assert sink.taken == list(range(100))
    assert sink.calls == [1, 99]


def test_what_does_not_fit_is_lost_and_counted_and_put_does_not_wait() -> None:
    sink = Sink()
    queue = spool(sink, 10)
    sink.gate.clear()
    assert [queue.put(number) for number in range(15)] == [True] * 10 + [False] * 5
    assert queue.lost == 5
    sink.gate.set()
    assert queue.close(10)
    assert sink.taken == list(range(10))
    assert queue.lost == 5


def test_there_is_room_again_once_something_was_written() -> None:
    sink = Sink()
    queue = spool(sink, 10, gather=0.0)
    for number in range(200):
        while not queue.put(number):
            pass
    assert queue.close(10)
    assert sink.taken == list(range(200))
    assert queue.lost > 0


def test_what_the_sink_does_not_take_is_given_again() -> None:
    sink = Sink(allowed=3)
    queue = spool(sink, retry=0.0)
    for number in range(10):
        queue.put(number)
    for _ in range(5):
        assert sink.called.acquire(timeout=10)
    sink.allowed = 1000
    assert queue.close(10)
    assert sink.taken == list(range(10))
    assert queue.lost == 0


def test_what_can_not_be_written_at_the_end_is_lost() -> None:
    sink = Sink(allowed=3)
    queue = spool(sink)
    for number in range(10):
        queue.put(number)
    assert queue.close(10)
    assert sink.taken == [0, 1, 2]
    assert queue.lost == 7


def test_after_close_everything_is_lost() -> None:
    sink = Sink()
    queue = spool(sink)
    assert queue.close(10)
    assert not queue.put(1)
    assert queue.lost == 1
    assert sink.taken == []


def test_a_sink_that_hangs_does_not_hang_the_close() -> None:
    sink = Sink()
    sink.gate.clear()
    queue = spool(sink)
    queue.put(1)
    assert not queue.close(0.01)
    sink.gate.set()
    assert queue.close(10)


def test_waking_lets_the_sink_look_around() -> None:
    sink = Sink()
    queue = spool(sink)
    queue.put(1)
    assert sink.called.acquire(timeout=10)
    queue.wake()
    assert sink.called.acquire(timeout=10)
    assert queue.close(10)
    assert sink.calls[:2] == [1, 0]
