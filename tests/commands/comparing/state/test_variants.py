"""Which variants take part, and why others don't."""

from __future__ import annotations

import pytest

from proxy.commands.comparing.contenders.contract import Found
from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.state.shopping.process import CONVERSATIONS
from proxy.commands.comparing.state.variants import PARTS, VARIANTS, choose
from proxy.message.errors import ConfigurationError

STORE = Found("/usr/bin/valkey-server", "9", "the system")


def there() -> Found:
    return STORE


def nowhere() -> Found:
    raise ComparisonError("valkey-server is not installed")


def everything(package: str) -> bool:
    return True


def test_all_are_taken_where_everything_is_there() -> None:
    chosen = choose((), installed=everything, store=there)
    assert [one.name for one in chosen.variants] == list(VARIANTS)
    assert chosen.left_out == {}


def test_a_style_stands_for_its_variants() -> None:
    chosen = choose(("tokens", "sessions-sticky"), installed=everything, store=there)
    assert [one.name for one in chosen.variants] == ["sessions-sticky", "tokens-signed", "tokens-encrypted"]


def test_what_needs_a_store_is_left_out_without_one() -> None:
    chosen = choose((), installed=everything, store=nowhere)
    assert set(chosen.left_out) == {"sessions-shared", "flask-server"}
    assert "valkey-server" in chosen.left_out["sessions-shared"]
    assert {"sessions-sticky", "resources", "tokens-signed"} <= {one.name for one in chosen.variants}


def test_what_needs_a_package_is_left_out_without_it() -> None:
    chosen = choose((), installed=lambda package: package != "flask", store=there)
    assert set(chosen.left_out) == {"flask-client", "flask-server"}
    assert chosen.left_out["flask-client"] == "flask not installed"


def test_nothing_left_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="none of these"):
        choose(("sessions-shared",), installed=everything, store=nowhere)


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"sessions-sticky.*cookies"):
        choose(("cookies",), installed=everything, store=there)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_can_be_told_to_somebody(name: str) -> None:
    one = VARIANTS[name]
    assert one.conversation in CONVERSATIONS
    assert set(one.parts) <= set(PARTS)
    assert "{store}" not in " ".join(one.command("valkey://127.0.0.1:1"))
