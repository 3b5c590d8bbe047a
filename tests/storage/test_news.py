"""What processes tell each other: seen at once, whole, and never half of it, whoever dies meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from proxy.message.errors import ConfigurationError
from proxy.storage import news as module
from proxy.storage.news import NAME, Changed, Item, News, Purged
from proxy.storage.selection import Selection

RING = 4096


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RING", RING)


@pytest.fixture
def pair() -> Iterator[tuple[News, News]]:
    one = News.unnamed()
    other = News.of(one.fileno())
    yield one, other
    one.close()
    other.close()


def test_others_hear_what_one_tells_and_it_does_not(pair: tuple[News, News]) -> None:
    one, other = pair
    item = Purged(Selection(keys=(b"a",), labels=(b"l",), patterns=(b"x+",)), 12.5)
    before = other.number
    one.tell(item)
    one.tell(Changed((b"b", b"")))
    assert other.number != before
    assert other.hear() == [item, Changed((b"b", b""))]
    assert one.hear() == other.hear() == []


def test_two_who_tell_at_once_hear_each_other(pair: tuple[News, News]) -> None:
    one, other = pair
    one.tell(Changed((b"1",)))
    other.tell(Changed((b"2",)))
    one.tell(Changed((b"3",)))
    assert one.hear() == [Changed((b"2",))]
    assert other.hear() == [Changed((b"1",)), Changed((b"3",))]


def test_who_comes_later_hears_what_is_told_from_then_on(pair: tuple[News, News]) -> None:
    one, _ = pair
    one.tell(Changed((b"1",)))
    later = News.of(one.fileno())
    one.tell(Changed((b"2",)))
    assert later.hear() == [Changed((b"2",))]
    later.close()


@pytest.mark.usefixtures("_small")
def test_who_falls_behind_supposes_that_all_has_changed() -> None:
    one = News.unnamed()
    other = News.of(one.fileno())
    for number in range(RING):
        one.tell(Changed((b"%d" % number,)))
    assert other.hear() is None
    assert other.hear() == []
    one.tell(Changed((b"a",)))
    assert other.hear() == [Changed((b"a",))]
    one.close()
    other.close()


def test_what_is_too_long_to_tell_is_everything(pair: tuple[News, News]) -> None:
    one, other = pair
    one.tell(Purged(Selection(keys=tuple(b"%d" % number for number in range(100_000)))))
    assert other.hear() is None
    one.tell(None)
    assert other.hear() is None
    assert one.hear() == []


def test_all_who_use_a_folder_hear_each_other(tmp_path: Path) -> None:
    one, other = News.at(tmp_path), News.at(tmp_path)
    one.tell(Changed((b"a",)))
    assert other.hear() == [Changed((b"a",))]
    one.close()
    one = News.at(tmp_path)
    other.tell(Changed((b"b",)))
    assert one.hear() == [Changed((b"b",))]
    one.close()
    other.close()
    one.close()


def test_a_file_that_was_not_begun_to_the_end_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"half a header")
    one, other = News.at(tmp_path), News.at(tmp_path)
    one.tell(Changed((b"a",)))
    assert other.hear() == [Changed((b"a",))]
    one.close()
    other.close()


def test_what_is_overwritten_by_others_is_everything(tmp_path: Path) -> None:
    one, other = News.at(tmp_path), News.at(tmp_path)
    number = one.number
    one.tell(Changed((b"a",)))
    with open(tmp_path / NAME, "r+b") as file:
        file.seek(64 + number % module.RING + 18)
        file.write(b"\xff\xff")
    assert other.hear() is None
    one.close()
    other.close()


def test_a_folder_that_is_none_is_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can't share news"):
        News.at(tmp_path / "nowhere")


class Ring(RuleBasedStateMachine):
    """Several who tell and hear over a small ring, against a plain list."""

    def __init__(self) -> None:
        super().__init__()
        self.before = module.RING
        module.RING = 512
        first = News.unnamed()
        self.all = [first, News.of(first.fileno()), News.of(first.fileno())]
        self.told: list[list[Item]] = [[] for _ in self.all]
        module.RING = self.before

    @rule(who=st.integers(0, 2), keys=st.lists(st.binary(max_size=40), max_size=3).map(tuple))
    def tell(self, who: int, keys: tuple[bytes, ...]) -> None:
        item = Changed(keys)
        self.all[who].tell(item)
        for index, waiting in enumerate(self.told):
            if index != who:
                waiting.append(item)

    @rule(who=st.integers(0, 2))
    def hear(self, who: int) -> None:
        waiting, self.told[who] = self.told[who], []
        heard = self.all[who].hear()
        if heard is None:
            assert sum(16 + len(key) + 4 for item in waiting for key in (item.keys or (b"",))) > 200
        else:
            assert heard == waiting

    def teardown(self) -> None:
        for news in self.all:
            news.close()


Ring.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestRing = Ring.TestCase

TELLER = """
import sys
from proxy.storage.news import Changed, News
news, name = News.of(int(sys.argv[1])), sys.argv[2].encode()
print("begun", flush=True)
number = 0
while True:
    news.tell(Changed((b"%b-%d" % (name, number), b"x" * (number % 97))))
    number += 1
"""


def test_processes_that_are_killed_while_they_tell_leave_it_whole() -> None:
    news = News.unnamed()
    heard: dict[bytes, list[int]] = {}
    lost = 0

    def listen() -> None:
        nonlocal lost
        items = news.hear()
        if items is None:
            lost += 1
            heard.clear()
        for item in items or ():
            assert isinstance(item, Changed)
            name, number = item.keys[0].split(b"-")
            assert item.keys[1] == b"x" * (int(number) % 97)
            heard.setdefault(name, []).append(int(number))

    for generation in range(2):
        tellers = [_teller(news, f"{generation}{index}") for index in range(2)]
        for _ in range(200):
            listen()
            os.sched_yield()
        for teller in tellers:
            teller.send_signal(signal.SIGKILL)
            teller.wait()
            assert teller.stdout is not None
            teller.stdout.close()
        listen()
        after = News.of(news.fileno())
        after.tell(Changed((b"last-0", b"")))
        assert news.hear() == [Changed((b"last-0", b""))]
        after.close()
    for numbers in heard.values():
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert heard or lost
    news.close()


def _teller(news: News, name: str) -> subprocess.Popen[bytes]:
    teller = subprocess.Popen(
        [sys.executable, "-c", TELLER, str(news.fileno()), name],
        pass_fds=[news.fileno()],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert teller.stdout is not None
    assert teller.stdout.readline() == b"begun\n"
    return teller


def test_what_somebody_begins_to_write_over_is_everything(pair: tuple[News, News]) -> None:
    one, other = pair
    one.tell(Changed((b"1",)))
    other._numbers[module._BEGUN] += other._size
    assert other.hear() is None
    one.tell(Changed((b"2",)))
    other._numbers[module._BEGUN] = other.number
    assert other.hear() == [Changed((b"2",))]


def test_a_number_that_went_back_is_everything(pair: tuple[News, News]) -> None:
    one, other = pair
    other._numbers[module._TOLD] -= 8
    assert other.hear() is None
    assert other.hear() == []
    assert one.number == other.number


def test_a_process_that_was_forked_is_heard_by_the_one_it_was_forked_from(
    pair: tuple[News, News], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = pair
    parent = os.getpid()
    monkeypatch.setattr(module.os, "getpid", lambda: parent + 1)
    one.tell(Changed((b"of the child",)))
    monkeypatch.undo()
    one._at = other._at
    assert one.hear() == [Changed((b"of the child",))]


def test_that_everything_may_have_changed_can_be_told(pair: tuple[News, News]) -> None:
    one, other = pair
    one.tell(Changed((b"1",)))
    one.tell(None)
    assert other.hear() is None


def test_the_number_moves_when_all_is_written(
    pair: tuple[News, News], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = pair
    before, seen, write = other.number, [], News._write

    def looked(self: News, place: int, data: bytes) -> None:
        write(self, place, data)
        seen.append(other.number)

    monkeypatch.setattr(News, "_write", looked)
    one.tell(Changed((b"1",)))
    assert seen == [before]
    assert other.number > before


def test_a_file_that_is_begun_later_has_other_numbers(tmp_path: Path) -> None:
    """Nobody who knew the earlier one takes a number of this for one of that."""
    before = News.at(tmp_path)
    before.tell(Changed((b"1",)))
    (tmp_path / NAME).unlink()
    after = News.at(tmp_path)
    assert after.number > before.number
    before.close()
    after.close()
