"""Structured field values (RFC 9651): read without ever raising, written as the RFC serialises them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import http_sf
from http_sf import DisplayString, Token

__all__ = [
    "BareItem",
    "Dictionary",
    "DisplayString",
    "InnerList",
    "Item",
    "List",
    "Member",
    "Parameters",
    "Token",
    "parse_dictionary",
    "parse_item",
    "parse_list",
    "serialise",
]

BareItem = http_sf.types.BareItemType
"""Integer `int`, Decimal `Decimal`, String `str`, Token `Token`, Byte Sequence `bytes`, Boolean `bool`,
Date `datetime`, Display String `DisplayString` (RFC 9651 §3.3)."""

Parameters = dict[str, BareItem]
Item = tuple[BareItem, Parameters]
InnerList = tuple[list[Item], Parameters]
Member = Item | InnerList
List = list[Member]
Dictionary = dict[str, Member]


def _parse(values: Sequence[bytes], kind: str) -> http_sf.StructuredType | None:
    try:
        return http_sf.parse(values[0] if len(values) == 1 else b", ".join(values), tltype=kind)
    except (ValueError, OverflowError):
        return None


def parse_dictionary(values: Sequence[bytes]) -> Dictionary | None:
    """The Dictionary in the values of a field's lines (RFC 9651 §4.2.2), None where it is ill-formed.

    Every member comes as a pair of its value and its parameters. No lines, or nothing in them, is the
    empty Dictionary.
    """
    return cast("Dictionary | None", _parse(values, "dictionary"))


def parse_list(values: Sequence[bytes]) -> List | None:
    """The List in the values of a field's lines (RFC 9651 §4.2.1), None where it is ill-formed."""
    return cast("List | None", _parse(values, "list"))


def parse_item(values: Sequence[bytes]) -> Item | None:
    """The Item in the values of a field's lines (RFC 9651 §4.2.3), None where it is ill-formed."""
    return cast("Item | None", _parse(values, "item"))


def serialise(structure: Mapping[str, object] | Sequence[object] | BareItem) -> bytes:
    """The field value of a Dictionary (a dict), a List (a list) or an Item (RFC 9651 §4.1).

    Raises ValueError where the structure can't be serialised, an empty Dictionary or List among them: the
    field is then not sent at all.
    """
    text: str = http_sf.ser(cast("http_sf.StructuredType", structure))
    return text.encode("ascii")
