from __future__ import annotations

from pathlib import Path

import pytest

from proxy.config import load
from proxy.message.errors import ConfigurationError
from proxy.server.configuration import Settings


def written(folder: Path, text: str) -> str:
    path = folder / "pellucid.toml"
    path.write_text(text)
    return str(path)


def test_without_a_file_everything_has_its_default() -> None:
    assert load(None, []) == Settings()


def test_a_file_sets_what_it_names(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        [storage]
        memory = "64MiB"
        object_limit = 4096
        [cache]
        name = "edge-1"
        targeted = ["Edge-Cache-Control", "CDN-Cache-Control"]
        stale_limit = "1h"
        """,
    )
    configuration = load(path, [])
    assert configuration.storage.memory == 64 << 20
    assert configuration.storage.object_limit == 4096
    assert configuration.cache.name == "edge-1"
    assert configuration.cache.targeted == (b"edge-cache-control", b"cdn-cache-control")
    assert configuration.cache.stale_limit == 3600


def test_the_command_line_has_the_last_word(tmp_path: Path) -> None:
    path = written(tmp_path, '[cache]\nname = "file"\n')
    assert load(path, ["cache.name=line"]).cache.name == "line"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[storage]\nmemory = 'lots'", "storage.memory"),
        ("[storage]\nmemroy = 1", "no setting storage.memroy"),
        ("[stroage]\nmemory = 1", "no section 'stroage'"),
        ("memory = 1", "not a table"),
        ("[storage", "not TOML"),
        ("[cache]\nkey_in_status = 3", "neither true nor false"),
        ("[cache]\nname = 3", "not a text"),
        ("[cache]\ntargeted = 3", "not a list"),
    ],
)
def test_what_can_t_be_used_is_named_with_its_place(tmp_path: Path, text: str, complaint: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigurationError) as error:
        load(path, [])
    assert complaint in str(error.value)
    assert path in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        load(str(tmp_path / "none.toml"), [])


@pytest.mark.parametrize("setting", ["cache", "cache.name", "name=x", "cache.nome=x"])
def test_a_setting_on_the_command_line_that_can_t_be_used_is_named(setting: str) -> None:
    with pytest.raises(ConfigurationError):
        load(None, [setting])
