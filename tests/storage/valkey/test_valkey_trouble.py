"""Two proxies whose Valkey answers nonsense now and then, under load: the short form."""

from __future__ import annotations

from pathlib import Path

from tests.storage.valkey.trouble import Trouble


async def test_nonsense_under_load_costs_nobody_an_answer(tmp_path: Path) -> None:
    trouble = Trouble(tmp_path, "garbage", 1, memory="0")
    await trouble.run(0.7, clients=4)
    account = trouble.account
    assert trouble.wrong == []
    assert account["errors"] == 0
    assert account["answers"] + account["broken off"] == account["requests"]
    assert account["hits"] > 0
    assert account["purges 200"] > 0
    assert account["troubles"] > 0
    assert account["exit 0"] == 2
