"""How figures stand to each other."""

from __future__ import annotations

import pytest

from proxy.commands.comparing.state.results import Figure, Report, Row
from proxy.commands.comparing.state.verdicts import Verdict, judge, last_place, sheet


def row(*samples: float, variant: str = "tokens-signed", at: float | None = None) -> Row:
    return Row.of(variant, at, list(samples))


@pytest.mark.parametrize(
    ("one", "base", "better", "verdict"),
    [
        (row(10, 11, 12), row(20, 21, 22), "less", Verdict.BETTER),
        (row(10, 11, 12), row(20, 21, 22), "more", Verdict.WORSE),
        (row(10, 20, 30), row(20, 21, 22), "less", Verdict.EVEN),
        (row(100, 101), row(102, 103), "less", Verdict.EVEN),
        (row(100), row(115), "less", Verdict.EVEN),
        (row(100), row(150), "less", Verdict.BETTER),
        (row(0), row(0), "less", Verdict.EVEN),
        (row(0), row(3), "less", Verdict.BETTER),
        (row(0, 0, 0), row(0, 2, 3), "less", Verdict.BETTER),
        (row(0, 1, 1), row(0, 0, 0), "less", Verdict.WORSE),
        (row(0, 0, 1), row(0, 0, 0), "less", Verdict.EVEN),
        (row(0, 1, 1), row(0, 0, 0), "more", Verdict.BETTER),
    ],
)
def test_a_difference_has_to_be_larger_than_the_spread(
    one: Row, base: Row, better: str, verdict: Verdict
) -> None:
    assert judge(one, base, better) is verdict


def test_what_is_negligible_is_no_difference() -> None:
    assert judge(row(1.8, 1.9), row(0.0, 0.0), "less", "µs") is Verdict.EVEN
    assert judge(row(70.0, 71.0), row(0.0, 0.0), "less", "µs") is Verdict.WORSE


def test_the_sheet_holds_everyone_against_sessions(report: Report) -> None:
    lines = {line.figure.name: line for line in sheet(report)}
    assert [cell.verdict for cell in lines["decidable"].cells] == [Verdict.BASE, Verdict.BETTER]
    assert [cell.verdict for cell in lines["kill.lost"].cells] == [Verdict.BASE, Verdict.BETTER]
    weight = lines["request_state"]
    assert weight.at == 50
    assert [cell.verdict for cell in weight.cells] == [Verdict.BASE, Verdict.WORSE]


def test_the_place_that_counts_is_the_last_that_all_have() -> None:
    rows = [row(1, variant=name, at=at) for name, at in (("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2))]
    figure = Figure(
        name="x", part="y", title="t", unit="", better="less", sentence="s", axis="lines", rows=rows
    )
    assert last_place(figure) == 2
