"""Whether a message may be sent to another server: what it says of itself decides (RFC 9110 §9.2.2)."""

from __future__ import annotations

from proxy.message.request import Request
from proxy.upstream.fleet.repeating import Repeatable, by_method

_CARRIERS = (b"cookie", b"authorization")


def repeatable(request: Request) -> Repeatable:
    """Whether `request` means the same when it is sent twice, and what another server may lack for it.

    A request says by its method that it is idempotent, or brings a key by which a server knows it again (the
    `Idempotency-Key` field of the IETF's HTTPAPI working group). Where it carries the key to a session, what
    it means may be known to one server only: it is sent all the same, as others may share the session.
    """
    said = by_method(request)
    if not said.may and request.fields.get(b"idempotency-key"):
        name = request.method.decode("latin-1")
        said = Repeatable(True, f"{name} carries an Idempotency-Key")
    return Repeatable(True, said.why, _doubt(request)) if said.may else said


def _doubt(request: Request) -> str:
    """What of the request's meaning servers may hold: the credentials that are keys to sessions, by name."""
    from proxy.visibility.sessions.carried import in_field  # only where a server has failed
    from proxy.visibility.sessions.classify import classify
    from proxy.visibility.sessions.kinds import Kind

    keys = []
    for carrier in _CARRIERS:
        for value in request.fields.all(carrier):
            for one in in_field(carrier.decode(), value.decode("latin-1")):
                verdict = classify(one.name, one.value.encode("latin-1"), one.where, scheme=one.scheme)
                if verdict.kind is Kind.SERVER_HELD:
                    keys.append(f"{one.where} {one.name}")
    if not keys:
        return ""
    return f"what its {', '.join(dict.fromkeys(keys))} means one server alone may know"
