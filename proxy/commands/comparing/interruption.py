"""Signals that end a comparison: what was started is ended first, even what was just being started."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _State:
    unbroken = 0
    pending: int | None = None


_state = _State()


@contextmanager
def unbroken() -> Iterator[None]:
    """What is done here is finished before a signal ends the comparison."""
    _state.unbroken += 1
    try:
        yield
    finally:
        _state.unbroken -= 1
        if not _state.unbroken and _state.pending is not None:
            _leave(_state.pending, None)


@contextmanager
def ending() -> Iterator[None]:
    """On SIGINT and SIGTERM leave by way of all that has to be cleaned up: SystemExit, 128 + the signal.

    From then on both are ignored, so that cleaning up is not broken off.
    """
    _state.pending = None
    before = {one: signal.signal(one, _leave) for one in _SIGNALS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _leave(number: int, frame: FrameType | None) -> None:
    if _state.unbroken:
        _state.pending = number
        return
    _state.pending = None
    for one in _SIGNALS:
        signal.signal(one, signal.SIG_IGN)
    raise SystemExit(128 + number)
