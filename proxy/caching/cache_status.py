"""The Cache-Status field: how this cache handled a request (RFC 9211)."""

from __future__ import annotations

from functools import lru_cache

from proxy.caching.decision import Decision, Outcome
from proxy.caching.policy import Policy
from proxy.message import structured
from proxy.message.fields import Fields
from proxy.message.structured import Token

_MADE_HERE = frozenset((Outcome.REFUSED, Outcome.FAILED, Outcome.LOCAL))


def cache_status(decision: Decision, policy: Policy, key: bytes | None = None) -> bytes | None:
    """The List member that tells of `decision`; None where none is to be added.

    That is where the response was made here without a stored one (§2). `hit` stands alone where nothing went
    forward, `fwd` otherwise (§2.1, §2.2). `key` is shown where the policy says so (§2.7).
    """
    if decision.outcome in _MADE_HERE:
        return None
    went = _handled(
        policy.name,
        decision.forward,
        decision.forward_status,
        decision.ttl,
        decision.stored,
        decision.collapsed,
    )
    if policy.key_in_status and key is not None:
        went += b";key=" + structured.serialise(_printable(key))
    if decision.reasons:
        went += b";detail=" + decision.reasons[0].reason.slug.encode()
    return went


@lru_cache(maxsize=1024)
def _handled(
    name: str,
    forward: str | None,
    forward_status: int | None,
    ttl: int | None,
    stored: bool | None,
    collapsed: bool | None,
) -> bytes:
    pieces = [_identifier(name)]
    if forward is None:
        pieces.append(b"hit")
    else:
        pieces.append(b"fwd=" + forward.encode())
        pieces += _integer(b"fwd-status", forward_status)
    pieces += _integer(b"ttl", ttl)
    if forward is not None:
        pieces += _boolean(b"stored", stored)
        pieces += _boolean(b"collapsed", collapsed)
    return b";".join(pieces)


def with_cache_status(fields: Fields, decision: Decision, policy: Policy, key: bytes | None = None) -> Fields:
    """`fields` with this cache's member after those of the caches nearer to the origin, which stay (§2)."""
    member = cache_status(decision, policy, key)
    return fields if member is None else fields.adding((b"Cache-Status", member))


def _integer(name: bytes, value: int | None) -> list[bytes]:
    return [] if value is None else [b"%b=%d" % (name, value)]


def _boolean(name: bytes, value: bool | None) -> list[bytes]:
    return [] if value is None else [name if value else name + b"=?0"]


@lru_cache(maxsize=16)
def _identifier(name: str) -> bytes:
    """A Token where the name can be one, else a String (§2)."""
    try:
        return structured.serialise(Token(name))
    except ValueError:
        return structured.serialise(_printable(name.encode()))


def _printable(value: bytes) -> str:
    """What a String can hold: other bytes are percent-encoded."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F and byte != 0x25 else f"%{byte:02X}" for byte in value)
