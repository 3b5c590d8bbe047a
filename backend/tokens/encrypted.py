"""Encrypted: nobody but the replicas can read or change it (JWE, RFC 7516: `dir`, A256GCM)."""

from __future__ import annotations

from typing import Any

import msgspec
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from backend.tokens.contract import BadToken, Seal
from backend.tokens.keys import KeyRing, derived, key_id

ALGORITHMS = ["dir", "A256GCM"]
"""Nothing else is read; compression (`zip`) least of all."""


class Encrypted(Seal):
    """The header names the key (`kid`). `purpose` keeps other shops' tokens out."""

    def __init__(self, keys: KeyRing, purpose: str) -> None:
        self._keys = keys
        self._purpose = purpose
        self._made_with: tuple[str, ...] = ()
        self._by_id: dict[str, OctKey] = {}

    def write(self, claims: dict[str, Any]) -> str:
        name, key = next(iter(self._known().items()))
        header = {"alg": "dir", "enc": "A256GCM", "kid": name}
        return jwe.encrypt_compact(header, msgspec.json.encode(claims), key, algorithms=ALGORITHMS)

    def read(self, token: str) -> Any:
        try:
            found = jwe.decrypt_compact(token, self._named, algorithms=ALGORITHMS)
            if found.plaintext is None:
                raise BadToken("it holds nothing")
            return msgspec.json.decode(found.plaintext)
        except (JoseError, msgspec.DecodeError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise BadToken(str(error)) from error

    def _named(self, token: Any) -> OctKey:
        header = token.headers()
        if header.get("alg") != "dir" or header.get("enc") != "A256GCM" or "zip" in header:
            raise BadToken("it is encrypted in another way")
        return self._known()[str(header.get("kid"))]

    def _known(self) -> dict[str, OctKey]:
        if self._made_with != self._keys.secrets:
            self._made_with = self._keys.secrets
            self._by_id = {
                key_id(secret): OctKey.import_key(derived(secret, self._purpose))
                for secret in self._made_with
            }
        return self._by_id
