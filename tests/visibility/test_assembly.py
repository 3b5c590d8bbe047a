"""A line that was put together is the line that would have been encoded."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.visibility.account import Account
from proxy.visibility.assembly import assemble, request_part, rest_part
from proxy.visibility.record import Redaction, decode, encode, to_record
from tests.visibility.exchanges import account, accounts

REDACTION = Redaction()


def test_a_hit_like_another() -> None:
    first = to_record(account(), REDACTION)
    line = assemble(
        "1c", 1_700_000_060.5, "192.0.2.8:99", 0.0001, 0.0002, request_part(first), rest_part(first)
    )
    again = account(
        id="1c", started=1_700_000_060.5, client="192.0.2.8:99", first_byte=0.0001, duration=0.0002
    )
    assert decode(line) == to_record(again, REDACTION)


@settings(max_examples=100, deadline=None)
@given(accounts, st.floats(0, 4e9), st.floats(0, 1000), st.floats(0, 1000))
def test_law_same_as_encoded(exchange: Account, started: float, first_byte: float, duration: float) -> None:
    record = to_record(exchange, REDACTION)
    again = replace(
        exchange, id="x-1", client="[::1]:80", started=started, first_byte=first_byte, duration=duration
    )
    line = assemble("x-1", started, "[::1]:80", first_byte, duration, request_part(record), rest_part(record))
    assert b"\n" not in line
    assert decode(line) == to_record(again, REDACTION)


@settings(deadline=None)
@given(accounts)
def test_law_the_parts_are_the_line(exchange: Account) -> None:
    record = to_record(exchange, REDACTION)
    assert encode(record).endswith(request_part(record) + rest_part(record))
