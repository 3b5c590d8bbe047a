"""What `pellucid purge` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from proxy.commands.purging.sending import Done
from proxy.commands.shown import shown
from proxy.engine.purging import Answer
from proxy.visibility.record import escape

FORMAT = "pellucid/purge-1"

_MOST_LISTED = 20


class Purged(msgspec.Struct):
    """All of it: what each proxy did, and what none of them had."""

    format: str
    soft: bool
    dry: bool
    missing: list[str]
    proxies: list[Done]


def missing(done: Sequence[Done]) -> list[str]:
    """What was there at none of the proxies that were asked."""
    answers = [one.answer for one in done if one.answer is not None]
    if not answers:
        return []
    return [named for named in answers[0].missing if all(named in other.missing for other in answers[1:])]


def as_json(done: Sequence[Done], *, soft: bool, dry: bool) -> str:
    """One JSON object, indented, with the end of the line."""
    told = Purged(FORMAT, soft, dry, missing(done), list(done))
    return escape(msgspec.json.format(msgspec.json.encode(told), indent=2)).decode() + "\n"


def as_text(done: Sequence[Done]) -> str:
    """A line or more for each proxy, and what was nowhere."""
    lines = [line for one in done if one.answer is not None for line in _proxy(one.admin, one.answer)]
    nowhere = missing(done)
    if nowhere:
        lines.append("not there:")
        lines += _few([f"  {shown(named)}" for named in nowhere])
    return "".join(f"{line}\n" for line in lines)


def _proxy(admin: str, answer: Answer) -> Iterator[str]:
    did = "would be " if answer.dry else ""
    did += "made stale" if answer.soft else "removed"
    yield f"{admin}  {did}: {_counted(answer.entries)}"
    if len(answer.items) > 1:
        found = [(f"{item.kind} {item.value}", item.entries) for item in answer.items if item.found]
        yield from _few([f"  {shown(named)}: {_counted(entries)}" for named, entries in found])


def _counted(entries: Mapping[str, int]) -> str:
    """`3 in memory, 17 on disk`; one that is in several tiers counts in each."""
    where = {"memory": "in memory", "disk": "on disk", "valkey": "in Valkey"}
    counted = [f"{count:,} {where.get(tier, tier)}" for tier, count in entries.items()]
    return ", ".join(counted) or "nothing"


def _few(lines: list[str]) -> list[str]:
    if len(lines) <= _MOST_LISTED:
        return lines
    return [*lines[:_MOST_LISTED], f"  and {len(lines) - _MOST_LISTED:,} more"]
