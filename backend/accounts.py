"""The shop's three customers. They are for demonstration: their passwords are on the log-in page."""

from __future__ import annotations

import hmac
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """A customer who may log in; `name` is the log-in name and part of URLs."""

    name: str
    called: str
    password: str
    address: str


ACCOUNTS = {
    account.name: account
    for account in (
        Account("ann", "Ann", "apple", "12 Harbour Row, Eastwick"),
        Account("ben", "Ben", "birch", "3 Mill Lane, Westbrook"),
        Account("cleo", "Cleo", "cedar", "40 Chapel Street, Northam"),
    )
}
HINT = "For demonstration: ann / apple, ben / birch, cleo / cedar."


def authenticate(name: str, password: str) -> Account | None:
    """The account with this name and password, or None; a wrong name takes as long as a wrong password."""
    account = ACCOUNTS.get(name)
    expected = account.password if account else ""
    matches = hmac.compare_digest(expected.encode(), password.encode("utf-8", "surrogatepass"))
    return account if matches else None
