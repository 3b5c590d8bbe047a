"""What is predicted comes true: the change is really made, and measured behind a real proxy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from proxy.caching.policy import Policy
from proxy.visibility.inspecting import changes
from proxy.visibility.inspecting.asked import Sampled, asked_of
from proxy.visibility.inspecting.changes import Possible
from proxy.visibility.inspecting.replay import Outcomes
from proxy.visibility.inspecting.report import Answer, Report
from proxy.visibility.inspecting.reporting import report
from proxy.visibility.inspecting.whatif import predict
from proxy.visibility.observation import Observation
from tests.commands.inspected import counted, exchanges, log_of

POLICY = Policy()
VISITS = 320

Recorded = Callable[[str], Awaitable[Path]]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """The log of visits to the shop as it is, in a style; made when it is first asked for."""
    folder = tmp_path_factory.mktemp("recorded")
    logs: dict[str, Path] = {}

    async def log(style: str) -> Path:
        if style not in logs:
            logs[style] = await log_of(style, folder, VISITS)
        return logs[style]

    return log


def measured(log: Path, begin: str) -> tuple[float, int]:
    """The hit ratio of some paths as the log tells it, and the requests that went to the origin."""
    found = [one for one in exchanges(log) if one.target.startswith(begin)]
    hits = sum(one.from_cache is True for one in found)
    return hits / len(found), len(found) - hits


def predicted(log: Path, begin: str, chosen: Sequence[Possible]) -> Outcomes:
    own: list[Observation] = []
    others: list[Observation] = []
    for one in exchanges(log):
        (own if one.target.startswith(begin) else others).append(one)
    asked = asked_of([Sampled(one) for one in own])
    return predict(asked, chosen, POLICY, asked_of([Sampled(one) for one in others]))


@pytest.mark.parametrize("style", ["sessions", "tokens", "resources"])
async def test_the_replay_of_a_log_as_it_is_gives_what_the_log_says(style: str, recorded: Recorded) -> None:
    log = await recorded(style)
    found = predicted(log, "/", ())
    ratio, _ = measured(log, "/")
    assert found.exchanges == len(exchanges(log))
    assert found.ratio == pytest.approx(ratio, abs=0.005)


@dataclass(frozen=True)
class Case:
    """A change, as the analysis names it and as a server makes it."""

    style: str
    path: str
    changes: tuple[Possible, ...]
    ignores_cookie: bool = False
    no_cookie: bool = False
    cache_control: str = ""
    vary: str = ""
    etag: bool = False


def served_as(case: Case) -> object:
    def alter(request: web.Request, response: web.StreamResponse) -> None:
        if not request.path.startswith(case.path) or request.method != "GET":
            return
        if case.no_cookie:
            response.headers.popall("Set-Cookie", None)
            response.cookies.clear()
        if case.cache_control:
            response.headers["Cache-Control"] = case.cache_control
        if case.vary:
            response.headers["Vary"] = case.vary

    return alter


CASES = {
    "sessions, without the session": Case(
        "sessions",
        "/products/",
        (changes.no_set_cookie("sid"), changes.no_cookie("sid"), changes.lifetime(POLICY)),
        ignores_cookie=True,
        no_cookie=True,
        cache_control="max-age=60",
        vary="Accept",
    ),
    "sessions, with a lifetime": Case(
        "sessions",
        "/products/",
        (changes.no_set_cookie("sid"), changes.lifetime(POLICY)),
        no_cookie=True,
        cache_control="max-age=60",
    ),
    "tokens, without Vary: Accept": Case(
        "tokens", "/products/", (changes.no_vary("accept"),), vary="Accept-Encoding"
    ),
    "tokens, carts that last": Case(
        "tokens",
        "/cart",
        (changes.shared(POLICY), changes.lifetime(POLICY)),
        cache_control="max-age=60",
    ),
    "resources, accounts for all who may ask": Case(
        "resources",
        "/accounts/",
        (changes.shared(POLICY), changes.public(POLICY), changes.lifetime(POLICY)),
        cache_control="public, max-age=60",
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_prediction_comes_true(name: str, recorded: Recorded, tmp_path: Path) -> None:
    case = CASES[name]
    before = await recorded(case.style)
    foreseen = predicted(before, case.path, case.changes)

    def ignore(request: web.Request) -> bool:
        return case.ignores_cookie and request.path.startswith(case.path)

    alter = served_as(case)
    assert callable(alter)
    after = await log_of(case.style, tmp_path, VISITS, alter, ignore)
    ratio, origin = measured(after, case.path)
    assert foreseen.ratio == pytest.approx(ratio, abs=0.02)
    assert foreseen.origin_requests == pytest.approx(origin, abs=max(4, 0.02 * foreseen.exchanges))
    was, _ = measured(before, case.path)
    assert ratio > was, "the change has to make a difference, or nothing is proved"


async def told(style: str, folder: Path) -> Report:
    return report(counted(await log_of(style, folder, 800)))


async def test_the_three_styles_are_told_apart(tmp_path: Path) -> None:
    sessions, tokens, resources = [
        await told(style, tmp_path) for style in ("sessions", "tokens", "resources")
    ]
    opacity = [one.summary.opacity.share for one in (sessions, tokens, resources)]
    assert opacity[0] is not None
    assert opacity[0] > 0.8
    assert opacity[1] == opacity[2] == 0.0
    (sid,) = [one for one in sessions.credentials if one.where == "cookie"]
    assert (sid.name, sid.kind) == ("sid", "server-held")
    assert "/products/{id}" in sid.read_by
    (token,) = [one for one in tokens.credentials if one.where == "cookie"]
    assert (token.name, token.kind) == ("shop", "client-held")
    assert [one.kind for one in resources.credentials] == ["identity"]
    page = next(one for one in sessions.endpoints if one.name == "/products/{id}")
    assert page.style == "server-held"
    depends = {one.candidate for one in page.dependence if one.answer is Answer.DEPENDS}
    assert depends <= {"cookie sid", "history", "field accept"}
    assert {"cookie sid", "history"} <= depends
    best = next(one for one in sessions.predictions if one.endpoint == "/products/{id}")
    assert {one.slug for one in best.changes} == {"set-cookie:sid", "cookie:sid", "lifetime"}
    assert best.after.hit_ratio > 0.8
    assert best.before.hit_ratio == best.measured == 0.0
