"""Who of all that share a store asks the origin for what: one of them claims the way, the others wait."""

from __future__ import annotations

from typing import Protocol


class Claim(Protocol):
    """The right to ask the origin for one thing while others wait; it ends with the process that has it."""

    def release(self, *, shared: bool) -> None:
        """Let those who wait go on; nothing where that was done already.

        `shared` is False where the response was not for others: each of them then asks for itself.
        """
        ...


class Claims(Protocol):
    """All claims among those who share a store. None of these raises anything of its own.

    Where a claim can't be made, because what it needs is gone or too slow, the caller gets one that binds
    nobody: to ask the origin twice is better than not to answer.
    """

    async def claim(self, way: bytes) -> Claim | None:
        """The claim to `way`; None where another process has it."""
        ...

    async def settled(self, way: bytes, patience: float) -> bool:
        """Wait until whoever has claimed `way` has released it or is gone, for `patience` seconds at most.

        True: what was asked for may be in the store by now. False: it's not for others, or it takes too long.
        """
        ...

    async def close(self) -> None: ...


class Unclaimed:
    """Stands for a claim that could not be made."""

    __slots__ = ()

    def release(self, *, shared: bool) -> None:
        """Nobody waits for it."""
