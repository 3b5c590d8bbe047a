"""The explanation as text: readable in any width, without colours where none are wanted, and safe to show."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from proxy.commands.explaining.rendering import render
from proxy.commands.explaining.shape import Explanation
from tests.commands.explained import explained

TAG = 'ETag: "a"'


def text(explanation: Explanation, width: int = 80, *, terminal: bool = False) -> str:
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=terminal, color_system="standard" if terminal else None
    )
    render(explanation, console)
    return file.getvalue()


def test_the_whole_is_told_first() -> None:
    shown = text(explained("Cache-Control: max-age=60", TAG))
    assert shown.startswith(
        "GET http://example.org/things\n"
        "A shared cache stores this response and answers with it for 60 s without asking\nthe origin.\n"
    )
    assert "Stored: yes" in shown


def test_every_reason_is_told_with_its_section_and_evidence() -> None:
    shown = text(explained("Cache-Control: no-store", "Set-Cookie: a=b"))
    assert "Stored: no" in shown
    assert "no-store, RFC 9111 §5.2.2.5, cache-control: no-store" in shown
    assert "set-cookie, RFC 9111 §7.3" in shown
    assert "stored=?0;detail=no-store" in shown


def test_the_reasons_that_the_table_names_are_explained() -> None:
    shown = text(explained("Cache-Control: max-age=60, must-revalidate", TAG))
    assert re.search(r"the origin unreachable then +failed, 504 +must-revalidate\n", shown)
    assert "must-revalidate forbids any use of the response" in " ".join(shown.split())


def test_fields_that_say_nothing_to_caches_are_only_counted() -> None:
    shown = text(
        explained("Cache-Control: max-age=60", "Server: a", "X-Colour: blue", "Foo-Cache-Control: x")
    )
    assert "blue" not in shown
    assert "Foo-Cache-Control: x" in shown
    assert "(2 other fields, 10 bytes of content)" in shown


@pytest.mark.parametrize(
    ("lines", "fact"),
    [
        (["Cache-Control: max-age=60", "Age: 20"], "60 s, stated in cache-control; 20 s old, 40 s left"),
        (["CDN-Cache-Control: max-age=60"], "60 s, stated in cdn-cache-control"),
        (["Expires: Tue, 14 Nov 2023 23:13:20 GMT"], "1 h, stated in expires"),
        (["Last-Modified: Tue, 14 Nov 2023 21:13:20 GMT"], "6 min, estimated from last-modified"),
        (
            ["Last-Modified: Tue, 14 Nov 2023 21:13:20 GMT"],
            "Last-Modified Tue, 14 Nov 2023 21:13:20 GMT (strong)",
        ),
        (["Cache-Control: max-age=60", "Age: 90"], "90 s old, nothing left of it"),
        ([TAG], "none is given, and nothing tells one"),
        ([TAG], 'ETag "a" (strong)'),
        (['ETag: W/"a"'], 'ETag W/"a" (weak)'),
        (["Cache-Control: max-age=60"], "none, so nobody can ask whether it has changed"),
        (["Cache-Control: max-age=60"], "nothing: one response for every request for this URI"),
        (["Vary: *"], "no other request matches"),
        (["Vary: Cookie"], "Cookie (not sent): one for each combination of cookies"),
        ([TAG, 'No-Vary-Search: params=("utm")'], "these parameters don't count: utm"),
        (
            [TAG, 'No-Vary-Search: key-order, except=("page")'],
            "only these parameters count: page; their order",
        ),
        ([TAG, "No-Vary-Search: key-order"], "all parameters count; their order doesn't"),
    ],
)
def test_facts(lines: list[str], fact: str) -> None:
    assert fact in " ".join(text(explained(*lines), 120).split())


def test_queries_are_only_spoken_of_where_the_response_does() -> None:
    assert "The query" not in text(explained(TAG))
    assert "The query" not in text(explained(TAG, "No-Vary-Search: ill formed"))


def test_what_hinders_beside_the_rules_is_told() -> None:
    assert "The content did not end" in text(explained("Cache-Control: max-age=60", ended=False))
    assert "storage.object_limit" in text(explained("Cache-Control: max-age=60", content=2000))


def test_nothing_more_to_wish_for() -> None:
    assert "Nothing more." in text(explained("Cache-Control: public, max-age=31536000", TAG))
    assert "Nothing in its fields" in text(explained(status=429))


@pytest.mark.parametrize("width", [20, 40, 71, 72, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    shown = text(explained("Cache-Control: private, no-store", "Vary: Cookie, Accept-Encoding", TAG), width)
    assert max(map(len, shown.splitlines())) <= width


def test_elsewhere_than_on_a_terminal_it_is_plain() -> None:
    shown = text(explained("Cache-Control: max-age=60"))
    assert "\x1b" not in shown
    assert not any(line.endswith(" ") for line in shown.splitlines())


def test_on_a_terminal_it_has_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[32m" in text(explained("Cache-Control: max-age=60"), terminal=True)


def test_no_color_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = text(explained("Cache-Control: max-age=60"), terminal=True)
    assert re.search(r"\x1b\[[0-9;]*3[0-7]", shown) is None


def test_what_a_server_sends_can_do_nothing_to_a_terminal() -> None:
    explanation = explained(
        "Cache-Control: max-age=60, x=\x9b31m",
        "ETag: \x9d0;title\x07",
        "Location: [red]x[/red]",
        "Vary: Accept\u00a0",
    )
    shown = text(explanation)
    assert "\\x9b31m" in shown
    assert "[red]x[/red]" in shown
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["Cache-Control", "Vary", "ETag", "Set-Cookie", "Expires", "No-Vary-Search", "Age"]
            ),
            st.text(
                st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=30
            ),
        ),
        max_size=5,
    ),
    st.sampled_from([200, 206, 301, 304, 404, 500, 999]),
    st.integers(10, 120),
)
def test_law_whatever_comes_can_be_shown(lines: list[tuple[str, str]], status: int, width: int) -> None:
    shown = text(explained(*(f"{name}: {value}" for name, value in lines), status=status), width)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown)
