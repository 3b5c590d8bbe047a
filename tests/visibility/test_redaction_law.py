"""Whatever the credential and wherever it stands: it can't be read in a record."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.caching.decision import Because, Decision, Outcome
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.visibility.account import Account
from proxy.visibility.record import Redaction, encode, to_record
from proxy.visibility.redaction import DIGEST
from tests.visibility.exchanges import FRESH, account

REDACTION = Redaction(b"a key for the tests only", fields=["X-Acme-Login"], parameters=["acme_pin"])
SECRETS = st.text("abcXYZ0189-._~+/=%!*'():,@$ \"[]{}|\\<>é\xff", min_size=8, max_size=40).filter(
    lambda text: len(set(text)) > 3 and text == text.strip()
)


Place = Callable[[bytes], dict[str, object]]


def request(target: bytes = b"/", *lines: tuple[bytes, bytes], authority: bytes = b"") -> dict[str, object]:
    return {"received": Request(b"GET", target, Fields(lines), authority=authority)}


def answer(*lines: tuple[bytes, bytes]) -> dict[str, object]:
    return {"response": Response(200, Fields(lines))}


def evidence(text: str, **facts: object) -> dict[str, object]:
    return {"decision": Decision(Outcome.HIT, (Because(FRESH, text),)), "error": text, **facts}


def percent(secret: bytes) -> bytes:
    return quote(secret, safe="").encode()


def readable(secret: bytes) -> bytes:
    """As a client sends it in a URI that it did not fully encode."""
    return quote(secret, safe="!$'()*+,=:@/?[]{}|\\<>\"").encode()


PLACES: dict[str, Place] = {
    "cookie": lambda s: request(b"/", (b"Cookie", b"a=1; sid=" + s)),
    "second cookie": lambda s: request(b"/", (b"Cookie", b"a=1"), (b"Cookie", b"sid=" + s + b"; b=2")),
    "set-cookie": lambda s: answer(
        (b"Set-Cookie", b"sid=" + s + b"; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT")
    ),
    "joined set-cookie": lambda s: answer((b"Set-Cookie", b"a=1; Path=/, sid=" + s + b"; HttpOnly")),
    "bearer": lambda s: request(b"/", (b"Authorization", b"Bearer " + s)),
    "no scheme": lambda s: request(b"/", (b"Authorization", s)),
    "basic": lambda s: request(b"/", (b"Proxy-Authorization", b"Basic " + b64encode(b"user:" + s))),
    "api key": lambda s: request(b"/", (b"X-API-Key", s)),
    "named by a setting": lambda s: request(b"/", (b"X-Acme-Login", s)),
    "authentication-info": lambda s: answer((b"Authentication-Info", b"rspauth=" + s)),
    "parameter": lambda s: request(b"/x?a=1&access_token=" + readable(s) + b"&b=2"),
    "encoded parameter": lambda s: request(b"/x?api_key=" + percent(s)),
    "parameter named by a setting": lambda s: request(b"/x?acme_pin=" + percent(s)),
    "path parameter": lambda s: request(b"/x;jsessionid=" + percent(s) + b"/y?z=1"),
    "parameter in a nested uri": lambda s: request(b"/go?to=" + percent(b"https://x/?token=" + percent(s))),
    "userinfo": lambda s: request(b"https://user:" + percent(s) + b"@x.example/"),
    "authority": lambda s: request(authority=b"user:" + percent(s) + b"@x.example"),
    "referer": lambda s: request(b"/", (b"Referer", b"https://x.example/?token=" + readable(s))),
    "location": lambda s: answer((b"Location", b"/cb#access_token=" + readable(s) + b"&state=1")),
    "location with userinfo": lambda s: answer((b"Location", b"https://" + percent(s) + b"@x.example/")),
    "link": lambda s: answer((b"Link", b"<https://x.example/?token=" + percent(s) + b">; rel=next")),
    "evidence": lambda s: evidence(f"cookie: sid={s.decode('latin-1')}"),
    "evidence of another kind": lambda s: evidence(f"Authorization: Bearer {s.decode('latin-1')}"),
    "evidence without a name": lambda s: evidence(
        f"it says {s.decode('latin-1')} there", **request(b"/", (b"Authorization", b"Bearer " + s))
    ),
    "evidence of a target": lambda s: evidence(
        f"GET /x?token={percent(s).decode()} can't be", **request(b"/x?token=" + percent(s))
    ),
    "evidence of an encoded value": lambda s: evidence(
        f"it says {percent(s).decode()} there", **request(b"/x?token=" + percent(s))
    ),
    "raw": lambda s: {"received": None, "raw": b"GET /?token=" + percent(s) + b" HTTP/1.1\r\nHost: x"},
    "raw field": lambda s: {"received": None, "raw": b"GET  / HTTP/1.1\r\nCookie : sid=" + s},
    "raw folded": lambda s: {"received": None, "raw": b"GET / HTTP/1.1\r\nCookie:\r\n " + s + b"\r\n\r\n"},
}


def everything(line: bytes) -> str:
    """All text in a line, and the line itself."""
    return "\n".join([line.decode(), *_texts(json.loads(line))])


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for child in children for text in _texts(child)]


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=40, deadline=None)
@given(secret=SECRETS)
def test_law_no_credential_can_be_read(place: str, secret: str) -> None:
    value = secret.encode("latin-1")
    exchange: Account = account(**PLACES[place](value))
    text = everything(encode(to_record(exchange, REDACTION)))
    forms = {secret, percent(value).decode(), readable(value).decode(), b64encode(b"user:" + value).decode()}
    for form in forms:
        assert form not in text
    assert DIGEST.search(text)


@settings(max_examples=40, deadline=None)
@given(secret=SECRETS, other=SECRETS)
def test_law_equal_credentials_have_equal_digests(secret: str, other: str) -> None:
    def digests(value: str, place: str) -> set[str]:
        line = encode(to_record(account(**PLACES[place](value.encode("latin-1"))), REDACTION))
        return set(DIGEST.findall(line.decode()))

    (digest,) = digests(secret, "bearer")
    for place in ("api key", "encoded parameter", "second cookie", "set-cookie", "link", "evidence"):
        assert digest in digests(secret, place)
    assert (digest in digests(other, "bearer")) == (secret == other)
