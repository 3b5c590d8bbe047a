"""Which answers are kept on disk: none that tells of a credential, holds for other targets, or soon ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.server.lane import lane
from tests.server.lane.test_recalled_law import OverDisk
from tests.server.lane.twin import Clock


def asking(target: bytes, *lines: bytes) -> bytes:
    return b"\r\n".join([b"GET %b HTTP/1.1" % target, b"Host: a", *lines, b"", b""])


def kept(twin: OverDisk) -> int:
    """How many answers there are in the map."""
    tables = twin.disk._mapped.tables
    assert tables is not None
    with tables.env.begin() as txn:
        return int(txn.stat(tables.answers)["entries"])


@pytest.fixture(autouse=True)
def meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    """What all answers here have in common, whoever changes the sources meanwhile."""
    monkeypatch.setattr(lane, "fingerprint", lambda *_: b"1" * 32)


@pytest.mark.parametrize(
    ("requests", "count"),
    [
        ([asking(b"/etag")] * 4, 1),
        ([asking(b"/etag", b"Cookie: a=b")] * 4, 1),
        ([asking(b"/vary", b"Accept-Language: de")] * 4, 2),
        ([asking(b"/cookie", b"Cookie: a=b")] * 4, 0),
        ([asking(b"/user", b"Authorization: Basic YTpi")] * 4, 0),
        ([asking(b"/moved")] * 4, 0),
        ([asking(b"/search?utm=1"), *[asking(b"/search?utm=2")] * 4], 0),
        ([asking(b"/short")] * 4, 0),
    ],
    ids=["plain", "a cookie", "a variant", "vary by cookie", "authorized", "a token", "wider", "short"],
)
async def test_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, requests: list[bytes], count: int
) -> None:
    clock = Clock()
    clock.everywhere(monkeypatch)
    twin = OverDisk(tmp_path, clock, lane=True, memory=0)
    connection, _ = twin.connect()
    for request in requests:
        await twin.give(connection, request)
        await twin.quiet()
    assert kept(twin) == count
    await twin.close()


@pytest.mark.parametrize(("another", "hits"), [(b"1", 1), (b"2", 0)], ids=["as before", "otherwise"])
async def test_who_is_set_otherwise_does_not_find_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, another: bytes, hits: int
) -> None:
    clock = Clock()
    clock.everywhere(monkeypatch)
    twin = OverDisk(tmp_path, clock, lane=True, memory=0)
    connection, _ = twin.connect()
    for _ in range(3):
        await twin.give(connection, asking(b"/etag"))
        await twin.quiet()
    monkeypatch.setattr(lane, "fingerprint", lambda *_: another * 32)
    twin = await twin.restarted()
    twin.records()
    before = twin.hits
    connection, _ = twin.connect()
    await twin.give(connection, asking(b"/etag"))
    await twin.quiet()
    twin.records()
    assert twin.hits - before == hits
    await twin.close()
