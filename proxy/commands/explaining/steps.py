"""How one message has to be changed to become another, one step for each field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from proxy.commands.explaining.origins import Had
from proxy.message.fields import Fields

_NOTES = {
    b"etag": "with another value whenever the content is another",
    b"vary": "with whatever other request fields the response depends on",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One field to change, called `name`; values are None where there is none.

    `of_request` tells the request's fields from the response's. `note` is what else there is to say.
    """

    name: str
    before: str | None
    after: str | None
    of_request: bool = False
    note: str = ""

    def __str__(self) -> str:
        note = f", {self.note}" if self.note else ""
        verb = "In the request, " if self.of_request else ""
        if self.after is None:
            return f"{verb}{_begun('drop', verb)} `{self.name}`{note}."
        said = f"`{self.name}: {self.after}`"
        if self.before is None:
            return f"{verb}{_begun('add', verb)} {said}{note}."
        return f"{verb}{_begun('say', verb)} {said} in the place of `{self.before}`{note}."


def _begun(word: str, before: str) -> str:
    return word if before else word.title()


def steps(before: Had, after: Had) -> tuple[Step, ...]:
    """What is different in `after`, the request first."""
    return tuple(_steps(before, after))


def _steps(before: Had, after: Had) -> Iterator[Step]:
    yield from _of_fields(before.request.fields, after.request.fields, of_request=True)
    yield from _of_fields(before.response.fields, after.response.fields, of_request=False)


def _of_fields(before: Fields, after: Fields, *, of_request: bool) -> Iterator[Step]:
    for name in dict.fromkeys((*before.names(), *after.names())):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        written = next(line[0] for line in (*after, *before) if line[0].lower() == name)
        note = _NOTES.get(name, "") if new is not None and (old is None or old == b"*") else ""
        yield Step(written.decode("latin-1"), _text(old), _text(new), of_request, note)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
