"""The shop's customers. They are for demonstration: three have their passwords on the log-in page, and for
crowds there is one for every number: shopper-7 with the password glass-7."""

from __future__ import annotations

import hmac
import re
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
SHOPPER = re.compile(r"shopper-([1-9][0-9]{0,6})")
HINT = "For demonstration: ann / apple, ben / birch, cleo / cedar."


def account(name: str) -> Account | None:
    """The account with this log-in name."""
    if known := ACCOUNTS.get(name):
        return known
    number = SHOPPER.fullmatch(name)
    if number is None:
        return None
    return Account(name, f"Shopper {number[1]}", f"glass-{number[1]}", f"{number[1]} Prism Street, Lensfield")


def authenticate(name: str, password: str) -> Account | None:
    """The account with this name and password, or None; a wrong name takes as long as a wrong password."""
    found = account(name)
    expected = found.password if found else ""
    matches = hmac.compare_digest(expected.encode(), password.encode("utf-8", "surrogatepass"))
    return found if matches else None
