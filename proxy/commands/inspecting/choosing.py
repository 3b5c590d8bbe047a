"""Which exchanges a report is about: the options that leave others out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from proxy.message.errors import ConfigurationError
from proxy.units import parse_duration
from proxy.visibility.inspecting.messages import place_of
from proxy.visibility.inspecting.where import Condition, IllFormedCondition, compile_condition
from proxy.visibility.observation import Observation

_STATUS = re.compile(r"([1-9])xx|([0-9]{3})(?:-([0-9]{3}))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for, as it was written; each process makes a function of it for itself.

    `since` and `until` are in seconds since the epoch.
    """

    endpoints: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None
    reasons: tuple[str, ...] = ()
    where: tuple[str, ...] = ()

    def condition(self) -> Condition | None:
        """Whether an exchange is to be counted; None where all are. Raises ConfigurationError."""
        tests: list[Condition] = []
        if self.endpoints:
            tests.append(_any([_at(pattern) for pattern in self.endpoints]))
        if self.statuses:
            tests.append(_any([_with_status(status) for status in self.statuses]))
        if self.since is not None:
            tests.append(_from(self.since))
        if self.until is not None:
            tests.append(_before(self.until))
        if self.reasons:
            wanted = frozenset(self.reasons)
            tests.append(lambda one: not wanted.isdisjoint(one.reasons))
        try:
            tests += [compile_condition(text) for text in self.where]
        except IllFormedCondition as error:
            raise ConfigurationError(f"--where: {error}") from error
        if not tests:
            return None
        return tests[0] if len(tests) == 1 else lambda one: all(test(one) for test in tests)

    def shown(self) -> tuple[str, ...]:
        """The choice as a report shows it."""
        found = [f"endpoint {one}" for one in self.endpoints] + [f"status {one}" for one in self.statuses]
        for name, moment in (("since", self.since), ("until", self.until)):
            if moment is not None:
                found.append(f"{name} {datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}")
        return (*found, *(f"reason {one}" for one in self.reasons), *self.where)


def parse_moment(text: str, now: float) -> float:
    """A time (RFC 3339), or a duration before `now` such as `2h`. Raises ConfigurationError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = datetime.fromtimestamp(now - parse_duration(text), UTC)
        except (OverflowError, OSError, ValueError) as error:
            raise ConfigurationError("the time is too far away", evidence=text) from error
        except ConfigurationError as error:
            what = "neither a time such as 2026-11-23T07:00:00Z nor a duration such as 2h"
            raise ConfigurationError(what, evidence=text) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _any(tests: list[Condition]) -> Condition:
    return tests[0] if len(tests) == 1 else lambda one: any(test(one) for test in tests)


def _at(pattern: str) -> Condition:
    """Paths that a template fits: `{…}` is one segment, and `*` is anything."""
    authority, slash, path = pattern.partition("/")
    pieces = re.split(r"(\{[^{}]*\}|\*)", slash + path)
    form = "".join(".*" if one == "*" else "[^/]+" if one[:1] == "{" else re.escape(one) for one in pieces)
    fits = re.compile(form).fullmatch

    def test(one: Observation) -> bool:
        host, asked, _ = place_of(one.authority, one.target)
        return fits(asked) is not None and authority in ("", host)

    return test


def _with_status(text: str) -> Condition:
    found = _STATUS.fullmatch(text.strip())
    if found is None:
        raise ConfigurationError("a status is written 404, 5xx or 400-499", evidence=text)
    if found[1]:
        first, last = int(found[1]) * 100, int(found[1]) * 100 + 99
    else:
        first, last = int(found[2]), int(found[3] or found[2])
    return lambda one: first <= one.status <= last


def _from(moment: float) -> Condition:
    return lambda one: one.time >= moment


def _before(moment: float) -> Condition:
    return lambda one: one.time < moment
