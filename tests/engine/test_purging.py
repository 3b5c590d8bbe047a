"""Purges: what is named is gone, or stale, from the answer on, whatever was on its way at that moment."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from proxy.engine.purging import MOST, Answer, BadWish, Item, Report, Wish, checked, merged
from proxy.message.fields import FieldLine
from proxy.storage.selection import BadPattern
from tests.engine.stage import Client, Origin, Stage, asking, fresh, until

HERE = "http://a.example"
TAGGED = (b"Surrogate-Key", b"product-1 list")
GROUPED = (b"Cache-Groups", b'"products"')
ETAG = (b"ETag", b'"1"')


@pytest.fixture
async def stage():
    stage = Stage()
    yield stage
    await stage.driver.close()
    await stage.store.close()


async def stored(stage: Stage, target: bytes, *lines: FieldLine, content: bytes = b"old") -> None:
    stage.answers(fresh(content, lines=lines))
    client = await stage.ask(target)
    assert b"stored" in client.cache_status


async def held(stage: Stage, target: bytes) -> bool:
    """Whether a request is answered from the cache, as a fresh hit."""
    stage.answers(Origin(200, ((b"Cache-Control", b"no-store"),), (b"from the origin",), 15))
    client = await stage.ask(target)
    hit = b";hit" in client.cache_status
    stage.origin.answers.clear()
    return hit


async def purged(stage: Stage, **wish: object) -> Report:
    return await stage.driver.purge(Wish(**wish))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wish", "gone"),
    [
        ({"urls": [HERE + "/items/1"]}, {b"/items/1"}),
        ({"urls": ["HTTPS://A.Example:443/items/1#part"]}, {b"/items/1"}),
        ({"urls": [HERE + "/items/1?x"]}, set()),
        ({"prefixes": [HERE + "/items/"]}, {b"/items/1", b"/items/2"}),
        ({"prefixes": [HERE]}, {b"/items/1", b"/items/2", b"/other"}),
        ({"prefixes": ["http://a.exam"]}, set()),
        ({"tags": ["product-1"]}, {b"/items/1"}),
        ({"tags": ["products"]}, {b"/items/2"}),
        ({"groups": ["products"], "origin": HERE}, {b"/items/2"}),
        ({"groups": ["products"], "origin": "http://b.example/"}, set()),
        ({"groups": ["product-1"], "origin": HERE}, set()),
        ({"match": [r"/[a-z]+$"]}, {b"/other"}),
        ({"all": True}, {b"/items/1", b"/items/2", b"/other"}),
        ({"urls": [HERE + "/other"], "tags": ["list", "unknown"]}, {b"/other", b"/items/1"}),
    ],
)
async def test_what_is_named_is_gone(stage: Stage, wish: dict[str, object], gone: set[bytes]) -> None:
    lines = {b"/items/1": TAGGED, b"/items/2": GROUPED, b"/other": ETAG}
    for target, line in lines.items():
        await stored(stage, target, line)
    dry = await purged(stage, **wish, dry=True)
    assert [await held(stage, target) for target in lines] == [True] * 3
    report = await purged(stage, **wish)
    assert [target for target in lines if not await held(stage, target)] == [
        target for target in lines if target in gone
    ]
    assert report.entries == dry.entries == {"memory": len(gone)}


async def test_what_was_not_there_is_told(stage: Stage) -> None:
    await stored(stage, b"/items/1", TAGGED)
    report = await purged(stage, urls=[HERE + "/items/1", HERE + "/none"], tags=["list", "gone"])
    told = Answer.of(report.items, soft=report.soft, dry=report.dry)
    assert told.entries == {"memory": 1}
    assert told.missing == [f"url {HERE}/none", "tag list", "tag gone"]
    assert (told.items[0].kind, told.items[0].entries) == ("url", {"memory": 1})


async def test_all_variants_go(stage: Stage) -> None:
    vary = (b"Vary", b"Accept-Language")
    for language in (b"de", b"en"):
        stage.answers(fresh(language, lines=[vary]))
        await stage.ask(b"/", (b"Accept-Language", language))
    assert (await purged(stage, urls=[HERE + "/"])).entries == {"memory": 2}


async def test_queries_of_a_url_go_with_it(stage: Stage) -> None:
    stage.answers(fresh(b"found"))
    await stage.ask(b"/search", (b"Content-Type", b"text/plain"), method=b"QUERY", content=b"q")
    assert (await purged(stage, urls=[HERE + "/search"])).entries == {"memory": 1}


async def test_what_may_answer_for_a_url_by_its_no_vary_search_goes_with_it(stage: Stage) -> None:
    await stored(stage, b"/list?page=1&utm=a", (b"No-Vary-Search", b'params=("utm")'))
    await stored(stage, b"/list?page=2&utm=a", (b"No-Vary-Search", b'params=("utm")'))
    assert await held(stage, b"/list?page=1")
    assert (await purged(stage, urls=[HERE + "/list?page=1"])).entries == {"memory": 1}
    assert not await held(stage, b"/list?page=1&utm=a")
    assert await held(stage, b"/list?page=2")


async def test_bytes_that_are_no_characters_stand_for_themselves(stage: Stage) -> None:
    await stored(stage, b"/caf\xe9")
    assert (await purged(stage, urls=[HERE + "/caf\xe9"])).entries == {"memory": 0}
    report = await purged(stage, urls=[HERE + "/caf\udce9"])
    assert report.entries == {"memory": 1}
    assert msgspec.json.encode(report)


async def test_softly_it_is_validated_and_fresh_again_by_that(stage: Stage) -> None:
    await stored(stage, b"/", ETAG)
    assert (await purged(stage, urls=[HERE + "/"], soft=True)).entries == {"memory": 1}
    stage.answers(Origin(304, (ETAG,)))
    client = await stage.ask(b"/")
    assert client.body == b"old"
    assert client.account is not None
    assert client.account.decision is not None
    assert "made-stale" in [because.reason.slug for because in client.account.decision.reasons]
    assert stage.origin.asked[-1].fields.get(b"if-none-match") == b'"1"'
    assert await held(stage, b"/")


async def test_softly_it_may_still_stand_in_for_an_error(stage: Stage) -> None:
    stage.answers(Origin(200, ((b"Cache-Control", b"max-age=60, stale-if-error=60"),), (b"old",), 3))
    await stage.ask(b"/")
    await purged(stage, all=True, soft=True)
    stage.answers(Origin(503, (), (b"down",), 4))
    client = await stage.ask(b"/")
    assert (client.head.status, client.body) == (200, b"old")


async def test_softly_it_may_be_served_while_it_is_validated(stage: Stage) -> None:
    stage.answers(
        Origin(200, ((b"Cache-Control", b"max-age=60, stale-while-revalidate=60"), ETAG), (b"old",), 3)
    )
    await stage.ask(b"/")
    await purged(stage, prefixes=[HERE + "/"], soft=True)
    stage.answers(fresh(b"new", lines=[ETAG]))
    assert (await stage.ask(b"/")).body == b"old"
    await until(lambda: stage.driver.busy == 0)
    assert (await stage.ask(b"/")).body == b"new"


RACING = [
    {"urls": [HERE + "/"]},
    {"tags": ["product-1"]},
    {"prefixes": [HERE + "/"]},
    {"match": ["a.example/$"]},
    {"all": True},
]


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("wish", RACING, ids=lambda wish: next(iter(wish)))
async def test_what_was_asked_for_before_is_not_stored_as_fresh(
    stage: Stage, wish: dict[str, object], soft: bool
) -> None:
    """The head is still on its way when the purge comes."""
    head = asyncio.Event()
    answer = fresh(b"old", lines=[TAGGED])
    answer.ready = head
    stage.answers(answer)
    asking = asyncio.create_task(stage.ask(b"/"))
    await until(lambda: len(stage.origin.asked) == 1)
    await purged(stage, **wish, soft=soft)
    head.set()
    assert (await asking).body == b"old"
    assert not await held(stage, b"/")


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("wish", RACING, ids=lambda wish: next(iter(wish)))
async def test_nor_is_what_had_begun_to_arrive(stage: Stage, wish: dict[str, object], soft: bool) -> None:
    rest = asyncio.Event()
    stage.answers(fresh(b"old", rest, b"er", lines=[TAGGED], length=5))
    asking = asyncio.create_task(stage.ask(b"/"))
    await until(lambda: bool(stage.origin.arriving) and len(stage.origin.arriving[0].pieces) == 1)
    await purged(stage, **wish, soft=soft)
    rest.set()
    assert (await asking).body == b"older"
    assert not await held(stage, b"/")


@pytest.mark.parametrize("wish", RACING, ids=lambda wish: next(iter(wish)))
async def test_who_asks_afterwards_does_not_follow_who_asked_before(
    stage: Stage, wish: dict[str, object]
) -> None:
    head = asyncio.Event()
    before = fresh(b"old", lines=[TAGGED])
    before.ready = head
    stage.answers(before, fresh(b"new", lines=[TAGGED]))
    asking = asyncio.create_task(stage.ask(b"/"))
    await until(lambda: len(stage.origin.asked) == 1)
    await purged(stage, **wish)
    assert (await stage.ask(b"/")).body == b"new"
    head.set()
    assert (await asking).body == b"old"
    assert (await stage.ask(b"/")).body == b"new"


async def test_a_validation_that_was_under_way_does_not_make_it_fresh(stage: Stage) -> None:
    stage.answers(Origin(200, ((b"Cache-Control", b"max-age=60"), ETAG), (b"old",), 3))
    await stage.ask(b"/")
    answer = asyncio.Event()
    stage.answers(Origin(304, (ETAG,), ready=answer))
    validating = asyncio.create_task(stage.ask(b"/", (b"Cache-Control", b"no-cache")))
    await until(lambda: len(stage.origin.asked) == 2)
    await purged(stage, urls=[HERE + "/"], soft=True)
    answer.set()
    assert (await validating).body == b"old"
    assert not await held(stage, b"/")


async def test_a_dry_run_lets_what_is_on_its_way_be_stored(stage: Stage) -> None:
    head = asyncio.Event()
    answer = fresh(b"old")
    answer.ready = head
    stage.answers(answer)
    asking = asyncio.create_task(stage.ask(b"/"))
    await until(lambda: len(stage.origin.asked) == 1)
    await purged(stage, all=True, dry=True)
    head.set()
    await asking
    assert await held(stage, b"/")


async def test_purges_and_exchanges_at_once(stage: Stage) -> None:
    """Whatever is answered after a purge was asked for after it."""
    version = 0

    async def origin(request: object, content: object, interim: object) -> object:
        asked_at = version
        for _ in range(len(stage.origin.asked) % 7):
            await asyncio.sleep(0)
        stage.origin.answers = [fresh(b"%d" % asked_at, lines=[TAGGED])]
        return await send(request, None, interim)

    send = stage.origin.send
    stage.origin.send = origin  # type: ignore[method-assign, assignment]
    wishes = [*RACING, {"urls": [HERE + "/"], "soft": True}, {"all": True, "soft": True}]

    async def ask(number: int) -> None:
        for _ in range(number % 5):
            await asyncio.sleep(0)
        least = version
        client = await stage.serve(Client(asking(b"/")))
        assert int(client.body) >= least

    for number in range(200):
        await purged(stage, all=True)
        asked = [asyncio.create_task(ask(one)) for one in range(8)]
        for _ in range(number % 6):
            await asyncio.sleep(0)
        version += 1
        await purged(stage, **wishes[number % len(wishes)])
        floor = version
        client = await stage.serve(Client(asking(b"/")))
        assert int(client.body) >= floor
        await asyncio.gather(*asked)


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"soft": True},
        {"urls": ["/path"]},
        {"urls": ["http://"]},
        {"urls": ["ftp://a.example/"]},
        {"urls": ["http://user:secret@a.example/"]},
        {"urls": [""]},
        {"urls": [HERE + "/" + "x" * 20_000]},
        {"prefixes": ["a.example/"]},
        {"tags": [""]},
        {"tags": ["x" * 1025]},
        {"groups": ["g"]},
        {"groups": ["g"], "origin": "a.example"},
        {"urls": [HERE] * (MOST + 1)},
    ],
)
async def test_what_can_not_be_understood(stage: Stage, wish: dict[str, object]) -> None:
    await stored(stage, b"/")
    with pytest.raises(BadWish) as caught:
        await purged(stage, **wish)
    assert caught.value.status in (400, 413)
    assert "secret" not in str(caught.value)
    with pytest.raises(BadWish):
        checked(Wish(**wish))  # type: ignore[arg-type]


async def test_nothing_is_done_where_a_part_of_it_is_bad(stage: Stage) -> None:
    await stored(stage, b"/")
    with pytest.raises(BadPattern):
        await purged(stage, urls=[HERE + "/"], match=["fine", "("])
    assert await held(stage, b"/")


async def test_tags_kept_by_origin_need_one() -> None:
    with pytest.raises(BadWish, match="say of which"):
        checked(Wish(tags=["a"]), tags_by_origin=True)
    checked(Wish(tags=["a"], origin=HERE), tags_by_origin=True)


def test_reports_of_several_processes_are_one() -> None:
    one = Report([Item("tag", "a", {"memory": 2, "disk": 5}), Item("tag", "b", {"memory": 0})], False, False)
    other = Report(
        [Item("tag", "a", {"memory": 1, "disk": 5}), Item("tag", "b", {"memory": 0})], False, False
    )
    found = merged([one, other])
    assert found.entries == {"memory": 3, "disk": 5}
    assert [item.value for item in found.missing] == ["b"]
    assert msgspec.json.decode(msgspec.json.encode(found), type=Report) == found
