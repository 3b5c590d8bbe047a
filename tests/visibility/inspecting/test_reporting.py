"""The report as a whole: what it says, what it holds back, and its form."""

from __future__ import annotations

import json
from collections.abc import Sequence

import jsonschema
import msgspec
import pytest

from proxy.visibility.inspecting import schema
from proxy.visibility.inspecting.aggregate import Aggregate
from proxy.visibility.inspecting.report import Answer, Finding, Report, Severity
from proxy.visibility.inspecting.reporting import Wishes, report
from proxy.visibility.observation import Held, Observation, Part
from tests.visibility.inspecting.test_dependence import sid, visits
from tests.visibility.inspecting.traffic import PLAIN, aggregate_of, exchange, report_of, served


def personal(said: Sequence[tuple[str, str]]) -> Report:
    """The report on pages that greet their readers."""
    traffic = [msgspec.structs.replace(one, response_fields=tuple(said)) for one in visits(400)]
    return report_of(served(traffic, lambda one: f"hello {sid(one)}"))


def undeclared(found: Report) -> list[Finding]:
    return [one for one in found.findings if one.slug == "undeclared-variance"]


def test_the_schema_is_the_one_that_is_delivered() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.render()


@pytest.mark.parametrize("traffic", [[], [Observation()], visits(50)])
def test_every_report_follows_the_schema(traffic: list[Observation]) -> None:
    found = json.loads(msgspec.json.encode(report_of(traffic)))
    jsonschema.Draft202012Validator(schema.schema()).validate(found)


def test_a_report_can_be_read_again() -> None:
    found = report_of(visits(50))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Report) == found


def test_users_who_would_be_mixed_up_are_the_worst_finding() -> None:
    found = personal([("Cache-Control", "max-age=60")])
    (one,) = undeclared(found)
    assert one.severity is Severity.CRITICAL
    assert found.findings[0] == one
    assert found.summary.worst[0] == one
    assert one.endpoints == ("/page",)
    assert len(one.examples) == 3
    assert "cookie sid" in one.sentence
    assert "private" in one.advice


@pytest.mark.parametrize(
    "said",
    [
        [("Vary", "Cookie")],
        [("Vary", "accept, COOKIE")],
        [("Vary", "*")],
        [("Cache-Control", "private")],
        [("Cache-Control", "no-store")],
        [("cache-control", "Private, max-age=5")],
    ],
)
def test_what_is_declared_is_no_finding(said: list[tuple[str, str]]) -> None:
    assert undeclared(personal(said)) == []


def test_variance_by_language_is_a_finding_of_its_own() -> None:
    traffic = served(visits(500, 8), lambda one: f"in {one.request_fields[1][1]}")
    (one,) = undeclared(report_of(traffic))
    assert one.severity is Severity.HIGH
    assert "`Vary: Accept-Language`" in one.advice


def test_pages_for_everyone_have_no_such_finding() -> None:
    assert undeclared(report_of(served(visits(300), lambda one: "same"))) == []


def test_what_says_how_long_it_may_be_kept_is_clear() -> None:
    clear = [exchange("/a", at, said=[("Cache-Control", "max-age=60")]) for at in range(10)]
    silent = [exchange("/b", at) for at in range(30)]
    found = report_of([*clear, *silent])
    assert found.summary.opacity.share == 0.75
    assert found.summary.opacity.not_explicit == 30
    assert {one.name: one.opacity.share for one in found.endpoints} == {"/a": 0.0, "/b": 1.0}


@pytest.mark.parametrize("control", ["no-store", "private", "no-cache", "s-maxage=5", "max-age=0"])
def test_any_statement_is_explicit(control: str) -> None:
    found = report_of([exchange("/a", said=[("Cache-Control", control)])])
    assert found.summary.opacity.not_explicit == 0


def test_methods_and_states_that_say_it_themselves_are_explicit() -> None:
    found = report_of([exchange("/a", method="POST"), exchange("/a", status=500), exchange("/a", status=302)])
    assert found.summary.opacity.not_explicit == 0


def test_keys_to_hidden_state_are_opaque() -> None:
    value = "~0123456789abcdef.26.alnum"
    traffic = [
        exchange("/a", at, asked=[("Cookie", f"PHPSESSID={value}")], said=[("Cache-Control", "private")])
        for at in range(20)
    ]
    found = report_of(traffic)
    assert found.summary.opacity.not_stateless == 20
    assert found.credentials[0].kind == "server-held"


def test_costs_are_those_of_the_origin_alone() -> None:
    hits = [exchange("/a", at, from_cache=True, outcome="hit", reasons=("fresh",)) for at in range(5)]
    misses = [exchange("/a", at, reasons=("no-store", "nothing-stored")) for at in range(3)]
    validated = [exchange("/a", at, outcome="validated", reasons=("stale",)) for at in range(2)]
    found = report_of([*hits, *misses, *validated])
    assert [(one.cause, one.requests, one.bytes) for one in found.endpoints[0].costs] == [
        ("no-store", 3, 3 * len("content")),
        ("stale", 2, 0),
    ]
    assert found.summary.figures.hit_ratio == 0.5
    assert found.summary.figures.origin_requests == 5
    assert [one.cost.cause for one in found.summary.advice] == ["no-store", "stale"]


def test_causes_are_derived_where_the_log_names_none() -> None:
    held = Held("json", Part.TIME | Part.RESPONSE_BYTES | Part.RESPONSE_FIELDS | Part.REQUEST_FIELDS)
    traffic = [
        exchange("/a", at, said=[("Cache-Control", "private")], from_cache=None, outcome="")
        for at in range(4)
    ]
    (cost,) = report(aggregate_of(traffic, held)).endpoints[0].costs
    assert (cost.cause, cost.requests, cost.derived) == ("private", 4, 4)


def test_a_log_that_is_not_self_descriptive_is_told_so() -> None:
    found = report_of([exchange("/a", from_cache=None, digest="", outcome="")], PLAIN)
    assert found.summary.figures.hit_ratio is None
    assert found.summary.opacity.share is None
    needs = " ".join(one.needs for one in found.lacking)
    for word in ("digest", "Cache-Control", "Vary", "Cookie", "Set-Cookie", "Cache-Status"):
        assert word in needs
    assert report_of([exchange("/a")]).lacking == ()


def test_no_credential_is_shown_unless_asked_for() -> None:
    secret = "~0123456789abcdef.26.alnum"
    traffic = visits(60)
    traffic = [msgspec.structs.replace(one, request_fields=(("Cookie", f"sid={secret}"),)) for one in traffic]
    assert secret not in msgspec.json.encode(report_of(traffic)).decode()
    shown = report(aggregate_of(traffic), wishes=Wishes(reveal=True))
    assert shown.credentials[0].example == secret


def test_states_are_named_for_each_endpoint() -> None:
    styles = {
        "same": lambda one: "same",
        "personal": lambda one: f"hello {sid(one)}",
        "clock": lambda one: f"at {one.time // 15}",
    }
    found = {}
    for name, server in styles.items():
        found[name] = report_of(served(visits(400), server)).endpoints[0].style
    assert found == {"same": "stateless", "personal": "personalised", "clock": "changing by itself"}


def test_an_empty_log_has_a_report() -> None:
    found = report(Aggregate())
    assert found.summary.figures.exchanges == 0
    assert found.endpoints == found.findings == found.predictions == ()


def test_verdicts_stand_with_their_examples() -> None:
    page = personal([("Vary", "Cookie")]).endpoints[0]
    one = next(one for one in page.dependence if one.candidate == "cookie sid")
    assert one.answer is Answer.DEPENDS
    assert one.declared is True
    assert len(one.examples) == 3
    assert all(example.id for example in one.examples)
    assert one.examples[0].detail == one.examples[2].detail != one.examples[1].detail


def test_a_message_that_misleads_is_opaque() -> None:
    assert personal([("Cache-Control", "max-age=60")]).summary.opacity.share == 1.0
    assert personal([("Cache-Control", "max-age=60"), ("Vary", "Cookie")]).summary.opacity.share == 0.0
