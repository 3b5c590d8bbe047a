"""Message heads, from bytes and to bytes (RFC 9112 §2 to §5): strict, one pattern for a whole head."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from proxy.message.errors import MalformedMessage
from proxy.message.faults import request_fault, request_line_fault, response_fault
from proxy.message.fields import Fields
from proxy.message.grammar import FIELD_LINES, TOKEN, shortened, split_field_lines
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.message.target import is_authority, parse_target

_end = re.compile(rb"\n\r?\n")
_empty_lines = re.compile(rb"(?:\r\n)*+")
_REQUEST_LINE = rb"(" + TOKEN + rb") ([\x21-\x7e\x80-\xff]++) HTTP/([0-9])\.([0-9])\r\n"
_request_line = re.compile(_REQUEST_LINE)
_request = re.compile(rb"(?:\r\n)*+" + _REQUEST_LINE + FIELD_LINES + rb"\r\n")
# The space after the status code is often left out with an empty reason phrase; nothing is ambiguous then.
_response = re.compile(
    rb"HTTP/([0-9])\.([0-9]) ([0-9]{3})(?: ([\t\x20-\x7e\x80-\xff]*+))?+\r\n" + FIELD_LINES + rb"\r\n"
)
_space_before_colon = re.compile(rb"^(" + TOKEN + rb")[ \t]++:", re.MULTILINE)
_fold = re.compile(rb"\r\n[ \t]++")


@dataclass(frozen=True, slots=True)
class HeadLimits:
    """How long a head may be: bytes of the start line, bytes of the field lines, and their number."""

    line: int = 8192
    block: int = 65536
    fields: int = 256


class ParsedRequest(NamedTuple):
    """What the head of a request says, as received."""

    method: bytes
    target: bytes
    version: tuple[int, int]
    fields: Fields


def find_end(buffer: bytes | bytearray, start: int) -> int:
    """The offset just after the first empty line from `start` on, -1 where there is none yet.

    An empty line that lacks its CR counts too, so that the head is refused at once and not waited for. When
    bytes were added, search again from three bytes before the old end.
    """
    match = _end.search(buffer, start)
    return match.end() if match else -1


def skip_empty_lines(buffer: bytes | bytearray) -> int:
    """The offset of the first byte that doesn't belong to an empty line before a request (RFC 9112 §2.2)."""
    match = _empty_lines.match(buffer)
    return match.end() if match else 0


def check_partial_request(buffer: bytes | bytearray, limits: HeadLimits) -> None:
    """Look at a request's head that has not ended yet, so that a hopeless one is refused early.

    `buffer` starts with the request line. Raises what `parse_request_head` would raise of the whole head.
    """
    end = buffer.find(b"\n")
    if end < 0:
        if len(buffer) > limits.line + 1:
            raise _too_long_line(limits)
        return
    if end > limits.line + 1:
        raise _too_long_line(limits)
    line = bytes(buffer[: end + 1])
    match = _request_line.fullmatch(line)
    if match is None:
        raise request_line_fault(line)
    _check_version(match[3], line)
    if len(buffer) - end - 2 > limits.block:  # one byte may be the beginning of the empty line
        raise MalformedMessage(
            "the header section is too long", evidence=f"over {limits.block} bytes", status=431
        )


def parse_request_head(head: bytes, limits: HeadLimits) -> ParsedRequest:
    """Parse the whole head of a request, its empty line included (RFC 9112 §2.2, §3, §5).

    Raises `MalformedMessage`: status 400 for what is malformed or ambiguous, 414 for a long request line, 431
    for a long header section, 505 for a major version other than 1.
    """
    match = _request.fullmatch(head)
    if match is None or len(head) > min(limits.line, limits.block):
        _check_size(head, limits)
    if match is None:
        raise request_fault(head)
    method, target, major, minor, block = match.groups()
    if major != b"1":
        _check_version(major, head)
    fields = split_field_lines(block)
    if len(fields) > limits.fields:
        raise _too_many_fields(fields, limits)
    version = (1, int(minor))
    if target[:1] != b"/" or b"#" in target or method == b"CONNECT":
        parse_target(method, target)
    _check_host(version, fields)
    return ParsedRequest(method, target, version, fields)


def parse_response_head(head: bytes, limits: HeadLimits) -> Response:
    """Parse the whole head of a response, its empty line included (RFC 9112 §2.2, §4, §5).

    White space before a colon is removed, as §5.1 demands of a proxy, and an obsolete line folding becomes
    one space (§5.2). Raises `MalformedMessage` with status 502.
    """
    match = _response.fullmatch(head)
    if match is None:
        match = _response.fullmatch(_mended(head))
    line_end = head.find(b"\n") + 1
    if line_end - 2 > limits.line or len(head) - line_end - 2 > limits.block:
        raise MalformedMessage(
            "the head of the response is too long", evidence=f"{len(head)} bytes", status=502
        )
    if match is None:
        raise response_fault(head)
    major, minor, code, reason, block = match.groups()
    if major != b"1":
        raise MalformedMessage("not a version of HTTP/1", evidence=shortened(head[:8]), status=502)
    status = int(code)
    if status < 100:
        raise MalformedMessage("no such status code", evidence=shortened(code), status=502)
    fields = split_field_lines(block)
    if len(fields) > limits.fields:
        raise MalformedMessage("too many fields in the response", evidence=f"{len(fields)}", status=502)
    return Response(status, fields, reason or b"", (1, int(minor)))


def serialise_request(request: Request) -> bytes:
    """The head of a request as it is sent, always as HTTP/1.1 (RFC 9112 §2.3, §3)."""
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (request.method, request.target, serialise_fields(request.fields))


def serialise_response(response: Response) -> bytes:
    """The head of a response as it is sent, always as HTTP/1.1 (RFC 9112 §2.3, §4)."""
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (response.status, response.reason, serialise_fields(response.fields))


def serialise_fields(fields: Fields) -> bytes:
    """Field lines in their order, each with its CRLF; those of a header or of a trailer section."""
    lines = [b"%b: %b" % line for line in fields]
    lines.append(b"")
    return b"\r\n".join(lines)


def _check_size(head: bytes, limits: HeadLimits) -> None:
    start = skip_empty_lines(head)
    end = head.find(b"\n", start)
    if end - start > limits.line + 1:
        raise _too_long_line(limits)
    match = _request_line.match(head, start)
    if match is None:
        raise request_line_fault(head[start : end + 1])
    _check_version(match[3], head[start : end + 1])
    if len(head) - end - 3 > limits.block:
        raise MalformedMessage(
            "the header section is too long", evidence=f"over {limits.block} bytes", status=431
        )


def _check_version(major: bytes, line: bytes) -> None:
    if major != b"1":
        version = line.partition(b"\r\n")[0].rpartition(b" ")[2]
        raise MalformedMessage("only HTTP/1 is spoken here", evidence=shortened(version), status=505)


def _check_host(version: tuple[int, int], fields: Fields) -> None:
    values = fields.all(b"host")
    if len(values) > 1:
        raise MalformedMessage(
            "more than one Host field line (RFC 9112 §3.2)", evidence=f"{len(values)} lines"
        )
    if not values:
        if version >= (1, 1):
            raise MalformedMessage("no Host field (RFC 9112 §3.2)")
    elif not is_authority(values[0]):
        raise MalformedMessage(
            "the Host field is not a host with an optional port (RFC 9110 §7.2)",
            evidence=shortened(values[0].rpartition(b"@")[2]),
        )


def _too_long_line(limits: HeadLimits) -> MalformedMessage:
    return MalformedMessage("the request line is too long", evidence=f"over {limits.line} bytes", status=414)


def _too_many_fields(fields: Fields, limits: HeadLimits) -> MalformedMessage:
    return MalformedMessage("too many fields", evidence=f"{len(fields)}, over {limits.fields}", status=431)


def _mended(head: bytes) -> bytes:
    line, separator, rest = head.partition(b"\r\n")
    if rest[:1] in (b" ", b"\t"):
        return head
    return line + separator + _fold.sub(b" ", _space_before_colon.sub(rb"\1:", rest))
