"""What single messages fail to say of themselves, gathered over the traffic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from proxy.visibility.inspecting.report import Finding
from proxy.visibility.inspecting.whereabouts import Found
from proxy.visibility.observation import Held


def noticed(endpoints: Sequence[Found], held: Held) -> Iterator[Finding]:
    """The findings about the exchanges that were kept, each with how many of all show it."""
    yield from ()
