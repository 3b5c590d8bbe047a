"""Which core does what, and what is told of the machine."""

from __future__ import annotations

import os
from pathlib import Path

from proxy.commands.comparing import machine
from proxy.commands.comparing.machine import Cores, describe, pinned, require_linux, share_out


def test_one_core_has_to_do_everything() -> None:
    found = share_out([3])
    assert found == Cores((3,), (3,), (3,))
    assert not found.apart


def test_with_two_the_origin_is_beside_the_load() -> None:
    found = share_out([0, 1])
    assert found == Cores((0,), (1,), (1,))
    assert found.apart


def test_with_more_everyone_has_one() -> None:
    assert share_out([2, 4, 6, 8]) == Cores((2,), (4,), (6,))


def test_two_threads_of_one_core_are_not_two_cores(tmp_path: Path) -> None:
    for number, siblings in enumerate(["0-1", "0-1", "2-3", "2-3"]):
        folder = tmp_path / f"cpu{number}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{siblings}\n")
    assert machine._apart([0, 1, 2, 3], str(tmp_path)) == [0, 2]
    assert machine._apart([0, 1], str(tmp_path)) == [0, 1]
    assert machine._apart([0, 1, 2], "/nowhere") == [0, 1, 2]


def test_this_machine() -> None:
    require_linux()
    found = describe()
    assert found.cores == len(os.sched_getaffinity(0))
    assert found.memory > 0
    assert found.python.startswith("CPython 3.") or found.python
    assert share_out().contender[0] in os.sched_getaffinity(0)


def test_the_affinity_comes_back() -> None:
    before = os.sched_getaffinity(0)
    with pinned((min(before),)):
        assert os.sched_getaffinity(0) == {min(before)}
    assert os.sched_getaffinity(0) == before
