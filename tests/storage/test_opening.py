"""From what a user names to the store."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.message.errors import ConfigurationError
from proxy.storage.memory.store import MemoryStore
from proxy.storage.news import News
from proxy.storage.opening import Places, opened
from proxy.storage.settings import StorageSettings, ValkeySettings
from proxy.storage.tiers.store import Tiers


@pytest.mark.parametrize(
    ("text", "disk", "valkey"),
    [
        ("memory", None, None),
        (" memory , disk:/a b/c ", "/a b/c", None),
        ("disk:relative", "relative", None),
        ("disk:~/cache", os.path.expanduser("~/cache"), None),
        ("valkey://h:1,h2:2,[::1]:3", None, "valkey://h:1,h2:2,[::1]:3"),
        ("disk:/a,valkeys://u:p@h:1,h2/3", "/a", "valkeys://u:p@h:1,h2/3"),
        ("valkey://h,disk:/a", "/a", "valkey://h"),
    ],
)
def test_places_are_named(text: str, disk: str | None, valkey: str | None) -> None:
    assert Places.named(text) == Places(Path(disk) if disk else None, valkey)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "disk",
        "disk:",
        "redis://h",
        "memory,redis://secret@h",
        "disk:/a,disk:/b",
        "valkey:h",
        "http://h",
        "disk:~no/x",
    ],
)
def test_what_names_nothing_is_a_plain_error(text: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Places.named(text)
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def open_with(store: str, news: News | None = None, **others: int) -> object:
    settings = replace(StorageSettings(), store=store, **others)
    return opened(settings, ValkeySettings(), 1 << 20, news=news).store


def test_memory_alone_is_asked_directly() -> None:
    assert isinstance(open_with("memory"), MemoryStore)


async def test_memory_with_news_of_others_hears_them() -> None:
    store = open_with("memory", News.unnamed())
    assert isinstance(store, Tiers)
    assert store.below is None
    await store.close()


async def test_a_folder(tmp_path: Path) -> None:
    store = open_with(f"disk:{tmp_path}", disk=32 << 20)
    assert isinstance(store, Tiers)
    assert set(store.figures().tiers) == {"memory", "disk"}
    assert store.figures().budget == 32 << 20
    await store.close()


def test_a_folder_that_can_not_be_used_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for disk, budget in ((tmp_path / "file", 32 << 20), (tmp_path / "other", 1)):
        with pytest.raises(ConfigurationError):
            open_with(f"disk:{disk}", disk=budget)


async def test_a_disk_before_a_valkey_that_is_not_there(tmp_path: Path) -> None:
    settings = StorageSettings(store=f"disk:{tmp_path},valkey://127.0.0.1:1", disk=32 << 20)
    ready = opened(settings, ValkeySettings(), 1 << 20)
    await ready.start()
    assert ready.claims is not None
    assert set(ready.store.figures().tiers) == {"memory", "disk", "valkey"}
    assert ready.unreached() == "Valkey at valkey://127.0.0.1:1"
    assert await ready.store.look_up(b"GET https://api.example.org/") == ()
    await ready.store.close()
