"""What was counted by workers that are no more, kept where it outlives whoever gathers it, too."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from typing import Any
from zlib import crc32

import msgspec

from proxy.server.admin.figures import Figures, Told

_HEADER = 8

_COUNTS = ("evicted", "expired")


class Keepsake:
    """A file without a name, to be made before the processes are forked."""

    def __init__(self) -> None:
        with tempfile.TemporaryFile() as unnamed:
            self._file = os.dup(unnamed.fileno())

    def write(self, data: bytes) -> None:
        """Keep this instead of what was kept before."""
        os.pwrite(self._file, len(data).to_bytes(4, "big") + crc32(data).to_bytes(4, "big") + data, 0)

    def read(self) -> bytes | None:
        """What was kept last; None where that is nothing, or was cut off by a kill."""
        header = os.pread(self._file, _HEADER, 0)
        data = os.pread(self._file, int.from_bytes(header[:4], "big"), _HEADER)
        return data if data and crc32(data) == int.from_bytes(header[4:], "big") else None

    def close(self) -> None:
        os.close(self._file)


class _Kept(msgspec.Struct):
    figures: Told
    lost: int
    cpu: float
    counts: dict[str, int]


class Past:
    """The totals of the workers that have ended: counters never go back when one is replaced."""

    def __init__(self, keepsake: Keepsake) -> None:
        self.figures = Figures(0.0)
        self.lost = 0
        self.cpu = 0.0
        self.counts = dict.fromkeys(_COUNTS, 0)
        self._keepsake = keepsake
        data = keepsake.read()
        if data is not None:
            kept = msgspec.msgpack.decode(data, type=_Kept)
            self.figures.add_told(kept.figures)
            self.lost, self.cpu, self.counts = kept.lost, kept.cpu, kept.counts

    def add(self, totals: Mapping[str, Any], now: float) -> None:
        """A worker has ended that had told these totals last."""
        self.figures.add_told(msgspec.convert(totals["figures"], Told))
        self.lost += totals["lost"]
        self.cpu += totals["process"]["cpu"]
        if not totals["storage"].get("tiers"):
            for name in _COUNTS:
                self.counts[name] += totals["storage"][name]
        kept = _Kept(self.figures.told(now), self.lost, self.cpu, self.counts)
        self._keepsake.write(msgspec.msgpack.encode(kept))
