"""The page on Flask's session says what is found when it is looked at again."""

from __future__ import annotations

from docs.stateless import PAGE, VARIANTS, observed, table


async def test_the_table_is_what_a_new_run_gives() -> None:
    found = {name: await observed(arguments) for name, arguments in VARIANTS.items()}
    client, server = found.values()
    assert client["kind"].startswith("client-held")
    assert server["kind"].startswith("server-held")
    assert (client["home"], server["home"]) == ("client-held", "server-held")
    assert table(found) in PAGE.read_text(encoding="utf-8")
