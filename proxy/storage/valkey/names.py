"""Under which names things are kept in Valkey: by shards, each of them in one slot of a Cluster."""

from __future__ import annotations

from hashlib import blake2b

FORMAT = 1
"""Of all that is kept; entries of another format have other names and are not seen at all."""

SHARDS = 128
"""All that belongs to a key or a label is in one of so many shards, and a shard in one slot."""

_DIGEST = 16


def digest(name: bytes) -> bytes:
    """What stands for a key, a label or a way, whatever its length."""
    return blake2b(name, digest_size=_DIGEST).digest()


def shard_of(digest_: bytes) -> int:
    """The shard of what has this digest."""
    return digest_[0] % SHARDS


def digest_of(member: bytes) -> bytes:
    """The digest of the key that a label's member belongs to."""
    return member[:_DIGEST]


def id_of(member: bytes) -> bytes:
    """The id of the entry that a label's member is."""
    return member[_DIGEST:]


class Names:
    """The names of one namespace in one database; several namespaces share a server without meeting."""

    __slots__ = ("_channels", "_clocks", "_prefix", "_shards", "scan")

    def __init__(self, namespace: str, db: int = 0) -> None:
        self._prefix = f"pellucid:{FORMAT}:{namespace}:".encode()
        self._clocks = [b"%sc{%02x}" % (self._prefix, shard) for shard in range(SHARDS)]
        # Messages know no databases.
        self._channels = [b"%sf%d{%02x}" % (self._prefix, db, shard) for shard in range(SHARDS)]
        self._shards = {channel: shard for shard, channel in enumerate(self._channels)}
        self.scan = self._prefix + b"k{??}*"

    def clock(self, shard: int) -> bytes:
        """A shard's sequence number, and what it says of the shard as a whole."""
        return self._clocks[shard]

    def channel(self, shard: int) -> bytes:
        """Where a shard's changes are told."""
        return self._channels[shard]

    def shard(self, channel: bytes) -> int | None:
        """The shard whose changes are told in `channel`."""
        return self._shards.get(channel)

    def index(self, key: bytes) -> bytes:
        """The entries under the key with this digest."""
        return b"%sk{%02x}%s" % (self._prefix, key[0] % SHARDS, key)

    def indexed(self, name: bytes) -> bytes:
        """The digest in the name of an index."""
        return name[len(self._prefix) + 5 :]

    def body(self, key: bytes, id_: bytes) -> bytes:
        """The pieces of one entry's content, but the first."""
        return b"%sb{%02x}%s%s" % (self._prefix, key[0] % SHARDS, key, id_)

    def label(self, label: bytes) -> bytes:
        """What is known of the label with this digest."""
        return b"%sl{%02x}%s" % (self._prefix, label[0] % SHARDS, label)

    def members(self, label: bytes) -> bytes:
        """The entries that carry it, in the order in which they came."""
        return b"%sm{%02x}%s" % (self._prefix, label[0] % SHARDS, label)

    def claim(self, way: bytes) -> bytes:
        """Who has claimed the way with this digest."""
        return b"%sw{%02x}%s" % (self._prefix, way[0] % SHARDS, way)
