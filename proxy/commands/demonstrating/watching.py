"""The proxy's records as they are written, each as one short line."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from proxy.commands.shown import shown
from proxy.visibility.record import MalformedRecord, Record, decode

_PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What is shown of a record. `server` is empty where no server was asked, `from_cache` where that did."""

    method: str
    target: str
    status: int
    outcome: str
    reason: str
    server: str

    @property
    def from_cache(self) -> bool:
        """Whether the content came from the cache."""
        return self.outcome in ("hit", "validated", "stale")


class Watch:
    """Reads what has been added to a log since it was last looked at."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._read = 0

    def news(self, wanted: int = 0) -> list[Seen]:
        """The records since then; waits a moment for `wanted` ones, as they are written a little later."""
        until = time.monotonic() + _PATIENCE
        found: list[Seen] = []
        while True:
            found += self._whole_lines()
            if len(found) >= wanted or time.monotonic() > until:
                return found
            time.sleep(0.02)

    def _whole_lines(self) -> list[Seen]:
        try:
            with open(self._log, "rb") as log:
                log.seek(self._read)
                data = log.read()
        except OSError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        return [one for line in whole.splitlines() if (one := _seen(line)) is not None]


def _seen(line: bytes) -> Seen | None:
    try:
        record = decode(line)
    except MalformedRecord:
        return None
    return seen_of(record)


def seen_of(record: Record) -> Seen | None:
    """What is shown of a record; None where nothing was asked."""
    request, decision = record.request, record.decision
    if request is None or decision is None:
        return None
    return Seen(
        shown(request.method),
        shown(request.target),
        record.response.status if record.response is not None else 0,
        str(decision.outcome),
        decision.reasons[0].slug if decision.reasons else "",
        (record.upstream.server or "") if record.upstream is not None else "",
    )


def line_of(one: Seen, names: Sequence[str], width: int = 28) -> str:
    """A short line; `names` are the servers in their order, and the replicas are counted from 1."""
    target = one.target if len(one.target) <= width else one.target[: width - 1] + "…"
    who = f"replica {names.index(one.server) + 1}" if one.server in names else ""
    if one.from_cache and one.outcome != "validated":
        who = "the cache"
    return f"{one.method:4} {target:{width}} {one.status or '---'} {who:10} {one.reason}".rstrip()
