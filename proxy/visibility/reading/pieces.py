"""What a format string consists of beside literal text."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.visibility.reading.roles import Role

STOP = "\N{BULLET}"
"""In a character class of a form: the character that follows the variable."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A variable of a format string; `role` is None where it says nothing of interest, `form` how it looks.

    `form` is `clf`, `iso` or `epoch` for a time, `words` for a name with spaces, else a regular expression,
    perhaps with STOP; empty: whatever is there up to what follows.
    """

    role: Role | None
    form: str = ""
