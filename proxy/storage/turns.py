"""Long work in short slices, so that others have their turn between."""

from __future__ import annotations

import asyncio
from time import perf_counter

SLICE = 0.002
"""Seconds of work after which others have a turn."""


class Turns:
    """To be asked for after each small step of something long."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until = perf_counter() + SLICE

    async def pause(self) -> None:
        """Let others have their turn, where this one has lasted long enough."""
        if perf_counter() >= self._until:
            await asyncio.sleep(0)
            self._until = perf_counter() + SLICE
