"""The parent's eye on processes: what is done about those that are not heard of."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator

import pytest

from proxy.server.workers.job import TO_START, Job
from proxy.server.workers.post import Lend, Message, Post, Return
from proxy.server.workers.watch import AWAY, BEAT, Watch

PATIENCE = 30.0


class Crew:
    """Workers that are said to run, each with a socket; `killed` are those that were."""

    def __init__(self, number: int, patience: float = PATIENCE) -> None:
        self.sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
        self.posts: list[Post] = []
        self.jobs: list[Job] = []
        for place, own in enumerate(self.sockets):
            job = Job(f"worker {place + 1}", lambda _: None, place, sockets=(own,))
            self.jobs.append(job)
            self.posts.append(self.up(job, serial=place + 1))
        self.watch = Watch(self.jobs, patience, 0.0)
        self.now = 0.0

    def up(self, job: Job, serial: int, now: float = 0.0) -> Post:
        """A process takes the place."""
        if job.post is not None:
            job.post.close()
        job.post, theirs = Post.pair()
        job.process, job.serial, job.ready = 1_000_000 + serial, serial, True
        job.started = job.heard = now
        return theirs

    def after(self, seconds: float, *heard: int) -> None:
        """So many seconds pass, in which only those in these places give signs."""
        for _ in range(round(seconds * 2)):
            self.now += 0.5
            for place in heard:
                self.jobs[place].heard = self.now
            self.watch.look(self.now)

    def told(self, place: int) -> list[tuple[Message, int]]:
        """What a worker was told, and how many files came with it."""
        found: list[tuple[Message, int]] = []
        while True:
            try:
                received = self.posts[place].receive()
            except BlockingIOError:
                return found
            assert received is not None
            message, files = received
            for file in files:
                assert os.path.sameopenfile(file, self.sockets[message.worker].fileno())  # type: ignore[union-attr]
                os.close(file)
            found.append((message, len(files)))

    def close(self) -> None:
        for own in self.sockets:
            own.close()
        for post in (*self.posts, *(job.post for job in self.jobs)):
            assert post is not None
            post.close()


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(
        "proxy.server.workers.watch.os.kill", lambda process, number: found.append((process, number))
    )
    return found


@pytest.fixture
def crew(killed: list[tuple[int, int]]) -> Iterator[Crew]:
    made = Crew(3)
    yield made
    made.close()


def test_who_gives_signs_is_left_alone(crew: Crew, killed: list[tuple[int, int]]) -> None:
    crew.after(300.0, 0, 1, 2)
    assert killed == []
    assert [crew.told(place) for place in range(3)] == [[], [], []]


def test_who_gives_none_is_ended_once(crew: Crew, killed: list[tuple[int, int]]) -> None:
    crew.after(PATIENCE, 1, 2)
    assert killed == []
    crew.after(5.0, 1, 2)
    assert killed == [(1_000_001, signal.SIGKILL)]
    assert crew.jobs[0].silence == PATIENCE + 0.5


def test_one_that_starts_has_longer(crew: Crew, killed: list[tuple[int, int]]) -> None:
    crew.jobs[0].ready = False
    crew.after(TO_START, 1, 2)
    assert killed == []
    crew.after(0.5, 1, 2)
    assert killed == [(1_000_001, signal.SIGKILL)]


def test_without_patience_nobody_is_ended(killed: list[tuple[int, int]]) -> None:
    crew = Crew(2, patience=0.0)
    crew.after(300.0, 1)
    assert killed == []
    crew.close()


def test_nobody_is_expected_to_give_signs_more_often_than_they_come(killed: list[tuple[int, int]]) -> None:
    crew = Crew(2, patience=0.001)
    crew.after(10.0, 0, 1)
    crew.after(BEAT, 1)
    assert killed == []
    crew.close()


def test_a_parent_that_was_held_up_itself_ends_nobody(crew: Crew, killed: list[tuple[int, int]]) -> None:
    crew.after(10.0, 0, 1, 2)
    crew.now += 1000.0
    crew.after(PATIENCE - 0.5, 0)
    assert killed == []
    assert all(job.heard <= crew.now for job in crew.jobs)


def test_another_accepts_for_who_is_away_until_it_is_back(crew: Crew) -> None:
    crew.after(AWAY, 1, 2)
    assert crew.told(1) == []
    crew.after(5.0, 1, 2)
    assert crew.told(1) == [(Lend(0), 1)]
    crew.after(1.0, 0, 1, 2)
    assert crew.told(1) == [(Return(0), 0)]
    assert crew.told(2) == crew.told(0) == []


def test_also_while_nobody_has_the_place(crew: Crew) -> None:
    crew.jobs[0].process = 0
    crew.after(AWAY + 0.5, 1, 2)
    assert crew.told(1) == [(Lend(0), 1)]
    crew.jobs[0].ready = False
    crew.after(1.0, 1, 2)
    assert crew.told(1) == []
    crew.posts.append(crew.up(crew.jobs[0], serial=4, now=crew.now))
    crew.after(0.5, 0, 1, 2)
    assert crew.told(1) == [(Return(0), 0)]


def test_a_third_one_accepts_when_that_one_is_away_too(crew: Crew) -> None:
    crew.after(AWAY + 0.5, 1, 2)
    assert crew.told(1) == [(Lend(0), 1)]
    crew.after(AWAY + 0.5, 2)
    assert crew.told(1) == [(Return(0), 0)]
    assert crew.told(2) == [(Lend(0), 1), (Lend(1), 1)]


def test_who_took_the_place_of_that_one_is_asked_anew(crew: Crew) -> None:
    crew.after(AWAY + 0.5, 1, 2)
    crew.posts[1].close()
    crew.posts[1] = crew.up(crew.jobs[1], serial=7, now=crew.now)
    crew.after(0.5, 1, 2)
    assert crew.told(1) == [(Lend(0), 1)]


def test_nobody_waits_for_one_that_is_leaving_or_starting(crew: Crew) -> None:
    crew.jobs[0].leaving = True
    crew.after(0.5, 0, 1, 2)
    assert crew.told(1) == [(Lend(0), 1)]
    crew.jobs[1].leaving = True
    crew.after(0.5, 0, 1, 2)
    assert crew.told(1) == [(Return(0), 0)]
    assert crew.told(2) == [(Lend(0), 1), (Lend(1), 1)]
    for job in crew.jobs[:2]:
        job.leaving, job.ready = False, False
    crew.after(0.5, 0, 1, 2)
    assert crew.told(2) == []
    for job in crew.jobs[:2]:
        job.ready = True
    crew.after(0.5, 0, 1, 2)
    assert crew.told(2) == [(Return(0), 0), (Return(1), 0)]
