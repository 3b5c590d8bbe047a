"""Commands called as a user calls them, but in this process: that spares the start of one for each."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import sys
from dataclasses import dataclass
from unittest import mock

import pytest

from proxy.cli import main


@dataclass(frozen=True)
class Run:
    """What came of it: the exit status, and what was printed to standard output and standard error."""

    status: int
    out: str
    err: str

    @property
    def told(self) -> dict[str, object]:
        """What was printed, as JSON."""
        told = json.loads(self.out)
        assert isinstance(told, dict)
        return told


def call(*arguments: str, given: bytes = b"") -> Run:
    """Run a command with `given` on standard input; nothing of it is a terminal."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    plain = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "COLUMNS")}
    with (
        mock.patch.dict(os.environ, plain, clear=True),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(given))),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as end,
    ):
        main(list(arguments))
    status = end.value.code
    assert isinstance(status, int)
    return Run(status, _written(out), _written(err))


async def called(*arguments: str, given: bytes = b"") -> Run:
    """The same beside the event loop that serves what the command asks."""
    return await asyncio.to_thread(call, *arguments, given=given)


def refused(*arguments: str, about: str) -> Run:
    """Run what can't be carried out; that is said in one line, which has `about` in it."""
    run = call(*arguments)
    assert (run.status, run.out) == (2, "")
    assert len(run.err.splitlines()) == 1
    assert run.err.startswith("pellucid: ")
    assert about in run.err
    return run


def _written(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
