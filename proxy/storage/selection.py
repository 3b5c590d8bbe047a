"""Which stored responses are meant: by key, by label, by the beginning of their URI, by a pattern, or all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from msgspec import Struct


class Selection(Struct, frozen=True, dict=True):
    """What is meant by any of these: `keys` and `labels` as they are stored, the rest by the target URI.

    `prefixes` are beginnings of the target URI, `patterns` regular expressions that are searched in it.
    """

    keys: tuple[bytes, ...] = ()
    labels: tuple[bytes, ...] = ()
    prefixes: tuple[bytes, ...] = ()
    patterns: tuple[bytes, ...] = ()
    everything: bool = False

    @property
    def direct(self) -> bool:
        """Whether keys and labels say it all, so that nothing has to be gone through."""
        return not (self.prefixes or self.patterns or self.everything)

    def meant(self, key: bytes, labels: Sequence[bytes]) -> bool:
        """Whether an entry under `key` that carries `labels` is among those."""
        if self.everything or key in self.keys or any(label in self.labels for label in labels):
            return True
        uri = key.partition(b" ")[2].partition(b"\n")[0]
        return uri.startswith(self.prefixes) or any(one.search(uri) for one in self._compiled)

    @cached_property
    def _compiled(self) -> list[re.Pattern[bytes]]:
        return [re.compile(pattern) for pattern in self.patterns]
