"""Format strings of nginx, Apache and varnishncsa."""

from __future__ import annotations

import pytest

from proxy.visibility.observation import Part
from tests.visibility.reading.conftest import Read

APACHE = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %D "%{X-Cache}o" %{sid}C'


def test_apache(read: Read) -> None:
    log = read(
        '192.0.2.1 - anna b [14/Nov/2023:22:13:20 +0100] "GET /a HTTP/1.1" 200 - '
        '"-" "curl \\"x\\" \\\\ \\xc3" 2500 "HIT from c" SECRET\n',
        APACHE,
    )
    (found,) = log.observations
    assert found.time == 1700000000.0 - 3600
    assert found.duration == 0.0025
    assert found.response_bytes == 0
    assert (found.outcome, found.from_cache) == ("hit", True)
    assert found.response_fields == (("X-Cache", "HIT from c"),)
    assert dict(found.request_fields)["User-Agent"] == 'curl "x" \\ \xc3'
    assert dict(found.request_fields)["Cookie"].startswith("sid=~")
    assert Part.DURATION | Part.OUTCOME in log.held.parts
    assert log.held.response_fields == {"x-cache"}
    assert log.held.request_fields == {"referer", "user-agent", "cookie"}


def test_the_host_in_front(read: Read) -> None:
    log = read(
        'www.example.org:443 192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] "GET / HTTP/2.0" 200 7 "-" "x"\n'
    )
    assert log.format == "vhost_combined"
    (found,) = log.observations
    assert (found.authority, found.client, found.version) == ("www.example.org", "192.0.2.1", "2.0")
    assert Part.AUTHORITY in log.held.parts


def test_common(read: Read) -> None:
    log = read('host.example - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326\n')
    assert log.format == "common"
    (found,) = log.observations
    assert (found.client, found.time, found.response_bytes) == ("host.example", 971211336.0, 2326)


def test_apache_in_pieces(read: Read) -> None:
    (found,) = read(
        "2023-11-14 22:13:20;GET;/a;?q=1;HTTP/1.1;www.example.org;12\n",
        "%{%Y-%m-%d %H:%M:%S}t;%m;%U;%q;%H;%V;%{ms}T",
    ).observations
    assert (found.time, found.method, found.target) == (1700000000.0, "GET", "/a?q=1")
    assert (found.version, found.authority, found.duration) == ("1.1", "www.example.org", 0.012)


def test_apache_with_seconds_since_the_epoch_and_the_host_field(read: Read) -> None:
    (found,) = read('1700000000 "www.example.org" "GET / HTTP/1.1"', '%{sec}t "%{Host}i" "%r"').observations
    assert (found.time, found.authority) == (1700000000.0, "www.example.org")


def test_nginx_with_several_upstreams(read: Read) -> None:
    (found,) = read(
        "[2023-11-14T22:13:20+00:00] 192.0.2.1 GET /a?b HTTP/1.1 502 10.0.0.1:80, 10.0.0.2:80 0.250",
        "[$time_iso8601] $remote_addr $request_method ${request_uri} $server_protocol $status $upstream_addr "
        "$request_time",
    ).observations
    assert (found.upstream, found.time, found.target) == ("10.0.0.2:80", 1700000000.0 - 0.25, "/a?b")


def test_nginx_fields(read: Read) -> None:
    log = read(
        '"GET / HTTP/1.1" 200 de-DE,de gzip Accept-Encoding',
        '"$request" $status $http_accept_language $sent_http_content_encoding $sent_http_vary',
    )
    assert log.observations[0].request_fields == (("Accept-Language", "de-DE,de"),)
    assert log.observations[0].response_fields == (("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
    assert log.held.has_response_field("vary")


@pytest.mark.parametrize(
    ("request_line", "read_as"),
    [
        ("GET /a HTTP/1.1", ("GET", "", "", "/a", "1.1")),
        ("GET /a b HTTP/1.1", ("GET", "", "", "/a b", "1.1")),
        ("GET http://User@x.example:80/a?b HTTP/1.1", ("GET", "http", "x.example:80", "/a?b", "1.1")),
        ("GET https://x.example HTTP/1.1", ("GET", "https", "x.example", "/", "1.1")),
        ("CONNECT x.example:443 HTTP/1.1", ("CONNECT", "", "", "x.example:443", "1.1")),
        ("OPTIONS * HTTP/1.1", ("OPTIONS", "", "", "*", "1.1")),
        ("GET /", ("GET", "", "", "/", "0.9")),
        ("-", ("", "", "", "", "")),
        ("", ("", "", "", "", "")),
        ("\\x16\\x03\\x01", ("", "", "", "", "")),
        ("<BADREQ>", ("", "", "", "", "")),
    ],
)
def test_request_lines(read: Read, request_line: str, read_as: tuple[str, ...]) -> None:
    (found,) = read(f'192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] "{request_line}" 200 7\n').observations
    authority = found.authority.rpartition("@")[2]
    assert (found.method, found.scheme, authority, found.target, found.version) == read_as
    assert "User" not in found.authority


def test_extras_with_labels_and_addresses(read: Read) -> None:
    start = '192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] "GET / HTTP/1.1" 200 7 "-" "x"'
    log = read(f'{start} "198.51.100.7, 10.0.0.1" rt=0.150 cs=HIT\n{start} "-" rt=1.250 cs=-\n')
    assert [each.duration for each in log.observations] == [0.15, 1.25]
    assert [each.outcome for each in log.observations] == ["hit", ""]
    assert dict(log.observations[0].request_fields)["X-Forwarded-For"] == "198.51.100.7, 10.0.0.1"


def test_extras_that_differ_from_line_to_line_are_left_out(read: Read) -> None:
    start = '192.0.2.1 - - [14/Nov/2023:22:13:20 +0000] "GET / HTTP/1.1" 200 7 "-" "x"'
    log = read(f'{start} 0.150\n{start} 0.200 more words\n{start} "quoted"\n')
    assert (len(log.observations), log.left_out) == (3, 0)
