"""Sizes, durations and addresses as people write them."""

from __future__ import annotations

import re

from proxy.message.errors import ConfigurationError

_SIZES = {"": 1, "b": 1, "k": 1 << 10, "kib": 1 << 10, "kb": 1000, "m": 1 << 20, "mib": 1 << 20, "mb": 10**6}
_SIZES |= {"g": 1 << 30, "gib": 1 << 30, "gb": 10**9, "t": 1 << 40, "tib": 1 << 40, "tb": 10**12}
_DURATIONS = {"": 1.0, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_AMOUNT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]*)\s*")


def parse_size(text: str) -> int:
    """Bytes of `256MiB`, `64k`, `1.5GB`, `4096`. Raises ConfigurationError."""
    return int(_amount(text, _SIZES, "a size such as 64KiB"))


def parse_duration(text: str) -> float:
    """Seconds of `10s`, `250ms`, `5m`, `1.5`. Raises ConfigurationError."""
    return _amount(text, _DURATIONS, "a duration such as 10s")


def _amount(text: str, units: dict[str, float] | dict[str, int], what: str) -> float:
    match = _AMOUNT.fullmatch(text)
    unit = units.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise ConfigurationError(f"not {what}", evidence=repr(text))
    return float(match[1]) * unit


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:8080`, `[::1]:8080`, `:8080` (all addresses). Raises ConfigurationError."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if (
        not colon
        or not (port.isascii() and port.isdigit())
        or int(port) > 65535
        or (":" in host and not bracketed)
    ):
        raise ConfigurationError("not an address such as 127.0.0.1:8080", evidence=repr(text))
    return (host[1:-1] if bracketed else host), int(port)


def show_address(host: str, port: int) -> str:
    """An address as it stands in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host or '0.0.0.0'}:{port}"
