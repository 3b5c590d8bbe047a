"""What can be wrong with what is kept on disk."""

from __future__ import annotations

from proxy.message.errors import PellucidError


class Damaged(PellucidError):  # noqa: N818 - it says what the thing is
    """Bytes on disk that are not what was written there. The answer that they were part of breaks off."""

    status = 502
