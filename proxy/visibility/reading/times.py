"""Times as logs write them, to seconds since the epoch. All raise ValueError for what is not one."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Callable
from datetime import UTC, datetime

from proxy.visibility.reading.memo import Memo

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, start=1)}
CLF = r"\d\d/[A-Za-z]{3}/\d{4}:\d\d:\d\d:\d\d(?:\.\d{1,9})?(?: [+-]\d{4})?"
"""How NCSA logs write a time; nginx's $time_local; HAProxy's has milliseconds and no zone."""

_ISO_FRACTION = re.compile(r"([.,]\d+)")
_NUMBER = re.compile(r"\d{1,19}(?:\.\d{1,12})?(?:[eE]\+?\d{1,2})?")
_LATEST = 253402300799.0


def _midnight(date: str) -> int:
    """Of a day such as `14/Nov/2023`, in UTC."""
    day, month, year = date.split("/")
    return int(datetime(int(year), _MONTHS[month.title()], int(day), tzinfo=UTC).timestamp())


_midnights: Memo[str, int] = Memo(_midnight, 4096)


def clf(text: str) -> float:
    """`14/Nov/2023:22:13:20 +0000`, as the Common Log Format has it; without a zone it is taken for UTC."""
    try:
        hour, minute, second = int(text[12:14]), int(text[15:17]), float(text[18:].partition(" ")[0])
        if hour > 23 or minute > 59 or not second < 61:
            raise ValueError("no time of day")
        offset = 0 if text[-5:] == "+0000" else _offset(text)
        return _midnights[text[:11]] + hour * 3600 + minute * 60 + second - offset
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError("the time can't be read") from error


def _offset(text: str) -> int:
    """East of Greenwich, in seconds, from the last five characters where they are a zone."""
    zone = text[-5:]
    if zone[0] not in "+-":
        return 0
    seconds = int(zone[1:3]) * 3600 + int(zone[3:]) * 60
    return -seconds if zone[0] == "-" else seconds


def _second(text: str) -> int:
    """Of `2023-11-14T22:13:20`, in UTC."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is not None:
        raise ValueError("not a time of that form")
    return timegm(found.timetuple())


SECONDS: Memo[str, int] = Memo(_second, 4096)
"""Of times such as `2023-11-14T22:13:20`, in UTC."""


def iso(text: str) -> float:
    """A time of RFC 3339 or ISO 8601; without a zone it is taken for UTC."""
    try:
        if text[-1:] == "Z" and text[19:20] in ("Z", "."):
            return SECONDS[text[:19]] + (float(text[19:-1]) if len(text) > 20 else 0.0)
        fraction = _ISO_FRACTION.search(text)
        whole = _ISO_FRACTION.sub("", text, count=1) if fraction else text
        found = datetime.fromisoformat(whole)
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        return found.timestamp() + (float("0" + fraction[1].replace(",", ".")) if fraction else 0.0)
    except (ValueError, OverflowError, AttributeError) as error:
        raise ValueError("the time can't be read") from error


def epoch(text: str) -> float:
    """Seconds since the epoch; also milli-, micro- or nanoseconds, told by their size."""
    if not _NUMBER.fullmatch(text):
        raise ValueError("the time can't be read")
    number = float(text)
    if number > 1e20:
        raise ValueError("the time can't be read")
    while number > 1e11:
        number /= 1000.0
    return min(number, _LATEST)


def any_time(text: str) -> float:
    """Whichever of the above it is."""
    if text[2:3] == "/":
        return clf(text)
    if text[4:5] == "-":
        return iso(text)
    if text.startswith("["):
        return any_time(text.strip("[]"))
    return epoch(text)


def formatted(form: str) -> Callable[[str], float]:
    """What reads times written with `strftime` in `form`; without a zone they are taken for UTC."""

    def read(text: str) -> float:
        try:
            found = datetime.strptime(text, form)
        except (ValueError, OverflowError, re.error) as error:
            raise ValueError("the time can't be read") from error
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()

    return read
