"""The house plan, read from the imports: each floor imports only what lies below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = {
    "message": 0,
    "caching": 1,
    "storage": 2,
    "upstream": 2,
    "visibility": 2,
    "engine": 3,
    "server": 4,
    "commands": 5,
}
TOP = 5
"""The floor of the files that stand beside the rooms: the configuration, the command line."""

EFFECTS = {"asyncio", "socket", "ssl", "threading", "aiohttp", "uvloop", "os", "subprocess", "random"}
"""What a pure rule has no use for."""

CLOCKS = {"time", "monotonic", "perf_counter", "time_ns", "now", "utcnow", "today"}
"""What reads a clock, of the modules `time` and `datetime`; `now` is an argument of every rule."""


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides where it leads"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module: str) -> str | None:
    """The room that a module stands in; "" for the files beside the rooms; None for others' modules."""
    parts = module.split(".")
    if parts[0] != "proxy":
        return None
    return parts[1] if len(parts) > 1 and parts[1] in FLOORS else ""


def floor(name: str) -> int:
    return FLOORS.get(name, TOP)


def faults(path: Path, module: str) -> Iterator[str]:
    here = room(module)
    assert here is not None
    for imported in imports(path):
        there = room(imported)
        if there is None or there == here:
            continue
        if there == "":
            beside_the_rooms = imported not in ("proxy", "proxy.__version__")
            if beside_the_rooms and floor(here) < TOP:
                yield f"{module} reaches up to {imported}"
        elif floor(there) > floor(here):
            yield f"{module} reaches up to {imported}"
        elif floor(there) == floor(here):
            yield f"{module} reaches across to {imported}"


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_each_floor_imports_only_the_floors_below_it() -> None:
    found = [
        fault
        for path in sources("proxy")
        if floor(room(module_name(path)) or "") < TOP
        for fault in faults(path, module_name(path))
    ]
    assert found == []


def test_every_room_is_on_the_plan() -> None:
    rooms = {path.name for path in (ROOT / "proxy").iterdir() if (path / "__init__.py").exists()}
    assert rooms == set(FLOORS)


def test_backend_and_proxy_never_import_each_other() -> None:
    assert [p for p in sources("backend") if any(name.split(".")[0] == "proxy" for name in imports(p))] == []
    assert [p for p in sources("proxy") if any(name.split(".")[0] == "backend" for name in imports(p))] == []


@pytest.mark.parametrize("folder", ["proxy/message", "proxy/caching"])
def test_messages_and_rules_are_pure(folder: str) -> None:
    impure = {
        f"{module_name(path)}: {name}"
        for path in sources(folder)
        for name in imports(path)
        if name.split(".")[0] in EFFECTS
    }
    assert impure == set()


@pytest.mark.parametrize("folder", ["proxy/message", "proxy/caching"])
def test_no_rule_reads_a_clock(folder: str) -> None:
    readings = {
        f"{module_name(path)}:{node.lineno}"
        for path in sources(folder)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in CLOCKS
        and isinstance(node.value, ast.Name)
        and node.value.id in ("time", "datetime", "date")
    }
    assert readings == set()
    assert not any("time.time" in imports(path) for path in sources(folder))


def test_the_plan_would_notice_a_breach(tmp_path: Path) -> None:
    breach = tmp_path / "breach.py"
    breach.write_text(
        "from proxy.server import app\nimport proxy.upstream.pool\nimport proxy.message.fields\n"
    )
    found = list(faults(breach, "proxy.storage.memory.store"))
    assert any("reaches up to proxy.server" in fault for fault in found)
    assert any("reaches across to proxy.upstream.pool" in fault for fault in found)
    assert not any("message" in fault for fault in found)
