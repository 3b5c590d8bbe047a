"""Cookies of Rails and Rack, which end in `--` and a signature, or have three parts and are encrypted."""

from __future__ import annotations

from typing import Any

from proxy.visibility.sessions.decoding import base64, json, moment
from proxy.visibility.sessions.form import Form, holding
from proxy.visibility.sessions.formats.signatures import is_hex_signature, opaque

_NONCE, _TAG = 12, 16
_MARSHALED = b"\x04\x08"


def rails(value: bytes) -> Form | None:
    """`data--signature`, or `data--nonce--tag` where AES-GCM has encrypted it."""
    head, dashes, last = value.rpartition(b"--")
    if not dashes:
        return None
    data, dashes, nonce = head.rpartition(b"--")
    if dashes and len(base64(nonce) or b"") == _NONCE and len(base64(last) or b"") == _TAG:
        return Form("rails-encrypted") if base64(data) else None
    if not is_hex_signature(last):
        return None
    message = base64(head.rstrip(b"-"))  # Mojolicious, which does as Rack did, pads with hyphens
    return None if message is None else _signed(message)


def _signed(message: bytes) -> Form | None:
    inner, dashes, nonce = message.rpartition(b"--")
    if dashes and base64(inner) and len(base64(nonce) or b"") in (_NONCE, 16):
        return Form("rails-encrypted")  # AES-CBC, as until Rails 5.1
    if message.startswith(_MARSHALED):
        return Form("rails-signed")
    found = json(message)
    envelope = found.get("_rails") if isinstance(found, dict) else None
    expires = None
    if isinstance(envelope, dict):
        found, expires = _message(envelope), moment(envelope.get("exp"))
    if isinstance(found, str) and opaque(found.encode("utf-8", "replace")):
        return Form("signed-key", expires=expires)
    if isinstance(envelope, dict):
        return holding("rails-signed", found, expires=expires)
    return Form("rails-signed") if found is None and not message.isascii() else holding("rails-signed", found)


def _message(envelope: dict[str, Any]) -> object:
    """What an envelope with a purpose holds: as it is, or once more in Base64."""
    if "data" in envelope:
        return envelope["data"]
    message = envelope.get("message")
    return json(base64(message.encode("utf-8", "replace"))) if isinstance(message, str) else None
