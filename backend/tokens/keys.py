"""The keys that replicas share: the first one writes, the others still read what older ones wrote."""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path

from backend.problems import ShopError

SHORTEST = 8
"""How many characters a secret has at least."""


class BadKeys(ShopError):  # noqa: N818 - what is wrong is in its message
    """The keys can't be used; the message is one line, without any of them."""


class KeyRing:
    """Secrets as given, then those of a file, one a line; one of its own making where there are none.

    Raises BadKeys.
    """

    def __init__(self, given: tuple[str, ...] = (), file: str = "") -> None:
        self._given = given
        self._file = file
        self.shared = bool(given or file)
        self.secrets: tuple[str, ...] = ()
        self.reload()

    def reload(self) -> None:
        """Reads the file again: keys are changed by putting a new one before the old, on every replica.

        A replica that doesn't know the new key yet can't read what another one has written with it. So each
        new key comes last first, and in front once all have it. Raises BadKeys and keeps the keys it had.
        """
        found = (*self._given, *(_read(self._file) if self._file else ()))
        for secret in found:
            if len(secret) < SHORTEST:
                raise BadKeys(f"a secret has at least {SHORTEST} characters")
        self.secrets = found or self.secrets or (secrets.token_urlsafe(32),)


def derived(secret: str, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose only."""
    return hmac.digest(secret.encode("utf-8", "surrogatepass"), purpose.encode(), "sha256")


def key_id(secret: str) -> str:
    """What names the key in a token's header; it tells nothing of the key."""
    return urlsafe_b64encode(derived(secret, "which key this is")[:6]).decode()


def _read(file: str) -> tuple[str, ...]:
    try:
        text = Path(file).read_text()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it isn't text"
        raise BadKeys(f"can't read keys from {file}: {reason}") from error
    lines = (line.strip() for line in text.splitlines())
    found = tuple(line for line in lines if line and not line.startswith("#"))
    if not found:
        raise BadKeys(f"no keys are in {file}")
    return found
