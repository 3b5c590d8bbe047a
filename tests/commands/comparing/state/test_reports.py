"""The report as text, as a page and as JSON."""

from __future__ import annotations

import re

import jsonschema
import msgspec

from proxy.commands.comparing.state import schema
from proxy.commands.comparing.state.figures import KINDS, PART_TITLES
from proxy.commands.comparing.state.reports import page, text
from proxy.commands.comparing.state.reports.curves import Curve, course, curves
from proxy.commands.comparing.state.results import Report
from tests.commands.pages.reading import Page, read, read_alone


def parsed(report: Report) -> Page:
    return read(page.render(report))


def test_the_page_is_whole_and_stands_by_itself(report: Report) -> None:
    read_alone(page.render(report))


def test_what_others_said_is_text_and_nothing_else(report: Report) -> None:
    written = page.render(report)
    assert "<script" not in written
    assert "\x1b" not in written
    assert "&lt;script&gt;" in written
    assert "\x1b" not in text.render(report, colors=False)


def test_the_page_explains_each_figure_and_how_to_measure_it_again(report: Report) -> None:
    found = parsed(report)
    for figure in report.figures:
        assert figure.sentence.replace("`", "") in found.text
    assert "pellucid compare state --only visibility --repeats 2 --seconds 3" in found.text
    assert "--styles sessions-sticky,tokens-signed" in found.text


def test_the_page_says_where_stateless_variants_lose(report: Report) -> None:
    told = parsed(report).text
    assert (
        "State in a request, bytes (50 lines in the cart): Tokens, signed 300; Sessions, sticky 38." in told
    )


def test_what_was_left_out_is_named(report: Report) -> None:
    assert "was left out: flask not installed" in parsed(report).text
    assert "left out: flask not installed" in text.render(report, colors=False)


def test_accounts_that_do_not_balance_are_not_hidden(report: Report) -> None:
    assert "All 4 runs balance" in parsed(report).text
    report.runs[0].faults.append("2 carts begun, but 1 ordered")
    for told in (parsed(report).text, text.render(report, colors=False)):
        assert "1 of 4 runs don't balance" in told
    assert "2 carts begun, but 1 ordered" in parsed(report).text


def test_what_was_broken_off_says_so(report: Report) -> None:
    report.interrupted = True
    assert "broken off" in parsed(report).text
    assert "Broken off" in text.render(report, colors=False)


def test_a_report_of_nothing_can_be_shown(report: Report) -> None:
    report.figures, report.runs, report.hidden = [], [], []
    assert "No shoppers were sent." in parsed(report).text
    assert "No shoppers were sent." in text.render(report, colors=False)


def test_the_text_has_every_figure_with_its_mark(report: Report) -> None:
    told = text.render(report, colors=False)
    assert re.search(r"Messages that can be decided about, %\s+38\.5\s+100 ▲", told)
    assert re.search(r"One of three is killed: lost carts\s+7\.50\s+0 ▲", told)
    assert re.search(r"State in a request, bytes \(50 lines in the cart\)\s+38\s+300 ▼", told)
    assert "7.50 (7–8)" in told


def test_json_follows_its_schema(report: Report) -> None:
    written = msgspec.json.encode(report)
    jsonschema.validate(msgspec.json.decode(written), schema.schema())
    assert msgspec.json.decode(written, type=Report) == report
    assert all(len(row.samples) == 2 for figure in report.figures for row in figure.rows)


def test_the_schema_file_is_up_to_date() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.render()


def test_every_kind_belongs_to_a_part_and_says_what_it_is() -> None:
    for kind in KINDS.values():
        assert kind.part in PART_TITLES
        assert kind.better in ("more", "less")
        assert kind.sentence.endswith(".")


def test_curves_show_every_point_with_its_figures() -> None:
    drawn = str(curves([Curve("<b>", "v3", [(0, 0, 0, 0), (50, 10, 8, 12)])], "lines", "bytes", "t"))
    assert drawn.count("<circle") == 2
    assert "&lt;b&gt;, 50 lines: 10 bytes (8–12)" in drawn
    assert str(curves([], "lines", "bytes", "t")) == ""


def test_a_course_shows_the_blow_and_what_was_noticed() -> None:
    drawn = str(course([3, 4], [0, 1], [0.3, 0.4], 0.25, 0.25, 0.5, "t"))
    assert drawn.count('class="went"') == 2
    assert drawn.count('class="bad"') == 1
    assert drawn.count('class="lost"') == 2
    assert drawn.count('class="blow"') == 1
