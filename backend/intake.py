"""Reading what clients send: content as JSON or as a form, checked against the type that is expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from re import fullmatch
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web
from multidict import CIMultiDict

from backend.problems import Problem
from backend.shop import MOST_PIECES

T = TypeVar("T")
JSON_TYPES = ("application/json", "application/merge-patch+json")
FORM_TYPE = "application/x-www-form-urlencoded"

Sku = Annotated[str, msgspec.Meta(max_length=40)]
Pieces = Annotated[int, msgspec.Meta(ge=1, le=MOST_PIECES)]
PiecesOrNone = Annotated[int, msgspec.Meta(ge=0, le=MOST_PIECES)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
OwnWord = Annotated[str, msgspec.Meta(max_length=64)]


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """No fields at all."""


class Choice(msgspec.Struct, forbid_unknown_fields=True):
    """So many pieces of a product."""

    sku: Sku
    quantity: Pieces = 1


class Quantity(msgspec.Struct, forbid_unknown_fields=True):
    """How many pieces there shall be."""

    quantity: Pieces


class QuantityOrNone(msgspec.Struct, forbid_unknown_fields=True):
    """How many pieces there shall be, 0 for none."""

    quantity: PiecesOrNone


class Credentials(msgspec.Struct, forbid_unknown_fields=True):
    """A name and a password."""

    name: Word
    password: Word


class Reference(msgspec.Struct, forbid_unknown_fields=True):
    """A customer's own word for an order."""

    reference: OwnWord = ""


class CartAsSeen(msgspec.Struct, forbid_unknown_fields=True):
    """A cart's URL and the version that the shopper saw, and their own word for the order."""

    cart: Word
    version: int
    reference: OwnWord = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """The fields that were sent, and the header fields that a form carries in its own fields.

    An HTML form can neither choose a method nor set header fields; `_method` and `_If-Match` and the like
    in its content stand for them.
    """

    fields: Mapping[str, Any]
    by_form: bool
    headers: Mapping[str, str]

    def read(self, expected: type[T]) -> T:
        """The fields as a value of the expected type; raises Problem("invalid-fields")."""
        try:
            return msgspec.convert(dict(self.fields), expected, strict=not self.by_form)
        except msgspec.ValidationError as error:
            raise Problem("invalid-fields", f"{error}.") from error


async def submission(
    request: web.Request, *, types: tuple[str, ...] = (*JSON_TYPES[:1], FORM_TYPE)
) -> Submission:
    """Reads the request's content, none at all is no fields.

    Raises Problem("unsupported-media-type", "malformed-body", "invalid-fields" or "too-large").
    """
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise Problem("too-large", headers=[("Connection", "close")]) from error
    except web.RequestPayloadError as error:
        raise Problem("malformed-body", "It isn't whole.", headers=[("Connection", "close")]) from error
    field = "Accept-Patch" if request.method == "PATCH" else "Accept"
    return parse(body, request.content_type.lower(), request.headers, types=types, field=field)


def parse(
    body: bytes,
    media_type: str,
    headers: Mapping[str, str],
    *,
    types: tuple[str, ...] = (*JSON_TYPES[:1], FORM_TYPE),
    field: str = "Accept",
) -> Submission:
    """What the content says; `field` is the header field that tells which `types` are understood."""
    if headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(
            "unsupported-media-type", "It isn't compressed.", headers=[("Accept-Encoding", "identity")]
        )
    if not body:
        return Submission({}, by_form=media_type == FORM_TYPE, headers=headers)
    if media_type not in types:
        accepted = ", ".join(types)
        raise Problem("unsupported-media-type", f"It is one of: {accepted}.", headers=[(field, accepted)])
    if media_type == FORM_TYPE:
        return _form(body, headers)
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Problem("malformed-body", "It isn't JSON in UTF-8.") from error
    if not isinstance(fields, dict):
        raise Problem("invalid-fields", "The content must be a JSON object.")
    return Submission(fields, by_form=False, headers=headers)


def refuse_other_sites(method: str, sec_fetch_site: str) -> None:
    """Raises Problem("cross-site") for a change that a browser says comes from another site's page."""
    if method not in ("GET", "HEAD", "OPTIONS") and sec_fetch_site == "cross-site":
        raise Problem("cross-site")


def page_number(request: web.Request) -> int:
    """The query's page number, 1 where none is given; raises Problem("malformed-query")."""
    return page_of(query(request, "page"))


def page_of(text: str) -> int:
    """A page's number as a query has it, "" for the first; raises Problem("malformed-query")."""
    text = text or "1"
    if not fullmatch(r"[1-9][0-9]{0,8}", text):
        raise Problem("malformed-query", "A page is a positive whole number.")
    return int(text)


def query(request: web.Request, name: str, most: int = 100) -> str:
    """A query parameter's first value, "" if it has none; raises Problem("malformed-query") if too long."""
    return query_value(name, request.query.get(name, ""), most)


def query_value(name: str, value: str, most: int = 100) -> str:
    """The value without spaces around it; raises Problem("malformed-query") if too long."""
    if len(value.strip()) > most:
        raise Problem("malformed-query", f"{name} has at most {most} characters.")
    return value.strip()


def _form(body: bytes, sent: Mapping[str, str]) -> Submission:
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=50,
        )
    except ValueError as error:
        raise Problem("malformed-body", "It isn't a URL-encoded form in UTF-8.") from error
    headers = CIMultiDict(sent)
    headers.update({name[1:]: value for name, value in pairs if name.startswith("_")})
    fields = {name: value for name, value in pairs if not name.startswith("_")}
    return Submission(fields, by_form=True, headers=headers)
