"""A request as it is forwarded."""

from __future__ import annotations

import pytest

from proxy.message.errors import MalformedMessage
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.server.clients.forwarding import Forwarding, forwarded

TRACES = ["Via: 1.1 pellucid", "Forwarded: for=192.0.2.1;host=a;proto=http", "X-Forwarded-For: 192.0.2.1"]
SET = ["X-Forwarded-Proto: http", "X-Forwarded-Host: a"]


def fields(*lines: str) -> Fields:
    pairs = [line.partition(": ") for line in lines]
    return Fields((name.encode(), value.encode("latin-1")) for name, _, value in pairs)


def received(
    *lines: str,
    method: bytes = b"GET",
    target: bytes = b"/",
    version: tuple[int, int] = (1, 1),
    authority: bytes = b"a",
) -> Request:
    return Request(method, target, fields(*lines), version, b"http", authority)


def sent(request: Request, client: str = "192.0.2.1", **rules: object) -> list[str]:
    out = forwarded(request, client, Forwarding(**rules))  # type: ignore[arg-type]
    return [f"{name.decode()}: {value.decode('latin-1')}" for name, value in out.fields]


def test_fields_pass_in_their_order_and_case_and_the_traces_follow() -> None:
    request = received("x-B: 1", "hOst: a", "X-b: \xe9", "Cookie: c=d", "Cookie: e=f")
    assert sent(request) == ["x-B: 1", "hOst: a", "X-b: \xe9", "Cookie: c=d", "Cookie: e=f", *TRACES, *SET]


def test_what_is_forwarded_keeps_the_client_s_view_of_the_target() -> None:
    out = forwarded(received("Host: a", version=(1, 0)), "192.0.2.1", Forwarding(authority=b"origin:81"))
    assert (out.scheme, out.authority, out.version) == (b"http", b"a", (1, 1))
    assert out.fields.get(b"via") == b"1.0 pellucid"


def test_hop_by_hop_fields_stay_here() -> None:
    request = received(
        "Host: a",
        "Connection: X-Private, close",
        "X-Private: 1",
        "Keep-Alive: 5",
        "Proxy-Authorization: Basic eA==",
    )
    assert sent(request) == ["Host: a", *TRACES, *SET]


@pytest.mark.parametrize("lines", [("Host: a",), ("X: y", "host: a"), ()])
def test_host_becomes_the_upstream_s(lines: tuple[str, ...]) -> None:
    out = sent(received(*lines), authority=b"origin:81")
    hosts = [line for line in out if line.lower().startswith("host:")]
    assert [line.partition(": ")[2] for line in hosts] == ["origin:81"]
    assert "X-Forwarded-Host: a" in out


def test_without_the_upstream_s_authority_the_client_s_host_stays() -> None:
    assert sent(received("X: y", "Host: a"))[:2] == ["X: y", "Host: a"]
    assert sent(received("X: y", version=(1, 0), authority=b""))[:2] == ["Host: ", "X: y"]


@pytest.mark.parametrize(
    ("target", "origin_form"),
    [
        (b"http://b:81/x%2Fy?", b"/x%2Fy?"),
        (b"http://b:81", b"/"),
        (b"http://b:81?q", b"/?q"),
        (b"/x//../%2e;a=b?\xc3\xa9", b"/x//../%2e;a=b?\xc3\xa9"),
        (b"//b", b"//b"),
    ],
)
def test_targets_become_origin_form(target: bytes, origin_form: bytes) -> None:
    request = received("Host: wrong", target=target, authority=b"b:81")
    out = forwarded(request, "192.0.2.1", Forwarding())
    assert out.target == origin_form
    assert out.fields.get(b"host") == b"b:81"


def test_options_for_a_whole_server() -> None:
    request = received("Host: b", method=b"OPTIONS", target=b"http://b", authority=b"b")
    assert forwarded(request, "192.0.2.1", Forwarding()).target == b"*"


def test_an_upgrade_is_passed_on() -> None:
    out = sent(received("Host: a", "Upgrade: websocket", "Connection: keep-alive, Upgrade"))
    assert out[-2:] == ["Connection: upgrade", "Upgrade: websocket"]


@pytest.mark.parametrize(
    ("lines", "version"),
    [
        (("Upgrade: websocket",), (1, 1)),
        (("Upgrade: websocket", "Connection: upgrade"), (1, 0)),
        (("Upgrade: h2c", "Connection: upgrade, HTTP2-Settings", "HTTP2-Settings: AAMA"), (1, 1)),
        (("Upgrade: HTTP/2.0, TLS/1.3", "Connection: upgrade"), (1, 1)),
    ],
)
def test_an_upgrade_that_is_not_passed_on(lines: tuple[str, ...], version: tuple[int, int]) -> None:
    out = sent(received("Host: a", *lines, version=version))
    assert not [line for line in out if line.startswith(("Upgrade", "Connection", "HTTP2"))]


def test_of_several_protocols_those_go_on_that_can_be_seen_through() -> None:
    out = sent(received("Host: a", "Upgrade: h2c, websocket, IRC/6.9", "Connection: upgrade"))
    assert out[-1] == "Upgrade: websocket, IRC/6.9"


def test_the_wish_for_trailers_is_passed_on() -> None:
    out = sent(
        received(
            "Host: a", "TE: gzip, trailers", "Connection: TE", "Upgrade: websocket", "Connection: upgrade"
        )
    )
    assert out[-3:] == ["Connection: upgrade, te", "Upgrade: websocket", "TE: trailers"]
    assert "TE: trailers" not in sent(received("Host: a", "TE: gzip", "Connection: TE"))


def test_an_expectation_in_http_1_0_is_left_out() -> None:
    assert "Expect: 100-continue" in sent(received("Host: a", "Expect: 100-continue"))
    assert "Expect: 100-continue" not in sent(received("Host: a", "Expect: 100-continue", version=(1, 0)))


ARRIVED = (
    "X-Forwarded-For: 10.0.0.1",
    "X-Forwarded-For: 10.0.0.2",
    "Forwarded: for=10.0.0.1",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: evil.example",
    "X-Real-IP: 10.0.0.1",
)


def test_what_earlier_hops_said_is_added_to_but_not_what_could_poison_a_cache() -> None:
    assert sent(received("Host: a", *ARRIVED)) == [
        "Host: a",
        "X-Real-IP: 10.0.0.1",
        "Via: 1.1 pellucid",
        "Forwarded: for=10.0.0.1, for=192.0.2.1;host=a;proto=http",
        "X-Forwarded-For: 10.0.0.1, 10.0.0.2, 192.0.2.1",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Host: a",
    ]


def test_a_trusted_proxy_in_front_is_believed() -> None:
    out = sent(received("Host: a", *ARRIVED), trust="keep")
    assert "X-Forwarded-Proto: https" in out
    assert "X-Forwarded-Host: evil.example" in out
    assert sent(received("Host: a"), trust="keep") == ["Host: a", *TRACES, *SET]


def test_nobody_is_believed() -> None:
    assert sent(received("Host: a", *ARRIVED), trust="replace") == ["Host: a", *TRACES, *SET]


def test_connection_can_t_remove_what_earlier_hops_said() -> None:
    out = sent(
        received(
            "Host: a", "X-Forwarded-For: 10.0.0.1", "Connection: X-Forwarded-For, Host, Cookie", "Cookie: c"
        )
    )
    assert "X-Forwarded-For: 10.0.0.1, 192.0.2.1" in out
    assert out[:2] == ["Host: a", "Cookie: c"]


def test_ipv6_clients() -> None:
    out = sent(received("Host: a"), client="2001:db8::1")
    assert 'Forwarded: for="[2001:db8::1]";host=a;proto=http' in out
    assert "X-Forwarded-For: 2001:db8::1" in out


@pytest.mark.parametrize("method", [b"TRACE", b"OPTIONS"])
def test_max_forwards_counts_down(method: bytes) -> None:
    assert sent(received("Host: a", "Max-Forwards: 5", method=method))[1] == "Max-Forwards: 4"
    with pytest.raises(MalformedMessage):
        sent(received("Host: a", "Max-Forwards: 0", method=method))


def test_max_forwards_means_nothing_to_other_methods() -> None:
    assert sent(received("Host: a", "Max-Forwards: 0"))[1] == "Max-Forwards: 0"
