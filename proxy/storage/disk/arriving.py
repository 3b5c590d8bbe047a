"""What the thread that writes does for a content on its way: its file, and its place in the map."""

from __future__ import annotations

import secrets

from proxy.caching.stored import StoredResponse
from proxy.storage.disk.body import Spool
from proxy.storage.disk.change import Change
from proxy.storage.disk.keeping import Arrived, keep, release, reserve
from proxy.storage.disk.mapped import Mapped
from proxy.storage.disk.record import Record
from proxy.storage.disk.writer import DiskWriter

_BITS = 62


def spool(mapped: Mapped, writer: DiskWriter, data: bytes, more: int) -> bool:
    """Write the next bytes, where `more` bytes are set aside for them first; whether it was done."""
    if writer.failed:
        return False
    file = writer.spool.file if writer.spool else secrets.randbits(_BITS) + 1
    try:
        if more and not mapped.change(lambda change: reserve(change, file, more)):
            writer.failed = True
            return False
        if writer.spool is None:
            writer.spool = Spool(writer.tables.path_of(file), file)
        writer.spool.append(data)
    except OSError:
        writer.failed = True
        mapped.change(lambda change: release(change, file))
        raise
    writer.pieces.spool = writer.spool
    return True


def discard(mapped: Mapped, writer: DiskWriter) -> None:
    """Take away what was written of a content that isn't kept."""
    spooled, writer.spool = writer.spool, None
    if spooled is not None:
        spooled.discard()
        mapped.change(lambda change: release(change, spooled.file))


def place(
    change: Change,
    writer: DiskWriter,
    stored: StoredResponse,
    digest: str,
    expires: float | None,
    variants: int,
) -> Record | None:
    """Put what a writer took into the map; None where that can't be. Raises lmdb.Error."""
    if change.tables is not writer.tables or writer.failed or (writer.large and writer.spool is None):
        return None
    file, sums = (writer.spool.file, writer.spool.sums()) if writer.spool else (0, b"")
    arrived = Arrived(
        writer.key,
        writer.labels,
        writer.replaces,
        writer.begun,
        stored,
        digest,
        expires,
        b"".join(writer.held),
        file,
        sums,
    )
    return keep(change, arrived, variants)
