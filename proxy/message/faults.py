"""What is wrong with a head that didn't match the grammar: read line by line, only once it is refused.

The evidence names the line and the piece; of a field it shows the name and never the value, which might be a
credential.
"""

from __future__ import annotations

import re

from proxy.message.errors import MalformedMessage
from proxy.message.grammar import is_token, shortened

_control = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_version = re.compile(rb"HTTP/[0-9]\.[0-9]")


def request_fault(head: bytes) -> MalformedMessage:
    """The first fault of a request's head (RFC 9112 §2.2, §3, §5), to be raised."""
    lines = _lines(head)
    while lines and lines[0] == b"\r\n":
        lines.pop(0)
    if lines:
        fault = _line_end_fault(lines[0], 1) or _request_line_fault(lines[0][:-2])
        if fault:
            return fault
    return _field_fault(lines, folds=False) or MalformedMessage("not the head of a request")


def request_line_fault(line: bytes) -> MalformedMessage:
    """What is wrong with a request line that was refused; `line` includes its line ending."""
    return (
        _line_end_fault(line, 1)
        or _request_line_fault(line[:-2])
        or MalformedMessage("not a request line", evidence="line 1")
    )


def response_fault(head: bytes) -> MalformedMessage:
    """The first fault of a response's head (RFC 9112 §2.2, §4, §5), to be raised: status 502."""
    lines = _lines(head)
    fault = _line_end_fault(lines[0], 1) if lines else None
    if fault is None and lines:
        status_line = lines[0][:-2]
        if re.fullmatch(rb"HTTP/[0-9]\.[0-9] [0-9]{3}(?: [\t\x20-\x7e\x80-\xff]*+)?+", status_line) is None:
            fault = MalformedMessage("not a status line", evidence=f"line 1: {shortened(status_line)}")
    fault = fault or _field_fault(lines, folds=True) or MalformedMessage("not the head of a response")
    fault.status = 502
    return fault


def trailer_fault(section: bytes) -> MalformedMessage:
    """The first fault of a trailer section (RFC 9112 §7.1.2), to be raised; lines count from its first."""
    return _field_fault([b"", *_lines(section)], folds=False, first=1) or MalformedMessage(
        "not a trailer section"
    )


def _lines(head: bytes) -> list[bytes]:
    """The lines with their endings; only LF ends a line here (splitlines would also end one at a CR)."""
    pieces = head.split(b"\n")
    lines = [piece + b"\n" for piece in pieces[:-1]]
    return [*lines, pieces[-1]] if pieces[-1] else lines


def _line_end_fault(line: bytes, number: int) -> MalformedMessage | None:
    if not line.endswith(b"\n"):
        return MalformedMessage("a line that doesn't end", evidence=f"line {number}")
    if not line.endswith(b"\r\n"):
        return MalformedMessage("a line feed without a carriage return before it", evidence=f"line {number}")
    if b"\r" in line[:-2]:
        return MalformedMessage("a carriage return without a line feed after it", evidence=f"line {number}")
    return None


def _request_line_fault(line: bytes) -> MalformedMessage | None:
    shown = f"line 1: {shortened(line.partition(b'?')[0].rpartition(b'@')[2])}"
    control = _control.search(line)
    if control:
        return MalformedMessage(
            "a control character in the request line", evidence=f"line 1: {shortened(control[0])}"
        )
    if b"\t" in line or line != line.strip(b" ") or b"  " in line:
        return MalformedMessage("white space in the wrong place of the request line", evidence=shown)
    words = line.split(b" ")
    if not is_token(words[0]):
        return MalformedMessage("the method is not a token", evidence=f"line 1: {shortened(words[0], 20)}")
    if len(words) < 3:
        if len(words) == 2 and not _version.fullmatch(words[1]):
            return MalformedMessage(
                "no version in the request line: HTTP/0.9 is not spoken here", evidence=shown
            )
        return MalformedMessage("the request line lacks a part", evidence=shown)
    if len(words) > 3:
        return MalformedMessage("white space in the request target", evidence=shown)
    if not _version.fullmatch(words[2]):
        return MalformedMessage("not a version of HTTP", evidence=f"line 1: {shortened(words[2], 20)}")
    return None


def _field_fault(lines: list[bytes], *, folds: bool, first: int = 2) -> MalformedMessage | None:
    for number, line in enumerate(lines[1:], first):
        if line == b"\r\n":
            return None
        fault = _line_end_fault(line, number) or _field_line_fault(line[:-2], number, folds=folds)
        if fault:
            return fault
    return None


def _field_line_fault(line: bytes, number: int, *, folds: bool) -> MalformedMessage | None:
    if line[:1] in (b" ", b"\t"):
        if folds and number > 2:
            return _value_fault(b"", line, number)
        if number == 2:
            return MalformedMessage("white space before the first field", evidence=f"line {number}")
        return MalformedMessage("obsolete line folding (RFC 9112 §5.2)", evidence=f"line {number}")
    name, colon, value = line.partition(b":")
    if not colon:
        return MalformedMessage(
            "a field line without a colon", evidence=f"line {number}: {_first_word(line)}"
        )
    if not name:
        return MalformedMessage("a field line without a name", evidence=f"line {number}")
    bare = name.rstrip(b" \t")
    if bare != name and not folds:
        return MalformedMessage(
            "white space between a field name and its colon (RFC 9112 §5.1)",
            evidence=f"line {number}: {shortened(name)}",
        )
    if not is_token(bare):
        return MalformedMessage(
            "a field name that is not a token", evidence=f"line {number}: {_first_word(name)}"
        )
    return _value_fault(bare, value, number)


def _value_fault(name: bytes, value: bytes, number: int) -> MalformedMessage | None:
    control = _control.search(value)
    if control is None:
        return None
    return MalformedMessage(
        "a control character in a field value",
        evidence=f"line {number}: {shortened(name)}: …{shortened(control[0])}…",
    )


def _first_word(line: bytes) -> str:
    words = line.split(maxsplit=1)
    return shortened(words[0], 20) if words else ""
