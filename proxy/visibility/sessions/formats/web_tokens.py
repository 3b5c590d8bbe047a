"""JSON Web Tokens, signed or encrypted, and PASETO."""

from __future__ import annotations

import re

from proxy.visibility.sessions.decoding import base64, json, moment, structure
from proxy.visibility.sessions.form import Form, holding

_PASETO = re.compile(rb"v([1-4])\.(local|public)\.([A-Za-z0-9_-]{22,})(?:\.[A-Za-z0-9_-]+)?")
_PASETO_SIGNATURES = {b"1": 256, b"2": 64, b"3": 96, b"4": 64}
_SHORTEST_SIGNATURE = 16


def jose(value: bytes) -> Form | None:
    """A JWS in three parts (RFC 7515 §3.1) or a JWE in five (RFC 7516 §3.1)."""
    if not 2 <= value.count(b".") <= 4:
        return None
    parts = value.split(b".")
    header = structure(base64(parts[0]))
    if not isinstance(header, dict) or not isinstance(header.get("alg"), str):
        return None
    if len(parts) == 5:
        encrypted = isinstance(header.get("enc"), str) and all(map(base64, parts[2:]))
        return Form("jwe", moment(header.get("iat")), moment(header.get("exp"))) if encrypted else None
    return _signed(header["alg"], parts[1], parts[2]) if len(parts) == 3 else None


def _signed(algorithm: str, payload: bytes, signature: bytes) -> Form | None:
    claims = base64(payload)
    if claims is None:
        return None
    if algorithm.lower() == "none":
        name = "jwt-unsigned"
    elif len(base64(signature) or b"") >= _SHORTEST_SIGNATURE:
        name = "jwt"
    else:
        return None
    found = structure(claims)
    if not isinstance(found, dict):
        return Form(name)
    return holding(name, found, moment(found.get("iat", found.get("nbf"))), moment(found.get("exp")))


def paseto(value: bytes) -> Form | None:
    """A PASETO of any version; the claims of a public one can be read."""
    found = _PASETO.fullmatch(value)
    if found is None:
        return None
    if found[2] == b"local":
        return Form("paseto-local")
    claims = json((base64(found[3]) or b"")[: -_PASETO_SIGNATURES[found[1]]])
    if not isinstance(claims, dict):
        return Form("paseto-public")
    return holding("paseto-public", claims, moment(claims.get("iat")), moment(claims.get("exp")))
