"""Answers that are kept on disk, by proxies that are restarted in other ways: the short form."""

from __future__ import annotations

from pathlib import Path

from tests.attack.kept import Keeping


async def test_nobody_gets_what_was_kept_of_something_else(tmp_path: Path) -> None:
    """Nothing older, of another user or of another variant, nor of a proxy that was set otherwise."""
    keeping = Keeping(tmp_path, 2)
    await keeping.run(30, restart=4)
    account = keeping.account()
    assert account["wrong"] == []
    assert keeping.shop.account["hits"] > 20
    assert keeping.done["restart"] > 0
    assert keeping.done["exit 0"] == 2
