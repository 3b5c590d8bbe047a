"""What a message says of being sent twice."""

from __future__ import annotations

import pytest

from proxy.engine.repeating import repeatable
from proxy.message.fields import Fields
from proxy.message.request import Request

SESSION = (b"Cookie", b"theme=dark; PHPSESSID=0123456789abcdef0123456789abcdef")
SIGNED = (b"Cookie", b"session=eyJ1c2VyIjoiYW5uIn0.aFNqdw.7F3lmqmKoYsPs_pQO1XTqQm2C6c")


def asking(method: bytes, *lines: tuple[bytes, bytes]) -> Request:
    return Request(method, b"/", Fields([(b"Host", b"example.org"), *lines]))


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"QUERY"])
def test_the_method_says_so(method: bytes) -> None:
    said = repeatable(asking(method))
    assert (said.may, said.why, said.doubt) == (True, f"{method.decode()} is idempotent", "")


@pytest.mark.parametrize("method", [b"POST", b"PATCH", b"CONJURE"])
def test_the_method_does_not_say_so(method: bytes) -> None:
    assert not repeatable(asking(method)).may


def test_a_key_says_so_where_the_method_does_not() -> None:
    said = repeatable(asking(b"POST", (b"Idempotency-Key", b'"8e03978e-40d5-43dd-bc93-6894a57f9324"')))
    assert (said.may, said.why) == (True, "POST carries an Idempotency-Key")
    assert not repeatable(asking(b"POST", (b"Idempotency-Key", b""))).may


def test_a_session_is_a_doubt() -> None:
    said = repeatable(asking(b"GET", SESSION))
    assert said.may
    assert said.doubt == "what its cookie PHPSESSID means one server alone may know"


def test_state_that_comes_with_the_message_is_none() -> None:
    assert repeatable(asking(b"GET", SIGNED)).doubt == ""
    assert repeatable(asking(b"GET", (b"Authorization", b"Basic YW5uOmFwcGxl"))).doubt == ""


def test_no_value_is_told() -> None:
    said = repeatable(asking(b"GET", SESSION, (b"Authorization", b"Bearer 0123456789abcdef")))
    assert "0123" not in said.doubt
