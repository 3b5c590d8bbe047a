"""Compressed logs, whole and damaged."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.visibility.reading import Reading, open_source
from proxy.visibility.reading.opening import CHUNK
from tests.visibility.reading.conftest import Read

if sys.version_info >= (3, 14):
    from compression.zstd import compress as zstd_compress
else:
    from backports.zstd import compress as zstd_compress

LINE = b'192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] "GET /%d HTTP/1.1" 200 6 "-" "curl/7.88.1"\n'
LOG = b"".join(LINE % number for number in range(5000))

Compress = Callable[[bytes], bytes]
COMPRESSIONS = pytest.mark.parametrize(
    ("compress", "name"),
    [(gzip.compress, "gzip"), (zstd_compress, "Zstandard"), (bz2.compress, "bzip2"), (lzma.compress, "xz")],
)


@COMPRESSIONS
def test_compressed_logs_are_recognized(read: Read, compress: Compress, name: str) -> None:
    log = read(compress(LOG))
    assert (len(log.observations), log.left_out, log.lines) == (5000, 0, 5000)
    assert log.done == len(compress(LOG))


@COMPRESSIONS
def test_members_that_follow_each_other_are_one_log(read: Read, compress: Compress, name: str) -> None:
    log = read(compress(LOG[:1000]) + compress(LOG[1000:]))
    assert (len(log.observations), log.left_out) == (5000, 0)


@COMPRESSIONS
def test_what_is_cut_short_is_read_as_far_as_it_goes(read: Read, compress: Compress, name: str) -> None:
    data = compress(b"".join(bytes(LINE % (number * 7919 % 100003)) for number in range(14000)))
    log = read(data[: len(data) * 3 // 4])
    assert log.faults[-1].why == "the compressed data end too early"
    assert len(log.observations) > 1000


@COMPRESSIONS
def test_damage_is_said(read: Read, compress: Compress, name: str) -> None:
    data = bytearray(compress(LOG))
    data[len(data) // 2 : len(data) // 2 + 20] = b"\xff" * 20
    log = read(bytes(data))
    assert f"the {name} data are damaged" in {fault.why for fault in log.faults} or log.left_out > 0


def test_padding_after_the_end_is_ignored(read: Read) -> None:
    log = read(gzip.compress(LOG) + b"\0" * 512)
    assert (len(log.observations), log.left_out) == (5000, 0)


@pytest.mark.parametrize("compress", [gzip.compress, zstd_compress])
def test_a_bomb_takes_no_memory(tmp_path: Path, compress: Compress) -> None:
    bomb = tmp_path / "bomb"
    bomb.write_bytes(compress(bytes(24 << 20) + b"x" * (24 << 20)))
    tracemalloc.start()
    try:
        with open_source(str(bomb), Reading()) as source:
            (batch,) = source.batches()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert batch.faults[0].why == "it is longer than 1 MiB"
    assert peak < 36 * CHUNK


def test_compressed_logs_are_read_by_one_process(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(LOG))
    with open_source(str(path), Reading()) as source:
        assert source.spans(2) == []
        assert source.format == "combined"
