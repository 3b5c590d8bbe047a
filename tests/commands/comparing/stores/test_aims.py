"""The figures of `compare stores`: what they are made of, and whether they are reached."""

from __future__ import annotations

import pytest

from proxy.commands.comparing.figures import figures
from proxy.commands.comparing.results import Figure, Result, Row, Run, summarize
from proxy.commands.comparing.stores.aims import AIMS
from proxy.commands.comparing.stores.comparison import WORKLOADS
from proxy.commands.comparing.stores.variants import Valkey, variants


def result(workload: str, measure: str, **values: list[float]) -> Result:
    """A workload in which each contender came to these values, one in each round."""
    rows = [
        Row(
            contender=name.replace("_", "-"),
            runs=[Run(round=number, measures={measure: value}) for number, value in enumerate(measured)],
        )
        for name, measured in values.items()
    ]
    kind = WORKLOADS[workload]
    summarize(rows, kind.base)
    return Result(
        workload=workload, title="", sentence="", load="own", main=measure, shown=[measure], rows=rows
    )


def figure(name: str, *results: Result) -> Figure:
    contenders = [one.name for one in variants(Valkey())]
    return next(one for one in figures(list(results), contenders, AIMS) if one.name == name)


def test_two_workers_are_as_good_as_twice_one_if_a_hit_costs_the_same() -> None:
    lane = result("lane", "processor_microseconds", memory=[10.0, 10.0], memory_2=[10.0, 12.5])
    found = figure("workers", lane)
    assert (found.low, found.high) == (1.6, 2.0)
    assert found.at_least == 1.8
    assert found.at_most is None
    assert found.reached


def test_two_workers_that_cost_more_are_not_good_enough() -> None:
    lane = result("lane", "processor_microseconds", memory=[10.0], memory_2=[12.0])
    assert figure("workers", lane).reached is False


@pytest.mark.parametrize(("cost", "reached"), [(15.0, True), (15.2, False)])
def test_what_several_tiers_lose_is_five_percent_at_most(cost: float, reached: bool) -> None:
    lane = result("lane", "processor_microseconds", memory=[14.4], disk_2=[cost])
    found = figure("loss/disk", lane)
    assert found.reached is reached
    assert "memory alone" in found.sentence


def test_what_is_measured_for_its_own_sake_aims_at_nothing() -> None:
    rates = result("spread", "requests_per_second", memory=[30_000.0], memory_2=[45_000.0])
    found = figure("spread", rates)
    assert found.value == 1.5
    assert (found.at_most, found.at_least) == (None, None)


@pytest.mark.parametrize(("old", "reached"), [(0.0, True), (1.0, False)])
def test_one_old_answer_after_a_purge_is_one_too_many(old: float, reached: bool) -> None:
    assert figure("purge", result("purge", "old_answers", workers=[old])).reached is reached


def test_every_figure_is_about_a_workload_and_contenders_that_there_are() -> None:
    there = {one.name: one for one in variants(Valkey())}
    for aim in AIMS:
        kind = WORKLOADS[aim.workload]
        assert aim.measure in kind.shown
        assert kind.part in there[aim.whose].parts
        assert kind.part in there[aim.beside or kind.base].parts


def test_every_variant_takes_part_in_something() -> None:
    parts = {kind.part for kind in WORKLOADS.values()}
    assert all(one.parts & parts for one in variants(Valkey()))
