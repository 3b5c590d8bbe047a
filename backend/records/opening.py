"""Opens records by the address that was given for them."""

from __future__ import annotations

import sqlite3

from backend.problems import Problem, ShopError
from backend.records.contract import Records
from backend.records.local import LocalRecords
from backend.records.shared import SharedRecords
from backend.valkeys import LoopLine, ThreadLine, is_address


class CannotOpen(ShopError):  # noqa: N818 - what is wrong is in its message
    """The records or the store can't be used; the message is one line."""


def open_records(where: str, limit: int, *, threads: bool = False) -> Records:
    """Records in memory, a file or a Valkey; for threads without an event loop where said so.

    Raises CannotOpen where the file can't be used; a Valkey isn't asked yet.
    """
    if is_address(where):
        return SharedRecords(ThreadLine(where) if threads else LoopLine(where))
    try:
        return LocalRecords(where, limit)
    except sqlite3.Error as error:
        raise CannotOpen(f"can't keep records in {where}: {error}") from error


async def move_in(records: Records, shop: str) -> None:
    """Makes sure that the records are this shop's, "seed/products"; raises CannotOpen."""
    try:
        whose = await records.belong_to(shop)
    except Problem as problem:
        reason = problem.__cause__
        raise CannotOpen(f"can't keep records in {records.where}: {reason}") from problem
    if whose != shop:
        raise CannotOpen(
            f"the records in {records.where} are of another shop, with seed/products {whose} and not {shop}"
        )
