"""One credential: the kind that its name, its place and its value speak for."""

from __future__ import annotations

import time
import tracemalloc

import jwt as pyjwt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.visibility.redaction import DIGEST, Redaction
from proxy.visibility.sessions.classify import classify
from proxy.visibility.sessions.form import mark, unmarked
from proxy.visibility.sessions.kinds import Degree, Kind, Where, degree
from proxy.visibility.sessions.reading import form_of
from tests.visibility.sessions import values

COOKIE, FIELD, QUERY, PATH, BODY = Where.COOKIE, Where.FIELD, Where.QUERY, Where.PATH, Where.BODY
HEX = "31d4d96e407aad42fe6ad8e5f4d3a0b1"
JWT = pyjwt.encode({"sub": "ann", "role": "cook"}, HEX)
UUID = "123e4567-e89b-42d3-a456-426614174000"
NOW = int(time.time())


def kind(name: str, value: str | None, where: Where = COOKIE, scheme: str = "") -> Kind:
    return classify(name, None if value is None else value.encode(), where, scheme=scheme).kind


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PHPSESSID", "8q2v5k0u4h1s9t7r3p6n2m8l4j"),
        ("JSESSIONID", "F1A2B3C4D5E6F7A8B9C0D1E2F3A4B5C6.node1"),
        ("connect.sid", values.express_session()),
        ("ASP.NET_SessionId", "qkh4v2o5yz1xw3r0tlm5n4pa"),
        (".AspNetCore.Session", values.aspnet(100)),
        ("sessionid", "v2f4x0m9q7t1k8w5z3b6n0c4h2j7d9s1"),
        ("laravel_session", values.laravel()),
        ("_session_id", HEX),
        ("CFID", "1234567"),
        ("CFTOKEN", HEX),
        ("session", values.url64(values.RANDOM.randbytes(32))),
        ("SESSION", "MTIzZTQ1NjctZTg5Yi00MmQzLWE0NTYtNDI2NjE0MTc0MDAw"),
        ("ci_session", HEX),
        ("SSESS" + HEX, values.url64(values.RANDOM.randbytes(32))),
        ("next-auth.session-token", UUID),
        ("_gitlab_session", HEX),
        ("wordpress_logged_in_" + HEX, values.wordpress(NOW)),
        ("quux", HEX),
        ("zbx_session", values.cookie_session({"sessionid": HEX, "sign": HEX})[0]),
        ("token", pyjwt.encode({"sid": HEX, "iat": NOW, "exp": NOW}, HEX)),
        ("_session_id", values.rails_signed(HEX)),
        ("session", values.gorilla(NOW, session_id=True)),
        ("enwikiSession", "8q2v5k0u4h1s9t7r3p6n2m8l4j"),
        ("__Host-quux", values.url64(values.RANDOM.randbytes(32))),
    ],
)
def test_keys_to_state_in_a_server(name: str, value: str) -> None:
    assert kind(name, value) is Kind.SERVER_HELD


@pytest.mark.parametrize(
    ("name", "value", "format"),
    [
        ("session", values.iron_session(NOW * 1000), "iron"),
        ("__Secure-next-auth.session-token", values.next_auth(), "jwe"),
        ("_shop_session", values.rails_encrypted(), "rails-encrypted"),
        ("rack.session", values.rails_marshaled(), "rails-signed"),
        ("cart", values.rails_signed({"items": []}), "rails-signed"),
        ("_shop_key", values.phoenix_signed({"user_id": 1}), "phoenix-signed"),
        ("express:sess", values.cookie_session({"views": 1})[0], "base64-json"),
        ("__session", values.remix({"user": 1}), "signed-json"),
        (".AspNetCore.Cookies", values.aspnet(400), "aspnet"),
        ("PLAY_SESSION", values.play("user=ann"), "play"),
        ("session", values.gorilla(NOW), "gorilla"),
        ("access_token", JWT, "jwt"),
        ("sessionid", JWT, "jwt"),
        ("token", pyjwt.encode({"sid": HEX, "sub": "ann", "exp": NOW}, HEX), "jwt"),
    ],
)
def test_state_in_the_message(name: str, value: str, format: str) -> None:  # noqa: A002
    found = classify(name, value.encode(), COOKIE)
    assert (found.kind, found.format) == (Kind.CLIENT_HELD, format)
    assert found.degree in (Degree.CERTAIN, Degree.LIKELY)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("AWSALB", values.url64(values.RANDOM.randbytes(90)), Kind.AFFINITY),
        ("SERVERID", "s1", Kind.AFFINITY),
        ("BIGipServer~Common~pool", "1677787402.36895.0000", Kind.AFFINITY),
        ("ARRAffinitySameSite", HEX * 2, Kind.AFFINITY),
        ("GCLB", '"1a2b3c4d5e6f7a8b"', Kind.AFFINITY),
        ("INGRESSCOOKIE", "1700000000.123.45.678901|" + HEX, Kind.AFFINITY),
        ("ROUTEID", ".node2", Kind.AFFINITY),
        ("my-sticky", "b", Kind.AFFINITY),
        ("anything", "1677787402.36895.0000", Kind.AFFINITY),
        ("lang", "de", Kind.PREFERENCE),
        ("site_theme", "dark", Kind.PREFERENCE),
        ("currency", "EUR", Kind.PREFERENCE),
        ("django_language", "de", Kind.PREFERENCE),
        ("_ga", "GA1.2.1063172443.1700000000", Kind.MEASUREMENT),
        ("_ga_ABC123", "GS1.1.1700000000.1.0.1700000000.0.0.0", Kind.MEASUREMENT),
        ("_fbp", "fb.1.1700000000.1234567890", Kind.MEASUREMENT),
        ("_hjSessionUser_123", "eyJpZCI6IjEiLCJjcmVhdGVkIjoxfQ==", Kind.MEASUREMENT),
        ("_gcl_au", "1.1.123.1700000000", Kind.MEASUREMENT),
        ("ajs_anonymous_id", UUID, Kind.MEASUREMENT),
        ("mp_abc_mixpanel", "%7B%22distinct_id%22%3A%20%22x%22%7D", Kind.MEASUREMENT),
        ("OptanonConsent", "isGpcEnabled=0&version=6", Kind.MEASUREMENT),
        ("__cf_bm", values.url64(values.RANDOM.randbytes(60)), Kind.MEASUREMENT),
        ("csrftoken", values.url64(values.RANDOM.randbytes(24)), Kind.CSRF),
        ("XSRF-TOKEN", values.laravel(), Kind.CSRF),
        (".AspNetCore.Antiforgery.VyLW6ORzMgk", values.aspnet(100), Kind.CSRF),
        ("next-auth.csrf-token", f"{HEX}%7C{HEX}", Kind.CSRF),
        ("shop_csrf", HEX, Kind.CSRF),
        ("remember_token", HEX, Kind.IDENTITY),
        ("ASLBSA", HEX * 2, Kind.AFFINITY),
        ("TS01ab23cd", HEX * 3, Kind.MEASUREMENT),
        ("_hp2_id.123", "%7B%22userId%22%3A%221%22%7D", Kind.MEASUREMENT),
        ("visid_incap_123456", values.url64(values.RANDOM.randbytes(60)), Kind.MEASUREMENT),
    ],
)
def test_other_cookies(name: str, value: str, expected: Kind) -> None:
    assert kind(name, value) is expected


@pytest.mark.parametrize(
    ("scheme", "value", "expected"),
    [
        ("basic", "YW5uOmFwcGxl", Kind.IDENTITY),
        ("bearer", HEX, Kind.IDENTITY),
        ("bearer", JWT, Kind.CLIENT_HELD),
        ("digest", 'username="ann", response="1"', Kind.IDENTITY),
        ("aws4-hmac-sha256", "Credential=x, Signature=y", Kind.IDENTITY),
        ("ntlm", "TlRMTVNTUAAB", Kind.SERVER_HELD),
        ("", HEX, Kind.IDENTITY),
    ],
)
def test_authorization(scheme: str, value: str, expected: Kind) -> None:
    assert kind("authorization", value, Where.AUTHORIZATION, scheme) is expected


@pytest.mark.parametrize(
    ("where", "name", "value", "expected"),
    [
        (PATH, "jsessionid", HEX, Kind.SERVER_HELD),
        (QUERY, "PHPSESSID", HEX, Kind.SERVER_HELD),
        (QUERY, "sid", HEX, Kind.SERVER_HELD),
        (QUERY, "access_token", HEX, Kind.IDENTITY),
        (QUERY, "access_token", JWT, Kind.CLIENT_HELD),
        (BODY, "access_token", JWT, Kind.CLIENT_HELD),
        (BODY, "sessionId", HEX, Kind.SERVER_HELD),
        (FIELD, "x-session-id", HEX, Kind.SERVER_HELD),
        (FIELD, "mcp-session-id", UUID, Kind.SERVER_HELD),
        (FIELD, "x-api-key", HEX, Kind.IDENTITY),
        (FIELD, "x-auth-token", HEX, Kind.IDENTITY),
        (FIELD, "x-auth-token", JWT, Kind.CLIENT_HELD),
        (FIELD, "x-csrf-token", HEX, Kind.CSRF),
    ],
)
def test_elsewhere(where: Where, name: str, value: str, expected: Kind) -> None:
    assert kind(name, value, where) is expected


def test_long_and_opaque_is_state_rather_than_a_key() -> None:
    found = classify("_SESSION", values.url64(values.RANDOM.randbytes(200)).encode(), COOKIE)
    assert (found.kind, found.degree) == (Kind.CLIENT_HELD, Degree.POSSIBLE)


def test_what_is_named_for_a_session_but_too_short_for_a_key_is_none() -> None:
    assert kind("grafana_session_expiry", "1700000000") is not Kind.SERVER_HELD
    assert kind("grafana_session", HEX) is Kind.SERVER_HELD


def test_a_signature_beside_a_cookie_is_seen() -> None:
    value, signature = values.cookie_session({"views": 1})
    alone = classify("session", value.encode(), COOKIE)
    beside = classify("session", value.encode(), COOKIE, beside=("session", "session.sig"))
    assert beside.kind is alone.kind is Kind.CLIENT_HELD
    assert beside.confidence > alone.confidence
    other = classify("session.sig", signature.encode(), COOKIE, beside=("session", "session.sig"))
    assert other.kind is Kind.CLIENT_HELD
    assert other.evidence[0] == "it is the signature of the cookie session beside it"


def test_what_tells_nothing_is_not_known() -> None:
    found = classify("quux", None, COOKIE)
    assert (found.kind, found.confidence, found.degree) == (Kind.UNKNOWN, 0.0, Degree.UNSURE)
    assert found.evidence == ("neither its name nor its value tells what it is for",)


def test_a_name_alone_tells_less_than_a_name_and_a_value() -> None:
    assert classify("sid", None, COOKIE).confidence < classify("sid", HEX.encode(), COOKIE).confidence


def test_degrees() -> None:
    assert [degree(one) for one in (1.0, 0.95, 0.8, 0.5, 0.0)] == [
        Degree.CERTAIN, Degree.CERTAIN, Degree.LIKELY, Degree.POSSIBLE, Degree.UNSURE,
    ]  # fmt: skip


VALUES = st.one_of(
    st.binary(max_size=300),
    st.text('ABCabc019-_.=:|!*~%{}[]"s', max_size=200).map(str.encode),
    st.lists(st.sampled_from(b"eyJ eyJhbGciOiJIUzI1NiJ9 . -- : e30 s: gAAA |".split())).map(b"".join),
)


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=30), VALUES, st.sampled_from(Where), st.sampled_from(["", "bearer", "basic"]))
@example("s", b"[" * 16000, Where.COOKIE, "")
@example("s", b"eyJhbGciOiJub25lIn0.eyJleHAiOjFlOTl9.", Where.COOKIE, "")
@example("s", b'{"exp":NaN}', Where.COOKIE, "")
def test_law_nothing_raises_and_the_log_tells_the_same(
    name: str, value: bytes, where: Where, scheme: str
) -> None:
    seen = classify(name, value, where, scheme=scheme)
    assert 0 <= seen.confidence <= 1
    told = classify(name, None, where, len(value), unmarked(mark(form_of(value))), scheme)
    assert (told.kind, told.confidence, told.format) == (seen.kind, seen.confidence, seen.format)


@settings(deadline=None, max_examples=300)
@given(st.binary(min_size=1, max_size=200))
def test_law_random_bytes_are_not_taken_for_state(value: bytes) -> None:
    found = classify("quux", value, Where.COOKIE)
    assert found.kind is not Kind.CLIENT_HELD or found.degree in (Degree.POSSIBLE, Degree.UNSURE)


@pytest.mark.parametrize("size", [16, 20, 32, 64])
@pytest.mark.parametrize("write", [bytes.hex, values.url64, values.std64])
def test_random_keys_are_never_taken_for_state(size: int, write: object) -> None:
    for _ in range(300):
        value = write(values.RANDOM.randbytes(size)).encode()  # type: ignore[operator]
        found = classify("quux", value, Where.COOKIE)
        assert found.kind in (Kind.SERVER_HELD, Kind.UNKNOWN) or len(value) > 128


@settings(deadline=None, max_examples=100)
@given(VALUES)
def test_law_what_stands_in_the_place_of_a_value_is_one_word_without_it(value: bytes) -> None:
    shown = Redaction("a key for these tests").digest(value)
    assert DIGEST.fullmatch(shown)
    assert not set(shown) & set(" ;,=&/?#\"'<>\\")


def test_ten_megabytes_cost_nothing() -> None:
    value = b"{" * 10_000_000
    tracemalloc.start()
    try:
        found = classify("session", value, COOKIE)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert found.format == "long"
