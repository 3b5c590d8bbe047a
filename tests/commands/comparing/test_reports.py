"""A report as JSON, text, Markdown and HTML: from a result that was made up, so that each figure is known."""

from __future__ import annotations

import io
import re

import msgspec
import pytest
from rich.console import Console

from proxy.commands.comparing.reports import charts, markdown, page, text
from proxy.commands.comparing.results import FORMAT, Report
from proxy.commands.comparing.spread import Spread
from tests.commands.pages.reading import read, read_alone


def shape(value: object) -> object:
    """The keys of JSON, without what varies."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return None


def test_the_names_in_the_json_are_stable(report: Report) -> None:
    found = msgspec.json.decode(msgspec.json.encode(report))
    assert found["format"] == FORMAT == "pellucid/compare-proxies/1"
    assert list(found) == [
        *("format", "made", "command", "seconds", "machine", "cores", "settings", "contenders", "workloads"),
        *("figures", "warnings"),
    ]
    assert list(found["machine"]) == ["processor", "cores", "memory", "system", "python"]
    assert list(found["settings"]) == ["repeats", "seconds", "connections", "load", "load_version"]
    workload = found["workloads"][0]
    assert list(workload) == [
        *("workload", "title", "sentence", "load", "main", "shown", "rows", "warnings", "base")
    ]
    assert list(workload["rows"][0]) == ["contender", "runs", "measures", "failed"]
    assert list(workload["rows"][0]["runs"][0]) == ["round", "measures", "complaints"]
    measured = workload["rows"][0]["measures"]["processor_microseconds"]
    assert measured == {
        "median": 11.0,
        "low": 10.0,
        "high": 12.0,
        "ratio": {"median": 0.5, "low": 0.5, "high": 0.5},
    }
    assert list(found["contenders"][0]) == [
        *("name", "title", "log", "note", "version", "path", "source", "command", "files", "left_out")
    ]
    assert shape(found["figures"]) == [
        dict.fromkeys(
            [
                *("name", "title", "sentence", "workload", "contenders", "unit", "value", "low", "high"),
                *("at_most", "at_least"),
            ]
        )
        | {"contenders": [None]}
    ]


def test_the_json_can_be_read_again(report: Report) -> None:
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


def test_the_text_shows_every_figure_good_or_bad(report: Report) -> None:
    said = text.render(report, Console(file=io.StringIO(), width=100))
    assert re.search(r"Pellucid +11 +10–12 +0\.50 × +90,909", said)
    assert re.search(r"nginx +22 +20–24 +45,455", said)
    assert re.search(r"hot object, to nginx +0\.50 × +0\.50–0\.50 +≤ 0\.75 × +reached", said)
    assert re.search(r"to Varnish +– +≤ 0\.65 × +not measured", said)
    assert "Squid: left out, squid is not installed" in said
    assert "Pellucid: 3 of 100 were no hits" in said
    assert "! only one core" in said
    assert "\x1b" not in said


def test_the_text_on_a_terminal_has_colours(report: Report) -> None:
    said = text.render(report, Console(file=io.StringIO(), width=100, force_terminal=True))
    assert "\x1b[" in said
    assert "\x1b[31m" not in said.partition("pellucid ended at once")[2].partition("\n")[0]


def test_the_summary_as_markdown(report: Report) -> None:
    said = markdown.render(report)
    assert (
        "| processor time per hit, hot object, to nginx | 0.50 × | 0.50–0.50 | ≤ 0.75 × | reached |" in said
    )
    rows = [line for line in said.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {6}
    assert "$ pellucid compare proxies" in said
    assert "nginx 1.22 (the system)" in said


def test_the_page_is_whole_and_needs_nothing_else(report: Report) -> None:
    html = page.render(report)
    found = read_alone(html)
    assert found.tags.count("svg") >= 3
    assert "default-src 'none'" in html


def test_the_page_explains_each_figure_and_how_to_measure_it_again(report: Report) -> None:
    found = read(page.render(report))
    for figure in report.figures:
        assert figure.title in found.text
        assert figure.sentence in found.text
        command = (
            f"pellucid compare proxies --workloads {figure.workload} --only {','.join(figure.contenders)}"
        )
        assert f"{command} --repeats 3 --seconds 2 --connections 64 --load wrk" in found.text
    assert "daemon off; # <b>" in found.text
    assert "squid is not installed" in found.text


def test_what_a_contender_says_does_nothing_to_the_page(report: Report) -> None:
    html = page.render(report)
    assert "<script>" not in html
    assert "\x1b" not in html
    assert "<script>alert(1)</script>" in read(html).text


def test_a_bar_that_is_far_too_long_is_cut_off() -> None:
    assert charts.scale([1.0, 2.0, 3.0], [1.0, 2.0, 4.0]) == 4.0
    most = charts.scale([1.0, 2.0, 1000.0], [1.0, 2.0, 1001.0])
    assert most == 10.0
    assert "cut" in charts.bar(Spread(1000, 999, 1001), most, "bar", "far")
    assert "cut" not in charts.bar(Spread(2, 1, 3), most, "bar", "near")
    assert charts.scale([0.0, 0.0, 3.0], [0.0, 0.0, 3.0]) == 3.0
    assert charts.scale([0.0], [0.0]) == 0.0


@pytest.mark.parametrize("values", [[1.0, 2.0, 3.0], [2.0, 2.0, 2.0], [0.0, 1.0, 3.0]])
def test_percentiles_are_drawn_in_their_order(values: list[float]) -> None:
    drawn = charts.latencies(values, 1.0, 3.0, "bar", "a < b")
    places = [float(place) for place in re.findall(r'<rect class="bar" x="([0-9.]+)"', drawn)]
    assert places == sorted(places)
    assert 'aria-label="a &lt; b"' in drawn
