"""The settings of a running proxy: defaults, then a TOML file, then what the command line says."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proxy.message.errors import ConfigurationError
from proxy.server.configuration import Settings
from proxy.units import parse_duration, parse_size


def load(path: str | None, settings: list[str]) -> Settings:
    """The configuration of a TOML file (None: defaults), changed by `section.name=value` settings.

    Raises ConfigurationError with the file, the table and the name where something can't be used.
    """
    configuration = Settings()
    if path is not None:
        for section, values in _read(path).items():
            if not isinstance(values, dict):
                raise ConfigurationError("not a table", evidence=f"{section} in {path}")
            for name, value in values.items():
                configuration = _set(configuration, section, name, value, where=f" in {path}")
    for setting in settings:
        place, equals, value = setting.partition("=")
        section, dot, name = place.strip().partition(".")
        if not equals or not dot:
            raise ConfigurationError("not of the form section.name=value", evidence=repr(setting))
        configuration = _set(configuration, section, name, value.strip(), where=" on the command line")
    return configuration


def _read(path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"can't read the configuration {path}", evidence=str(error.strerror)
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the configuration {path} is not TOML", evidence=str(error)) from error


def _set(configuration: Settings, section: str, name: str, value: object, where: str) -> Settings:
    sections = _types(configuration)
    if section not in sections:
        raise ConfigurationError(
            f"no section {section!r}{where}", evidence=f"there are {', '.join(sections)}"
        )
    part = getattr(configuration, section)
    kinds = _types(part)
    if name not in kinds:
        raise ConfigurationError(
            f"no setting {section}.{name}{where}", evidence=f"there are {', '.join(kinds)}"
        )
    try:
        converted = _converted(value, getattr(part, name), kinds[name])
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{section}.{name}{where} is {error.message}", evidence=error.evidence
        ) from None
    changed: Any = dataclasses.replace(part, **{name: converted})
    return dataclasses.replace(configuration, **{section: changed})


def _types(part: Any) -> Mapping[str, str]:
    return {item.name: str(item.type) for item in dataclasses.fields(part)}


def _converted(value: object, default: object, kind: str) -> object:
    """A value as the setting wants it: sizes and durations may be written with their units."""
    if kind.startswith("bool"):
        return _boolean(value)
    if kind.startswith("tuple"):
        words = value.split(",") if isinstance(value, str) else value
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ConfigurationError("not a list of words", evidence=repr(value))
        as_bytes = "bytes" in kind
        return tuple(
            word.strip().lower().encode() if as_bytes else word.strip() for word in words if word.strip()
        )
    if kind.startswith("int"):
        return parse_size(str(value))
    if kind.startswith("float"):
        return parse_duration(str(value))
    if not isinstance(value, str):
        raise ConfigurationError("not a text", evidence=repr(value))
    return value


def _boolean(value: object) -> bool:
    words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    if str(value).lower() not in words:
        raise ConfigurationError("neither true nor false", evidence=repr(value))
    return words[str(value).lower()]
