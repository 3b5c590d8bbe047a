"""What a response to an unsafe request makes invalid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.caching.groups import group_labels
from proxy.caching.invalidation import invalidation
from proxy.caching.key import SAFE, uri_label
from proxy.caching.no_vary_search import label, rule_of
from proxy.caching.stored import StoredResponse
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.message.uri import Uri


def after(*lines, method=b"POST", status=200, held=(), rules=(), target=b"/a"):
    request = Request(method, target, authority=b"example.org")
    return invalidation(request, Response(status, Fields(lines)), held, rules)


def keys(*lines, **others):
    effect, _ = after(*lines, **others)
    return effect.keys if effect is not None else ()


def slugs(*lines, **others):
    return [because.reason.slug for because in after(*lines, **others)[1]]


TARGET = b"GET http://example.org/a"


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"PATCH", b"M-SEARCH", b"get", b"CONNECT"])
@pytest.mark.parametrize("status", [200, 201, 204, 299, 302, 303, 399])
def test_the_target_of_a_successful_unsafe_request(method, status):
    assert keys(method=method, status=status) == (TARGET,)


@pytest.mark.parametrize("status", [100, 199, 400, 404, 409, 500, 503, 599])
def test_nothing_where_it_failed(status):
    assert after(status=status) == (None, ())


@pytest.mark.parametrize("method", sorted(SAFE))
def test_nothing_where_the_method_is_safe(method):
    lines = [(b"Location", b"/b"), (b"Cache-Group-Invalidation", b'"g"')]
    assert after(*lines, method=method) == (None, ())


def test_also_under_keys_that_the_uri_alone_does_not_tell():
    effect, _ = after()
    assert effect.labels == (uri_label(Uri(b"http", b"example.org", b"/a")),)


@pytest.mark.parametrize("method", [b"COPY", b"MOVE"])
def test_where_a_copy_or_move_writes_to(method):
    def written(destination, method=method):
        request = Request(method, b"/a", Fields([(b"Destination", destination)]), authority=b"example.org")
        return invalidation(request, Response(201), (), ())[0].keys

    assert written(b"http://example.org/b") == (TARGET, b"GET http://example.org/b")
    assert written(b"/b") == (TARGET, b"GET http://example.org/b")
    assert written(b"http://example.com/b") == (TARGET,)
    assert written(b"/b", method=b"PUT") == (TARGET,)


@pytest.mark.parametrize("name", [b"Location", b"Content-Location"])
def test_uris_of_the_same_origin_that_the_response_names(name):
    assert keys((name, b"b?c")) == (TARGET, b"GET http://example.org/b?c")
    assert keys((name, b"HTTP://EXAMPLE.ORG:80/b#f")) == (TARGET, b"GET http://example.org/b")
    assert slugs((name, b"/b")) == ["target-invalidated", "related-invalidated"]


@pytest.mark.parametrize("value", [b"https://example.org/b", b"//example.net/b", b"http://example.org:81/b"])
def test_uris_of_other_origins_are_left_alone(value):
    assert keys((b"Location", value)) == (TARGET,)
    assert slugs((b"Location", value)) == ["target-invalidated", "other-origin"]


@pytest.mark.parametrize("value", [b"/a", b"", b"mailto:a@b", b"http:b"])
def test_uris_that_add_nothing(value):
    assert keys((b"Location", value)) == (TARGET,)
    assert slugs((b"Location", value)) == ["target-invalidated"]


def test_groups_that_the_response_names():
    line = (b"Cache-Group-Invalidation", b'"g"')
    wanted = group_labels(Uri(b"http", b"example.org", b"/"), Fields([(b"Cache-Groups", b'"g"')]))
    assert set(wanted) < set(after(line)[0].labels)
    assert after(line, status=500)[0].labels == wanted
    assert after(line, status=500)[0].keys == ()


def test_groups_of_what_is_stored_for_the_target():
    fields = Fields([(b"Cache-Groups", b'"g"')])
    request = Request(b"GET", b"/a", authority=b"example.org")
    held = StoredResponse(request, Response(200, fields), 0, 0, 0)
    wanted = group_labels(Uri(b"http", b"example.org", b"/a"), fields)
    assert set(wanted) < set(after(held=[held])[0].labels)


def test_what_is_stored_for_an_equivalent_query():
    rule = rule_of(Fields([(b"No-Vary-Search", b'params=("u")')]))
    stored_for = Request(b"GET", b"/a?x=1&u=2", authority=b"example.org")
    effect, _ = after(target=b"/a?x=1", rules=[rule])
    assert label(stored_for, rule) in effect.labels


@given(
    st.lists(
        st.tuples(st.sampled_from([b"Location", b"Content-Location"]), st.binary(max_size=40)), max_size=3
    )
)
def test_no_bytes_reach_another_origin(lines):
    assert all(key.startswith(b"GET http://example.org/") for key in keys(*lines))
