"""Heads of requests: what is taken, what is refused and why, and that early refusals are the right ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proxy.message.errors import MalformedMessage
from proxy.message.head import (
    HeadLimits,
    check_partial_request,
    find_end,
    parse_request_head,
    serialise_request,
    skip_empty_lines,
)
from proxy.message.request import Request

LIMITS = HeadLimits()
HOST = b"Host: example.org\r\n"


def request(
    head: bytes, limits: HeadLimits = LIMITS
) -> tuple[bytes, bytes, tuple[int, int], list[tuple[bytes, bytes]]]:
    parsed = parse_request_head(head, limits)
    return parsed.method, parsed.target, parsed.version, list(parsed.fields)


def refusal(head: bytes, limits: HeadLimits = LIMITS) -> MalformedMessage:
    with pytest.raises(MalformedMessage) as caught:
        parse_request_head(head, limits)
    return caught.value


def test_a_request_is_taken_apart_and_nothing_of_it_is_changed() -> None:
    head = (
        b"GET /a%2Fb//c/../d;e=f?? HTTP/1.1\r\n"
        b"hOsT: Example.org:8080\r\nX-A:1\r\nx-a: \t two words \t\r\nX-B:\r\n\r\n"
    )
    assert request(head) == (
        b"GET",
        b"/a%2Fb//c/../d;e=f??",
        (1, 1),
        [(b"hOsT", b"Example.org:8080"), (b"X-A", b"1"), (b"x-a", b"two words"), (b"X-B", b"")],
    )


@pytest.mark.parametrize(
    "target",
    [
        b"/",
        b"//",
        b"/?",
        b"/a?b=c&d",
        b"/%zz",
        b"/caf\xc3\xa9",
        b"/\xff\x80",
        b'/a|b^c{d}"<>\\`',
        b"http://example.org",
        b"http://example.org?q",
        b"HTTPS://example.org:8443/a",
        b"http://[::1]:80/",
    ],
)
def test_targets_are_kept_byte_for_byte(target: bytes) -> None:
    assert request(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n")[1] == target


@pytest.mark.parametrize(
    "method", [b"GET", b"get", b"QUERY", b"PURGE", b"M-SEARCH", b"!#$%&'*+-.^_`|~09azAZ"]
)
def test_any_token_is_a_method(method: bytes) -> None:
    assert request(method + b" / HTTP/1.1\r\n" + HOST + b"\r\n")[0] == method


def test_each_method_has_its_own_form_of_target() -> None:
    assert request(b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n")[1] == b"*"
    assert request(b"CONNECT example.org:443 HTTP/1.1\r\n" + HOST + b"\r\n")[1] == b"example.org:443"


def test_text_beyond_ascii_stays_in_values() -> None:
    head = b"GET / HTTP/1.1\r\n" + HOST + b"X: caf\xe9 \xc3\xa9 \x80\xff\r\n\r\n"
    assert request(head)[3][1] == (b"X", b"caf\xe9 \xc3\xa9 \x80\xff")


def test_empty_lines_before_the_request_line_are_ignored() -> None:
    assert request(b"\r\n\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n")[0] == b"GET"
    assert skip_empty_lines(b"\r\n\r\nGET") == 4
    assert skip_empty_lines(b"\r\n\r") == 2


@pytest.mark.parametrize("version", [b"HTTP/1.0", b"HTTP/1.1", b"HTTP/1.7"])
def test_every_version_of_http_1_is_understood(version: bytes) -> None:
    assert request(b"GET / " + version + b"\r\n" + HOST + b"\r\n")[2] == (1, int(version[-1:]))


def test_an_http_1_0_request_needs_no_host() -> None:
    assert request(b"GET / HTTP/1.0\r\n\r\n") == (b"GET", b"/", (1, 0), [])


@pytest.mark.parametrize(
    "host", [b"a", b"a_b.example", b"127.0.0.1:80", b"[::1]", b"[::1]:8080", b"a:", b"%41", b"a!$&'()*+;=b"]
)
def test_valid_hosts(host: bytes) -> None:
    assert request(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")[3] == [(b"Host", host)]


REFUSED = {
    "a bare LF ends the request line": (b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400, "line feed"),
    "a bare LF ends a field line": (b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400, "line feed"),
    "bare LFs everywhere": (b"GET / HTTP/1.1\nHost: a\n\n", 400, "line feed"),
    "a bare LF before the request": (b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "line feed"),
    "a bare LF ends the head": (b"GET / HTTP/1.1\r\nHost: a\r\n\n", 400, "line feed"),
    "a bare CR in the request line": (b"GET /\ra HTTP/1.1\r\nHost: a\r\n\r\n", 400, "carriage return"),
    "a bare CR in a value": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400, "carriage return"),
    "a bare CR before CRLF": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\r\n\r\n", 400, "carriage return"),
    "a NUL in a value": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400, "control character"),
    "a DEL in a value": (b"GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", 400, "control character"),
    "a VT around a value": (
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n",
        400,
        "control",
    ),
    "a control character in the target": (b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "control character"),
    "a folded line": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400, "folding"),
    "a line folded with a tab": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n", 400, "folding"),
    "white space before the first field": (
        b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
        400,
        "before the first field",
    ),
    "a space before the colon": (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "colon"),
    "a tab before the colon": (b"GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", 400, "colon"),
    "an empty name": (b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400, "without a name"),
    "a name with a space": (b"GET / HTTP/1.1\r\nHost: a\r\nX Y: b\r\n\r\n", 400, "not a token"),
    "a name beyond ASCII": (b"GET / HTTP/1.1\r\nHost: a\r\nX\xe9: b\r\n\r\n", 400, "not a token"),
    "a name in brackets": (b"GET / HTTP/1.1\r\nHost: a\r\n[X]: b\r\n\r\n", 400, "not a token"),
    "a line without a colon": (b"GET / HTTP/1.1\r\nHost: a\r\nNonsense\r\n\r\n", 400, "without a colon"),
    "no Host": (b"GET / HTTP/1.1\r\nX: a\r\n\r\n", 400, "no Host"),
    "two Hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400, "more than one Host"),
    "two Hosts in HTTP/1.0": (b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, "more than one Host"),
    "an empty Host": (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, "Host field"),
    "two hosts in one": (b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, "Host field"),
    "two hosts without a space": (b"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400, "Host field"),
    "a Host with a path": (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "Host field"),
    "a Host with user information": (b"GET / HTTP/1.1\r\nHost: secret@b\r\n\r\n", 400, "Host field"),
    "a Host with a bad port": (b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400, "Host field"),
    "a Host beyond ASCII": (b"GET / HTTP/1.1\r\nHost: \xe9\r\n\r\n", 400, "Host field"),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400, "HTTP/0.9"),
    "HTTP/0.9 with fields": (b"GET /\r\nHost: a\r\n\r\n", 400, "HTTP/0.9"),
    "only a method": (b"GET\r\n\r\n", 400, "lacks a part"),
    "no target": (b"GET HTTP/1.1\r\nHost: a\r\n\r\n", 400, "lacks a part"),
    "a preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\n", 505, "only HTTP/1"),
    "HTTP/2": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "only HTTP/1"),
    "HTTP/0.9 by name": (b"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505, "only HTTP/1"),
    "HTTP/11.1": (b"GET / HTTP/11.1\r\nHost: a\r\n\r\n", 400, "not a version"),
    "HTTP/1.10": (b"GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400, "not a version"),
    "HTTP in lower case": (b"GET / http/1.1\r\nHost: a\r\n\r\n", 400, "not a version"),
    "another protocol": (b"GET / ICAP/1.0\r\nHost: a\r\n\r\n", 400, "not a version"),
    "two spaces after the method": (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "white space"),
    "two spaces before the version": (b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400, "white space"),
    "a space before the method": (b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "white space"),
    "a space after the version": (b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400, "white space"),
    "a tab for a space": (b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "white space"),
    "a space in the target": (
        b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
        "white space in the request target",
    ),
    "a method that is not a token": (b"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "not a token"),
    "TLS on a plain port": (b"\x16\x03\x01\x02\x00\x01\n\n", 400, "line feed"),
    "a fragment": (b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "fragment"),
    "a relative path": (b"GET a/b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "no known form"),
    "an asterisk for GET": (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400, "OPTIONS"),
    "another scheme": (b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "scheme"),
    "no authority in the target": (b"GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "authority"),
    "user information in the target": (
        b"GET http://u:secret@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
        "user information",
    ),
    "CONNECT to a path": (b"CONNECT /secret?x HTTP/1.1\r\nHost: a\r\n\r\n", 400, "CONNECT"),
    "CONNECT without a port": (b"CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "CONNECT"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_malformed_is_refused_and_named(case: str) -> None:
    head, status, words = REFUSED[case]
    error = refusal(head)
    assert error.status == status
    assert words in str(error)


def test_the_evidence_names_the_line() -> None:
    assert "line 3: Nonsense" in str(refusal(b"GET / HTTP/1.1\r\nHost: a\r\nNonsense words\r\n\r\n"))


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer secret\0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nCookie: a=b\r\n secret\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization Bearer secret\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization : secret\r\n\r\n",
        b"GET /a b?token=secret HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://u:secret@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://u:secret@a/ x HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: secret@a/b\r\n\r\n",
        b"GET x?secret HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /#access_token=secret HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_the_evidence_never_shows_a_credential(head: bytes) -> None:
    assert "secret" not in str(refusal(head))


def test_limits_of_a_head() -> None:
    limits = HeadLimits(line=40, block=100, fields=3)
    line = b"GET /" + b"a" * 26 + b" HTTP/1.1\r\n"
    assert len(line) == 42
    assert request(line + HOST + b"\r\n", limits)[0] == b"GET"
    assert refusal(line.replace(b"/", b"/a", 1) + HOST + b"\r\n", limits).status == 414
    assert refusal(line + HOST + b"X: " + b"a" * 100 + b"\r\n\r\n", limits).status == 431
    assert request(line + HOST + b"A: 1\r\nB: 2\r\n\r\n", limits)[0] == b"GET"
    assert refusal(line + HOST + b"A: 1\r\nB: 2\r\nC: 3\r\n\r\n", limits).status == 431


def test_limits_hold_before_the_head_has_ended() -> None:
    limits = HeadLimits(line=40, block=100, fields=3)
    check_partial_request(b"GET /" + b"a" * 30, limits)
    with pytest.raises(MalformedMessage, match="request line is too long"):
        check_partial_request(b"GET /" + b"a" * 40, limits)
    with pytest.raises(MalformedMessage, match="header section is too long"):
        check_partial_request(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20, limits)
    with pytest.raises(MalformedMessage, match=r"HTTP/0\.9"):
        check_partial_request(b"GET /\r\n", limits)


@pytest.mark.parametrize(
    ("buffer", "start", "end"),
    [
        (b"a\r\n\r\nb", 0, 5),
        (b"a\r\n\r\nb\r\n\r\n", 5, 10),
        (b"a\r\n\r", 0, -1),
        (b"", 0, -1),
        (b"a\n\n", 0, 3),
        (b"a\r\n\n", 0, 4),
        (b"a\n\r\n", 0, 4),
        (b"a\r\r\n\r\n", 0, 6),
        (b"a\r\n \r\n", 0, -1),
    ],
)
def test_the_end_of_a_head(buffer: bytes, start: int, end: int) -> None:
    assert find_end(buffer, start) == end
    assert find_end(bytearray(buffer), start) == end


def test_what_is_parsed_is_written_as_it_was() -> None:
    head = b"PUT /a?b HTTP/1.1\r\nHost: a\r\nX-A: \xe9\r\nx-a: b\r\nEmpty: \r\n\r\n"
    parsed = parse_request_head(head, LIMITS)
    assert serialise_request(Request(parsed.method, parsed.target, parsed.fields)) == head


pieces = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n",
        b"OPTIONS * HTTP/1.0\r\n",
        b"Host: a\r\n",
        b"X: y\r\n",
        b"Cookie: \xe9\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b":",
        b"\0",
        b"X",
        b"HTTP/1.1",
        b"Content-Length: 1\r\n",
    ]
)
almost_heads = st.one_of(
    st.lists(pieces, max_size=12).map(b"".join),
    st.lists(pieces, max_size=6).map(lambda parts: b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(parts)),
    st.binary(max_size=80),
).map(lambda head: head + b"\r\n\r\n")


def refused(parse: Callable[[bytes, HeadLimits], object], head: bytes, limits: HeadLimits = LIMITS) -> object:
    """Why a head is refused, None where it isn't."""
    try:
        parse(head, limits)
    except MalformedMessage as error:
        return error.status, str(error)
    return None


@settings(max_examples=300)
@given(almost_heads)
def test_whatever_the_bytes_a_request_is_parsed_or_refused_with_a_reason(data: bytes) -> None:
    data = data[skip_empty_lines(data) :]
    end = find_end(data, 0)
    assume(end > 0)
    if why := refused(parse_request_head, data[:end]):
        assert why not in ((400, "not the head of a request"), (400, "not a request line: line 1"))
        return
    parsed = parse_request_head(data[:end], LIMITS)
    assume(b"host" in parsed.fields)  # it is written as HTTP/1.1, which needs it
    written = serialise_request(Request(parsed.method, parsed.target, parsed.fields))
    again = parse_request_head(written, LIMITS)
    assert (again.method, again.target, again.fields) == (parsed.method, parsed.target, parsed.fields)


@settings(max_examples=200)
@given(almost_heads, st.sampled_from([LIMITS, HeadLimits(line=20, block=40, fields=2)]))
def test_a_head_that_is_not_all_there_is_refused_like_all_would_be(data: bytes, limits: HeadLimits) -> None:
    data = data[skip_empty_lines(data) :]
    end = find_end(data, 0)
    assume(end > 0)
    whole = refused(parse_request_head, data[:end], limits)
    early = [refused(check_partial_request, data[:cut], limits) for cut in range(end)]
    assert set(early) <= {None, whole}


def test_patterns_do_not_blow_up() -> None:
    """Each of these would take ages if a pattern backtracked."""
    long = HeadLimits(line=70000, block=70000, fields=70000)
    for filling in (b"a", b" ", b"\t \t", b"a ", b": ", b"a:", b"\r\n ", b"a\r\n ", b"X: y\r\n", b"\r\n"):
        many = filling * (60000 // len(filling))
        for head in (
            b"GET / HTTP/1.1\r\nHost: a\r\nX: " + many + b"\0\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + many + b"\0\r\n\r\n",
            many + b"\0\r\n\r\n",
        ):
            assert refusal(head, long).status in (400, 431)
