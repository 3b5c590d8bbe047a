"""Commands that start processes of their own, ended by a signal in the middle: nothing of them is left."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from proxy.commands.comparing.procfs import family


async def break_off(
    command: Sequence[str], temporary: Path, processes: int, number: signal.Signals = signal.SIGINT
) -> None:
    """Send it a signal once it is `processes` with its own; `temporary` is its folder for such files."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(200):
            while len(family([process.pid])) < processes:  # noqa: ASYNC110 - nothing tells of them
                await asyncio.sleep(0.02)
            children = {one.identity for one in family([process.pid])}
            process.send_signal(number)
            _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode == 128 + number
    assert b"Traceback" not in said
    assert os.listdir(temporary) == []
    assert {one.identity for one in family([pid for pid, _ in children])} & children == set()
