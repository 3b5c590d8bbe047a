"""The forms of values, as programs write them that are installed here, or as their documents say."""

from __future__ import annotations

import json
import secrets
import time
import uuid
import zlib
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from random import Random
from urllib.parse import quote

import jwt as pyjwt
import pyseto
import pytest
from cryptography.fernet import Fernet
from django.core import signing
from itsdangerous import TimestampSigner, URLSafeSerializer, URLSafeTimedSerializer
from joserfc import jwe
from joserfc.jwk import OctKey

from proxy.visibility.sessions.form import FORMATS, mark, unmarked
from proxy.visibility.sessions.reading import form_of
from tests.visibility.sessions import values

NOW = int(time.time())
KEY = "0123456789abcdef0123456789abcdef"

values.set_up_django()


def name_of(value: str | bytes) -> str:
    return form_of(value.encode() if isinstance(value, str) else value).name


class TestWebTokens:
    def test_a_signed_one_tells_its_times_and_claims(self) -> None:
        token = pyjwt.encode({"sub": "ann", "iat": NOW, "exp": NOW + 60, "flavour": 1}, KEY)
        form = form_of(token.encode())
        assert (form.name, form.issued, form.expires) == ("jwt", NOW, NOW + 60)
        assert (form.keys, form.held) == (("sub", "iat", "exp", "flavour"), 4)
        assert form.payload["sub"] == "ann"
        assert mark(form) == f"jwt:i{NOW}:e{NOW + 60}:n4:sub:iat:exp"

    def test_one_without_a_signature_is_told_from_a_signed_one(self) -> None:
        assert name_of(pyjwt.encode({"sub": "ann"}, None, algorithm="none")) == "jwt-unsigned"

    def test_an_encrypted_one(self) -> None:
        key = OctKey.import_key(KEY.encode())
        token = jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, b'{"sub":"ann"}', key)
        form = form_of(token.encode())
        assert (form.name, form.keys, form.format.encrypted) == ("jwe", (), True)
        assert name_of(values.next_auth()) == "jwe"

    @pytest.mark.parametrize(
        "value",
        [
            "eyJ.eyJ.sig",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.short",
            "eyJhbGciOiJIUzI1NiJ9.%00%ff.c2lnbmF0dXJlc2lnbmF0dXJl",
            "eyJ0eXAiOiJKV1QifQ.eyJzdWIiOiIxIn0.c2lnbmF0dXJlc2lnbmF0dXJl",
            ("eyJhbGciOiJIUzI1NiJ9." * 40)[:-1],
            "e30.e30.e30",
        ],
    )
    def test_what_imitates_one_is_none(self, value: str) -> None:
        assert name_of(value) == "text"

    @pytest.mark.parametrize("version", [1, 2, 3, 4])
    def test_paseto_local(self, version: int) -> None:
        key = pyseto.Key.new(version=version, purpose="local", key=KEY.encode())
        assert name_of(pyseto.encode(key, {"sub": "ann"})) == "paseto-local"

    def test_paseto_public(self) -> None:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        key = pyseto.Key.new(version=4, purpose="public", key=pem)
        form = form_of(pyseto.encode(key, {"sub": "ann", "exp": "2039-01-01T00:00:00+00:00"}))
        assert (form.name, form.keys) == ("paseto-public", ("sub", "exp"))
        assert form.expires == 2177452800


class TestPython:
    def test_itsdangerous_with_a_time(self) -> None:
        form = form_of(URLSafeTimedSerializer(KEY).dumps({"username": "ann"}).encode())
        assert (form.name, form.keys) == ("itsdangerous", ("username",))
        assert form.issued is not None
        assert abs(form.issued - NOW) < 600

    def test_itsdangerous_without_a_time(self) -> None:
        form = form_of(URLSafeSerializer(KEY).dumps({"a": {"id": "ann"}}).encode())
        assert (form.name, form.keys, form.issued) == ("itsdangerous", ("a",), None)

    def test_itsdangerous_compresses_what_is_long(self) -> None:
        value = URLSafeTimedSerializer(KEY).dumps({"cart": ["P0001"] * 100})
        assert value.startswith(".")
        assert form_of(value.encode()).keys == ("cart",)

    def test_a_signed_key_holds_nothing(self) -> None:
        assert name_of(TimestampSigner(KEY).sign(uuid.uuid4().hex).decode()) == "signed-key"
        assert name_of(URLSafeTimedSerializer(KEY).dumps(uuid.uuid4().hex)) == "signed-key"

    def test_django_objects_and_texts(self) -> None:
        form = form_of(signing.dumps({"_auth_user_id": "7", "cart": [1]}, compress=True).encode())
        assert (form.name, form.keys) == ("django", ("_auth_user_id", "cart"))
        assert form.issued is not None
        assert abs(form.issued - NOW) < 600
        long = signing.dumps({"cart": list(range(300))}, compress=True)
        assert long.startswith(".")
        assert form_of(long.encode()).keys == ("cart",)
        assert name_of(signing.TimestampSigner().sign("dark mode")) == "django-text"
        assert form_of(signing.Signer().sign_object({"m": 1}).encode()).keys == ("m",)

    def test_fernet(self) -> None:
        form = form_of(Fernet(Fernet.generate_key()).encrypt(b'{"user": "ann"}'))
        assert (form.name, form.format.encrypted) == ("fernet", True)
        assert form.issued is not None
        assert abs(form.issued - NOW) < 600

    def test_tornado_pyramid_bottle(self) -> None:
        assert mark(form_of(values.tornado(NOW, b'{"user":1}').encode())) == f"tornado:i{NOW}:n1:user"
        assert mark(form_of(values.pyramid(NOW, {"cart": []}).encode())) == f"pyramid:i{NOW - 100}:n1:cart"
        assert mark(form_of(values.bottle("s", {"user": "ann"}).encode())) == "bottle:n1:user"


class TestOthers:
    def test_express(self) -> None:
        assert name_of(values.express_session()) == "express-key"
        assert mark(form_of(values.express_json({"cart": [1]}).encode())) == "express-json:n1:cart"
        assert name_of(values.express_session("dark mode")) == "express-text"
        assert name_of(quote("s:dark." + "aB3/" * 10 + "xyz", safe="")) == "text"
        assert mark(form_of(quote('j:{"theme":"dark"}').encode())) == "json:n1:theme"

    def test_cookie_session_and_remix(self) -> None:
        value, _ = values.cookie_session({"views": 3})
        assert mark(form_of(value.encode())) == "base64-json:n1:views"
        assert mark(form_of(values.remix({"user": "ann"}).encode())) == "signed-json:n1:user"
        assert name_of(values.remix(secrets.token_hex(8))) == "signed-key"

    def test_what_is_held_may_tell_when_it_expires(self) -> None:
        assert form_of(values.remix({"user": "ann", "expires": NOW * 1000}).encode()).expires == NOW
        assert form_of(URLSafeSerializer(KEY).dumps({"exp": NOW + 60}).encode()).expires == NOW + 60
        assert form_of(URLSafeSerializer(KEY).dumps({"exp": "soon"}).encode()).expires is None

    def test_iron_session(self) -> None:
        form = form_of(values.iron_session((NOW + 60) * 1000).encode())
        assert (form.name, form.expires, form.format.encrypted) == ("iron", NOW + 60, True)

    def test_rails(self) -> None:
        form = form_of(values.rails_signed({"user_id": 7}, expires="2039-01-01T00:00:00.000Z").encode())
        assert (form.name, form.keys, form.expires) == ("rails-signed", ("user_id",), 2177452800)
        assert name_of(values.rails_marshaled()) == "rails-signed"
        assert name_of(values.rails_encrypted()) == "rails-encrypted"
        assert name_of(values.rails_signed("31d4d96e407aad42fe6ad8e5f4d3a0b1")) == "signed-key"
        mojolicious = values.std64(b'{"user":"annn"}').replace("=", "-") + "--" + values.mac("x").hex()
        assert form_of(mojolicious.encode()).keys == ("user",)

    def test_phoenix(self) -> None:
        form = form_of(values.phoenix_signed({"_csrf_token": "x", "user_id": 7}).encode())
        assert (form.name, form.keys) == ("phoenix-signed", ("_csrf_token", "user_id"))
        token = form_of(values.phoenix_signed(({"user_id": 7}, NOW * 1000, 86400)).encode())
        assert (token.keys, token.issued) == (("user_id",), NOW)
        assert name_of(values.phoenix_encrypted()) == "phoenix-encrypted"

    def test_laravel_aspnet_gorilla_play_wordpress(self) -> None:
        assert name_of(values.laravel()) == "laravel"
        assert name_of(values.aspnet()) == "aspnet"
        assert mark(form_of(values.gorilla(NOW, session_id=True).encode())) == f"signed-key:i{NOW}"
        assert mark(form_of(values.cookie_rs('{"user":1}').encode())) == "signed-json:n1:user"
        assert name_of(values.cookie_rs("31d4d96e407aad42fe6ad8e5f4d3a0b1")) == "signed-key"
        assert name_of(values.cookie_rs("dark mode")) == "text"
        assert mark(form_of(values.gorilla(NOW).encode())) == f"gorilla:i{NOW}"
        assert mark(form_of(values.play("user=ann&lang=de").encode())) == "play:n2:user:lang"
        assert form_of(values.wordpress(NOW + 60).encode()).expires == NOW + 60
        assert name_of(values.wordpress(NOW)) == "wordpress"


class TestPlain:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ('{"created": 1, "session": {}}', "json:n2:created:session"),
            (quote('{"lang":"de"}'), "json:n1:lang"),
            ('"{\\"created\\": 1\\054 \\"session\\": {}}"', "json:n2:created:session"),
            ("[1,2]", "json"),
            (b64encode(b'{"views":1}').decode(), "base64-json:n1:views"),
            ("base64-" + urlsafe_b64encode(b'{"access_token":"x"}').decode(), "base64-json:n1:access_token"),
            ("user=ann&theme=dark", "query:n2:user:theme"),
            ('a:1:{s:4:"user";s:3:"ann";}', "php"),
            (b64encode(b"ann:apple").decode(), "basic"),
            ("1677787402.36895.0000", "bigip"),
            ("rd5o00000000000000000000ffffac100a0ao80", "bigip"),
            ("GA1.2.1063172443.1700000000", "text"),
            ("dark", "text"),
            ("de-AT,de;q=0.9", "text"),
            ("accept-all-cookies-please", "text"),
            ("thequickbrownfoxjumps", "text"),
            ("2026-11-23T07:00:00Z", "text"),
            ("", "text"),
            ("a" * 64, "text"),
            ("0123456789" * 2, "digits"),
            ("31d4d96e407aad42fe6ad8e5f4d3a0b1", "hex"),
            ("123e4567-e89b-12d3-a456-426614174000", "uuid"),
            (b64encode(b"123e4567-e89b-12d3-a456-426614174000").decode(), "uuid"),
            ("F1A2B3C4D5E6F7A8B9C0D1E2F3A4B5C6.node1", "route"),
            ("k5cQ9vHpX2mN7tRzW4bJ8sYf!-1234567890!987654321", "route"),
        ],
    )
    def test_forms(self, value: str, expected: str) -> None:
        assert mark(form_of(value.encode())) == expected

    def test_the_address_of_a_server(self) -> None:
        assert form_of(b"1677787402.36895.0000").payload == "10.1.1.100:8080"
        assert form_of(b"rd5o00000000000000000000ffffac100a0ao80").payload == "172.16.10.10:80"
        assert name_of("99999999999.36895.0000") == "text"

    @pytest.mark.parametrize(
        ("alphabet", "length"),
        [
            ("0123456789abcdef", 32),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 43),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 32),
            ("abcdefghijklmnopqrstuvwxyz0123456789", 32),
            ("abcdefghijklmnopqrstuv0123456789", 26),
            ("abcdefghijklmnopqrstuvwxyz012345", 24),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 40),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 21),
        ],
    )
    def test_random_keys_are_keys(self, alphabet: str, length: int) -> None:
        """But for a few that happen to look like words."""
        random = Random(1)
        found = [name_of("".join(random.choices(alphabet, k=length))) for _ in range(1000)]
        assert sum(name in ("hex", "alnum", "base64") for name in found) >= 985

    @pytest.mark.parametrize(
        "value",
        [
            "summer2026collection",
            "FirstVisitLandingPageVariantB",
            "experiment_checkout_button_v2",
            "list-view_sort-price_asc",
            "Europe/Amsterdam/Netherlands",
            "MozillaFirefoxDeveloperEdition",
            "homepageBannerClosed2026",
        ],
    )
    def test_words_are_not(self, value: str) -> None:
        assert name_of(value) == "text"


class TestMarks:
    def test_unknown_keys_are_counted_but_not_named(self) -> None:
        token = pyjwt.encode({"sub": "x", "ann@example.org": 1, "i7": 2, "a:b": 3}, KEY)
        assert mark(form_of(token.encode())) == "jwt:n4:sub"

    def test_no_time_of_what_nothing_protects_is_told(self) -> None:
        assert (
            mark(form_of(pyjwt.encode({"exp": NOW}, None, algorithm="none").encode()))
            == "jwt-unsigned:n1:exp"
        )

    @pytest.mark.parametrize("name", sorted(FORMATS))
    def test_can_be_read_again(self, name: str) -> None:
        told = unmarked(f"{name}:i1700000000:e1700003600:n5:sub:role")
        assert told is not None
        assert (told.name, told.issued, told.expires, told.held, told.keys) == (
            name, 1700000000, 1700003600, 5, ("sub", "role"),
        )  # fmt: skip
        assert unmarked("no-such-form") is None

    def test_every_format_is_made_by_a_test(self) -> None:
        """The names above and below are all there are."""
        here = Path(__file__).read_text(encoding="utf-8")
        assert [name for name in FORMATS if f'"{name}' not in here] == []


class TestBounds:
    def test_what_is_too_long_is_not_looked_at(self) -> None:
        assert name_of(b"a" * 10_000_000) == "long"

    def test_layers_of_base64(self) -> None:
        data = json.dumps({"user": "ann"}).encode()
        for layer in range(1, 20):
            data = b64encode(data)
            assert name_of(data) == ("base64-json" if layer <= 3 else name_of(data))
            if layer > 3:
                assert name_of(data) in ("alnum", "base64", "text", "long")

    def test_a_bomb_is_not_inflated(self) -> None:
        bomb = urlsafe_b64encode(zlib.compress(b'{"a":"' + b"a" * 8_000_000 + b'"}')).rstrip(b"=").decode()
        value = TimestampSigner(KEY).sign("." + bomb).decode()
        form = form_of(value.encode())
        assert (form.name, form.keys, form.payload) == ("itsdangerous", (), None)

    def test_what_is_nested_deeply(self) -> None:
        assert name_of("[" * 8000 + "]" * 8000) in ("text", "json")
        assert name_of(b64encode(b"[" * 6000 + b"]" * 6000)) in ("alnum", "base64", "text", "base64-json")
        deep = b"\x83" + b"h\x01" * 500 + b"j"
        value = f"SFMyNTY.{values.url64(deep)}.{values.url64(values.mac('x'))}"
        assert form_of(value.encode()).payload is None


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (b"q7Xk2mZp9aLw", "alnum"),
        (b"k3j9x2m1q8z7", "alnum"),
        (b"darkTheme12", "text"),
        (b"20260101T0102", "text"),
        (b"1234567890", "text"),
        (b"q7Xk2mZp9", "text"),
    ],
)
def test_short_values_are_keys_only_if_nothing_else_looks_like_them(value: bytes, form: str) -> None:
    assert form_of(value).name == form
