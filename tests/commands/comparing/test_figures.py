"""The summary: which figures it has, and when one is said to be reached."""

from __future__ import annotations

import pytest

from proxy.commands.comparing.figures import AIMS, OURS, figures
from proxy.commands.comparing.measures import MEASURES, Better, show, show_ratio
from proxy.commands.comparing.results import BASE, Figure, Report
from proxy.commands.comparing.spread import Spread
from proxy.commands.comparing.workloads.all_workloads import WORKLOADS


def test_every_figure_is_measured_by_a_workload() -> None:
    for aim in AIMS:
        workload = WORKLOADS[aim.workload]
        assert aim.measure in workload.shown
        assert aim.measure in MEASURES
        assert aim.sentence


@pytest.mark.parametrize("name", list(WORKLOADS))
def test_every_workload_shows_what_it_is_about(name: str) -> None:
    workload = WORKLOADS[name]
    assert workload.main in workload.shown
    assert set(workload.shown) <= set(MEASURES)
    assert workload.title
    assert workload.sentence.endswith(".")


def test_ratios_are_taken_round_by_round(report: Report) -> None:
    ours = report.workloads[0].row(OURS)
    theirs = report.workloads[0].row(BASE)
    assert ours is not None
    assert theirs is not None
    assert ours.measures["processor_microseconds"].ratio == Spread(0.5, 0.5, 0.5)
    assert ours.measures["processor_microseconds"].median == 11
    assert theirs.measures["processor_microseconds"].ratio is None
    found = {one.name: one for one in report.figures}
    assert found["hot/nginx"].value == 0.5
    assert found["hot/nginx"].reached is True


def test_what_could_not_be_measured_is_neither_reached_nor_not(report: Report) -> None:
    found = {one.name: one for one in report.figures}
    assert set(found) == {"hot/nginx", "hot/varnish", "passing/nginx"}
    assert found["hot/varnish"].value is None
    assert found["hot/varnish"].reached is None
    assert found["passing/nginx"].reached is None
    assert figures([], ["pellucid", "nginx"]) == []


def test_only_figures_of_who_was_wanted_are_shown(report: Report) -> None:
    assert figures(report.workloads, ["nginx", "varnish"]) == []
    assert [one.name for one in figures(report.workloads, ["pellucid", "caddy"])] == ["passing/caddy"]


@pytest.mark.parametrize(
    ("value", "limits", "reached"),
    [
        (0.75, {"at_most": 0.75}, True),
        (0.7549, {"at_most": 0.75}, True),
        (0.7551, {"at_most": 0.75}, False),
        (0.7501, {"at_most": 0.75}, True),
        (0.79, {"at_least": 0.8}, False),
        (0.80, {"at_least": 0.8}, True),
        (1.0, {"at_most": 1.0}, True),
        (2.0, {"at_most": 1.0}, False),
    ],
)
def test_what_is_read_is_what_is_judged(value: float, limits: dict[str, float], reached: bool) -> None:
    figure = Figure(
        name="a",
        title="b",
        sentence="c",
        workload="d",
        contenders=[],
        unit="×",
        value=value,
        low=0,
        high=9,
        **limits,
    )
    assert figure.reached is reached


def test_figures_have_as_many_digits_as_count() -> None:
    assert [show(value) for value in (0.0, 0.123, 1.0, 9.876, 12.34, 123.4, 12345.6)] == [
        *("0", "0.12", "1", "9.88", "12.3", "123", "12,346")
    ]
    assert [show_ratio(value) for value in (0.5, 9.99, 12.3, 1234.5)] == [
        "0.50 ×",
        "9.99 ×",
        "12 ×",
        "1,234 ×",
    ]


def test_which_way_is_better_is_known_of_each() -> None:
    more = {name for name, measure in MEASURES.items() if measure.better is Better.MORE}
    assert more == {
        *("requests_per_second", "megabytes_per_second", "hit_ratio", "hit_ratio_after", "kept_ratio"),
        *("answers", "purged_entries"),
    }
