"""What kept answers are told apart by: the program, and everything that it is set to."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proxy.caching.policy import Policy
from proxy.server.clients.forwarding import Forwarding
from proxy.server.lane import fingerprint as module
from proxy.server.lane.fingerprint import fingerprint
from proxy.server.settings import ServerSettings
from proxy.visibility.redaction import Redaction


def of(
    policy: Policy | None = None,
    forwarding: Forwarding | None = None,
    redaction: Redaction | None = None,
    settings: ServerSettings | None = None,
) -> bytes | None:
    return fingerprint(
        policy or Policy(), forwarding or Forwarding(), redaction or Redaction(), settings or ServerSettings()
    )


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small program."""
    for name in ("rules.py", "part/more.py", "commands/ask.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    monkeypatch.setattr(module, "_PROGRAM", tmp_path)
    monkeypatch.setattr(module, "_LOADED", time.time() + 60)
    return tmp_path


def test_it_is_the_same_for_the_same() -> None:
    assert of() == of()
    assert of() is not None
    assert of(redaction=Redaction("one key of sixteen")) == of(redaction=Redaction("another of sixteen"))


def another(name: str, value: object) -> object:
    """A value that a setting may have as well."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, tuple):
        return (b"x",)
    return {"trust": "replace", "name": "another"}.get(name, b"x")


@pytest.mark.parametrize(
    ("place", "part"), [("policy", Policy()), ("settings", ServerSettings()), ("forwarding", Forwarding())]
)
def test_it_is_another_for_each_setting(place: str, part: Any) -> None:
    names = [field.name for field in dataclasses.fields(part)]
    others = [replace(part, **{name: another(name, getattr(part, name))}) for name in names]
    assert len({of(), *(of(**{place: other}) for other in others)}) == len(names) + 1


def test_it_is_another_where_other_credentials_are_hidden() -> None:
    others = [Redaction(), Redaction(fields=["X-User"]), Redaction(parameters=["user"])]
    assert len({of(redaction=one) for one in others}) == 3


@pytest.mark.parametrize("change", ["changed", "added", "removed", "renamed"])
def test_it_is_another_for_another_program(folder: Path, change: str) -> None:
    before = of()
    file = folder / "part/more.py"
    if change == "changed":
        file.write_text("x = 2\n")
    elif change == "added":
        (folder / "part/another.py").write_text("")
    elif change == "removed":
        file.unlink()
    else:
        file.rename(folder / "part/other.py")
    assert of() not in (before, None)


def test_what_is_never_asked_does_not_matter(folder: Path) -> None:
    before = of()
    (folder / "commands/ask.py").write_text("x = 2\n")
    assert of() == before


def test_there_is_none_where_nobody_knows_what_was_loaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOADED", time.time() - 60)
    assert of() is None
    monkeypatch.setattr(module, "_LOADED", time.time() + 60)
    monkeypatch.setattr(module, "_PROGRAM", folder / "nowhere")
    assert of() is None
