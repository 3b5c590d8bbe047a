"""The account of a run: what was asked, and what became of each request, each cart and each order.

It has to balance. Both sides of each equation are counted at different places, so that a run in which
something got out of sight is found out, and said to be an error.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

EXPECTED = frozenset(
    (
        *("session-unknown", "log-in-first", "credentials-needed", "no-such-cart", "not-in-cart"),
        *("cart-empty", "cart-changed", "cart-ordered", "not-enough-stock"),
    )
)
"""Why the shop may say no where something has befallen it. Any other refusal is a fault of ours."""

BUCKET = 0.25
"""Seconds that the timeline counts together."""


class Account(msgspec.Struct, kw_only=True):
    """Of all shoppers of a run together.

    Requests: `sent` = `answered` + `failed`; `failed` = `retried` + `given_up`. `refused` are steps
    that were answered by a no.

    Carts: `begun` = `ordered` + `left` (as the shopper wanted) + `lost` (no longer there) + `kept` (there
    when the run ended) + `unsure` (nobody could be asked any more). `wrong` are carts that had something
    in them that had not been put there.

    Orders: `acknowledged` were answered with 201; of these `found` were listed in the end, and `lost_orders`
    were not. `listed` = `found` + `doubled` (listed more than once, the further ones) + `unacknowledged`
    (placed, though the answer never came) + `strange` (nobody's). `unlisted` are acknowledged orders of
    shoppers whose list could not be had in the end.
    """

    sent: int = 0
    answered: int = 0
    failed: int = 0
    retried: int = 0
    given_up: int = 0
    refused: int = 0
    begun: int = 0
    ordered: int = 0
    left: int = 0
    lost: int = 0
    kept: int = 0
    unsure: int = 0
    wrong: int = 0
    logged_in: int = 0
    logged_out: int = 0
    acknowledged: int = 0
    found: int = 0
    lost_orders: int = 0
    doubled: int = 0
    unacknowledged: int = 0
    unlisted: int = 0
    strange: int = 0
    listed: int = 0
    visits: int = 0
    failures: dict[str, int] = {}
    refusals: dict[str, int] = {}

    def faults(self) -> list[str]:
        """Where it doesn't balance, in words; none where it does."""
        equations = (
            ("requests sent", self.sent, "answered and failed", self.answered + self.failed),
            ("failed requests", self.failed, "retried and given up", self.retried + self.given_up),
            ("failed requests", self.failed, "failures by kind", sum(self.failures.values())),
            ("refused requests", self.refused, "refusals by kind", sum(self.refusals.values())),
            (
                *("carts begun", self.begun, "ordered, left, lost, kept and unsure"),
                self.ordered + self.left + self.lost + self.kept + self.unsure,
            ),
            (
                *("orders acknowledged", self.acknowledged, "found, lost and not to be listed"),
                self.found + self.lost_orders + self.unlisted,
            ),
            (
                *("orders listed", self.listed, "found, doubled and never acknowledged"),
                self.found + self.doubled + self.unacknowledged,
            ),
        )
        found = [
            f"{left} {what}, but {right} {that}" for what, left, that, right in equations if left != right
        ]
        unheard = {kind: count for kind, count in self.refusals.items() if kind not in EXPECTED}
        found += [
            f"{count} steps refused for {kind}, which should not happen" for kind, count in unheard.items()
        ]
        if self.strange:
            found.append(f"{self.strange} orders listed that nobody placed")
        return found

    def reconcile(
        self, acknowledged: Sequence[str], unsure: Collection[str], listed: Iterable[str] | None
    ) -> None:
        """Take in one shopper's orders by their references; `listed` is None where nobody could say."""
        self.acknowledged += len(acknowledged)
        if listed is None:
            self.unlisted += len(acknowledged)
            return
        times: dict[str, int] = {}
        for reference in listed:
            times[reference] = times.get(reference, 0) + 1
        self.listed += sum(times.values())
        for reference in acknowledged:
            self.found += reference in times
            self.lost_orders += reference not in times
        for reference, count in times.items():
            if reference in acknowledged or reference in unsure:
                self.doubled += count - 1
                self.unacknowledged += reference not in acknowledged
            else:
                self.strange += count


class Timeline(msgspec.Struct, kw_only=True):
    """When what happened: numbers for each `BUCKET` since `began` (seconds since 1970).

    `disturbed` are the moments, in seconds since `began`, of failed requests, lost carts and lost log-ins.
    """

    began: float = 0.0
    answered: list[int] = []
    failed: list[int] = []
    disturbed: list[float] = []

    def note(self, now: float, *, failed: bool) -> None:
        """One more request has ended."""
        place = max(0, int((now - self.began) / BUCKET))
        for one in (self.answered, self.failed):
            one.extend([0] * (place + 1 - len(one)))
        (self.failed if failed else self.answered)[place] += 1
        if failed:
            self.disturb(now)

    def disturb(self, now: float) -> None:
        """Something went wrong for a shopper."""
        self.disturbed.append(round(now - self.began, 3))

    def whole_after(self, moment: float) -> float:
        """Seconds from a moment (since `began`) to the last disturbance after it; 0 where there was none."""
        return max((one - moment for one in self.disturbed if one >= moment), default=0.0)
