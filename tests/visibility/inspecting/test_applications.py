"""Real applications told apart from their traffic alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.visibility.inspecting.aggregate import Aggregate
from proxy.visibility.inspecting.report import Answer, Report
from proxy.visibility.inspecting.reporting import Wishes, report
from proxy.visibility.reading import Reading, open_source

CLIENT_HELD = {
    "flask": "session",
    "django-signed": "sessionid",
    "starlette": "session",
    "sample-tokens": "shop",
}
SERVER_HELD = {"flask-server-side": "session", "django-database": "sessionid", "sample-sessions": "sid"}


def inspected(log: Path) -> Report:
    found = Aggregate()
    with open_source(str(log), Reading()) as source:
        for batch in source.batches():
            found.add(batch)
    return report(found, wishes=Wishes(predictions=False))


@pytest.mark.parametrize("name", [*CLIENT_HELD, *SERVER_HELD])
def test_where_the_session_is(name: str, recorded: Callable[[str], Path]) -> None:
    found = inspected(recorded(name))
    cookie = {**CLIENT_HELD, **SERVER_HELD}[name]
    (one,) = [one for one in found.credentials if one.where == "cookie" and one.name == cookie]
    assert one.kind == ("client-held" if name in CLIENT_HELD else "server-held"), one
    assert one.confidence > 0.75
    assert one.example is None


@pytest.mark.parametrize("name", SERVER_HELD)
def test_hidden_state_makes_messages_opaque(name: str, recorded: Callable[[str], Path]) -> None:
    assert inspected(recorded(name)).summary.opacity.not_stateless > 0


@pytest.mark.parametrize("name", CLIENT_HELD)
def test_state_in_the_message_hides_nothing(name: str, recorded: Callable[[str], Path]) -> None:
    assert inspected(recorded(name)).summary.opacity.not_stateless == 0


@pytest.mark.parametrize("name", [*CLIENT_HELD, *SERVER_HELD, "sample-resources", "jwt"])
def test_no_dependence_is_made_up(name: str, recorded: Callable[[str], Path]) -> None:
    """Whatever is said to matter is what these applications read."""
    for endpoint in inspected(recorded(name)).endpoints:
        depends = {one.candidate for one in endpoint.dependence if one.answer is Answer.DEPENDS}
        cookie = {**CLIENT_HELD, **SERVER_HELD}.get(name, "")
        allowed = {f"cookie {cookie}", "history", "time", "field accept", "field authorization", "query page"}
        assert depends <= allowed, (endpoint.name, depends)
