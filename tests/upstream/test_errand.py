"""Requests that are sent at once: what is plain is answered at a glance, all else goes on as usual."""

from __future__ import annotations

import asyncio

import pytest

from proxy.message.fields import Fields
from proxy.message.request import Request
from proxy.upstream.contract import BrokenResponse, TooSlow

ASKED = Request(b"GET", b"/", Fields([(b"Host", b"origin.example")]))
HEAD = b"GET / HTTP/1.1\r\nHost: origin.example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PLAIN = b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\nplain"


class Sender:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.whole = self.ahead = self.errand = None
        self._told = asyncio.Event()

    def request(self) -> Request:
        return ASKED

    def answered(self, head, content, first_byte):
        self.whole = self.errand.whole(head, content, first_byte)
        self._told.set()

    def handed_over(self, ahead):
        self.ahead = ahead
        self._told.set()

    async def told(self) -> Sender:
        await asyncio.wait_for(self._told.wait(), 5)
        return self


async def ready(kit, *answers):
    """A pool with an idle connection to an origin that answers so, and then closes."""

    async def script(conversation):
        for answer in (OK, *answers):
            await conversation.request()
            await conversation.say(answer)

    client, origin = await kit.talk(script)
    await client.fetch()
    return client.pool, origin


def sent(pool, *, to_head=False):
    sender = Sender()
    errand = sender.errand = pool.send_now(HEAD, sender, to_head=to_head)
    return sender, errand


async def no_interim(_):
    raise AssertionError("no interim response was expected")


async def test_a_plain_response_comes_whole_and_its_connection_serves_again(kit):
    pool, origin = await ready(kit, PLAIN, PLAIN)
    for _ in range(2):
        whole = (await sent(pool)[0].told()).whole
        assert (whole.head.status, whole.content, whole.length) == (200, b"plain", 5)
        assert (whole.timing.reused, whole.timing.attempts) == (True, 1)
    assert origin.connections == 1
    assert origin.requests[1:] == [HEAD, HEAD]


async def test_a_response_to_head_has_no_content(kit):
    pool, _ = await ready(kit, PLAIN.removesuffix(b"plain"))
    whole = (await sent(pool, to_head=True)[0].told()).whole
    assert (whole.content, whole.length) == (b"", 0)


async def test_it_is_an_upstream_response_too(kit):
    pool, _ = await ready(kit, PLAIN)
    whole = (await sent(pool)[0].told()).whole
    ahead = whole.ahead(ASKED)
    response = await ahead.response(no_interim)
    assert (ahead.request, ahead.sent) == (ASKED, whole.sent)
    assert (await response.read(), await response.read()) == (b"plain", b"")
    assert (response.whole, len(response.trailers)) == (True, 0)
    with pytest.raises(LookupError):
        response.tunnel()


async def test_without_an_idle_connection_nothing_is_sent(kit):
    client, origin = await kit.talk(kit.answering(OK))
    assert sent(client.pool)[1] is None
    assert origin.requests == []


async def test_a_pool_that_is_closed_sends_nothing(kit):
    pool, _ = await ready(kit)
    await pool.close()
    assert sent(pool)[1] is None


async def test_an_idle_connection_with_something_to_read_is_left_to_the_usual_way(kit):
    async def script(conversation):
        await conversation.request()
        await conversation.say(OK)
        await conversation.origin.go.wait()
        await conversation.say(b"stray")
        conversation.origin.said.set()

    client, origin = await kit.talk(script)
    origin.go, origin.said = asyncio.Event(), asyncio.Event()
    await client.fetch()
    pool = client.pool
    connection = next(iter(pool._idle))
    connection._transport.pause_reading()
    origin.go.set()
    await origin.said.wait()
    while connection.quiet:  # noqa: ASYNC110 - nobody is told of it
        await asyncio.sleep(0)
    assert sent(pool)[1] is None
    connection._transport.resume_reading()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nplain\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nplain",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nplain",
        b"HTTP/1.1 200 OK\r\n\r\nplain",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain and more",
    ],
)
async def test_what_is_not_plain_goes_on_in_the_usual_way(kit, answer):
    pool, _ = await ready(kit, answer)
    ahead = (await sent(pool)[0].told()).ahead
    response = await ahead.response(no_interim)
    assert response.head.status == 200
    assert await kit.read_all(response) == b"plain"


async def test_interim_responses_are_passed_on(kit):
    pool, _ = await ready(kit, b"HTTP/1.1 103 Early Hints\r\n\r\n" + PLAIN)
    seen = []

    async def interim(response):
        seen.append(response.status)

    ahead = (await sent(pool)[0].told()).ahead
    response = await ahead.response(interim)
    assert (seen, response.head.status) == ([103], 200)
    response.close()


@pytest.mark.parametrize("cut", [1, 20, len(PLAIN) - 5, len(PLAIN) - 1])
async def test_a_response_in_two_pieces_is_the_same(kit, cut):
    async def script(conversation):
        await conversation.request()
        await conversation.say(OK)
        await conversation.request()
        await conversation.say(PLAIN[:cut], PLAIN[cut:])
        await conversation.closed()

    client, _ = await kit.talk(script)
    await client.fetch()
    sender, _ = sent(client.pool)
    await sender.told()
    if sender.whole is not None:
        assert sender.whole.content == b"plain"
    else:
        assert await kit.read_all(await sender.ahead.response(no_interim)) == b"plain"


async def test_what_lacks_its_end_breaks_off(kit):
    pool, _ = await ready(kit, PLAIN[:-2])
    ahead = (await sent(pool)[0].told()).ahead
    response = await ahead.response(no_interim)
    assert response.head.status == 200
    with pytest.raises(BrokenResponse):
        await kit.read_all(response)


async def test_a_connection_that_ends_without_an_answer_is_tried_anew(kit):
    async def script(conversation):
        await conversation.request()
        await conversation.say(OK)
        await conversation.request()
        if conversation.origin.connections > 1:
            await conversation.say(PLAIN)

    client, origin = await kit.talk(script)
    await client.fetch()
    ahead = (await sent(client.pool)[0].told()).ahead

    async def first_answer():
        return await ahead.response(no_interim)

    response = await first_answer()
    assert response.timing.attempts == 2
    assert origin.connections == 2
    response.close()


async def test_it_can_be_handed_over_before_anything_comes(kit):
    pool, _ = await ready(kit, PLAIN)
    sender, errand = sent(pool)
    errand.hand_over()
    errand.hand_over()
    response = await sender.ahead.response(no_interim)
    assert await kit.read_all(response) == b"plain"
    assert sender.whole is None


async def test_what_was_handed_over_and_is_not_wanted_takes_its_connection_along(kit):
    pool, _ = await ready(kit, PLAIN)
    sender, errand = sent(pool)
    errand.hand_over()
    sender.ahead.close()
    assert sent(pool)[1] is None


async def test_given_up_it_tells_nothing(kit):
    pool, _ = await ready(kit, PLAIN)
    sender, errand = sent(pool)
    errand.give_up()
    errand.give_up()
    errand.hand_over()
    assert (sender.whole, sender.ahead) == (None, None)
    assert sent(pool)[1] is None


async def test_the_time_limit_counts_from_the_sending(kit):
    async def script(conversation):
        await conversation.request()
        await conversation.say(OK)
        await conversation.closed()

    client, _ = await kit.talk(script, first_byte=0.05)
    await client.fetch()
    ahead = (await sent(client.pool)[0].told()).ahead
    with pytest.raises(TooSlow, match=r"0\.05 s"):
        await ahead.response(no_interim)
