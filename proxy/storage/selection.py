"""Which stored responses are meant: by key, by label, by the beginning of their URI, by a pattern, or all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any

import re2
from msgspec import Struct

from proxy.message.errors import PellucidError

LONGEST_PATTERN = 4096
"""Bytes of a pattern, at most."""

_MEMORY = 8 << 20


class BadPattern(PellucidError, ValueError):  # noqa: N818 - as the other refusals are called
    """A pattern that can't be searched for: `pattern` as it was given, and why, in a few words."""

    status = 400

    def __init__(self, pattern: bytes, why: str) -> None:
        self.pattern = pattern
        super().__init__(f"the pattern {pattern[:80].decode('latin-1')!r} can't be used: {why}")


class Selection(Struct, frozen=True, dict=True):
    """What is meant by any of these: `keys` and `labels` as they are stored, the rest by the target URI.

    `prefixes` are beginnings of the target URI, `patterns` regular expressions that are searched in it, in
    RE2's syntax: the time for it grows with the length of the URI and never faster, whatever the pattern, as
    there are no references back and no looking around. Raises `BadPattern`.
    """

    keys: tuple[bytes, ...] = ()
    labels: tuple[bytes, ...] = ()
    prefixes: tuple[bytes, ...] = ()
    patterns: tuple[bytes, ...] = ()
    everything: bool = False

    def __post_init__(self) -> None:
        for pattern in self.patterns:
            _compiled(pattern)

    @property
    def direct(self) -> bool:
        """Whether keys and labels say it all, so that nothing has to be gone through."""
        return not (self.prefixes or self.patterns or self.everything)

    def meant(self, key: bytes, labels: Sequence[bytes]) -> bool:
        """Whether an entry under `key` that carries `labels` is among those."""
        if self.everything or key in self._keys or any(label in self._labels for label in labels):
            return True
        uri = key.partition(b" ")[2].partition(b"\n")[0]
        return uri.startswith(self.prefixes) or any(one.search(uri) for one in self._searched)

    @cached_property
    def _keys(self) -> frozenset[bytes]:
        return frozenset(self.keys)

    @cached_property
    def _labels(self) -> frozenset[bytes]:
        return frozenset(self.labels)

    @cached_property
    def _searched(self) -> list[Any]:
        return [_compiled(pattern) for pattern in self.patterns]


@lru_cache(maxsize=64)
def _compiled(pattern: bytes) -> Any:
    if len(pattern) > LONGEST_PATTERN:
        raise BadPattern(pattern, f"it is longer than {LONGEST_PATTERN} bytes")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    options.encoding = re2.Options.Encoding.LATIN1
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        why = error.args[0] if error.args else "it is not well-formed"
        raise BadPattern(pattern, why.decode("latin-1") if isinstance(why, bytes) else str(why)) from None
