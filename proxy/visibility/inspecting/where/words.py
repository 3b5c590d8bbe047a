"""The words of a condition, each with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from proxy.message.errors import PellucidError

LONGEST = 4_096
"""Characters that a condition has at most."""

KEYWORDS = frozenset(("and", "or", "not", "in", "contains", "startswith", "endswith", "matches"))
LITERALS = {"true": True, "false": False, "null": None, "none": None}

_WORD = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<number>-?[0-9]+(?:\.[0-9]+)?)
  | (?P<name>[A-Za-z_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)
  | (?P<sign>==|!=|<=|>=|<|>|\(|\)|\[|\]|,|\.)
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)")


class IllFormedCondition(PellucidError):  # noqa: N818 - as the other errors in what a user wrote
    """A condition that can't be read: `what` is wrong, and at which place of it (`at`, counted from 0)."""

    def __init__(self, message: str, condition: str, at: int) -> None:
        self.at = at
        self.what = message
        super().__init__(f"{message}, at character {at + 1} of {condition[:200]!r}")


@dataclass(frozen=True, slots=True)
class Word:
    """`kind` is `string`, `number`, `name`, `sign`, or `end`; `value` is what it says."""

    kind: str
    value: str | float
    at: int


def words_of(condition: str) -> list[Word]:
    """The words of a condition, the last being its end. Raises IllFormedCondition."""
    if len(condition) > LONGEST:
        raise IllFormedCondition(f"more than {LONGEST} characters", condition, LONGEST)
    found: list[Word] = []
    at = 0
    while at < len(condition):
        match = _WORD.match(condition, at)
        if match is None:
            what = (
                "a string that does not end"
                if condition[at] in "\"'"
                else f"{condition[at]!r} means nothing here"
            )
            raise IllFormedCondition(what, condition, at)
        kind, text = match.lastgroup or "", match[0]
        if kind == "string":
            found.append(Word(kind, _ESCAPE.sub(lambda escaped: escaped[1], text[1:-1]), at))
        elif kind == "number":
            found.append(Word(kind, float(text), at))
        elif kind != "space":
            found.append(Word(kind, text, at))
        at = match.end()
    return [*found, Word("end", "", len(condition))]
