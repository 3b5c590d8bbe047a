"""Field values that mean the same are equal once normalised, and no others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message.preferences import normalise, split


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        (b"accept-encoding", [b"gzip, br"], [b"br", b"GZIP"]),
        (b"accept-encoding", [b"gzip;q=1.0"], [b"x-gzip"]),
        (b"accept-encoding", [b"gzip; q=0.50 ,br"], [b"br,gzip;Q=0.5"]),
        (b"accept-charset", [b"utf-8, iso-8859-5"], [b"ISO-8859-5,UTF-8"]),
        (b"accept-language", [b"en-GB, en;q=0.8"], [b"EN-gb,en;q=0.80"]),
        (b"accept-language", [b"da;q=0.2, en"], [b"en, da;q=0.2"]),
        (b"accept-language", [b"en, de"], [b"de, en"]),
        (b"accept", [b"text/html, */*;q=0.1"], [b"*/* ; q=0.1,TEXT/html"]),
        (b"accept", [b'text/html;a="x, y"'], [b'text/html ; A="x, y"']),
        (b"x-anything", [b"1, 2"], [b"1", b"2"]),
        (b"x-anything", [b"1,2"], [b"1 ,\t2"]),
        (b"x-anything", [b'"a, b",c'], [b'"a, b" , c']),
        (b"user-agent", [b"curl/8 (a, b)"], [b"curl/8 (a, b)"]),
    ],
)
def test_equal(name, one, other):
    assert normalise(name, one) == normalise(name, other)


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        (b"accept-encoding", [b"gzip"], [b"gzip, br"]),
        (b"accept-encoding", [b"gzip;q=0"], [b"gzip"]),
        (b"accept-encoding", [b"gzip;q=2"], [b"gzip"]),
        (b"accept-encoding", [b""], [b"identity"]),
        (b"accept-language", [b"en;q=0.9, de"], [b"de;q=0.9, en"]),
        (b"accept", [b"a/b, c/d"], [b"c/d, a/b"]),
        (b"accept", [b"text/html;level=1"], [b"text/html"]),
        (b"accept", [b'text/html;a="X"'], [b'text/html;a="x"']),
        (b"x-anything", [b"A"], [b"a"]),
        (b"x-anything", [b"1, 2"], [b"2, 1"]),
        (b"x-anything", [b'"a,b"'], [b'"a, b"']),
        (b"user-agent", [b"(a,b)"], [b"(a, b)"]),
        (b"cookie", [b"a=1; b=2"], [b"a=1;b=2"]),
        (b"authorization", [b"Basic a,b"], [b"Basic a, b"]),
    ],
)
def test_not_equal(name, one, other):
    assert normalise(name, one) != normalise(name, other)


def test_splitting_heeds_quotes():
    assert split(b'a, "b,\\",c" ,"d', b",") == [b"a", b'"b,\\",c"', b'"d']
    assert split(b"", b",") == [b""]


NAMES = st.sampled_from([b"accept", b"accept-encoding", b"accept-language", b"x", b"cookie"])


@given(NAMES, st.lists(st.binary(max_size=40), min_size=1, max_size=3))
def test_any_bytes_can_be_normalised_and_compared(name, values):
    assert normalise(name, values) == normalise(name, values)
    assert hash(normalise(name, values)) == hash(normalise(name, list(values)))
