"""docs/configuration.md: every setting, out of the settings' own fields and docstrings."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

from docs.pages import NOTICE
from proxy.server.configuration import Settings

_INTRODUCTION = """
Settings are read from a file in TOML (`--config FILE`) and from the command line (`--set
section.name=value`, which counts for more); `pellucid serve`, `explain`, `inspect` and `audit` take both.

```toml
[server]
idle = "2m"
content_bytes = "100MiB"

[cache]
targeted = ["pellucid-cache-control", "cdn-cache-control"]
```

Durations may be written as `250ms`, `10s`, `5m`, `1h`, `1d`; without a unit they are in seconds. Sizes
may be written as `64KiB`, `1.5MB`, `2GiB`, where KiB, MiB and GiB (or k, m, g) are powers of 1024, and
KB, MB and GB of 1000; without a unit they are in bytes. Lists are lists in TOML, and words with commas
between them on the command line. An unknown setting, or a value that can't be used, ends the command with
one line and exit status 2.
"""

_TITLES = {
    "server": "the side that clients see",
    "upstream": "the way to the origin server",
    "cache": "the caching rules",
    "storage": "where responses are kept",
    "valkey": "what proxies on several machines share",
    "engine": "what performs an exchange",
    "log": "the record of exchanges",
    "balance": "which of several servers is asked",
}
_SIZES = frozenset(
    """
    server.request_line server.header_bytes server.content_bytes server.read_buffer server.write_buffer
    server.drain upstream.head_bytes storage.memory storage.answers storage.object_limit
    engine.query_limit engine.drain_limit engine.nearly_done storage.disk balance.repeat_limit
    """.split()  # noqa: SIM905 - easier to read, and to add to
)
_NUMBERS = frozenset(
    """
    server.header_fields server.connections server.connections_per_client server.loops upstream.connections
    upstream.waiting upstream.idle_connections upstream.head_fields engine.background cache.heuristic_fraction
    balance.tries balance.retries balance.failures balance.slow
    """.split()  # noqa: SIM905
)
_SENTENCE = re.compile(r"(?<=\.)\s+(?=[A-Z`])")


def page() -> str:
    """The text of the page. Raises LookupError for a setting that nothing is said of, or that has no unit."""
    parts = ["# Settings", NOTICE, _INTRODUCTION.strip()]
    for section in dataclasses.fields(Settings):
        settings = getattr(Settings(), section.name)
        title = f"## `[{section.name}]`: {_TITLES.get(section.name, section.name)}"
        rows = "\n".join(_rows(section.name, settings))
        parts.append(f"{title}\n\n| setting | default | unit | what it does |\n|---|---|---|---|\n{rows}")
    return "\n\n".join(parts) + "\n"


def _rows(section: str, settings: Any) -> Iterator[str]:
    names = [item.name for item in dataclasses.fields(settings)]
    said = _said(cleandoc(type(settings).__doc__ or ""), names)
    for item in dataclasses.fields(settings):
        place = f"{section}.{item.name}"
        if not said[item.name]:
            raise LookupError(f"the docstring of {type(settings).__name__} says nothing of `{item.name}`")
        unit = _unit(place, str(item.type))
        default = _shown(getattr(settings, item.name), unit)
        words = " ".join(said[item.name]).replace("|", "\\|")
        yield f"| `{place}` | {default} | {unit} | {words} |"


def _said(docstring: str, names: list[str]) -> dict[str, list[str]]:
    """The sentences of a docstring in which each of `names` stands, and those that go on from there."""
    found: dict[str, list[str]] = {name: [] for name in names}
    for paragraph in docstring.split("\n\n"):
        about: list[str] = []
        for sentence in _SENTENCE.split(" ".join(paragraph.split())):
            mentioned = [name for name in names if f"`{name}`" in sentence]
            about = mentioned or about
            for name in about:
                found[name].append(sentence)
    return found


def _unit(place: str, kind: str) -> str:
    if kind.startswith("bool"):
        return "true or false"
    if kind.startswith("tuple"):
        return "list"
    if kind.startswith("str"):
        return "text"
    if place in _NUMBERS:
        return "number"
    if kind.startswith("float"):
        return "duration"
    if place in _SIZES:
        return "size"
    raise LookupError(f"docs/pages/configuration.py has to say whether {place} is a size or a number")


def _shown(default: object, unit: str) -> str:
    if default is None or default in ("", ()):
        return "none"
    if isinstance(default, bool):
        return "true" if default else "false"
    if isinstance(default, tuple):
        words = (word.decode() if isinstance(word, bytes) else str(word) for word in default)
        return ", ".join(f"`{word}`" for word in words)
    if unit == "size" and isinstance(default, int):
        return _size(default)
    if unit == "duration" and isinstance(default, float):
        return _duration(default)
    return f"{default:,}" if isinstance(default, int) else f"`{default}`"


def _size(count: int) -> str:
    for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if count >= 1 << power and count % (1 << power) == 0:
            return f"{count >> power} {unit}"
    return f"{count} bytes" if count else "0"


def _duration(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s" if seconds >= 1 else f"{seconds * 1000:g} ms"
