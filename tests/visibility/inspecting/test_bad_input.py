"""Whatever a log holds, there is a report, and all its forms can be had."""

from __future__ import annotations

import jsonschema
import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy.commands.inspecting import text
from proxy.visibility.inspecting.schema import schema
from proxy.visibility.observation import Held, Observation, Part
from tests.visibility.inspecting.traffic import EVERYTHING, exchange, report_of

VALIDATOR = jsonschema.Draft202012Validator(schema())

LATIN = st.text(st.characters(max_codepoint=255), max_size=20)
ANY = st.text(max_size=12)
NAMES = st.sampled_from(
    [
        *("Cookie", "Set-Cookie", "Vary", "Cache-Control", "ETag", "Date", "Expires", "Age", "Authorization"),
        *("Last-Modified", "Content-Type", "Range", "If-None-Match", "Content-Location", "X-Y", "", "vary"),
    ]
)
VALUES = st.one_of(
    LATIN,
    st.sampled_from(
        [
            *(
                "sid=1; a=b",
                "max-age=60",
                "no-store, private",
                "*",
                '"tag"',
                "Basic ~0123456789abcdef.12.basic",
            ),
            *(
                "Mon, 23 Nov 2026 07:00:00 GMT",
                "Thu, 01 Jan 9999 00:00:00 GMT",
                "0",
                "max-age=99999999999999",
            ),
            *("Accept, Cookie", "bytes=0-1", 'W/"x"', "sid=~0123456789abcdef.26.hex; Path=/", ";;;===;"),
        ]
    ),
)
LINES = st.lists(st.tuples(NAMES, VALUES), max_size=6).map(tuple)
NUMBERS = st.one_of(st.floats(), st.integers(0, 10).map(lambda n: 1.8e9 + n), st.just(-1.0))
TARGETS = st.one_of(
    LATIN, ANY, st.sampled_from(["/a", "/a?x=1", "/a?x=2", "*", "http://h/p", "/é", "//", ""])
)

OBSERVATIONS = st.builds(
    Observation,
    time=NUMBERS,
    client=LATIN,
    method=st.one_of(st.sampled_from(["GET", "POST", "HEAD", "QUERY", ""]), LATIN),
    scheme=st.sampled_from(["http", "https", "", "x"]),
    authority=st.one_of(st.just("h"), LATIN),
    target=TARGETS,
    request_fields=LINES,
    request_bytes=st.integers(-1, 10**20),
    status=st.one_of(st.sampled_from([0, 200, 206, 304, 404, 500]), st.integers(-1, 10_000)),
    response_fields=LINES,
    response_bytes=st.integers(-1, 10**20),
    digest=st.sampled_from(["", "sha-256=:a:", "sha-256=:b:"]),
    duration=NUMBERS,
    complete=st.booleans(),
    from_cache=st.sampled_from([None, True, False]),
    outcome=st.sampled_from(["", "hit", "forwarded", "refused", "failed", "validated", "what"]),
    reasons=st.lists(st.sampled_from(["no-store", "fresh", "no such reason"]), max_size=3).map(tuple),
    upstream=st.sampled_from(["", "a:1", "b:1"]),
    error=ANY,
    id=ANY,
)
HELDS = st.sampled_from(
    [
        EVERYTHING,
        Held("nothing", Part(0)),
        Held("some", Part.TIME | Part.DIGEST, frozenset({"cookie"}), frozenset({"cache-control"})),
    ]
)


@given(st.lists(OBSERVATIONS, max_size=12), HELDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_law_of_anything_there_is_a_report(traffic: list[Observation], held: Held) -> None:
    found = report_of(traffic, held)
    VALIDATOR.validate(msgspec.json.decode(msgspec.json.encode(found)))
    assert found.summary.figures.exchanges == len(traffic)
    assert sum(one.figures.exchanges for one in found.endpoints) == len(traffic)
    shown = text.render(found)
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_hostile_log_of_cookies_takes_bounded_time() -> None:
    cookies = "; ".join(f"c{n}=v{n}" for n in range(3_000))
    traffic = [
        exchange("/a?" + "&".join(f"p{n}={at}" for n in range(2_000)), at, asked=[("Cookie", cookies)])
        for at in range(40)
    ]
    found = report_of(traffic)
    assert found.summary.figures.exchanges == 40
    assert len(found.endpoints[0].parameters) <= 64
    assert len(found.endpoints[0].dependence) <= 60


def test_durations_that_cannot_be_are_left_out() -> None:
    traffic = [
        msgspec.structs.replace(exchange("/a", 1.8e9), duration=took) for took in (float("inf"), 1e9, 0.5)
    ]
    found = report_of(traffic)
    VALIDATOR.validate(msgspec.json.decode(msgspec.json.encode(found)))
    assert found.summary.figures.durations.longest == 0.5
