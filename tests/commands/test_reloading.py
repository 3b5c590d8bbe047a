"""What SIGHUP takes from the configuration, what it refuses, and what needs a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.commands.serving.reloading import Reloading
from proxy.config import load
from proxy.upstream.address import parse_weighted

NAMED = [parse_weighted("http://named.example")]


class Scene:
    def __init__(self, folder: Path, text: str) -> None:
        self.path = folder / "pellucid.toml"
        self.said: list[str] = []
        self.write(text)
        loaded = load(str(self.path), [])
        self.current = [*NAMED, *(parse_weighted(one) for one in loaded.balance.servers)]
        self.reloading = Reloading(str(self.path), [], NAMED, loaded, self.said.append)

    def write(self, text: str) -> None:
        self.path.write_text(text)

    def read_again(self, text: str) -> list[str] | None:
        self.write(text)
        found = self.reloading.servers(self.current)
        if found is None:
            return None
        self.current = found
        return [f"{server.host} {weight:g}" for server, weight in found]


def servers(*urls: str) -> str:
    return "[balance]\nservers = [" + ", ".join(f'"{url}"' for url in urls) + "]\n"


def test_servers_come_go_and_change_their_weight(tmp_path: Path) -> None:
    scene = Scene(tmp_path, servers("http://a.example"))
    assert scene.read_again(servers("http://a.example")) is None
    both = servers("http://a.example", "http://b.example,weight=2")
    assert scene.read_again(both) == ["named.example 1", "a.example 1", "b.example 2"]
    assert scene.read_again(servers("http://b.example,weight=3")) == ["named.example 1", "b.example 3"]
    assert scene.read_again("") == ["named.example 1"]
    assert len(scene.said) == 3
    assert scene.said[-1] == "the servers behind are now http://named.example:80"


def test_what_was_changed_at_the_admin_address_stays(tmp_path: Path) -> None:
    scene = Scene(tmp_path, servers("http://a.example", "http://b.example"))
    scene.current = [*NAMED, parse_weighted("http://b.example"), parse_weighted("http://added.example")]
    text = servers("http://a.example", "http://c.example")
    assert scene.read_again(text) == ["named.example 1", "added.example 1", "c.example 1"]


@pytest.mark.parametrize(
    "text",
    [
        "[balance]\nservers = [",
        "[balance]\nserver = []\n",
        servers("ftp://a.example"),
        servers("http://a.example,weight=heavy"),
        servers("http://a.example,weight=0"),
        servers("http://a.example", "http://a.example:80"),
        servers("http://named.example"),
        servers("http://b.example") + '[cache]\nstale_limit = "long"\n',
    ],
)
def test_what_can_t_be_used_changes_nothing_and_is_said_in_one_line(tmp_path: Path, text: str) -> None:
    scene = Scene(tmp_path, servers("http://a.example"))
    assert scene.read_again(text) is None
    (line,) = scene.said
    assert line.startswith("the configuration is not taken: ")
    assert "\n" not in line
    assert scene.read_again(servers("http://a.example", "http://b.example")) is not None


def test_a_file_that_is_gone_changes_nothing(tmp_path: Path) -> None:
    scene = Scene(tmp_path, servers("http://a.example"))
    scene.path.unlink()
    assert scene.reloading.servers(scene.current) is None
    assert len(scene.said) == 1


def test_other_settings_need_a_restart_which_is_said_until_it_comes(tmp_path: Path) -> None:
    scene = Scene(tmp_path, servers("http://a.example"))
    text = servers("http://b.example") + '[cache]\nstale_limit = "1h"\n[server]\nidle = "3s"\n'
    assert scene.read_again(text) == ["named.example 1", "b.example 1"]
    assert scene.said[0] == (
        "to be taken from the configuration, this needs a restart: server.idle, cache.stale_limit"
    )
    assert scene.read_again(text) is None
    assert len(scene.said) == 3


def test_one_server_alone_is_there_for_good(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "")
    assert scene.read_again(servers("http://b.example")) is None
    assert "started anew" in scene.said[0]


def test_without_a_file_there_is_nothing_to_read() -> None:
    assert Reloading(None, [], NAMED, load(None, []), print).servers(NAMED) is None
