"""What to do next: every case of it."""

from __future__ import annotations

import pytest

from proxy.message.fields import Fields
from proxy.upstream.planner import Step, idle_time, may_retry, next_step


@pytest.mark.parametrize(
    ("idle", "opened", "waiting", "step"),
    [
        (0, 0, 0, Step.OPEN),
        (1, 1, 0, Step.REUSE),
        (1, 3, 0, Step.REUSE),
        (0, 2, 0, Step.OPEN),
        (0, 3, 0, Step.WAIT),
        (0, 3, 1, Step.WAIT),
        (0, 3, 2, Step.REFUSE),
        (0, 2, 1, Step.WAIT),  # whoever came first goes first
        (1, 3, 1, Step.WAIT),
    ],
)
def test_the_next_step_for_a_request(idle, opened, waiting, step):
    assert next_step(idle=idle, opened=opened, waiting=waiting, connections=3, queue=2) is step


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE", b"QUERY"])
def test_idempotent_requests_are_sent_again_when_an_old_connection_fails(method):
    assert may_retry(method, reused=True, answered=False, sent=True, content_read=False)


@pytest.mark.parametrize(
    ("method", "changes"),
    [
        (b"POST", {}),
        (b"PATCH", {}),
        (b"get", {}),
        (b"GET", {"reused": False}),
        (b"GET", {"answered": True}),
        (b"PUT", {"content_read": True}),
    ],
)
def test_others_are_not(method, changes):
    state = {"reused": True, "answered": False, "sent": True, "content_read": False} | changes
    assert not may_retry(method, **state)


def test_what_was_never_sent_may_be_sent_whatever_it_is():
    assert may_retry(b"POST", reused=True, answered=False, sent=False, content_read=False)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"timeout=5", 4),
        (b"timeout=5, max=100", 4),
        (b"max=100,Timeout = 20", 19),
        (b'timeout="7"', 6),
        (b"timeout=1", 0.5),
        (b"timeout=0", 0),
        (b"timeout=600", 50),
        (b"timeout=x", 50),
        (b"max=3", 50),
        (b"xtimeout=3", 50),
    ],
)
def test_a_connection_is_idle_for_less_time_than_the_server_gives_it(value, seconds):
    assert idle_time(Fields([(b"Keep-Alive", value)]), 50.0) == seconds


def test_without_a_word_of_the_server_the_setting_holds():
    assert idle_time(Fields(), 50.0) == 50.0
