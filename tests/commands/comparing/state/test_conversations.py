"""What each style's shopper says for the same wants."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from proxy.commands.comparing.state.shopping import by_url
from proxy.commands.comparing.state.shopping.by_cookie import ByCookie, ByToken
from proxy.commands.comparing.state.shopping.by_url import ByUrl
from proxy.commands.comparing.state.shopping.conversation import Conversation, Went
from proxy.commands.comparing.state.shopping.line import Answer, Message

JSON = ("content-type", "application/json")
PROBLEM = ("content-type", "application/problem+json")
CHANGE = {"href": "/carts/abc/items/P0003", "headers": {"If-Match": '"seen"'}}
CART = {
    "version": 4,
    "items": [{"sku": "P0003", "quantity": 2, "actions": {"change": CHANGE}}],
    "actions": {"change": {**CHANGE, "headers": {"If-Match": '"newer"'}}},
}


class Shop:
    """Answers with what it is given, in turn; `tries` says how often each is asked for first."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[Message] = []
        self.again = 0

    async def deliver(self, make: Callable[[], Message], take: Callable[[Answer], None]) -> Answer:
        for _ in range(self.again):
            self.asked.append(make())
        self.asked.append(make())
        answer = self.answers.pop(0)
        take(answer)
        return answer


def answer(status: int, document: object = CART, *fields: tuple[str, str]) -> Answer:
    return Answer(status, (JSON, *fields), msgspec.json.encode(document))


def problem(status: int, kind: str) -> Answer:
    return Answer(status, (PROBLEM,), msgspec.json.encode({"type": f"/problems#{kind}"}))


def field(message: Message, name: str) -> str:
    return dict(message.fields).get(name, "")


async def test_a_cookie_is_sent_back_until_it_is_taken_back() -> None:
    shop = Shop(
        answer(200, {}, ("set-cookie", "sid=x; Path=/")), answer(200), answer(200, {}, ("set-cookie", "sid="))
    )
    talk = ByCookie(shop.deliver)
    await talk.enter()
    assert await talk.cart() == {"P0003": 2}
    await talk.enter()
    assert [field(one, "Cookie") for one in shop.asked] == ["", "sid=x", "sid=x"]
    assert [one.state for one in shop.asked] == [0, len("Cookie: sid=x\r\n"), len("Cookie: sid=x\r\n")]
    assert talk.jar == {}


@pytest.mark.parametrize(("kind", "keyed"), [(ByCookie, False), (ByToken, True), (ByUrl, True)])
async def test_only_what_may_be_repeated_says_so(kind: type[Conversation], keyed: bool) -> None:
    shop = Shop(answer(201, CART, ("location", "/carts/abc")))
    shop.again = 2
    talk = kind(shop.deliver)
    assert await talk.add("P0003", 2) is Went.DONE
    keys = {field(one, "Idempotency-Key") for one in shop.asked}
    assert len(keys) == 1, "one step has one key, however often it is asked for"
    assert bool(keys.pop()) is keyed
    assert talk.repeated


@pytest.mark.parametrize("step", ["add", "order"])
async def test_what_a_killed_replica_had_begun_is_waited_for(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_url, "_AGAIN", 0.0)
    begun = problem(409, "idempotency-in-progress")
    shop = Shop(begun, begun, answer(201, CART, ("location", "/carts/abc")))
    talk = ByUrl(shop.deliver)
    assert await (talk.add("P0003", 2) if step == "add" else talk.order("mine")) is Went.DONE
    assert len(shop.asked) == 3
    assert len({field(one, "Idempotency-Key") for one in shop.asked}) == 1


async def test_a_cart_with_a_url_is_named_by_it_and_needs_no_cookie() -> None:
    shop = Shop(answer(201, CART, ("location", "/carts/abc")), answer(200), answer(200), answer(201))
    talk = ByUrl(shop.deliver)
    await talk.add("P0003", 2)
    assert await talk.change("P0003", 3) is Went.DONE
    await talk.log_in("shopper-1", "glass-1")
    assert await talk.order("mine") is Went.DONE
    assert [(one.method, one.target) for one in shop.asked] == [
        ("POST", "/carts"),
        ("PUT", "/carts/abc/items/P0003"),
        ("GET", "/accounts/shopper-1"),
        ("POST", "/orders/"),
    ]
    assert field(shop.asked[1], "If-Match") == '"seen"'
    assert field(shop.asked[3], "Authorization").startswith("Basic ")
    sent = msgspec.json.decode(shop.asked[3].content)
    assert sent == {"cart": "/carts/abc", "version": 4, "reference": "mine"}
    assert shop.asked[3].state > len("abc")


async def test_a_change_that_was_made_by_the_first_try_is_found_out() -> None:
    shop = Shop(answer(201, CART, ("location", "/carts/abc")), Answer(412), answer(200))
    talk = ByUrl(shop.deliver)
    await talk.add("P0003", 2)
    shop.again = 1
    assert await talk.change("P0003", 2) is Went.DONE


@pytest.mark.parametrize(
    ("given", "went"),
    [
        (problem(403, "session-unknown"), Went.GONE),
        (problem(404, "no-such-cart"), Went.GONE),
        (problem(403, "log-in-first"), Went.STRANGER),
        (problem(409, "cart-empty"), Went.REFUSED),
        (Answer(failure="no answer in time"), Went.GIVEN_UP),
    ],
)
async def test_what_an_answer_means(given: Answer, went: Went) -> None:
    assert await ByCookie(Shop(given).deliver).cart() is went


async def test_a_list_of_orders_is_read_page_after_page() -> None:
    first = {"orders": [{"reference": "a"}], "links": {"next": {"href": "/orders?page=2"}}}
    shop = Shop(answer(200, first), answer(200, {"orders": [{"reference": "b"}], "links": {}}))
    assert await ByCookie(shop.deliver).orders() == ["a", "b"]


async def test_whoever_leaves_comes_back_as_somebody_else() -> None:
    shop = Shop(answer(201, CART, ("location", "/carts/abc"), ("set-cookie", "a=b")))
    talk = ByUrl(shop.deliver)
    await talk.add("P0003", 2)
    talk.leave()
    assert talk.jar == {}
    assert await talk.cart() == {}
