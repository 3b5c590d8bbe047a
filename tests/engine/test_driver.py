from __future__ import annotations

import asyncio

import pytest

from proxy.caching.decision import Outcome
from proxy.engine.downstream import ClientGone
from proxy.message.fields import Fields
from proxy.message.response import Response
from proxy.upstream.contract import BrokenResponse, Overloaded, TooSlow, Unreachable
from tests.engine.stage import Origin, Stage, fresh, until


async def test_a_response_is_passed_on_as_it_comes_and_kept(stage: Stage) -> None:
    stage.answers(fresh(b"one ", b"two"))
    first = await stage.ask()
    second = await stage.ask()
    assert (first.body, first.length, first.ended) == (b"one two", 7, True)
    assert (second.body, second.length, second.ended) == (b"one two", 7, True)
    assert first.cache_status.startswith(b"pellucid;fwd=uri-miss;")
    assert b"stored" in first.cache_status
    assert second.cache_status.startswith(b"pellucid;hit;ttl=")
    assert len(stage.origin.asked) == 1


async def test_both_records_carry_the_same_digest(stage: Stage) -> None:
    stage.answers(fresh(b"same"))
    await stage.ask()
    await stage.ask()
    first, second = stage.accounts
    assert first.digest == second.digest
    assert first.digest.startswith("sha-256=:")


async def test_a_response_without_date_gets_one(stage: Stage) -> None:
    stage.answers(Origin(200, (), (b"x",), 1))
    client = await stage.ask()
    assert client.head is not None
    assert b"date" in client.head.fields


async def test_what_breaks_off_breaks_off_for_the_client_and_is_not_kept(stage: Stage) -> None:
    stage.answers(fresh(b"half", BrokenResponse("the origin closed"), length=8), fresh(b"whole"))
    broken = await stage.ask()
    assert (broken.body, broken.aborted, broken.ended) == (b"half", True, False)
    assert not stage.accounts[0].complete
    assert stage.accounts[0].decision is not None
    assert stage.accounts[0].decision.stored is False
    assert (await stage.ask()).body == b"whole"


@pytest.mark.parametrize(
    ("error", "status", "token"),
    [
        (Unreachable("can't connect", token="connection_refused"), 502, b"connection_refused"),
        (TooSlow("no answer in time"), 504, b"http_response_timeout"),
        (Overloaded("too many"), 503, b"connection_limit_reached"),
    ],
)
async def test_no_response_is_a_problem_document(
    stage: Stage, error: Exception, status: int, token: bytes
) -> None:
    stage.answers(error)  # type: ignore[arg-type]
    client = await stage.ask()
    assert client.head is not None
    assert client.head.status == status
    assert client.head.fields.get(b"content-type") == b"application/problem+json"
    assert token in (client.head.fields.get(b"proxy-status") or b"")
    assert str(error).encode() in client.body
    assert b"cache-status" not in client.head.fields
    decision = stage.accounts[0].decision
    assert decision is not None
    assert decision.outcome is Outcome.FAILED


async def test_the_account_of_a_failure_tells_how_often_it_was_tried(stage: Stage) -> None:
    error = Unreachable("can't connect", server="origin:80")
    error.attempts = 2
    stage.answers(error)
    await stage.ask()
    assert (stage.accounts[0].server, stage.accounts[0].attempts) == ("origin:80", 2)


async def test_a_problem_in_answer_to_head_has_no_content(stage: Stage) -> None:
    stage.answers(Unreachable("can't connect"))
    client = await stage.ask(method=b"HEAD")
    assert client.head is not None
    assert (client.head.status, client.body) == (502, b"")


async def test_interim_responses_go_on_as_they_come(stage: Stage) -> None:
    hints = Response(103, Fields([(b"Link", b"</a.css>; rel=preload")]), b"Early Hints")
    stage.answers(Origin(200, (), (b"x",), 1, interim=(hints,)))
    client = await stage.ask()
    assert client.interims == [hints]


async def test_the_origin_s_transfer_stops_when_the_client_leaves(stage: Stage) -> None:
    never = asyncio.Event()
    stage.answers(fresh(b"x" * 1000, never, length=10_000_000))
    with pytest.raises(ClientGone):
        await stage.ask(leaves_after=1000)
    assert stage.origin.arriving[0].closed
    assert stage.store.figures().entries == 0
    assert not stage.accounts[0].complete


async def test_what_is_nearly_done_is_completed_for_the_cache(stage: Stage) -> None:
    soon = asyncio.Event()
    stage.answers(fresh(b"x" * 1000, soon, b"y" * 10, length=1010))
    with pytest.raises(ClientGone):
        await stage.ask(leaves_after=1000)
    soon.set()
    await until(lambda: stage.origin.arriving[0].closed)
    assert (await stage.ask()).body == b"x" * 1000 + b"y" * 10
    assert len(stage.origin.asked) == 1


async def test_a_query_is_answered_by_its_content(stage: Stage) -> None:
    stage.answers(fresh(b"apples"), fresh(b"pears"))
    first = await stage.ask(method=b"QUERY", content=b"select apples")
    other = await stage.ask(method=b"QUERY", content=b"select pears")
    again = await stage.ask(method=b"QUERY", content=b"select apples")
    assert [first.body, other.body, again.body] == [b"apples", b"pears", b"apples"]
    assert stage.origin.contents == [b"select apples", b"select pears"]


async def test_a_stale_response_is_validated_behind_its_client_s_back(stage: Stage) -> None:
    swr = (b"Cache-Control", b"max-age=0, stale-while-revalidate=60")
    tag = (b"ETag", b'"1"')
    stage.answers(
        Origin(200, (swr, tag), (b"old",), 3), Origin(304, ((b"Cache-Control", b"max-age=60"), tag))
    )
    await stage.ask()
    stale = await stage.ask()
    assert (stale.body, len(stage.accounts)) == (b"old", 2)
    await until(lambda: len(stage.origin.arriving) == 2 and stage.origin.arriving[1].closed)
    assert stage.origin.asked[1].fields.get(b"if-none-match") == b'"1"'
    hit = await stage.ask()
    assert b"hit" in hit.cache_status
    assert len(stage.origin.asked) == 2


async def test_one_entry_is_never_validated_twice_at_once(stage: Stage) -> None:
    swr = (b"Cache-Control", b"max-age=0, stale-while-revalidate=60")
    gate = asyncio.Event()
    stage.answers(
        Origin(200, (swr,), (b"old",), 3), Origin(200, (swr,), (gate, b"new"), 3), Origin(200, (swr,), (), 0)
    )
    await stage.ask()
    for _ in range(10):
        await stage.ask()
        await asyncio.sleep(0)
    assert len(stage.origin.asked) == 2
    gate.set()


async def test_trailers_reach_the_client(stage: Stage) -> None:
    trailers = Fields([(b"Digest-Of-It", b"abc")])
    stage.answers(Origin(200, (), (b"x",), None, trailers=trailers))
    client = await stage.ask()
    assert client.trailers == trailers
    assert client.length is None


async def test_a_response_that_is_too_large_is_passed_on_and_not_stored(stage: Stage) -> None:
    large = b"x" * (1 << 18) + b"y"
    stage.answers(fresh(large), fresh(large, length=None), fresh(b"small"))
    known = await stage.ask()
    unknown = await stage.ask()
    assert known.body == unknown.body == large
    assert (await stage.ask()).body == b"small"
    for account in stage.accounts[:2]:
        assert account.decision is not None
        assert account.decision.stored is False
