"""Which representation a client gets, and when it has it already."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from backend.hypermedia import Action, Field, View
from backend.markup import Html, el, form, join
from backend.problems import Problem
from backend.representation import require_match, tag, wants_html


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (None, False),
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("text/html", True),
        ("text/*", True),
        ("TEXT/HTML", True),
        ("text/html;q=0", False),
        ("text/html; q=0.5, application/json; q=0.6", False),
        ("text/html; q=0.6, application/json; q=0.5", True),
        ("text/html;q=0.9, */*;q=0.1", True),
        ("application/problem+json, text/html;q=0.9", False),
        ("text/html;level=1;q=0.3, application/*;q=0.2", True),
        ("image/png", False),
        ("text/html;q=rubbish", True),
        (",;,;q=", False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", True),
    ],
)
def test_html_is_for_those_who_prefer_it(accept, html):
    headers = {} if accept is None else {"Accept": accept}
    assert wants_html(make_mocked_request("GET", "/", headers=headers)) is html


def test_tags_tell_parts_apart():
    assert tag(b"ab", b"c") != tag(b"a", b"bc")
    assert tag(b"a") == tag(b"a")
    assert tag(b"a").startswith('"')


@pytest.mark.parametrize("value", ['"a"', '"b", "a"', "*", ' "a" '])
def test_if_match_holds(value):
    require_match(value, {'"a"'})


@pytest.mark.parametrize("value", ['"b"', 'W/"a"', "a", "", '"*"'])
def test_if_match_does_not_hold(value):
    with pytest.raises(Problem, match="precondition-failed"):
        require_match(value, {'"a"'})


def test_a_view_says_links_and_actions_with_its_data():
    view = View("product", "A lamp", {"price": 1}, actions={"buy": Action("Buy", "POST", "/carts")})
    assert list(view.document()) == ["title", "price", "links", "actions"]


def test_text_is_escaped_and_html_is_not():
    written = el("p", "<b>&", Html("<i></i>"), None, title='"', hidden=True, id=None)
    assert written == '<p title="&quot;" hidden>&lt;b&gt;&amp;<i></i></p>'
    assert join("<", written, None) == f"&lt;{written}"


def test_a_form_carries_what_html_can_not_say():
    action = Action("Change", "PUT", "/x", (Field("quantity", "number", value=2),), {"If-Match": '"t"'})
    written = form(action)
    assert '<form method="post" action="/x">' in written
    assert '<input type="hidden" name="_method" value="PUT">' in written
    assert '<input type="hidden" name="_If-Match" value="&quot;t&quot;">' in written
