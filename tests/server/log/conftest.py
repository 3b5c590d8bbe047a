"""Logs that are closed with the test, and what they say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.server.log.records import RecordLog
from tests.server.log.written import REDACTION, Open, Said


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def open_log(said: Said) -> Iterator[Open]:
    """Opens logs that try again at once; they are closed with the test."""
    opened: list[RecordLog] = []

    def open_(path: Path | str, **how: object) -> RecordLog:
        facts = {"retry": 0.01, "check": 0.0, "say": said.append} | how
        opened.append(RecordLog(str(path), REDACTION, **facts))
        return opened[-1]

    yield open_
    for log in opened:
        log.close()
