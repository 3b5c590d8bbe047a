"""A small file that all processes have mapped: whether the folder was given up, and whom eviction let go."""

from __future__ import annotations

import mmap
import os

_WAYS = 8
_MARK = (1 << 24) - 1
_RETIRED, _GONE, _SLOTS = 0, 1, 8
_WORD = 8


class Shared:
    """Numbers of eight bytes. The first says that the folder is not to be used any more.

    From the ninth on they are ghosts, as `proxy.storage.memory.ghosts` has them: the upper 40 bits of each
    are the time when one went, counted in those that have gone, the lower 24 are from its key's hash. Who
    changes them holds the map's write lock; a torn or damaged one does no more harm than a wrong guess.
    """

    __slots__ = ("_map", "_mask", "_words")

    def __init__(self, path: str, room: int) -> None:
        """Open the file at `path`, or make it with room for about `room` ghosts. Raises OSError."""
        slots = 1 << max(6, (room - 1).bit_length())
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            held = os.fstat(descriptor).st_size // _WORD - _SLOTS
            if held < _WAYS or held & (held - 1):
                # Allocated, as a write to a hole of a mapped file kills the process where the disk is full.
                os.pwrite(descriptor, bytes((_SLOTS + slots) * _WORD), 0)
                held = slots
            self._map = mmap.mmap(descriptor, (_SLOTS + held) * _WORD)
        finally:
            os.close(descriptor)
        self._words = memoryview(self._map).cast("Q")
        self._mask = held // _WAYS - 1

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self._map)

    @property
    def retired(self) -> bool:
        """Whether the folder was given up: nothing in it counts any more."""
        return self._words[_RETIRED] != 0

    def retire(self) -> None:
        """Have all processes know that the folder was given up, from now on."""
        self._words[_RETIRED] = 1

    def remember(self, name: bytes) -> None:
        """The entry whose key has this hash has gone."""
        words = self._words
        mark, first = self._place(name)
        gone = words[_GONE] = (words[_GONE] + 1) & 0xFFFF_FFFF_FF
        choice = words[first : first + _WAYS].tolist()
        words[first + choice.index(min(choice))] = gone << 24 | mark

    def recall(self, name: bytes, within: int) -> bool:
        """Whether it was one of the last `within` to go; it is forgotten then."""
        words = self._words
        mark, first = self._place(name)
        latest = 0
        for at in range(first, first + _WAYS):
            slot = words[at]
            if slot and slot & _MARK == mark:
                latest = max(latest, slot)
                words[at] = 0
        return latest > 0 and words[_GONE] - (latest >> 24) < within

    def _place(self, name: bytes) -> tuple[int, int]:
        mixed = int.from_bytes(name[:8], "little")
        return mixed >> 40, (mixed & self._mask) * _WAYS + _SLOTS

    def close(self) -> None:
        """Let go of the map."""
        self._words.release()
        self._map.close()
