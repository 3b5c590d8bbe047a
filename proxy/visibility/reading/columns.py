"""Rows of text to observations, a column at a time: nearly all of the work is done without bytecode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice, repeat
from math import nan
from typing import Any

from proxy.visibility.observation import Lines, Observation
from proxy.visibility.reading import outcomes, times
from proxy.visibility.reading.hiding import Hiding, unescaped, version_of
from proxy.visibility.reading.memo import Memo
from proxy.visibility.reading.roles import Role, Says

Column = Sequence[str]
_ABSENT = ("-", "")
_LONGEST = 1e9
"""Seconds that no exchange takes."""
_DEFAULTS: dict[str, Any] = dict(
    zip(Observation.__struct_fields__, Observation.__struct_defaults__, strict=True)
)
_PLACES = {name: place for place, name in enumerate(_DEFAULTS)}
_RESULT_FIELDS = frozenset(outcomes.RESULT_FIELDS)


class Columns:
    """Makes observations of rows whose pieces have the given roles.

    Where two pieces say the same, the first that does counts; fields and cookies add up.
    """

    def __init__(self, roles: Sequence[Role], hiding: Hiding) -> None:
        self._hiding = hiding
        self._steps: list[tuple[int, Callable[[Column, dict[str, Any]], None]]] = []
        self._request_lines: list[tuple[int, Memo[str, tuple[str, str] | None]]] = []
        self._response_lines: list[tuple[int, Memo[str, tuple[str, str] | None]]] = []
        self._told = Memo(outcomes.told)
        said: set[Says] = set()
        begins = any(role.says is Says.TIME for role in roles)
        for at, role in enumerate(roles):
            if role.says is Says.REQUEST_FIELD:
                self._request_lines.append((at, hiding.lines_of(role.name)))
            elif role.says is Says.COOKIE:
                self._request_lines.append((at, hiding.cookies_of(role.name)))
            elif role.says is Says.RESPONSE_FIELD:
                self._response_lines.append((at, hiding.lines_of(role.name)))
            elif role.says not in said and not (begins and role.says is Says.END_TIME):
                said.add(role.says)
                self._steps.append((at, self._step(role)))
        self._results = not said & {Says.CACHE, Says.SQUID} and any(
            role.name.lower() in _RESULT_FIELDS for role in roles if role.says is Says.RESPONSE_FIELD
        )
        self._ends = said >= {Says.END_TIME, Says.DURATION}

    def observations(self, rows: Sequence[Sequence[str]]) -> list[Observation]:
        """One for each row. Raises ValueError where a piece of any of them is not what it has to be."""
        return self.of_columns(list(zip(*rows, strict=True)), len(rows)) if rows else []

    def of_columns(self, columns: Sequence[Column], count: int) -> list[Observation]:
        """The same of `count` rows that are columns already."""
        made: dict[str, Any] = {}
        for at, step in self._steps:
            step(columns[at], made)
        if self._request_lines:
            made["request_fields"] = _lines(columns, self._request_lines)
        if self._response_lines:
            made["response_fields"] = _lines(columns, self._response_lines)
            if self._results:
                self._outcome(map(self._told.__getitem__, made["response_fields"]), made)
        self._join(made, count)
        last = max(map(_PLACES.__getitem__, made))
        given = islice(_DEFAULTS.items(), last + 1)
        return list(map(Observation, *(made.get(name) or repeat(value) for name, value in given)))

    def _join(self, made: dict[str, Any], count: int) -> None:
        """What is told in pieces is put together."""
        if "path" in made or "query" in made:
            paths = made.pop("path", repeat("", count))
            queries = made.pop("query", repeat("", count))
            if "target" in made:
                made["target"] = [
                    f"{target}{self._hiding.target('?' + query)}" if query and "?" not in target else target
                    for target, query in zip(made["target"], queries, strict=False)
                ]
            else:
                joined = (
                    f"{path}?{query}" if query else path for path, query in zip(paths, queries, strict=False)
                )
                made["target"] = list(map(self._hiding.target, joined))
        if self._ends:
            pairs = zip(made["time"], made["duration"], strict=True)
            made["time"] = [time - took if took == took else time for time, took in pairs]

    def _step(self, role: Role) -> Callable[[Column, dict[str, Any]], None]:
        says = role.says
        if says is Says.REQUEST:
            return self._request
        if says is Says.TARGET:
            return partial(self._target, Memo(lambda text: self._hiding.url(unescaped(text))))
        if says in (Says.CACHE, Says.SQUID):
            memo = Memo(outcomes.squid if says is Says.SQUID else outcomes.word)
            return lambda column, made: self._outcome(map(memo.__getitem__, column), made)
        if says in (Says.TIME, Says.END_TIME):
            read = times.formatted(role.form) if role.form else times.any_time
            return partial(_mapped, "time", Memo(read, 4096))
        if says is Says.DURATION:
            return partial(_mapped, "duration", Memo(partial(_duration, role.unit)))
        if says is Says.AUTHORITY:
            return partial(_mapped, "authority", Memo(lambda text: self._hiding.authority(_present(text))))
        if says is Says.RESPONSE_BYTES:
            return _sizes
        if says is Says.CLIENT:
            return _clients
        name, read_text = _PLAIN[says]
        return partial(_mapped, name, Memo(read_text))

    def _request(self, column: Column, made: dict[str, Any]) -> None:
        method, scheme, authority, target, version = zip(
            *map(self._hiding.request.__getitem__, column), strict=True
        )
        made["method"], made["target"], made["version"] = method, target, version
        made.setdefault("scheme", scheme)
        made.setdefault("authority", authority)

    def _target(self, memo: Memo[str, tuple[str, str, str]], column: Column, made: dict[str, Any]) -> None:
        scheme, authority, made["target"] = zip(*map(memo.__getitem__, column), strict=True)
        made.setdefault("scheme", scheme)
        made.setdefault("authority", authority)

    def _outcome(self, found: Iterable[outcomes.Outcome], made: dict[str, Any]) -> None:
        made["outcome"], made["forward"], made["from_cache"] = zip(*found, strict=True)


def _sizes(column: Column, made: dict[str, Any]) -> None:
    try:
        made["response_bytes"] = list(map(int, column))
    except ValueError:
        made["response_bytes"] = list(map(_size, column))


def _clients(column: Column, made: dict[str, Any]) -> None:
    made["client"] = [_present(text) for text in column] if "-" in column else column


def _mapped(name: str, memo: Memo[str, Any], column: Column, made: dict[str, Any]) -> None:
    made[name] = list(map(memo.__getitem__, column))


def _lines(columns: Sequence[Column], sources: list[tuple[int, Memo[str, Any]]]) -> list[Lines]:
    rows = zip(*(map(memo.__getitem__, columns[at]) for at, memo in sources), strict=True)
    return [row if None not in row else tuple(line for line in row if line is not None) for row in rows]


def _present(text: str) -> str:
    return "" if text == "-" else text


def _number(text: str) -> int:
    return 0 if text in _ABSENT else int(text)


def _status(text: str) -> int:
    number = 0 if text in _ABSENT else int(text)
    return number if 0 <= number <= 999 else 0


def _size(text: str) -> int:
    number = _number(text)
    return number if number < 1 << 63 else -1


def _duration(unit: float, text: str) -> float:
    """The last number counts: a proxy that asked several servers lists them."""
    text = text.rpartition(" ")[2].lstrip("+")
    seconds = nan if text in _ABSENT else float(text) * unit
    return seconds if 0 <= seconds < _LONGEST else nan


def address(text: str) -> str:
    """Without the port, and without the brackets of IPv6."""
    host = text.rpartition(":")[0] if ":" in text else text
    return host.strip("[]")


def _peer(text: str) -> str:
    """The same where there may be no port; that of IPv6 stands behind brackets."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else _present(text)


def _server(text: str) -> str:
    """The last one asked: nginx lists several as `10.0.0.1:80, 10.0.0.2:80`."""
    return _present(text.replace(",", " ").rpartition(" ")[2])


def _query(text: str) -> str:
    return _present(text).removeprefix("?")


def _complete(text: str) -> bool:
    return text.lower() not in ("", "x", "false", "0", "aborted")


_PLAIN: dict[Says, tuple[str, Callable[[str], Any]]] = {
    Says.CLIENT_PORT: ("client", address),
    Says.PEER: ("client", _peer),
    Says.METHOD: ("method", _present),
    Says.PATH: ("path", unescaped),
    Says.QUERY: ("query", _query),
    Says.VERSION: ("version", version_of),
    Says.SCHEME: ("scheme", lambda text: _present(text).lower()),
    Says.STATUS: ("status", _status),
    Says.REQUEST_BYTES: ("request_bytes", _size),
    Says.UPSTREAM: ("upstream", _server),
    Says.ID: ("id", _present),
    Says.COMPLETE: ("complete", _complete),
    Says.DIGEST: ("digest", _present),
}
