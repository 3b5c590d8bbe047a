"""Signed: anybody may read it, nobody can change it unnoticed (HMAC-SHA-256 by itsdangerous)."""

from __future__ import annotations

import hashlib
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from backend.tokens.contract import BadToken, Seal
from backend.tokens.keys import KeyRing


class Signed(Seal):
    """Each key is tried in turn: the format names none. `purpose` keeps other shops' tokens out."""

    def __init__(self, keys: KeyRing, purpose: str) -> None:
        self._keys = keys
        self._purpose = purpose
        self._made_with: tuple[str, ...] = ()
        self._made: URLSafeSerializer | None = None

    def write(self, claims: dict[str, Any]) -> str:
        token = self._serializer().dumps(claims)
        return token if isinstance(token, str) else token.decode("ascii")

    def read(self, token: str) -> Any:
        try:
            return self._serializer().loads(token)
        except BadData as error:
            raise BadToken(str(error)) from error

    def _serializer(self) -> URLSafeSerializer:
        if self._made is None or self._made_with != self._keys.secrets:
            self._made_with = self._keys.secrets
            self._made = URLSafeSerializer(
                list(reversed(self._made_with)),
                salt=self._purpose,
                signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
            )
        return self._made
