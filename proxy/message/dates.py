"""HTTP-date: the three forms that recipients accept, the one form that senders generate (RFC 9110 §5.6.7)."""

from __future__ import annotations

import calendar
import math
import re
import time
from functools import lru_cache
from typing import NamedTuple

_DAYS = (b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun")
_LONG_DAYS = (b"Monday", b"Tuesday", b"Wednesday", b"Thursday", b"Friday", b"Saturday", b"Sunday")
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_MONTH_NUMBERS = {name.lower(): number for number, name in enumerate(_MONTHS, 1)}

_DAY_NAME = rb"(?:" + b"|".join(_DAYS) + rb")"
_DAY_NAME_L = rb"(?:" + b"|".join(_LONG_DAYS) + rb")"
_MONTH = rb"(?P<month>" + b"|".join(_MONTHS) + rb")"
_TIME_OF_DAY = rb"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_YEAR = rb"(?P<year>[0-9]{4})"

# RFC 9111 §4.2 asks caches to match the formats without regard to case, and to refuse zones but GMT.
_IMF_FIXDATE = re.compile(
    _DAY_NAME + rb", (?P<day>[0-9]{2}) " + _MONTH + rb" " + _YEAR + rb" " + _TIME_OF_DAY + rb" GMT",
    re.IGNORECASE,
)
_RFC850_DATE = re.compile(
    _DAY_NAME_L + rb", (?P<day>[0-9]{2})-" + _MONTH + rb"-(?P<year>[0-9]{2}) " + _TIME_OF_DAY + rb" GMT",
    re.IGNORECASE,
)
_ASCTIME_DATE = re.compile(
    _DAY_NAME + rb" " + _MONTH + rb" (?P<day>[0-9]{2}| [0-9]) " + _TIME_OF_DAY + rb" " + _YEAR, re.IGNORECASE
)
_LONGEST = len(b"Wednesday, 06-Nov-94 08:49:37 GMT")


class _Civil(NamedTuple):
    """A date and time of day in UTC; the order of the parts is their significance, so that it compares."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int


def parse_date(value: bytes, now: float) -> float | None:
    """The instant that an HTTP-date names, in seconds since the epoch, or None where it isn't one.

    `now` (seconds since the epoch) matters to the two-digit years of the rfc850-date form alone. Letters
    count in either case (RFC 9111 §4.2); white space must stand exactly as the grammar has it, and the zone
    must be GMT. The name of the day must be one, but it isn't held against the date: it tells nothing that
    the date doesn't. A leap second is taken as the second before it, so that nothing expires late.
    """
    if len(value) > _LONGEST:
        return None
    read = _read(value)
    if isinstance(read, _Civil):
        return _seconds(_with_century(read, now))
    return read


@lru_cache(maxsize=4096)
def _read(value: bytes) -> float | _Civil | None:
    """What `value` says; of an rfc850-date the parts, as `now` has to complete its year."""
    match = _IMF_FIXDATE.fullmatch(value) or _ASCTIME_DATE.fullmatch(value)
    if match is not None:
        return _seconds(_civil(match))
    match = _RFC850_DATE.fullmatch(value)
    return None if match is None else _civil(match)


def _civil(match: re.Match[bytes]) -> _Civil:
    return _Civil(
        int(match["year"]),
        _MONTH_NUMBERS[match["month"].lower()],
        int(match["day"]),
        int(match["hour"]),
        int(match["minute"]),
        int(match["second"]),
    )


def _with_century(civil: _Civil, now: float) -> _Civil:
    """The latest year with these two digits that isn't more than 50 years in the future."""
    today = time.gmtime(now)
    limit = _Civil(today.tm_year + 50, *today[1:6])
    year = limit.year - (limit.year - civil.year) % 100
    completed = civil._replace(year=year)
    return completed if completed <= limit else civil._replace(year=year - 100)


def _seconds(civil: _Civil) -> float | None:
    leap = civil.second == 60 and (civil.hour, civil.minute) == (23, 59)
    in_range = (
        civil.year >= 1
        and 1 <= civil.day <= calendar.monthrange(civil.year, civil.month)[1]
        and civil.hour < 24
        and civil.minute < 60
        and (civil.second < 60 or leap)
    )
    if not in_range:
        return None
    return float(calendar.timegm((*civil[:5], min(civil.second, 59))))


def format_date(t: float) -> bytes:
    """The IMF-fixdate of `t` seconds since the epoch, rounded down to the second.

    Raises ValueError where the year isn't one of four digits.
    """
    return _format(math.floor(t))


@lru_cache(maxsize=256)
def _format(second: int) -> bytes:
    try:
        parts = time.gmtime(second)
    except (OverflowError, OSError) as error:
        raise ValueError(f"no HTTP-date can express {second}") from error
    if not 1 <= parts.tm_year <= 9999:
        raise ValueError(f"no HTTP-date can express {second}")
    return b"%s, %02d %s %04d %02d:%02d:%02d GMT" % (
        _DAYS[parts.tm_wday],
        parts.tm_mday,
        _MONTHS[parts.tm_mon - 1],
        parts.tm_year,
        parts.tm_hour,
        parts.tm_min,
        parts.tm_sec,
    )
