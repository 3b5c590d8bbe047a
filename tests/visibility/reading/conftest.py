"""Logs that a test writes itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.visibility.reading.readout import Readout, readout

Read = Callable[..., Readout]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads bytes or text as a log."""

    def read(content: bytes | str, form: str = "", *, reveal: bool = False) -> Readout:
        path = tmp_path / "log"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return readout(path, form, reveal=reveal)

    return read
