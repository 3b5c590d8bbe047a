"""The page of a report: whole, harmless and by itself."""

from __future__ import annotations

import re

import pytest

from proxy.commands.inspecting.html import html
from proxy.visibility.inspecting.report import Report
from tests.commands.pages.reading import Page, read, read_alone
from tests.commands.reported import HOSTILE, empty, full


def parsed(report: Report) -> Page:
    return read(html(report))


@pytest.mark.parametrize("report", [full(), empty()], ids=["full", "empty"])
def test_it_stands_by_itself(report: Report) -> None:
    read_alone(html(report))


def test_what_messages_hold_is_only_text() -> None:
    written = html(full())
    assert "<script" not in written
    assert "\x1b" not in written
    assert 'alert("x")' in parsed(full()).text


def test_the_parts_of_a_report_are_all_there() -> None:
    words = " ".join(parsed(full()).text.lower().replace("\u202f", " ").split())
    for piece in (
        "25 %", "a cache would mix users up", "drop the cookie", "hits 25 % → 90 %", "780 of 900",
        "answers differ with the cookie sid", "not declared", "an opaque key", "502",
        "a digest of the content", "line 7: not a record", "--status 200", "not enough seen", "812 or so",
    ):  # fmt: skip
        assert piece in words


def test_nothing_seen_is_said() -> None:
    text = parsed(empty()).text
    assert "None was seen" in text
    assert re.search(r"–\s*of requests", text)


def test_hostile_names_do_not_end_an_attribute() -> None:
    page = parsed(full())
    assert all(HOSTILE not in (value or "") for _, attributes in page.seen for value in attributes.values())
