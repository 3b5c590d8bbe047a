"""The credentials of an exchange: all of them, from a log or from the message itself."""

from __future__ import annotations

from proxy.visibility.observation import Observation
from proxy.visibility.redaction import Redaction
from proxy.visibility.sessions.carried import Carried, Credential, carried

REDACTION = Redaction("one key for these tests")
HEX = "31d4d96e407aad42fe6ad8e5f4d3a0b1"
NOON = 1_700_000_000.0


def observed(
    target: str = "/", sent: tuple[str, ...] = (), given: tuple[str, ...] = (), content: bytes | None = None
) -> Carried:
    """What an exchange carried, its lines redacted as in a log."""

    def lines(given: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        pairs = (line.partition(": ") for line in given)
        return tuple(REDACTION.line(name.encode(), value.encode())[0] for name, _, value in pairs)

    shown = REDACTION.target(target.encode())[0]
    return carried(
        Observation(
            time=NOON, target=shown, request_fields=lines(sent), response_fields=lines(given), content=content
        )
    )


def told(found: tuple[Credential, ...]) -> list[tuple[str, str, str | None]]:
    return [(str(one.where), one.name, one.form.name if one.form else None) for one in found]


def test_cookies_and_fields_and_parameters() -> None:
    found = observed(
        f"/a;jsessionid={HEX}/b?page=2&access_token={HEX}",
        (
            f"Cookie: sid={HEX}; lang=de; empty=; nameless",
            "X-API-Key: k",
            "Accept: */*",
            f"Authorization: Bearer {HEX}",
        ),
    )
    assert told(found.sent) == [
        ("path", "jsessionid", "hex"),
        ("query", "access_token", "hex"),
        ("cookie", "sid", "hex"),
        ("cookie", "lang", "text"),
        ("field", "x-api-key", "text"),
        ("authorization", "authorization", "hex"),
    ]
    assert found.sent[-1].scheme == "bearer"
    assert found.sent[0].value == found.sent[1].value == found.sent[2].value == found.sent[-1].value
    assert (found.sent[2].length, found.sent[3].length) == (32, 2)
    assert not found.sent[2].shown


def test_a_message_that_hides_nothing_tells_the_same() -> None:
    fields = (("Cookie", f"sid={HEX}"), ("X-Api-Key", "k"))
    found = carried(Observation(target=f"/?token={HEX}&page=2", request_fields=fields))
    assert told(found.sent) == [
        ("query", "token", "hex"),
        ("cookie", "sid", "hex"),
        ("field", "x-api-key", "text"),
    ]
    assert found.sent[0].shown


def test_what_a_setting_had_hidden_is_a_credential_too() -> None:
    redaction = Redaction("one key for these tests", fields=["X-Door"])
    line = redaction.line(b"X-Door", HEX.encode())[0]
    assert told(carried(Observation(request_fields=(line,))).sent) == [("field", "x-door", "hex")]


def test_a_log_from_before_forms_were_told() -> None:
    found = carried(Observation(request_fields=(("Cookie", "sid=~0123456789abcdef.32"),)))
    assert told(found.sent) == [("cookie", "sid", None)]
    assert found.sent[0].length == 32


def test_cookies_that_are_set_and_removed() -> None:
    found = observed(
        given=(
            f"Set-Cookie: sid={HEX}; Path=/; HttpOnly",
            f"Set-Cookie: kept={HEX}; Max-Age=60",
            f"Set-Cookie: long={HEX}; expires=Thu, 23 Nov 2023 00:00:00 GMT",
            "Set-Cookie: a=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT",
            "Set-Cookie: b=; Path=/",
            "Set-Cookie: c=x; Max-Age=0; Expires=Thu, 23 Nov 2023 00:00:00 GMT",
            "Set-Cookie: d=x; Expires=Tue, 14 Nov 2023 22:00:00 GMT",
            "Set-Cookie: nameless",
        )
    )
    assert [(one.name, one.removed) for one in found.given] == [
        ("sid", False), ("kept", False), ("long", False), ("a", True), ("b", True), ("c", True), ("d", True),
    ]  # fmt: skip
    assert [one.lasts for one in found.given[:3]] == [None, 60, None]
    assert found.given[2].until == 1_700_697_600


def test_tokens_in_content() -> None:
    found = observed(
        content=b'{"user": "ann", "access_token": "%s", "data": {"sessionId": "%s"}}' % ((HEX.encode(),) * 2)
    )
    assert told(found.given) == [("body", "access_token", "hex"), ("body", "sessionId", "hex")]
    assert {one.value for one in found.given} == {""}
    for other in (b"", b"[1]", b"{", b'{"token": 1}', b"\x00\xff"):
        assert observed(content=other).given == ()


def test_there_is_an_end_to_them() -> None:
    found = carried(Observation(request_fields=(("Cookie", "; ".join(f"c{n}=x" for n in range(1000))),) * 3))
    assert len(found.sent) == 128
    (one,) = carried(Observation(request_fields=(("Cookie", "n" * 1000 + "=x"),))).sent
    assert len(one.name) == 80


def test_what_is_read_out_of_a_value_is_not_kept() -> None:
    (one,) = carried(Observation(request_fields=(("Cookie", 'state={"pin":1234}'),))).sent
    assert one.form is not None
    assert (one.form.keys, one.form.payload) == (("pin",), None)
