"""The Cache-Status field: how this cache handled a request (RFC 9211)."""

from __future__ import annotations

from proxy.caching.decision import Decision, Outcome
from proxy.caching.policy import Policy
from proxy.message import structured
from proxy.message.fields import Fields
from proxy.message.structured import BareItem, Token

_MADE_HERE = frozenset((Outcome.REFUSED, Outcome.FAILED, Outcome.LOCAL))


def cache_status(decision: Decision, policy: Policy, key: bytes | None = None) -> bytes | None:
    """The List member that tells of `decision`; None where none is to be added.

    That is where the response was made here without a stored one (§2). `hit` stands alone where nothing went
    forward, `fwd` otherwise (§2.1, §2.2). `key` is shown where the policy says so (§2.7).
    """
    if decision.outcome in _MADE_HERE:
        return None
    parameters: dict[str, BareItem] = {}
    if decision.forward is None:
        parameters["hit"] = True
    else:
        parameters["fwd"] = Token(decision.forward)
        _put(parameters, "fwd-status", decision.forward_status)
    _put(parameters, "ttl", decision.ttl)
    if decision.forward is not None:
        _put(parameters, "stored", decision.stored)
        _put(parameters, "collapsed", decision.collapsed)
    if policy.key_in_status and key is not None:
        parameters["key"] = _printable(key)
    if decision.reasons:
        parameters["detail"] = Token(decision.reasons[0].reason.slug)
    return structured.serialise([(_identifier(policy.name), parameters)])


def with_cache_status(fields: Fields, decision: Decision, policy: Policy, key: bytes | None = None) -> Fields:
    """`fields` with this cache's member after those of the caches nearer to the origin, which stay (§2)."""
    member = cache_status(decision, policy, key)
    return fields if member is None else fields.adding((b"Cache-Status", member))


def _put(parameters: dict[str, BareItem], name: str, value: BareItem | None) -> None:
    if value is not None:
        parameters[name] = value


def _identifier(name: str) -> BareItem:
    """A Token where the name can be one, else a String (§2)."""
    try:
        structured.serialise([(Token(name), {})])
    except ValueError:
        return _printable(name.encode())
    return Token(name)


def _printable(value: bytes) -> str:
    """What a String can hold: other bytes are percent-encoded."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F and byte != 0x25 else f"%{byte:02X}" for byte in value)
