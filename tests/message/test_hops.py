"""What stays on one connection, and what each hop leaves behind."""

from __future__ import annotations

import pytest

from proxy.message.errors import MalformedMessage
from proxy.message.fields import Fields
from proxy.message.hops import (
    END_TO_END,
    HOP_BY_HOP,
    NOT_IN_TRAILERS,
    connection_options,
    decremented,
    forwardable_trailers,
    forwarded_element,
    max_forwards,
    strip_hop_by_hop,
    times_via,
    wants_trailers,
    with_via,
)


def fields(*lines: str) -> Fields:
    pairs = [line.partition(": ") for line in lines]
    return Fields((name.encode(), value.encode("latin-1")) for name, _, value in pairs)


def test_what_is_hop_by_hop_goes_and_the_rest_stays_as_it_is() -> None:
    received = fields(
        "X-A: 1", "Keep-Alive: timeout=5", "x-a: 2", "TE: trailers", "Upgrade: a", "Trailer: X-B"
    )
    assert strip_hop_by_hop(received) == fields("X-A: 1", "x-a: 2", "Trailer: X-B")


@pytest.mark.parametrize("name", sorted(HOP_BY_HOP))
def test_each_of_them_goes_without_being_listed(name: bytes) -> None:
    assert len(strip_hop_by_hop(Fields([(name.title(), b"x")]))) == 0


def test_connection_removes_what_it_lists() -> None:
    received = fields("Connection: X-Private,  x-other ,close", "X-Private: 1", "X-OTHER: 2", "X-Public: 3")
    assert strip_hop_by_hop(received) == fields("X-Public: 3")


@pytest.mark.parametrize("name", sorted(END_TO_END))
def test_connection_can_t_remove_what_the_message_means(name: bytes) -> None:
    received = Fields([(b"Connection", b"close, " + name), (name, b"x")])
    assert list(strip_hop_by_hop(received)) == [(name, b"x")]


def test_a_field_is_not_both_hop_by_hop_and_end_to_end() -> None:
    assert not HOP_BY_HOP & END_TO_END


def test_nothing_to_strip_gives_the_same_fields() -> None:
    received = fields("Host: a", "X: y")
    assert strip_hop_by_hop(received) is received


def test_connection_options_are_read_from_all_its_lines() -> None:
    assert connection_options(fields("Connection: A, ,b", "connection: C")) == {b"a", b"b", b"c"}
    assert connection_options(fields("X: y")) == frozenset()


def test_trailers_that_would_do_harm_stay_behind() -> None:
    header = fields("Connection: X-Private")
    trailers = fields(
        "Content-Length: 5", "Transfer-Encoding: chunked", "Host: b", "X-Private: 1", "Digest: x"
    )
    assert forwardable_trailers(trailers, header) == fields("Digest: x")
    for name in (b"set-cookie", b"authorization", b"cache-control", b"content-encoding", b"trailer"):
        assert name in NOT_IN_TRAILERS


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("trailers", True), ("gzip;q=0.5, Trailers", True), ("gzip", False), ("trailersx", False)],
)
def test_te_says_whether_trailers_are_wanted(value: str, wanted: bool) -> None:
    assert wants_trailers(fields(f"TE: {value}")) is wanted


def test_via_grows_at_its_end() -> None:
    passed = with_via(fields("Via: 1.0 fred", "X: y"), (1, 1), "pellucid")
    assert passed == fields("Via: 1.0 fred", "X: y", "Via: 1.1 pellucid")
    assert passed.get(b"via") == b"1.0 fred, 1.1 pellucid"


def test_via_counts_how_often_a_message_came_by() -> None:
    assert times_via(fields("X: y"), "pellucid") == 0
    assert (
        times_via(fields("Via: 1.1 Pellucid, 1.0 fred", "Via: HTTP/1.1 pellucid (a comment)"), "pellucid")
        == 2
    )
    assert times_via(fields("Via: 1.1 pellucid-2, pellucid, 1.1 other (pellucid)"), "pellucid") == 0


@pytest.mark.parametrize(("value", "left"), [("0", 0), ("7", 7), ("007", 7), ("4294967296", 4294967296)])
def test_max_forwards_is_a_number(value: str, left: int) -> None:
    assert max_forwards(fields(f"Max-Forwards: {value}")) == left


@pytest.mark.parametrize("value", ["", "-1", "+1", "1.0", "x", "1, 2", "99999999999"])
def test_max_forwards_that_is_none(value: str) -> None:
    with pytest.raises(MalformedMessage):
        max_forwards(fields(f"Max-Forwards: {value}"))


def test_max_forwards_counts_down() -> None:
    assert decremented(fields("X: y")) == fields("X: y")
    assert decremented(fields("max-forwards: 5", "X: y")) == fields("Max-Forwards: 4", "X: y")
    assert decremented(fields("Max-Forwards: 9999999999")) == fields(f"Max-Forwards: {2**31 - 1}")
    with pytest.raises(MalformedMessage):
        decremented(fields("Max-Forwards: 0"))


@pytest.mark.parametrize(
    ("client", "host", "element"),
    [
        ("192.0.2.43", b"example.org", b"for=192.0.2.43;host=example.org;proto=http"),
        ("192.0.2.43", b"example.org:81", b'for=192.0.2.43;host="example.org:81";proto=http'),
        ("2001:db8::1", b"", b'for="[2001:db8::1]";proto=http'),
        ("", b"a", b"for=unknown;host=a;proto=http"),
    ],
)
def test_forwarded(client: str, host: bytes, element: bytes) -> None:
    assert forwarded_element(client, host, b"http") == element
