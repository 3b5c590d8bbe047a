"""The page of a report: whole, harmless and by itself."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from proxy.commands.inspecting.html import html
from proxy.visibility.inspecting.report import Report
from tests.commands.reported import HOSTILE, empty, full

VOID = {"meta", "br", "link", "img", "hr"}


class Wellformed(HTMLParser):
    """Notes elements, and fails where they aren't nested."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(report: Report) -> Wellformed:
    page = Wellformed()
    page.feed(html(report))
    page.close()
    assert page.open == []
    return page


@pytest.mark.parametrize("report", [full(), empty()], ids=["full", "empty"])
def test_it_stands_by_itself(report: Report) -> None:
    page = parsed(report)
    assert not {tag for tag, _ in page.seen} & {"script", "link", "img", "iframe", "object"}
    for _, attributes in page.seen:
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
        assert "src" not in attributes
    assert "url(" not in html(report)


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


def test_links_lead_somewhere() -> None:
    page = parsed(full())
    ids = {attributes["id"] for _, attributes in page.seen if "id" in attributes}
    assert {(attributes["href"] or "")[1:] for tag, attributes in page.seen if tag == "a"} <= ids


def test_nothing_seen_is_said() -> None:
    text = parsed(empty()).text
    assert "None was seen" in text
    assert re.search(r"–\s*of requests", text)


def test_hostile_names_do_not_end_an_attribute() -> None:
    page = parsed(full())
    assert all(HOSTILE not in (value or "") for _, attributes in page.seen for value in attributes.values())
