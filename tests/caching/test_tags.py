"""Tags of responses, and the labels by which they are purged."""

from __future__ import annotations

import pytest

from proxy.caching.groups import group_labels
from proxy.caching.policy import Policy
from proxy.caching.tags import LONGEST_TAG, MOST_TAGS, beyond_limit, hidden, tag_label, tag_labels, tags_of
from proxy.message.fields import Fields
from proxy.message.uri import Uri

HERE = Uri(b"http", b"example.org", b"/a")
THERE = Uri(b"http", b"example.net", b"/a")


def tags(*lines: tuple[str, str], **settings: object) -> list[str]:
    fields = Fields([(name.encode(), value.encode("latin-1")) for name, value in lines])
    return [tag.decode("latin-1") for tag in tags_of(fields, Policy(**settings))]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        ([("Surrogate-Key", "product-1 list  all")], ["product-1", "list", "all"]),
        ([("Cache-Tag", "product-1, list,all,,")], ["product-1", "list", "all"]),
        ([("cache-tag", "a"), ("CACHE-TAG", "b,a")], ["a", "b"]),
        ([("Cache-Tag", "a,b"), ("Surrogate-Key", "b c")], ["b", "c", "a"]),
        ([("Cache-Groups", '"one", "two words"')], ["one", "two words"]),
        ([("Cache-Groups", "not-a-string")], []),
        ([("Cache-Groups", '"unclosed')], []),
        ([("Surrogate-Key", " , ")], []),
        ([("Surrogate-Key", "A a caf\xe9")], ["A", "a", "caf\xe9"]),
        ([("xkey", "a")], []),
    ],
)
def test_tags_of_a_response(lines: list[tuple[str, str]], expected: list[str]) -> None:
    assert tags(*lines) == expected


def test_a_setting_names_the_fields() -> None:
    lines = ("xkey", "a b"), ("Surrogate-Key", "c")
    assert tags(*lines, tags=(b"xkey",)) == ["a", "b"]
    assert tags(*lines, tags=()) == []


def test_a_tag_is_the_same_for_all_hosts_unless_set_apart() -> None:
    fields = Fields([(b"Surrogate-Key", b"a b")])
    assert tag_labels(HERE, fields, Policy()) == tag_labels(THERE, fields, Policy())
    apart = Policy(tags_by_origin=True)
    assert set(tag_labels(HERE, fields, apart)).isdisjoint(tag_labels(THERE, fields, apart))
    assert tag_labels(HERE, fields, apart) == (tag_label(b"a", HERE), tag_label(b"b", HERE))


def test_a_tag_is_no_group() -> None:
    """What a response of an origin can invalidate is a group (RFC 9875 §3), never a tag."""
    fields = Fields([(b"Cache-Groups", b'"a"')])
    assert set(group_labels(HERE, fields)).isdisjoint(tag_labels(HERE, fields, Policy(tags_by_origin=True)))


def test_labels_are_short_and_differ() -> None:
    found = [tag_label(tag) for tag in (b"a", b"b", b"x" * 64, b"x" * 65, b"x" * 66, b"=x", b"#x")]
    assert len(set(found)) == len(found)
    assert max(map(len, found)) < 80


def test_many_and_long_ones_are_left_out_and_that_is_said() -> None:
    many = Fields([(b"Surrogate-Key", b" ".join(b"%d" % number for number in range(MOST_TAGS + 44)))])
    assert tags_of(many, Policy()) == tuple(b"%d" % number for number in range(MOST_TAGS))
    because = beyond_limit(many, Policy())
    assert because is not None
    assert because.evidence == "44 left out"
    long = Fields([(b"Cache-Tag", b"x" * (LONGEST_TAG + 1) + b",y," + b"z" * LONGEST_TAG)])
    assert tags_of(long, Policy()) == (b"y", b"z" * LONGEST_TAG)
    assert beyond_limit(long, Policy()) is not None


def test_where_all_count_nothing_is_said() -> None:
    assert beyond_limit(Fields([(b"Surrogate-Key", b"a a " * 300)]), Policy()) is None
    assert beyond_limit(Fields([(b"Other", b"x" * 5000)]), Policy()) is None


def test_clients_get_them_unless_they_are_hidden() -> None:
    fields = Fields([(b"Surrogate-Key", b"a"), (b"Cache-Groups", b'"a"'), (b"X", b"y"), (b"cache-tag", b"b")])
    assert hidden(fields, Policy()) is fields
    assert tuple(hidden(fields, Policy(hide_tags=True))) == ((b"Cache-Groups", b'"a"'), (b"X", b"y"))
