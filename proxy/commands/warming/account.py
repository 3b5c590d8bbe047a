"""The account of a warming: what was asked for, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from proxy.commands.shown import shown
from proxy.message import structured
from proxy.visibility.record import escape

FORMAT = "pellucid/warm-1"

UNKNOWN = "no Cache-Status: is that a cache?"

_MOST_LISTED = 10


class Account(msgspec.Struct):
    """All of it. `waited` is how long the proxy or the origin had us wait, of the `seconds` in all.

    `hits` had been stored before, `freshened` were so too and found to be good by the origin, `stored` are
    from now on. `not_stored` counts by the main reason, `failed` by status code or in a few words, and
    `left_out` what was not asked for at all.
    """

    format: str
    through: str
    asked: int = 0
    hits: int = 0
    freshened: int = 0
    stored: int = 0
    not_stored: dict[str, int] = {}
    failed: dict[str, int] = {}
    left_out: dict[str, int] = {}
    content_bytes: int = 0
    seconds: float = 0.0
    waited: float = 0.0
    interrupted: bool = False

    def note(self, status: int, cache_status: Sequence[bytes], size: int) -> None:
        """A response has come, with `size` bytes of content."""
        self.asked += 1
        self.content_bytes += size
        if status >= 400:
            self._count(self.failed, str(status))
            return
        said = what_became(cache_status)
        match said:
            case "hit":
                self.hits += 1
            case "freshened":
                self.freshened += 1
            case "stored":
                self.stored += 1
            case _:
                self._count(self.not_stored, said)

    def fail(self, why: str) -> None:
        """No response has come, or not all of one."""
        self.asked += 1
        self._count(self.failed, why)

    def _count(self, among: dict[str, int], why: str) -> None:
        among[why] = among.get(why, 0) + 1


def what_became(values: Sequence[bytes]) -> str:
    """`hit`, `freshened` or `stored`, as the nearest cache says it (RFC 9211 §2); else why it is not."""
    members = structured.parse_list(values) if values else None
    if not members:
        return UNKNOWN
    said = members[-1][1]
    if said.get("hit") is True:
        return "hit"
    if said.get("stored") is True:
        return "stored"
    if said.get("fwd-status") == 304:
        return "freshened"
    return str(said.get("detail", said.get("fwd", "not said")))


def as_json(account: Account) -> str:
    """One JSON object, indented, with the end of the line."""
    return escape(msgspec.json.format(msgspec.json.encode(account), indent=2)).decode() + "\n"


def as_text(account: Account) -> str:
    """The account for a person."""
    lines = [
        f"Asked {account.through} for {account.asked:,} responses, {_size(account.content_bytes)} "
        f"in {account.seconds:,.1f} s"
        + (f", {account.waited:,.1f} s of that as told" * (account.waited > 0)),
        f"  hits already    {account.hits:>9,}",
        f"  stored          {account.stored:>9,}",
    ]
    if account.freshened:
        lines.append(f"  freshened       {account.freshened:>9,}")
    lines += _told("not stored", account.not_stored)
    lines += _told("failed", account.failed)
    lines += _told("left out", account.left_out)
    if account.interrupted:
        lines.append("Stopped before the end.")
    return "".join(f"{line}\n" for line in lines)


def _told(what: str, counted: Mapping[str, int]) -> list[str]:
    if not counted:
        return []
    first = sorted(counted.items(), key=lambda item: -item[1])
    lines = [f"  {what:15} {sum(counted.values()):>9,}"]
    lines += [f"    {count:>9,}  {shown(why)}" for why, count in first[:_MOST_LISTED]]
    if len(first) > _MOST_LISTED:
        lines.append(f"    and {len(first) - _MOST_LISTED:,} more reasons")
    return lines


def _size(count: float) -> str:
    if count < 1024:
        return f"{count:.0f} bytes"
    for unit in ("KiB", "MiB", "GiB"):
        count /= 1024
        if count < 1024 or unit == "GiB":
            break
    return f"{count:,.1f} {unit}"
