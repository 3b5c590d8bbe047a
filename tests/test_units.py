from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message.errors import ConfigurationError
from proxy.units import parse_address, parse_duration, parse_size, show_address


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("4096", 4096),
        ("64KiB", 65536),
        ("64k", 65536),
        ("1.5 GB", 1_500_000_000),
        ("2gib", 2 << 30),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "seconds"), [("10s", 10.0), ("250ms", 0.25), ("5m", 300.0), ("1.5", 1.5), ("2 h", 7200.0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "ten", "-1", "1 parsec", "1e3", "٣", "1,5s"])
def test_nonsense_is_refused_with_what_was_written(text: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        parse_size(text)
    assert repr(text) in str(error.value)
    with pytest.raises(ConfigurationError):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:8080", ("127.0.0.1", 8080)), ("[::1]:0", ("::1", 0)), (":80", ("", 80))],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "8080", "localhost", "::1:80", "h:", "h:-1", "h:65536", "h:²"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="not an address"):
        parse_address(text)


@given(st.sampled_from(["127.0.0.1", "::1", "example.org"]), st.integers(0, 65535))
def test_an_address_that_is_shown_can_be_read_again(host: str, port: int) -> None:
    assert parse_address(show_address(host, port)) == (host, port)
