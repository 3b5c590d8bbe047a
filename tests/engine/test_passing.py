"""What may pass without asking the rules anew, and when that has to be asked again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.caching.decision import Outcome
from proxy.caching.effects import Collapse
from proxy.caching.policy import Policy
from proxy.caching.stored import StoredResponse
from proxy.engine.collapse import Flights
from proxy.engine.passing import opening, sign, verdict
from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.message.response import Response
from proxy.storage.memory.store import MemoryStore

NOON = 784_111_777.0
DATE = (b"Date", b"Sun, 06 Nov 1994 08:49:37 GMT")
NO_STORE = (b"Cache-Control", b"no-store")
POLICY = Policy()


def asking(*lines, method=b"GET", target=b"/a?b=c"):
    return Request(method, target, Fields([(b"Host", b"o"), *lines]), (1, 1), b"http", b"a.example")


def came(*lines, status=200, date=DATE):
    return Response(status, Fields([date, (b"Content-Length", b"3"), *lines]))


@pytest.fixture
def store():
    return MemoryStore(1 << 20, 1 << 16)


async def keep(store, request, response):
    stored = StoredResponse(request, response, NOON, NOON, 3, 0, 3)
    writer = store.begin(b"GET http://a.example/a?b=c", (), (), 3)
    writer.write(b"abc")
    await writer.commit(stored, "", None)


def leave_for(store, *lines, **about):
    return opening(store, asking(*lines, **about), POLICY, NOON)


def said(store, *lines, asked=(), times=(NOON, NOON + 1), **about):
    leave = leave_for(store, *asked)
    return verdict(leave, came(*lines, **about), 3, POLICY, times)


class Case:
    """What was said of a response, and of which others it holds."""

    def __init__(self, store, *lines, times=(NOON, NOON + 1), policy=POLICY, **about):
        self.response = came(*lines, **about)
        self.verdict = verdict(leave_for(store), self.response, 3, policy, times)

    def holds(self, other, times=(NOON, NOON + 1)):
        (signs, _), (others, named) = self._signs(self.response), self._signs(other)
        return (
            self.verdict.lasting
            and other.status == self.verdict.status
            and signs == others
            and self.verdict.timed_like(named, times)
        )

    def _signs(self, response):
        lines = [(name.lower(), value) for name, value in response.fields]
        signs = [sign(name, value) for name, value in lines if name in self.verdict.heard]
        return [one for one, _ in signs], {one: at for one, at in signs if at is not None}


class TestOpening:
    def test_there_is_leave_where_nothing_is_stored(self, store):
        leave = leave_for(store, (b"User-Agent", b"x"))
        assert [effect.key for effect in leave.looked] == [b"GET http://a.example/a?b=c"] * 2
        assert b"user-agent" not in leave.asked
        assert {b"cache-control", b"authorization"} <= leave.asked

    async def test_there_is_none_where_something_is(self, store):
        await keep(store, asking(), came((b"Cache-Control", b"max-age=9")))
        assert leave_for(store) is None

    @pytest.mark.parametrize("line", [(b"Cache-Control", b"only-if-cached")])
    def test_there_is_none_where_the_request_may_not_be_forwarded(self, store, line):
        assert leave_for(store, line) is None

    async def test_it_is_open_only_while_nothing_is_stored(self, store):
        leave, flights = leave_for(store), Flights()
        flights.in_vain(leave.collapse)
        assert leave.is_open(store, flights)
        await keep(store, asking(), came((b"Cache-Control", b"max-age=9")))
        assert not leave.is_open(store, flights)

    @pytest.mark.parametrize("target", [b"/", b"/x?", b"/a?b=c&d", b"//x/../y%2f", b"/" + b"x" * 300])
    @pytest.mark.parametrize("method", [b"GET", b"HEAD"])
    def test_for_another_target_it_is_the_same_but_for_what_is_looked_up(self, store, target, method):
        lines = (b"Cache-Control", b"max-age=0"), (b"Authorization", b"Bearer abc")
        leave = leave_for(store, *lines, method=method)
        assert leave.anywhere
        assert leave.likened(target) == leave_for(store, *lines, method=method, target=target)

    async def test_that_is_not_found_out_where_something_is_stored_for_the_other(self, store, monkeypatch):
        monkeypatch.setattr("proxy.engine.passing._OTHER_TARGET", b"/a?b=c")
        await keep(store, asking(), came((b"Cache-Control", b"max-age=9")))
        assert not leave_for(store, target=b"/b").anywhere

    def test_without_the_fields_that_made_no_difference_it_is_the_same_leave(self, store):
        leave = leave_for(store, (b"User-Agent", b"x"), (b"pragma", b"no-cache"))
        bare = leave.bare(leave.asked)
        assert list(bare.request.fields) == [(b"pragma", b"no-cache")]
        assert (bare.looked, bare.collapse, bare.anywhere) == (leave.looked, leave.collapse, True)

    def test_it_is_open_only_while_nobody_shares_the_way(self, store):
        leave, flights = leave_for(store), Flights()
        assert not leave.is_open(store, flights)  # it would lead
        flights.in_vain(leave.collapse)
        assert leave.is_open(store, flights)
        assert isinstance(leave.collapse, Collapse)

    def test_what_shares_with_nobody_is_open_at_once(self, store):
        leave = leave_for(store, (b"Cache-Control", b"no-store, no-cache"))
        assert leave.is_open(store, Flights())

    def test_a_store_that_has_to_be_waited_for_closes_it(self, store):
        leave, flights = leave_for(store), Flights()
        flights.in_vain(leave.collapse)
        store.at_hand = lambda key: None
        assert not leave.is_open(store, flights)
        assert leave_for(store) is None


class TestVerdict:
    def test_what_may_not_be_stored_goes_on_as_it_is(self, store):
        found = said(store, NO_STORE)
        assert found.decision.outcome is Outcome.FORWARDED
        assert found.decision.reasons[0].reason.slug == "no-store"
        assert [name for name, _ in found.added] == [b"Cache-Status"]
        assert (found.content, found.lasting, found.anywhere, found.timed) == (True, True, True, None)

    @pytest.mark.parametrize(
        "lines", [[(b"Cache-Control", b"max-age=60")], [(b"ETag", b'"1"')], [(b"Cache-Control", b"public")]]
    )
    def test_what_may_be_stored_is_for_the_long_way(self, store, lines):
        date = (b"Date", b"Sun, 06 Nov 1994 08:49:36 GMT")
        assert said(store, *lines, (b"Last-Modified", b"Sat, 05 Nov 1994 08:49:37 GMT"), date=date) is None

    def test_it_holds_for_responses_that_differ_in_what_was_not_looked_at(self, store):
        case = Case(store, NO_STORE)
        times = NOON + 50, NOON + 51
        assert case.holds(came(NO_STORE, (b"X-Request-Id", b"7")), times)
        later = (b"Date", b"Sun, 06 Nov 1994 08:49:38 GMT")
        assert case.holds(came(NO_STORE, date=later), times)

    @pytest.mark.parametrize(
        "other",
        [
            came(),
            came((b"Cache-Control", b"no-store, private")),
            came(NO_STORE, NO_STORE),
            came(NO_STORE, status=404),
            came(NO_STORE, (b"Set-Cookie", b"a=b")),
            came(NO_STORE, (b"Vary", b"*")),
            came(NO_STORE, (b"Age", b"1")),
            came(NO_STORE, (b"Expires", b"0")),
            came(NO_STORE, (b"ETag", b'"1"')),
            came(NO_STORE, DATE),
            came(NO_STORE, date=(b"Date", b"Sunday, 06-Nov-94 08:49:37 GMT")),
            came(NO_STORE, date=(b"Date", b"now")),
            came(NO_STORE, date=(b"Date", b"Sun, 31 Feb 1994 08:49:37 GMT")),
            came(NO_STORE, date=(b"Date", b"Xyz, 99 Xyz 1994 99:99:99 GMT")),
            came(NO_STORE, date=(b"X-Date", b"none")),
        ],
    )
    def test_it_does_not_hold_for_others(self, store, other):
        assert not Case(store, NO_STORE).holds(other)

    def test_which_entity_tag_it_is_does_not_matter(self, store):
        case = Case(store, NO_STORE, (b"ETag", b'W/"1"'))
        assert case.holds(came(NO_STORE, (b"ETag", b'W/"2"')))
        assert not case.holds(came(NO_STORE, (b"ETag", b'"2"')))
        assert not case.holds(came(NO_STORE, (b"ETag", b"2")))
        assert not case.holds(came(NO_STORE))

    def test_which_of_two_entity_tags_counts_might_matter(self, store):
        twice = NO_STORE, (b"ETag", b'"1"'), (b"ETag", b'"2"')
        assert not Case(store, *twice).holds(came(*twice))

    def test_when_it_was_modified_matters_only_as_far_as_it_tells_freshness(self, store):
        case = Case(store, NO_STORE, (b"Last-Modified", b"Sat, 05 Nov 1994 08:49:37 GMT"))
        assert case.verdict.timed == (None, True, True)
        assert case.holds(came(NO_STORE, (b"Last-Modified", b"Fri, 04 Nov 1994 08:49:37 GMT")))
        assert not case.holds(came(NO_STORE, (b"Last-Modified", b"Sun, 06 Nov 1994 08:49:37 GMT")))
        assert not case.holds(came(NO_STORE, (b"Last-Modified", b"Saturday, 05-Nov-94 08:49:37 GMT")))
        assert not case.holds(came(NO_STORE, (b"Last-Modified", b"today")))

    def test_where_freshness_is_told_it_has_to_be_the_same(self, store):
        lines = NO_STORE, (b"Cache-Control", b"max-age=5")
        case = Case(store, *lines, times=(NOON, NOON + 1.5))
        assert (case.verdict.decision.ttl, case.verdict.lasting) == (3, True)
        assert case.holds(came(*lines), (NOON, NOON + 1.7))
        assert not case.holds(came(*lines), (NOON, NOON + 2.1))

    def test_on_the_edge_of_freshness_it_holds_once_only(self, store):
        lines = NO_STORE, (b"Cache-Control", b"max-age=5")
        found = said(store, *lines, times=(NOON, NOON + 4.5))
        assert (found.decision.ttl, found.lasting) == (0, False)

    @pytest.mark.parametrize(
        "date", [b"Sunday, 06-Nov-94 08:49:37 GMT", b"Fri, 31 Dec 9999 23:59:59 GMT", b"now"]
    )
    def test_without_a_usual_date_it_holds_once_only(self, store, date):
        lines = NO_STORE, (b"Last-Modified", b"Fri, 31 Dec 9999 23:59:59 GMT")
        assert not said(store, *lines, date=(b"Date", date)).lasting

    def test_a_date_by_which_the_response_would_be_fresh_counts(self, store):
        lines = NO_STORE, (b"Expires", b"Sun, 06 Nov 1994 08:50:37 GMT")
        case = Case(store, *lines)
        assert case.verdict.timed == (59, True, True)
        assert case.holds(came(*lines))
        assert not case.holds(came(*lines), (NOON + 8, NOON + 9))
        another = (b"Expires", b"Sun, 06 Nov 1994 08:50:47 GMT")
        assert case.holds(came(NO_STORE, another), (NOON + 9, NOON + 11))

    def test_where_the_target_is_told_it_holds_for_that_alone(self, store):
        policy = replace(POLICY, key_in_status=True)
        found = verdict(leave_for(store), came(NO_STORE), 3, policy, (NOON, NOON))
        assert (found.lasting, found.anywhere) == (True, False)

    def test_it_says_which_fields_of_the_request_counted(self, store):
        private = (b"Authorization", b"Bearer abc")
        found = said(store, asked=[private])
        assert b"authorization" in found.asked
        assert found.decision.reasons[0].reason.slug == "authorization"

    def test_a_response_to_head_has_no_content_to_pass_on(self, store):
        leave = leave_for(store, method=b"HEAD")
        assert not verdict(leave, came(NO_STORE), 0, POLICY, (NOON, NOON)).content

    def test_another_policy_decides_otherwise(self, store):
        leave = leave_for(store)
        response = came((b"My-Cache-Control", b"no-store"))
        targeted = replace(POLICY, targeted=(b"my-cache-control",))
        plain = verdict(leave, response, 3, POLICY, (NOON, NOON))
        other = verdict(leave, response, 3, targeted, (NOON, NOON))
        assert plain.decision.reasons[0] != other.decision.reasons[0]
