"""What proxies tell each other through Valkey."""

from __future__ import annotations

import msgspec

from proxy.storage.selection import Selection


class Changed(msgspec.Struct, array_like=True, tag=0, frozen=True):
    """`origin` has replaced, freshened or removed something under `key`."""

    origin: bytes
    key: bytes


class Purged(msgspec.Struct, array_like=True, tag=1, frozen=True):
    """`origin` has invalidated or purged what is `wanted`, at the time `soft` softly.

    Where it is told more than once, `token` is the same each time.
    """

    origin: bytes
    token: int
    wanted: Selection
    soft: float | None


class Released(msgspec.Struct, array_like=True, tag=2, frozen=True):
    """The claim to the way with this digest is over; `shared`: what came of it was for others."""

    origin: bytes
    way: bytes
    shared: bool


Message = Changed | Purged | Released

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


def encode(message: Message) -> bytes:
    """The message as bytes."""
    return _encoder.encode(message)


def decode(block: bytes) -> Message | None:
    """The message in a block that `encode` made; None where it's none that is known here."""
    try:
        return _decoder.decode(block)
    except (msgspec.DecodeError, ValueError):
        return None
