"""What a representation says besides its data: links to follow and actions to take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec


class Link(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where to go; `href` is relative to this server, so that it also holds behind a proxy."""

    href: str
    title: str = ""


class Field(msgspec.Struct, frozen=True, omit_defaults=True):
    """One field of an action; `type` is one of HTML's input types, `value` what is sent unless changed."""

    name: str
    type: str = "text"
    label: str = ""
    value: str | int | None = None
    min: int | None = None
    max: int | None = None


class Action(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request that a client may make next: its method, URL, header fields and fields of content."""

    title: str
    method: str
    href: str
    fields: tuple[Field, ...] = ()
    headers: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class View:
    """One resource as shown, before it is written as JSON or HTML; `kind` chooses the HTML page.

    Both representations are written from this one value, so that they say the same.
    """

    kind: str
    title: str
    data: Mapping[str, Any]
    links: Mapping[str, Link] = field(default_factory=dict)
    actions: Mapping[str, Action] = field(default_factory=dict)
    updated: int | None = None

    def document(self) -> dict[str, Any]:
        """The JSON representation's members."""
        return {"title": self.title, **self.data, "links": self.links, "actions": self.actions}
