"""The exchanges of the last minutes, from which a report is made when somebody asks for one.

Nothing is worked out before: keeping an exchange is one append, and the report is made in a process of its
own, so that those who are being served don't wait for it.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from proxy.message.errors import PellucidError
from proxy.server.admin.recent import LARGE, head_size
from proxy.server.lane.records import Hit, Late
from proxy.visibility.account import Account

SECONDS = 300.0
"""How far back exchanges are kept."""

MOST = 5_000
"""How many exchanges are kept, the last ones."""

MOST_BYTES = 8 << 20
"""How many bytes of heads are kept with them."""

PATIENCE = 60.0
"""Seconds that a report may take."""

FORMATS = {"json": "application/json", "html": "text/html", "text": "text/plain"}


class NoReport(PellucidError):  # noqa: N818 - as the other refusals are called
    """The report could not be made."""

    status = 503


class Window:
    """What ended within the last `SECONDS`, `MOST` exchanges at most with `MOST_BYTES` in their heads.

    Those with large heads are left out, so that the room it takes is bounded.
    """

    def __init__(self) -> None:
        self._kept: deque[tuple[float, int, int, Account | Sequence[Hit]]] = deque()
        self._number = 0
        self._bytes = 0
        self._making = asyncio.Lock()

    def add(self, account: Account) -> None:
        """Keep an exchange that has ended."""
        size = head_size(account)
        if size < LARGE:
            self._keep(account.started, -1, size, account, 1)

    def put_hits(self, hits: Sequence[Hit], first: int) -> None:
        """Keep what the fast lane has answered; `first` is the number of the first."""
        size = sum([len(before) + len(fields) for _, _, _, before, fields, _ in hits])
        self._keep(hits[0][0], first, size, hits, len(hits))

    def _keep(self, time: float, first: int, size: int, one: Account | Sequence[Hit], number: int) -> None:
        kept = self._kept
        kept.append((time, first, size, one))
        self._number += number
        self._bytes += size
        while (self._number > MOST or self._bytes > MOST_BYTES) and len(kept) > 1:
            self._drop()
        while len(kept) > 1 and kept[0][0] < time - SECONDS:
            self._drop()

    def _drop(self) -> None:
        _, _, size, oldest = self._kept.popleft()
        self._bytes -= size
        self._number -= 1 if isinstance(oldest, Account) else len(oldest)

    def exchanges(self, now: float) -> list[Account | Late]:
        """What is kept and ended within the last `SECONDS` before `now`, the oldest first."""
        found: list[Account | Late] = []
        for time, first, _, one in self._kept:
            if time < now - SECONDS:
                continue
            if isinstance(one, Account):
                found.append(one)
            else:
                found += [Late(hit, number) for number, hit in enumerate(one, first)]
        return found[-MOST:]

    async def report(self, records: bytes, form: str) -> bytes:
        """What `pellucid inspect` says of some records, in one of `FORMATS`. Raises NoReport.

        One report is made at a time.
        """
        if self._making.locked():
            raise NoReport("another report is being made; ask again when it is done")
        async with self._making:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *(
                    "-m",
                    "proxy",
                    "inspect",
                    "-",
                    "--log-format",
                    "pellucid",
                    "--format",
                    form,
                    "--workers",
                    "1",
                ),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                async with asyncio.timeout(PATIENCE):
                    made, _ = await process.communicate(records)
            except TimeoutError as error:
                raise NoReport("the report took too long") from error
            finally:
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        process.kill()
                    await process.wait()
        if process.returncode:
            raise NoReport("the report could not be made")
        return made
