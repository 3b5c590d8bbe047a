"""Signals that end a comparison: never in the middle of starting something, and only once."""

from __future__ import annotations

import os
import signal

import pytest

from proxy.commands.comparing.interruption import ending, unbroken


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_with_its_number(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as left, ending():
        os.kill(os.getpid(), number)
    assert left.value.code == 128 + number
    assert signal.getsignal(number) is before


def test_what_must_not_be_broken_off_is_finished_first() -> None:
    done = []

    def work() -> None:
        with ending():
            with unbroken(), unbroken():
                os.kill(os.getpid(), signal.SIGTERM)
                done.append("the first")
            done.append("never")

    with pytest.raises(SystemExit) as left:
        work()
    assert left.value.code == 128 + signal.SIGTERM
    assert done == ["the first"]


def test_while_everything_is_cleaned_up_a_second_signal_changes_nothing() -> None:
    cleaned = []

    def work() -> None:
        with ending():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)
                os.kill(os.getpid(), signal.SIGINT)
                cleaned.append(True)

    with pytest.raises(SystemExit):
        work()
    assert cleaned == [True]


def test_without_a_signal_nothing_happens() -> None:
    with ending(), unbroken():
        pass
