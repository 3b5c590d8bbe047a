"""What can't be used is refused before anything starts."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.message.errors import ConfigurationError
from proxy.upstream.fleet.settings import BalanceSettings


@pytest.mark.parametrize("key", ["uri", "path", "client", "field:X-Tenant", "cookie:sid"])
def test_keys_that_can_be_used(key: str) -> None:
    assert BalanceSettings(key=key).key == key


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("policy", "random"),
        ("key", ""),
        ("key", "urix"),
        ("key", "field:"),
        ("cookie", "a b"),
        ("cookie", ""),
        ("check", "well"),
        ("check", "/a b\n"),
        ("tries", 0),
        ("failures", 0),
        ("out", 0.0),
        ("check_every", 0.0),
        ("ease", -1.0),
        ("retries", -0.1),
    ],
)
def test_what_cannot_be_used_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match="balance"):
        BalanceSettings(**{name: value})
