"""Cache groups."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.groups import group_labels, invalidated_groups, shared_groups
from proxy.caching.stored import StoredResponse
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.message.uri import Uri

URI = Uri(b"http", b"example.org", b"/")


def groups(*values, uri=URI):
    return group_labels(uri, Fields([(b"Cache-Groups", value) for value in values]))


def test_each_string_is_a_group():
    assert len(groups(b'"a", "b"', b'"c";x=1')) == 3
    assert groups(b'"a", "a"') == groups(b'"a"')
    assert groups(b'"b", "a"') == groups(b'"b"') + groups(b'"a"')


@pytest.mark.parametrize("value", [b"", b"a", b"1", b'"a', b'("a")', b":YQ==:"])
def test_nothing_else_is(value):
    assert groups(value) == ()


def test_names_are_compared_character_by_character():
    assert groups(b'"a"') != groups(b'"A"')


def test_groups_belong_to_an_origin():
    assert groups(b'"a"', uri=Uri(b"http", b"EXAMPLE.org:80", b"/x")) == groups(b'"a"')
    assert groups(b'"a"', uri=Uri(b"https", b"example.org", b"/")) != groups(b'"a"')
    assert groups(b'"a"', uri=Uri(b"http", b"example.org:81", b"/")) != groups(b'"a"')


def test_at_least_32_groups_of_32_characters():
    value = b", ".join(b'"%032d"' % number for number in range(32))
    assert len(set(groups(value))) == 32


def test_what_is_invalidated_has_the_labels_of_its_members():
    fields = Fields([(b"Cache-Group-Invalidation", b'"eurovision-results", "australia"')])
    assert invalidated_groups(URI, fields) == groups(b'"eurovision-results", "australia"')


def test_the_groups_of_several_stored_responses():
    def stored(value):
        request = Request(b"GET", b"/", authority=b"example.org")
        return StoredResponse(request, Response(200, Fields([(b"Cache-Groups", value)])), 0, 0, 0)

    assert shared_groups([stored(b'"a", "b"'), stored(b'"b", "c"')]) == groups(b'"a", "b", "c"')


@given(st.lists(st.binary(max_size=30), max_size=3))
def test_no_bytes_make_it_fail(values):
    groups(*values)
