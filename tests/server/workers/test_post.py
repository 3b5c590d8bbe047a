"""Messages between the parent and its processes."""

from __future__ import annotations

import os
import tempfile

import pytest

from proxy.server.workers.post import MOST_FILES, Lend, Message, Post, Servers


def received(post: Post) -> tuple[Message, list[int]]:
    told = post.receive()
    assert told is not None
    return told


@pytest.mark.parametrize("number", [1, 1500, 2500, 20_000])  # 30,000 bytes a thousand
def test_however_many_servers_arrive_whole(number: int) -> None:
    one, other = Post.pair()
    told = Servers(tuple((f"http://server-{place:06}.test:8000", 1.0) for place in range(number)))
    assert one.send(told)
    assert one.send(Lend(3))
    assert received(other) == (told, [])
    assert received(other) == (Lend(3), [])
    with pytest.raises(BlockingIOError):
        other.receive()
    one.close()
    assert other.receive() is None
    other.close()


def test_as_many_files_as_may_be_come_with_a_message_of_any_size() -> None:
    one, other = Post.pair()
    with tempfile.TemporaryFile() as file:
        for told in (Lend(1), Servers((("http://" + "x" * 100_000, 1.0),))):
            assert one.send(told, [file.fileno()] * MOST_FILES)
            message, files = received(other)
            assert message == told
            assert all(os.path.sameopenfile(each, file.fileno()) for each in files)
            assert len(files) == MOST_FILES
            for each in files:
                os.close(each)
    one.close()
    other.close()
