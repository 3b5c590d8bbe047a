"""Targets that differ in what does not matter only (draft-ietf-httpbis-no-vary-search)."""

from __future__ import annotations

import pytest

from tests.conformance.judge import Bench, carry_out
from tests.conformance.script import Case, ask, case, fresh, reply

S = "draft-ietf-httpbis-no-vary-search §6"

EQUIVALENT = (
    ('params=("a")', "?a=1", "?a=2"),
    ('params=("a")', "?a=1", ""),
    ('params=("a")', "", "?a=1"),
    ('params=("a")', "?a=1&b=1", "?b=1"),
    ('params=("a")', "?a=1&b=1", "?b=1&a=2"),
    ('params=("a" "c")', "?a=1&b=1&c=1", "?c=2&b=1"),
    ('params=("a");foo', "?a=1", "?a=2"),
    ('params=("a"), foo=1', "?a=1", "?a=2"),
    ('params=("a"), key-order', "?b=1&c=2&a=1", "?c=2&b=1"),
    ('params=("a"), key-order=?0', "?a=1", "?a=2"),
    ('except=("a")', "?a=1&b=1", "?a=1&b=2"),
    ('except=("a")', "?b=1", "?c=2"),
    ("except=()", "?b=1", "?c=2"),
    ("except=()", "?b=1", ""),
    ("key-order", "?a=1&b=2", "?b=2&a=1"),
    ('key-order, params=("x")', "?a=1&b=2", "?b=2&a=1"),
    ('params=("a+b")', "?a%20b=1", "?a+b=2"),
    ('params=("%C3%A9")', "?%c3%a9=1", "?%C3%A9=2"),
    ('params=("x")', "?a=", "?a"),
    ('params=("x")', "?a=1&&&", "?a=1"),
    ('params=("x")', "?%61=%31", "?a=1"),
    ('params=("x")', "?a=+", "?a=%20"),
    ('params=("x")', "", "?"),
)

DIFFERENT = (
    ('params=("a")', "?b=1", "?b=2"),
    ('params=("a")', "?a=1&b=1", "?a=1&b=2"),
    ('params=("a")', "?b=1&c=1", "?c=1&b=1"),
    ('params=("a")', "?A=1", "?A=2"),
    ('except=("a")', "?a=1", "?a=2"),
    ('except=("a")', "?a=1", ""),
    ('except=("a" "b")', "?a=1&b=1", "?b=1&a=1"),
    ("key-order", "?a=1&a=2", "?a=2&a=1"),
    ("key-order=?0", "?a=1&b=2", "?b=2&a=1"),
    ('params="a"', "?a=1", "?a=2"),
    ("params=(a)", "?a=1", "?a=2"),
    ("params", "?a=1", "?a=2"),
    ("params=?1", "?a=1", "?a=2"),
    ("except=?1", "?a=1", "?a=2"),
    ('params=("a"), except=("b")', "?a=1", "?a=2"),
    ('params=("a"), key-order="x"', "?a=1", "?a=2"),
    ('params=("a"', "?a=1", "?a=2"),
    ("params=()", "?a=1", "?a=2"),
    ("foo", "?a=1", "?a=2"),
    ("", "?a=1", "?a=2"),
)

CASES = [
    *(
        case(
            S,
            f"{rule}: {one or 'none'} is {two or 'none'}",
            ask(fresh(No_Vary_Search=rule), path=f"/p{one}"),
            ask(path=f"/p{two}"),
        )
        for rule, one, two in EQUIVALENT
    ),
    *(
        case(
            S,
            f"{rule or 'nothing'}: {one or 'none'} is not {two or 'none'}",
            ask(fresh(No_Vary_Search=rule), path=f"/p{one}"),
            ask(reply(), path=f"/p{two}"),
        )
        for rule, one, two in DIFFERENT
    ),
    case(S, "another path", ask(fresh(No_Vary_Search="except=()"), path="/p"), ask(reply(), path="/q")),
    case(
        S,
        "an unsafe request invalidates what would answer for its target",
        ask(fresh(No_Vary_Search='params=("a")'), path="/p?a=1"),
        ask(reply(), method="POST", path="/p?a=2"),
        ask(reply(), path="/p?a=2"),
    ),
    case(
        S,
        "the exact target first",
        ask(fresh(No_Vary_Search='params=("a")'), path="/p?a=1"),
        ask(fresh(No_Vary_Search='params=("a")'), path="/p?a=2", Cache_Control="no-cache"),
        ask(of=1, path="/p?a=2"),
    ),
    case(
        S,
        "Vary counts too",
        ask(fresh(No_Vary_Search='params=("a")', Vary="Foo"), path="/p?a=1", Foo="1"),
        ask(path="/p?a=2", Foo="1"),
        ask(reply(), path="/p?a=2", Foo="2"),
    ),
    case(
        S, "HEAD", ask(fresh(No_Vary_Search='params=("a")'), path="/p?a=1"), ask(method="HEAD", path="/p?a=2")
    ),
]


@pytest.mark.parametrize("one", CASES, ids=str)
def test_no_vary_search(one: Case, bench: Bench) -> None:
    carry_out(one, bench)
