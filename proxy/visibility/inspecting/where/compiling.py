"""From the words of a condition to a function. Nothing of it is ever executed as a program."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from difflib import get_close_matches

from proxy.visibility.inspecting.where.fields import COLLECTIONS, NAMES, Read, Value, reader, reader_by_name
from proxy.visibility.inspecting.where.words import KEYWORDS, LITERALS, IllFormedCondition, Word, words_of
from proxy.visibility.observation import Observation

Condition = Callable[[Observation], bool]

DEEPEST = 50
"""How many parentheses may stand inside each other."""

_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "contains", "startswith", "endswith", "matches", "in")


def compile_condition(text: str) -> Condition:
    """The condition as a function of an exchange. Raises IllFormedCondition.

    Fields that are absent are null, which is equal to nothing but null. `contains` looks for a part of a
    string without regard to case, or for a member of a list. A time may be compared to a string such as
    "2026-11-23T07:00:00Z".
    """
    reading = _Reading(text)
    read = reading.either()
    reading.end()
    return lambda one: bool(read(one))


class _Reading:
    """What is still to be read of a condition."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words = words_of(text)
        self._at = 0
        self._depth = 0

    def either(self) -> Read:
        found = [self._both()]
        while self._accept("or"):
            found.append(self._both())
        return found[0] if len(found) == 1 else lambda one: any(read(one) for read in found)

    def _both(self) -> Read:
        found = [self._negated()]
        while self._accept("and"):
            found.append(self._negated())
        return found[0] if len(found) == 1 else lambda one: all(read(one) for read in found)

    def _negated(self) -> Read:
        negations = 0
        while self._accept("not"):
            negations += 1
        found = self._comparison()
        return (lambda one: not found(one)) if negations % 2 else found

    def _comparison(self) -> Read:
        left, left_is_time = self._operand()
        negated = self._word.value == "not" and self._words[self._at + 1].value == "in"
        if negated:
            self._at += 1
        word = self._word
        if word.kind not in ("sign", "name") or word.value not in _COMPARISONS:
            return left
        self._at += 1
        at = self._word.at
        if word.value == "matches":
            return self._pattern(left)
        right, right_is_time = self._list() if word.value == "in" else self._operand()
        if left_is_time:
            right = self._as_time(right, at)
        elif right_is_time:
            left = self._as_time(left, word.at)
        compared = _compared(str(word.value), left, right)
        return (lambda one: not compared(one)) if negated else compared

    def _pattern(self, left: Read) -> Read:
        word = self._word
        if word.kind != "string":
            self._fail("matches wants a regular expression in quotes")
        self._at += 1
        try:
            pattern = re.compile(str(word.value))
        except re.error as error:
            raise IllFormedCondition(f"not a regular expression: {error}", self._text, word.at) from error
        return lambda one: isinstance(value := left(one), str) and pattern.search(value) is not None

    def _list(self) -> tuple[Read, bool]:
        if not self._accept("["):
            return self._operand()
        values: list[Value] = []
        while not self._accept("]"):
            if values and not self._accept(","):
                self._fail("a list goes on with , or ends with ]")
            values.append(self._literal())
        return (lambda _: tuple(values)), False  # type: ignore[arg-type]

    def _operand(self) -> tuple[Read, bool]:
        word = self._word
        if self._accept("("):
            self._depth += 1
            if self._depth > DEEPEST:
                self._fail("too many parentheses")
            found = self.either()
            if not self._accept(")"):
                self._fail("a ) is missing here")
            self._depth -= 1
            return found, False
        if word.kind == "name" and str(word.value).lower() not in LITERALS and word.value not in KEYWORDS:
            return self._field()
        value = self._literal()
        return (lambda _: value), False

    def _literal(self) -> Value:
        word = self._word
        if word.kind in ("string", "number"):
            self._at += 1
            return word.value
        if word.kind == "name" and str(word.value).lower() in LITERALS:
            self._at += 1
            return LITERALS[str(word.value).lower()]
        self._fail("a value or the name of a field is missing here")
        raise AssertionError

    def _field(self) -> tuple[Read, bool]:
        first = self._word
        name = str(first.value)
        self._at += 1
        while True:
            if name in COLLECTIONS and self._accept("["):
                wanted = self._literal()
                if not self._accept("]"):
                    self._fail("a ] is missing here")
                found = reader_by_name(name, str(wanted))
                break
            if not self._accept("."):
                found = reader(name)
                break
            part = self._word
            if part.kind != "name":
                self._fail("the name of a field is missing here")
            self._at += 1
            if name in COLLECTIONS:
                found = reader_by_name(name, str(part.value))
                break
            name = f"{name}.{part.value}"
        if found is None:
            raise IllFormedCondition(_unknown(name), self._text, first.at)
        return found, name == "time"

    def _as_time(self, read: Read, at: int) -> Read:
        """What is compared to a time: where it is a string, the moment that it means."""
        value = read(_NOTHING)
        if not isinstance(value, str):
            return read
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            what = "not a time such as 2026-11-23T07:00:00Z"
            raise IllFormedCondition(what, self._text, at) from error
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        return lambda _: seconds

    @property
    def _word(self) -> Word:
        return self._words[self._at]

    def _accept(self, value: str) -> bool:
        if self._word.kind in ("name", "sign") and self._word.value == value:
            self._at += 1
            return True
        return False

    def end(self) -> None:
        if self._word.kind != "end":
            self._fail("an operator is missing here, such as and")

    def _fail(self, what: str) -> None:
        raise IllFormedCondition(what, self._text, self._word.at)


_NOTHING = Observation()


def _compared(operator: str, left: Read, right: Read) -> Read:
    compare = _OPERATORS[operator]
    return lambda one: compare(left(one), right(one))


def _equal(left: Value, right: Value) -> bool:
    if isinstance(left, tuple) and isinstance(right, str):
        return right in left  # reasons == "private": one of them is
    return left == right


def _ordered(test: Callable[[float, float], bool]) -> Callable[[Value, Value], bool]:
    def compare(left: Value, right: Value) -> bool:
        if isinstance(left, str) and isinstance(right, str):
            return test((left > right) - (left < right), 0)
        if isinstance(left, int | float) and isinstance(right, int | float):
            return test(left, right)
        return False

    return compare


def _contains(left: Value, right: Value) -> bool:
    if isinstance(left, tuple):
        return right in left
    return isinstance(left, str) and isinstance(right, str) and right.lower() in left.lower()


def _text(test: Callable[[str, str], bool]) -> Callable[[Value, Value], bool]:
    return lambda left, right: isinstance(left, str) and isinstance(right, str) and test(left, right)


_OPERATORS: dict[str, Callable[[Value, Value], bool]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
    "contains": _contains,
    "startswith": _text(str.startswith),
    "endswith": _text(str.endswith),
    "in": lambda left, right: _contains(right, left),
}


def _unknown(name: str) -> str:
    close = get_close_matches(name, (*NAMES, *COLLECTIONS), 1, 0.5)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"no record has a field {name!r}{hint}"
