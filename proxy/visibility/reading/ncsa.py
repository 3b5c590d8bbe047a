"""The Common Log Format and what has grown from it: combined, with the host first, with more at the end."""

from __future__ import annotations

import re
from collections.abc import Sequence

from proxy.visibility.reading.hiding import unescaped
from proxy.visibility.reading.outcomes import UNKNOWN, word

COMMON = '%h %l %u %t "%r" %>s %b'
COMBINED = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"'
VHOST_COMMON = '%v:%p %h %l %u %t "%r" %>s %b'
VHOST_COMBINED = '%v:%p %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"'

_START = re.compile(
    r'(?P<host>\S+ )?(?!- )\S+ - [^\[]*?\[[^\]]+\] "(?:[^"\\]|\\.)*+" \d{3} (?:\d+|-)'
    r'(?P<fields> "(?:[^"\\]|\\.)*+" "(?:[^"\\]|\\.)*+")?'
)
_TOKEN = re.compile(r'\s+(?:([A-Za-z_]{1,20}[=:]))?("(?:[^"\\]|\\.)*+"|[^\s"]++)')
_SECONDS = re.compile(r"\d{1,6}\.\d{3,6}")
_ADDRESSES = re.compile(r"[0-9a-fA-F.:]{3,45}(?:, ?[0-9a-fA-F.:]{3,45})*")
_TIMES = frozenset({"", "rt", "request_time"})
_MOST = 24
"""Pieces at the end of a line that are told apart."""

_LONGEST = 4096
"""Characters of all of them."""


def extended(lines: Sequence[str]) -> str:
    """The format string of lines that go on after those of NCSA; empty where they aren't all alike.

    What the pieces mean is told by what all lines have in their place: seconds with three digits after the
    point, the word of a cache, addresses. What can't be told is left out.
    """
    if not lines:
        return ""
    found = [_START.match(line) for line in lines]
    if None in found:
        return ""
    starts = [each for each in found if each is not None]
    rests = [line[start.end() :].rstrip() for line, start in zip(lines, starts, strict=True)]
    fields = {start["fields"] is not None for start in starts}
    hosts = {start["host"] is not None for start in starts}
    if len(fields) > 1 or len(hosts) > 1 or not all(rest[:1] in (" ", "\t") for rest in rests):
        return ""
    host = "" if not hosts.pop() else "$host:$server_port " if _has_port(starts) else "$host "
    start = f'{host}$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent'
    if fields.pop():
        start += ' "$http_referer" "$http_user_agent"'
    return start + (_pieces(rests) or " $rest")


def _has_port(starts: Sequence[re.Match[str]]) -> bool:
    return all(re.search(r":\d+ $", start["host"]) for start in starts)


def _pieces(rests: Sequence[str]) -> str:
    """The pieces that all of `rests` consist of; empty where they differ."""
    if max(map(len, rests)) > _LONGEST:
        return ""
    tokens = [_TOKEN.findall(rest) for rest in rests]
    if any(_TOKEN.sub("", rest) for rest in rests):
        return ""
    shapes = {tuple((label, text[0] == '"') for label, text in line) for line in tokens}
    if len(shapes) != 1 or len(tokens[0]) > _MOST:
        return ""
    used: set[str] = set()
    out = ""
    for label, quoted, *texts in _columns(tokens):
        name = _meaning(label.rstrip("=:").lower(), texts)
        if name in used:
            name = "skipped"
        used.add(name)
        out += f' {label}"${{{name}}}"' if quoted else f" {label}${{{name}}}"
    return out


def _columns(tokens: Sequence[Sequence[tuple[str, str]]]) -> list[tuple[str, bool, *tuple[str, ...]]]:
    return [
        (column[0][0], column[0][1][0] == '"', *(text.strip('"') for _, text in column))
        for column in zip(*tokens, strict=True)
    ]


def _meaning(label: str, texts: Sequence[str]) -> str:
    """The variable of nginx that has such values."""
    told = [unescaped(text) for text in texts if text not in ("-", "")]
    if not told:
        return "skipped"
    if label in _TIMES and all(map(_SECONDS.fullmatch, told)):
        return "request_time"
    if all(word(text) is not UNKNOWN for text in told):
        return "upstream_cache_status"
    if not label and all(map(_ADDRESSES.fullmatch, told)) and all("." in t or ":" in t for t in told):
        return "http_x_forwarded_for" if not all(map(_SECONDS.fullmatch, told)) else "skipped"
    return "skipped"
