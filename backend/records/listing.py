"""Every order in a book, for those who count: without asking any replica."""

from __future__ import annotations

from typing import TextIO

from backend.problems import Problem
from backend.records.contract import written
from backend.records.local import LIMIT
from backend.records.opening import CannotOpen, open_records

AT_ONCE = 500


async def write_orders(where: str, out: TextIO) -> None:
    """Writes each order as a line of JSON, oldest first; raises CannotOpen where the book can't be read."""
    records = open_records(where, LIMIT)
    try:
        first = 0
        while orders := await records.every_order(first, AT_ONCE):
            out.writelines(f"{written(order).decode()}\n" for order in orders)
            first += len(orders)
    except Problem as problem:
        raise CannotOpen(f"can't read records in {records.where}: {problem.__cause__}") from problem
    finally:
        await records.close()
