"""Records of our own."""

from __future__ import annotations

from math import isnan

from hypothesis import given

from proxy.caching.decision import Because, Decision, Outcome
from proxy.visibility.account import Account
from proxy.visibility.observation import Observation, Part
from proxy.visibility.reading.records import RecordFormat
from proxy.visibility.record import Record, encode, to_record
from proxy.visibility.redaction import Redaction
from tests.visibility.exchanges import DIGEST, FRESH, NOW, account, accounts
from tests.visibility.reading.conftest import Read

REDACTION = Redaction("a key that is long enough")


def record(**facts: object) -> Record:
    return to_record(account(**facts), REDACTION)


def test_all_that_a_record_says_is_there(read: Read) -> None:
    log = read(encode(record(server="10.0.0.1:8000")) + b"\n")
    assert log.format == "pellucid"
    assert log.observations == [
        Observation(
            time=NOW,
            client="192.0.2.7",
            method="GET",
            scheme="http",
            authority="api.example.org",
            target="/items/1?page=2",
            version="1.1",
            request_fields=(("Host", "api.example.org"), ("Accept", "*/*"), ("X-Name", "Ren\xe9")),
            request_bytes=0,
            status=200,
            response_fields=(("Content-Type", "application/json"), ("Age", "7"), ("age", "8")),
            response_bytes=1024,
            digest=DIGEST,
            duration=0.0005,
            from_cache=True,
            outcome="hit",
            reasons=("fresh",),
            upstream="10.0.0.1:8000",
            id="0f3a",
        )
    ]
    assert log.held.parts == ~Part(0) & ~Part.CONTENT
    assert log.held.has_request_field("anything")


def test_the_address_of_a_client_is_without_its_port(read: Read) -> None:
    log = read(encode(record(client="[2001:db8::1]:443")))
    assert log.observations[0].client == "2001:db8::1"


def test_whether_the_origin_was_spared(read: Read) -> None:
    because = (Because(FRESH, ""),)
    lines = [
        encode(record(decision=Decision(outcome, because, collapsed=collapsed)))
        for outcome, collapsed in [
            (Outcome.HIT, None),
            (Outcome.STALE, None),
            (Outcome.VALIDATED, None),
            (Outcome.FORWARDED, False),
            (Outcome.FORWARDED, True),
            (Outcome.FAILED, None),
            (Outcome.LOCAL, None),
            (Outcome.REFUSED, None),
        ]
    ]
    found = [each.from_cache for each in read(b"\n".join(lines)).observations]
    assert found == [True, True, False, False, True, False, None, None]


@given(accounts)
def test_whatever_is_recorded_can_be_read(exchange: Account) -> None:
    written = to_record(exchange, REDACTION)
    (found,) = RecordFormat().read(encode(written) + b"\n", 1)
    assert abs(found.time - written.started) < 1e-5
    assert found.status == (written.response.status if written.response else 0)
    assert found.request_fields == (written.request.fields if written.request else ())
    assert isnan(found.duration) == (written.duration_seconds is None)
    assert found.method == (written.request.method if written.request else "")


def test_a_record_that_lacks_something_is_a_fault_and_not_taken_for_other_json(read: Read) -> None:
    whole = encode(record())
    lines = [
        whole,
        whole.replace(b'"status":200', b'"status":"fine"'),
        whole.replace(b'"client"', b'"klient"'),
    ]
    log = read(b"\n".join([*lines, whole.replace(b"pellucid/1", b"pellucid/2"), whole[:-20], whole]))
    assert len(log.observations) == 2
    assert [fault.line for fault in log.faults] == [2, 3, 4, 5]
    assert [fault.why for fault in log.faults] == [
        "it is no record: Expected `int`, got `str` - at `$.response.status`",
        "it is no record: Object missing required field `client`",
        "its format is not pellucid/1",
        "it is no record: not JSON, or cut short",
    ]


def test_a_time_that_is_none_is_a_fault(read: Read) -> None:
    whole = encode(record())
    log = read(whole + b"\n" + whole.replace(b"2023-11-14T22", b"2023-11-14T99"))
    assert [(fault.line, fault.why) for fault in log.faults] == [(2, "the time can't be read")]
