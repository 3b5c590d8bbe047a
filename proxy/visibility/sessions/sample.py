"""A sample of bounded size that tells how many different things there were, and can be put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Generic, TypeVar

_SPACE = 1 << 64

T = TypeVar("T")


def hashed(text: str) -> int:
    """A number below 2**64 for a text, the same in every process; of a digest it is the digest itself."""
    if text[:1] == "~":
        try:
            return int(text[1:17], 16)
        except ValueError:
            pass
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


class Sample(Generic[T]):
    """What was seen under those keys whose hashes are smallest: so every sample has the same ones.

    Up to `size` different keys all are in it; of more it holds a fair choice, from which `distinct` is
    estimated (Bar-Yossef et al. 2002: within about 1/√size).
    """

    __slots__ = ("_largest", "size", "things")

    def __init__(self, size: int) -> None:
        self.size = size
        self.things: dict[int, T] = {}
        self._largest = _SPACE

    def get(self, key: int) -> T | None:
        """What is held under a key."""
        return self.things.get(key)

    def wants(self, key: int) -> bool:
        """Whether a key belongs to the sample as it is now."""
        return key <= self._largest

    def put(self, key: int, thing: T) -> None:
        """Hold something under a key, which may push another one out."""
        if key > self._largest:
            return
        self.things[key] = thing
        if len(self.things) > self.size:
            del self.things[max(self.things)]
            self._largest = max(self.things)

    def merge(self, other: Sample[T], put_together: Callable[[T, T], T]) -> None:
        """Take in another sample of the same size; what both hold is put together."""
        largest = min(self._largest, other._largest)
        for key, thing in other.things.items():
            mine = self.things.get(key)
            self.things[key] = thing if mine is None else put_together(mine, thing)
        kept = sorted(key for key in self.things if key <= largest)[: self.size]
        if len(kept) < len(self.things) or largest < _SPACE:
            self.things = {key: self.things[key] for key in kept}
            self._largest = kept[-1] if len(kept) == self.size else largest

    @property
    def whole(self) -> bool:
        """Whether nothing was left out."""
        return self._largest == _SPACE

    @property
    def distinct(self) -> int:
        """How many different keys there were: exactly while the sample is whole, else an estimate."""
        if self.whole or not self.things:
            return len(self.things)
        return max(len(self.things), round((len(self.things) - 1) * _SPACE / self._largest))

    def __iter__(self) -> Iterator[T]:
        return iter(self.things.values())

    def __len__(self) -> int:
        return len(self.things)

    def __getstate__(self) -> tuple[int, dict[int, T], int]:
        return self.size, self.things, self._largest

    def __setstate__(self, state: tuple[int, dict[int, T], int]) -> None:
        self.size, self.things, self._largest = state
