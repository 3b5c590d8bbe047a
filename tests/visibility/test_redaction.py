"""No credential can be read from a record, and equal ones can be seen to be equal."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.message.errors import ConfigurationError
from proxy.visibility.redaction import DIGEST, Redaction
from proxy.visibility.sessions.form import MARK
from proxy.visibility.settings import LogSettings

KEY = b"a key for the tests only"
JWT = b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlIG9mIGl0"
REDACTION = Redaction(KEY, fields=["X-Acme-Login"], parameters=["acme_pin"])


def shown(name: bytes, value: bytes) -> str:
    """The value of a field line as the record has it, with every digest as `~N` for a length of N."""
    return lengths(REDACTION.line(name, value)[0][1])


def target(value: bytes) -> str:
    return lengths(REDACTION.target(value)[0])


def lengths(text: str) -> str:
    return re.sub(rf"~[0-9a-f]{{16}}\.([0-9]+)\.{MARK}", r"~\1", text)


class TestCookie:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (b"sid=abc", "sid=~3"),
            (b"sid=abc; theme=dark;a=b=c", "sid=~3; theme=~4;a=~3"),
            (b'sid="abc def"', "sid=~9"),
            (b"nameless", "~8"),
            (b"a=1; nameless; b=", "a=~1; ~8; b="),
            (b"=value", "=~5"),
            (b"", ""),
            (b"; ;", "; ;"),
        ],
    )
    def test_names_are_kept_and_each_value_is_hidden_by_itself(self, value: bytes, expected: str) -> None:
        assert shown(b"Cookie", value) == expected
        assert shown(b"cOOKIE", value) == expected

    def test_a_cookie_is_recognized_from_where_it_was_set(self) -> None:
        set_ = REDACTION.line(b"Set-Cookie", b"sid=abc; Path=/")[0][1]
        sent = REDACTION.line(b"Cookie", b"lang=en; sid=abc")[0][1]
        assert set_.split(";")[0] in sent


class TestSetCookie:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (b"sid=abc", "sid=~3"),
            (
                b"sid=abc; Path=/a; Domain=example.org; Secure; HttpOnly; SameSite=Lax; Partitioned",
                "sid=~3; Path=/a; Domain=example.org; Secure; HttpOnly; SameSite=Lax; Partitioned",
            ),
            (
                b"sid=abc; expires=Wed, 21 Oct 2026 07:28:00 GMT; Max-Age=3600;priority=High",
                "sid=~3; expires=Wed, 21 Oct 2026 07:28:00 GMT; Max-Age=3600;priority=High",
            ),
            (b"sid=abc; Path=/, other=secret; HttpOnly", "sid=~3; Path=~15; HttpOnly"),
            (b"sid=abc; Secure, other=secret", "sid=~3; Secure, other=~6"),
            (b"sid=abc; Comment=secret; secret", "sid=~3; Comment=~6; ~6"),
            (b"nameless; Path=/", "~8; Path=/"),
        ],
    )
    def test_attributes_are_kept(self, value: bytes, expected: str) -> None:
        assert shown(b"Set-Cookie", value) == expected


class TestAuthorization:
    @pytest.mark.parametrize("name", [b"Authorization", b"proxy-authorization", b"X-Forwarded-Authorization"])
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (b"Bearer abc", "Bearer ~3"),
            (b"basic  dXNlcjpwdw==", "basic ~12"),
            (b'Digest username="u", response="r"', "Digest ~26"),
            (b"Negotiate", "Negotiate"),
            (b"abc", "~3"),
            (b"mysecret other", "~14"),
            (b"Bearer\tabc", "~10"),
            (b"", ""),
        ],
    )
    def test_only_a_scheme_that_is_one_is_kept(self, name: bytes, value: bytes, expected: str) -> None:
        assert shown(name, value) == expected

    def test_a_challenge_stays_but_half_of_a_login_does_not(self) -> None:
        assert shown(b"WWW-Authenticate", b'Basic realm="a=b", Bearer') == 'Basic realm="a=b", Bearer'
        assert shown(b"WWW-Authenticate", b"Negotiate oYG2MIGz, NTLM TlRM") == "Negotiate ~8, NTLM ~4"

    def test_what_completes_an_authentication_is_hidden_whole(self) -> None:
        assert shown(b"Authentication-Info", b'nextnonce="abc"') == "~15"


class TestNamedFields:
    @pytest.mark.parametrize(
        "name",
        [
            b"X-Api-Key",
            b"x-csrf-token",
            b"X-ACME-Login",
            b"DPoP",
            b"X-My-Secret",
            b"Session-Id",
            b"X-Plex-Token",
            b"X-Forwarded-Cookie",
            b"X-Access-Key",
            b"PassWord",
        ],
    )
    def test_are_hidden_whole(self, name: bytes) -> None:
        assert shown(name, b"abc def") == "~7"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            (b"Cache-Control", b"public, max-age=60"),
            (b"Cache-Status", b'pellucid; hit; ttl=5; key="a"'),
            (b"Content-Type", b'multipart/mixed; boundary="=_x"'),
            (b"ETag", b'"token"'),
            (b"From", b"robot@example.org"),
            (b"X-Binary", bytes(range(128, 256))),
            (b"X-Next-Page-Token", b"abc"),
            (b"Sec-WebSocket-Key", b"abc"),
            (b"Access-Control-Allow-Credentials", b"true"),
        ],
    )
    def test_others_stay_as_they_are(self, name: bytes, value: bytes) -> None:
        assert shown(name, value) == value.decode("latin-1")


class TestUri:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (b"/items?page=2&access_token=abc&x=1", "/items?page=2&access_token=~3&x=1"),
            (b"/items?ACCESS-TOKEN=abc", "/items?ACCESS-TOKEN=~3"),
            (b"/items?accessToken=abc", "/items?accessToken=~3"),
            (b"/items?access%5Ftoken=abc", "/items?access%5Ftoken=~3"),
            (b"/items?user[password]=abc", "/items?user[password]=~3"),
            (b"/items?user%5Bpassword%5D=abc", "/items?user%5Bpassword%5D=~3"),
            (b"/items?acme_pin=1234", "/items?acme_pin=~4"),
            (b"/items?a=1;token=abc;def", "/items?a=1;token=~7"),
            (b"/items?token=a=b?c/d", "/items?token=~7"),
            (b"/items?token=", "/items?token="),
            (b"/items?tokenizer=abc", "/items?tokenizer=abc"),
            (b"/items;jsessionid=abc/x;y=1?z", "/items;jsessionid=~3/x;y=1?z"),
            (b"/cb#access_token=abc&state=1", "/cb#access_token=~3&state=1"),
            (b"/cb?x=1#/inbox?access_token=abc", "/cb?x=1#/inbox?access_token=~3"),
            (b"/go?to=https%3A%2F%2Fx%2F%3Ftoken%3Dabc", "/go?to=~20"),
            (b"/go?to=https://x/?token=abc", "/go?to=https://x/?token=~3"),
            (b"/go?to=https%253A%252F%252Fu%253Ap%2540x", "/go?to=~23"),
            (b"/go/https%3A%2F%2Fu:p%40x/y", "/go/~13/y"),
            (b"https://user:pass@example.org/x", "https://~9@example.org/x"),
            (b"//user@example.org/", "//~4@example.org/"),
            (b"/mail/a@b?to=c@d", "/mail/a@b?to=c@d"),
            (
                b"/items?resetToken=abc&api-token=d&login_password=e",
                "/items?resetToken=~3&api-token=~1&login_password=~1",
            ),
            (
                b"/items?session_key=abc&next_page_token=d&pageToken=e",
                "/items?session_key=~3&next_page_token=d&pageToken=e",
            ),
            (b"/items?filter=%7B%22token%22%3A%22abc%22%7D", "/items?filter=~15"),
            (b"/items?a=" + JWT, f"/items?a=~{len(JWT)}"),
            (b"/items?token=" + JWT, f"/items?token=~{len(JWT)}"),
            (b"/reset/" + JWT + b"/now", f"/reset/~{len(JWT)}/now"),
            (b"/(S(k2o4xz55j2dzr3451zqy3f45))/cart", "/(S(~24))/cart"),
            (b"/eyJ/a(b).local.c", "/eyJ/a(b).local.c"),
            (b"*", "*"),
        ],
    )
    def test_target(self, value: bytes, expected: str) -> None:
        assert target(value) == expected

    @pytest.mark.parametrize("name", [b"Referer", b"Location", b"Content-Location", b"Link", b"X-Anything"])
    def test_in_fields(self, name: bytes) -> None:
        assert shown(name, b"https://u:p@x/?api_key=abc") == "https://~3@x/?api_key=~3"

    def test_among_other_text(self) -> None:
        value = b'<https://x/?token=abc&p=2>; rel="next", </y>; rel=self'
        assert shown(b"Link", value) == '<https://x/?token=~3&p=2>; rel="next", </y>; rel=self'

    def test_authority(self) -> None:
        assert REDACTION.authority(b"example.org:80") == "example.org:80"
        assert lengths(REDACTION.authority(b"user:p@ss@example.org")) == "~9@example.org"

    def test_equal_tokens_are_equal_wherever_they_stand(self) -> None:
        places = [
            REDACTION.target(b"/?token=a%2Fb")[0],
            REDACTION.target(b"/?token=a/b")[0],
            REDACTION.line(b"Cookie", b"t=a/b")[0][1],
            REDACTION.line(b"Authorization", b"Bearer a/b")[0][1],
            REDACTION.line(b"X-Api-Key", b"a/b")[0][1],
        ]
        assert len({DIGEST.search(place)[0] for place in places}) == 1


class TestText:
    """Evidence and errors."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("max-age=60", "max-age=60"),
            ("cookie: sid=abc; b=c", "cookie: sid=~3; b=~1"),
            ("Set-Cookie: sid=abc; Path=/", "Set-Cookie: sid=~3; Path=/"),
            ("the request has Authorization: Bearer abc", "the request has Authorization: Bearer ~3"),
            ("authorization=abc", "authorization=~3"),
            ("x-api-key: abc\nand on", "x-api-key: ~3\nand on"),
            ("cannot read 'http://u:p@x/?token=abc'", "cannot read 'http://~3@x/?token=~3'"),
            ("vary: cookie, authorization", "vary: cookie, authorization"),
            ("§ 4 … café", "§ 4 … café"),
            ("… Cookie: sid=é", "… Cookie: sid=~2"),
        ],
    )
    def test_what_is_quoted_as_a_credential_is_hidden(self, text: str, expected: str) -> None:
        assert lengths(REDACTION.text(text)) == expected

    def test_known_credentials_are_hidden_also_when_cut_short(self) -> None:
        known = {"abcdefghijklmnop", "sixsix", "short"}
        told = REDACTION.text("saw abcdefghijk… and sixsix, but short words stay", known)
        assert lengths(told) == "saw ~16… and ~6, but short words stay"

    def test_what_is_hidden_already_stays(self) -> None:
        hidden = REDACTION.line(b"Cookie", b"sid=abcdefgh")[0][1]
        assert REDACTION.text("cookie: sid=abcdefgh", {"abcdefgh"}) == f"cookie: {hidden}"


class TestRaw:
    @pytest.mark.parametrize(
        ("raw", "expected"),
        [
            (b"GET /?token=abc HTTP/1.1\r\nHost: x\r\n\r\n", "GET /?token=~3 HTTP/1.1\r\nHost: x\r\n\r\n"),
            (b"GET / HTTP/1.1\r\nCookie : sid=abc\r\n", "GET / HTTP/1.1\r\nCookie : ~7\r\n"),
            (b"GET / HTTP/1.1\nX: a\rCookie: b", "GET / HTTP/1.1\nX: ~1\rCookie: ~1"),
            (b"GET / HTTP/1.1\r\nCookie:\r\n sid=abc\r\n", "GET / HTTP/1.1\r\nCookie:\r\n~8\r\n"),
            (b"GET / HTTP/1.1\r\nContent-Length: 5, 6\r\n", "GET / HTTP/1.1\r\nContent-Length: 5, 6\r\n"),
            (b"Cookie: sid=abc\r\nX", "Cookie: sid=~3\r\n~1"),
            (b"user=a&password=abc", "user=a&password=~3"),
            (b"\x16\x03\x01\x02\x00", "\x16\x03\x01\x02\x00"),
            (b"", ""),
        ],
    )
    def test_shows_how_it_was_framed_and_no_value_that_may_be_secret(self, raw: bytes, expected: str) -> None:
        assert lengths(REDACTION.raw(raw)) == expected


class TestKey:
    def test_the_same_key_gives_the_same_digests(self) -> None:
        one, other = Redaction(KEY), Redaction(KEY.decode())
        assert one.digest(b"abc") == other.digest(b"abc")
        assert DIGEST.fullmatch(one.digest(b"abc"))

    def test_without_a_key_every_process_has_its_own(self) -> None:
        assert Redaction().digest(b"abc") != Redaction().digest(b"abc")

    def test_long_keys_count_whole(self) -> None:
        assert Redaction(b"k" * 100).digest(b"abc") != Redaction(b"k" * 99).digest(b"abc")

    def test_a_key_that_could_be_guessed_is_refused_and_not_told(self) -> None:
        with pytest.raises(ConfigurationError) as caught:
            Redaction("hunter2")
        assert "16 bytes" in str(caught.value)
        assert "hunter2" not in str(caught.value)

    def test_from_settings(self) -> None:
        redaction = Redaction.of(LogSettings(redact=("X-Pin",), redact_parameters=("pin",), key=KEY.decode()))
        assert redaction.line(b"x-pin", b"1")[0][1] == redaction.digest(b"1") == REDACTION.digest(b"1")
        assert redaction.target(b"/?pin=1")[0] == f"/?pin={redaction.digest(b'1')}"

    @settings(deadline=None)
    @given(st.binary(min_size=16, max_size=80), st.binary(min_size=16, max_size=80), st.binary(min_size=1))
    def test_law_different_keys_give_different_digests(self, one: bytes, other: bytes, value: bytes) -> None:
        assert (Redaction(one).digest(value) == Redaction(other).digest(value)) == (one == other)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (b"31d4d96e407aad42fe6ad8e5f4d3a0b1", "hex"),
        (b"dark", "text"),
        (b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4iLCJleHAiOjQwMDAwMDAwMDB9.c2lnbmF0dXJlc2lnbmF0dXJl",
         "jwt:e4000000000:n2:sub:exp"),
        (b"a" * 20_000, "long"),
    ],
)  # fmt: skip
def test_the_form_of_a_credential_is_told_wherever_it_stands(value: bytes, form: str) -> None:
    expected = REDACTION.digest(value)
    assert expected.endswith(f".{len(value)}.{form}")
    assert REDACTION.line(b"Cookie", b"sid=" + value)[0][1] == f"sid={expected}"
    assert REDACTION.line(b"Authorization", b"Bearer " + value)[0][1] == f"Bearer {expected}"
    assert REDACTION.target(b"/?token=" + value)[0] == f"/?token={expected}"
    assert REDACTION.text(f"cookie: sid={expected}; b=c").startswith(f"cookie: sid={expected}; b=")


def test_large_values_are_hidden_too() -> None:
    large = b"s" * 10_000
    assert shown(b"Cookie", b"sid=" + large) == "sid=~10000"
    assert target(b"/?token=" + large) == "/?token=~10000"
    assert lengths(REDACTION.text("cookie: a=" + large.decode())) == "cookie: a=~10000"


# Everything that may stand in a token, and what makes trouble in cookies, URIs and text.
