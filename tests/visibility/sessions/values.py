"""Values as frameworks write them that can't be installed here: made as their documents say."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode, urlsafe_b64encode
from random import Random
from urllib.parse import quote

from django.conf import settings

RANDOM = Random(20261123)
"""Always the same, so that each process finds the same tests."""


def set_up_django() -> None:
    """Give Django a secret and a database in memory; it can be set up but once in a process."""
    if not settings.configured:
        settings.configure(
            SECRET_KEY="a secret of the tests",
            LOGGING_CONFIG=None,
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        )


def url64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def std64(data: bytes) -> str:
    return b64encode(data).decode()


def mac(data: str, algorithm: str = "sha256") -> bytes:
    return hmac.new(b"a secret of the tests", data.encode(), algorithm).digest()


def cookie_session(payload: object) -> tuple[str, str]:
    """cookie-session and koa-session: JSON in Base64, and a second cookie signed by Keygrip (SHA-1)."""
    value = std64(json.dumps(payload).encode())
    return value, url64(mac(f"session={value}", "sha1"))


def express_session(sid: str = "") -> str:
    """express-session: `s:`, the id, a dot and cookie-signature's HMAC, percent-encoded."""
    sid = sid or url64(RANDOM.randbytes(24))
    return quote(f"s:{sid}.{std64(mac(sid)).rstrip('=')}", safe="")


def express_json(payload: object) -> str:
    """res.cookie(name, object, {signed: true})."""
    text = "j:" + json.dumps(payload, separators=(",", ":"))
    return quote(f"s:{text}.{std64(mac(text)).rstrip('=')}", safe="")


def iron_session(expires_ms: int) -> str:
    """iron-webcrypto's seal (MAC prefix Fe26.2), with the version that iron-session puts behind it."""
    random = RANDOM.randbytes
    sealed = f"Fe26.2*1*{random(32).hex()}*{url64(random(16))}*{url64(random(96))}*{expires_ms}"
    return f"{sealed}*{random(32).hex()}*{url64(random(32))}~2"


def next_auth() -> str:
    """next-auth: a JWE with direct encryption, so that its second part is empty."""
    head = url64(json.dumps({"alg": "dir", "enc": "A256GCM"}).encode())
    return f"{head}.." + ".".join(url64(RANDOM.randbytes(size)) for size in (12, 180, 16))


def remix(payload: object) -> str:
    """createCookieSessionStorage of Remix: JSON in Base64, a dot and an HMAC."""
    value = std64(json.dumps(payload).encode())
    return quote(f"{value}.{std64(mac(value)).rstrip('=')}", safe="")


def rails_signed(message: object, purpose: str = "cookie.cart", expires: str | None = None) -> str:
    """A signed cookie of Rails 6 and later, whose envelope has a purpose."""
    inner = std64(json.dumps(message).encode())
    data = std64(json.dumps({"_rails": {"message": inner, "exp": expires, "pur": purpose}}).encode())
    return quote(f"{data}--{mac(data, 'sha1').hex()}", safe="")


def rails_marshaled() -> str:
    """A session of Rack::Session::Cookie: Ruby's Marshal in Base64."""
    data = std64(b'\x04\x08{\x06I"\x0fsession_id\x06:\x06EFI"\x06x\x06;\x00F' + RANDOM.randbytes(20))
    return quote(f"{data}--{mac(data, 'sha256').hex()}", safe="")


def rails_encrypted(size: int = 160) -> str:
    """An encrypted cookie of Rails 5.2 and later (AES-256-GCM)."""
    parts = (RANDOM.randbytes(size), RANDOM.randbytes(12), RANDOM.randbytes(16))
    return quote("--".join(map(std64, parts)), safe="")


def laravel(size: int = 96) -> str:
    """Illuminate\\Encryption: initialization vector, value, MAC and tag as JSON in Base64."""
    envelope = {
        "iv": std64(RANDOM.randbytes(16)),
        "value": std64(RANDOM.randbytes(size)),
        "mac": RANDOM.randbytes(32).hex(),
        "tag": "",
    }
    return quote(std64(json.dumps(envelope).encode()), safe="")


def erlang(payload: object) -> bytes:
    """Erlang's external term format, of what sessions hold."""
    return b"\x83" + _term(payload)


def _term(one: object) -> bytes:
    if isinstance(one, dict):
        return b"t" + len(one).to_bytes(4, "big") + b"".join(_term(k) + _term(v) for k, v in one.items())
    if isinstance(one, bool):
        name = str(one).lower().encode()
        return b"w" + bytes([len(name)]) + name
    if isinstance(one, int):
        return b"a" + bytes([one]) if 0 <= one < 256 else b"n\x08\x00" + one.to_bytes(8, "little")
    if isinstance(one, tuple):
        return b"h" + bytes([len(one)]) + b"".join(map(_term, one))
    if isinstance(one, list):
        return b"l" + len(one).to_bytes(4, "big") + b"".join(map(_term, one)) + b"j"
    text = str(one).encode()
    return b"m" + len(text).to_bytes(4, "big") + text


def phoenix_signed(payload: object) -> str:
    """Plug.Crypto.MessageVerifier."""
    data = f"SFMyNTY.{url64(erlang(payload))}"
    return f"{data}.{url64(mac(data))}"


def phoenix_encrypted() -> str:
    """Plug.Crypto.MessageEncryptor with A128GCM."""
    sizes = (44, 12, 80, 16)
    return ".".join(["QTEyOEdDTQ", *(url64(RANDOM.randbytes(size)) for size in sizes)])


def aspnet(size: int = 120) -> str:
    """Microsoft.AspNetCore.DataProtection: a magic number, the key's id, and what is protected."""
    return url64(b"\x09\xf0\xc9\xf0" + RANDOM.randbytes(16 + size))


def gorilla(seconds: int, *, session_id: bool = False) -> str:
    """gorilla/securecookie: date|value|mac in Base64, the value being gob, perhaps encrypted, in Base64.

    With its stores on a server, the value is the id of a session: 32 bytes in Base32.
    """
    held = b"\x37\x0c\x00\x34" + b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" * 2 if session_id else b""
    value = urlsafe_b64encode(held[:56] or b"\x0e\xff\x81" + RANDOM.randbytes(60)).decode()
    return urlsafe_b64encode(f"{seconds}|{value}|".encode() + mac(value)).decode()


def tornado(seconds: int, value: bytes, name: str = "user") -> str:
    """tornado.web.create_signed_value, version 2."""
    held = std64(value)
    fields = ["2|1:0", f"{len(str(seconds))}:{seconds}", f"{len(name)}:{name}", f"{len(held)}:{held}"]
    data = "|".join(fields) + "|"
    return data + mac(data).hex()


def wordpress(expires: int) -> str:
    """wp_generate_auth_cookie."""
    token = "".join(RANDOM.choice("ABCDEFGHabcdefgh0123456789") for _ in range(43))
    return quote(f"ann|{expires}|{token}|{mac(token).hex()}", safe="")


def cookie_rs(held: str) -> str:
    """The signed jar of Rust's cookie crate: a digest in Base64 and the value."""
    return quote(std64(mac(held)) + held, safe="")


def play(pairs: str) -> str:
    """A session of Play 2.5 and before."""
    return f"{mac(pairs, 'sha1').hex()}-{pairs}"


def pyramid(now: int, payload: dict[str, object]) -> str:
    """SignedCookieSessionFactory with the JSON serializer of Pyramid 2."""
    data = json.dumps([now, now - 100, payload]).encode()
    return url64(hmac.new(b"salt and secret", data, hashlib.sha512).digest() + data)


def bottle(name: str, payload: object) -> str:
    """bottle.response.set_cookie with a secret, whose serialization is JSON in this example."""
    message = std64(json.dumps([name, payload]).encode())
    return f"!{std64(mac(message))}?{message}"
