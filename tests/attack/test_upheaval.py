"""Two proxies of several processes on one folder while everything around them breaks: the short form.

The judge is in `versions`: nobody reads what is older than what was answered, another's, or torn.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attack.upheaval import Mischief, Upheaval

PER_KILL = 40
"""Records that a process may not have written yet when it is killed: each of what it had answered last."""


@pytest.mark.parametrize(
    ("seed", "mischief"),
    [(1, Mischief(restart=0, damage=0, pause=0.15)), (2, Mischief(kill=2, hang=1, restart=3, damage=2))],
    ids=["killed", "restarted"],
)
async def test_nothing_old_torn_or_of_others_is_read(tmp_path: Path, seed: int, mischief: Mischief) -> None:
    upheaval = Upheaval(tmp_path, seed, mischief)
    await upheaval.run(1.5, clients=8)
    account = upheaval.account()
    assert account["wrong"] == []
    assert account["crashes"] == []
    done, clients = upheaval.done, upheaval.shop.account
    assert clients["status 200"] > 20
    assert clients["purged"] > 0
    assert sum(done[one] for one in ("kill", "restart", "damage")) > 0
    assert done["exit 0"] == 2
    killed = done["kill"] + 5 * (done["restart"] + 2 * done["damage"])
    assert upheaval.missing <= PER_KILL * killed


async def test_with_nobody_killed_the_log_has_each_answer(tmp_path: Path) -> None:
    upheaval = Upheaval(tmp_path, 3, Mischief(kill=0, restart=0, damage=0, hang=2, rotate=3, pause=0.1))
    await upheaval.run(0.7, clients=6)
    assert upheaval.account()["wrong"] == []
    assert upheaval.shop.account["answered"] > 20
    assert upheaval.shop.lost <= upheaval.origin.broken_off  # several may have read along
    assert upheaval.missing == 0
    assert upheaval.done["rotate"] > 0
