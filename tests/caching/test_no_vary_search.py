"""No-Vary-Search: the examples of the draft, and how stored responses are found by it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.no_vary_search import (
    DEFAULT,
    MOST_RULES,
    Rule,
    equivalent,
    label,
    labels,
    rule_of,
    rules_among,
    rules_label,
)
from proxy.caching.stored import StoredResponse
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response


def rule(value):
    return rule_of(Fields([(b"No-Vary-Search", value.encode())]))


@pytest.mark.parametrize(  # §4.2
    ("value", "expected"),
    [
        ('params=("a")', Rule(frozenset("a"))),
        ('except=("x")', Rule(None, frozenset("x"))),
        ("params=()", DEFAULT),
        ("except=()", Rule(None, frozenset())),
        ("key-order", Rule(ordered=False)),
        ("key-order=?1", Rule(ordered=False)),
        ('except=("x"), key-order', Rule(None, frozenset("x"), False)),
        ('key-order, params=("b" "a"), other=1', Rule(frozenset("ab"), None, False)),
        ("key-order=?0", DEFAULT),
        ('params=("%C3%A9+%E6%B0%97")', Rule(frozenset(["é 気"]))),
    ],
)
def test_rules(value, expected):
    assert rule(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        'key-order="not a boolean"',
        'params="not an inner list"',
        "params=(not-a-string)",
        "params=?0",
        "params=?1",
        'params=?1, except=("x")',
        'params=("a"), except=("x")',
        "params=(), except=()",
        'except="not an inner list"',
        "except=(not-a-string)",
        "except=?1",
        "params=(",
        "",
    ],
)
def test_what_is_no_rule(value):
    assert rule(value) == DEFAULT


def test_no_field_is_no_rule():
    assert rule_of(Fields()) == DEFAULT


def get(target):
    return Request(b"GET", target.encode(), authority=b"example.com")


def stored(target, value):
    fields = Fields([(b"No-Vary-Search", value.encode())])
    return StoredResponse(get(target), Response(200, fields), 0, 0, 0)


@pytest.mark.parametrize(  # §5.1
    ("one", "other"),
    [
        ("/", "/?"),
        ("/?a=x", "/?%61=%78"),
        ("/?a=é", "/?a=%C3%A9"),
        ("/?a=%f6", "/?a=%ef%bf%bd"),
        ("/?a=x&&&&", "/?a=x"),
        ("/?a=", "/?a"),
        ("/?a=%20", "/?a= &"),
        ("/?a=+", "/?a= &"),
        ("/?b=2&a=1", "/?a=1&b=2"),
    ],
)
def test_equivalent_queries(one, other):
    assert equivalent(stored(one, "key-order"), get(other))
    assert not equivalent(stored(one, ""), get(other))


@pytest.mark.parametrize(
    ("value", "one", "other", "alike"),
    [
        ('params=("utm")', "/?id=1&utm=x", "/?utm=y&id=1", True),
        ('params=("utm")', "/?id=1", "/?id=1&utm=x&utm=z", True),
        ('params=("utm")', "/?id=1", "/?id=2", False),
        ('params=("utm")', "/?a=1&b=2", "/?b=2&a=1", False),
        ('except=("id")', "/?id=1&x=1", "/?y=2&id=1", True),
        ('except=("id")', "/?id=1", "/?", False),
        ("except=()", "/?id=1", "/", True),
        ("key-order", "/?a=1&a=2", "/?a=2&a=1", False),
        ("key-order", "/x?a=1", "/y?a=1", False),
        ('params=("é 気")', "/", "/", True),
        ('params=("%C3%A9+%E6%B0%97")', "/?%C3%A9%20気=3", "/?%C3%A9+%E6%B0%97=4", True),
    ],
)
def test_equivalence(value, one, other, alike):
    assert equivalent(stored(one, value), get(other)) is alike
    held = rule(value)
    if held != DEFAULT:
        assert (label(get(one), held) == label(get(other), held)) is alike


def test_other_origins_and_other_contents_are_never_equivalent():
    held = stored("/?a=1", "except=()")
    assert not equivalent(held, Request(b"GET", b"/?a=1", authority=b"example.net"))
    assert rules_label(get("/")) != rules_label(Request(b"GET", b"/", authority=b"example.net"))
    one, two = (Request(b"QUERY", b"/", authority=b"h", content_digest=digest) for digest in (b"1", b"2"))
    assert label(one, rule("except=()")) != label(two, rule("except=()"))


def test_the_labels_of_a_response():
    fields = Fields([(b"No-Vary-Search", b'params=("a")')])
    found = labels(get("/p?a=1&b=2"), fields)
    assert found == (rules_label(get("/p")), label(get("/p?b=2"), rule('params=("a")')))
    assert labels(get("/p?a=1"), Fields()) == ()


def test_the_rules_that_are_followed_are_bounded():
    held = [stored("/", f'params=("{name}")') for name in "abcdefaa"]
    assert rules_among(held) == tuple(rule(f'params=("{name}")') for name in "abcdef")[:MOST_RULES]
    assert rules_among([stored("/", "")]) == ()


PIECES = st.sampled_from(["a", "b", "=", "&", "1", "2", "%61", "+", "%", "%ff", "é"])
QUERIES = st.lists(PIECES, max_size=8).map("".join)
RULES = st.sampled_from(['params=("a")', 'except=("a")', "key-order", 'params=("b"), key-order'])


@given(QUERIES, QUERIES, RULES)
def test_labels_agree_with_equivalence(one, other, value):
    held = stored("/?" + one, value)
    same_label = label(get("/?" + one), rule(value)) == label(get("/?" + other), rule(value))
    assert equivalent(held, get("/?" + other)) is same_label


@given(st.lists(st.binary(max_size=40), max_size=3), st.binary(max_size=40))
def test_no_bytes_make_it_fail(values, target):
    fields = Fields([(b"No-Vary-Search", value) for value in values])
    request = Request(b"GET", target)
    labels(request, fields)
    assert equivalent(StoredResponse(request, Response(200, fields), 0, 0, 0), request)
