"""Totals count every exchange once; the last five minutes second by second; a memory that does not grow."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.caching.decision import Because, Decision, Outcome, Reason
from proxy.message.fields import Fields
from proxy.message.response import Response
from proxy.server.admin import figures as figures_module
from proxy.server.admin import metrics, recent
from proxy.server.admin.figures import KINDS, SECONDS, Figures
from proxy.server.admin.histogram import BOUNDS, Histogram, empty, percentile
from proxy.server.admin.recent import KEPT, KEPT_LARGE, WAITING, WATCHERS, Recent, TooManyWatchers
from proxy.visibility.account import Account

NOW = 1_700_000_000.0


def account(outcome: Outcome | None = Outcome.HIT, *, slug: str = "fresh", **facts: Any) -> Account:
    """An exchange that ended a quarter of a second after `NOW` unless `facts` say otherwise."""
    reasons = (Because(Reason(slug, "RFC 9111 §4.2", "One sentence.")),)
    forward = facts.pop("forward", None)
    decision = Decision(outcome, reasons, forward=forward) if outcome else None
    known: dict[str, Any] = {
        "id": "a",
        "started": NOW,
        "client": "127.0.0.1:1",
        "duration": 0.25,
        "response": Response(facts.pop("status", 200)),
        "response_bytes": 100,
    }
    return Account(decision=decision, **(known | facts))


def counted(*accounts: Account) -> Figures:
    figures = Figures(NOW - 10)
    for one in accounts:
        figures.add(one)
    return figures


def test_what_a_snapshot_tells() -> None:
    figures = Figures(NOW - 10, in_flight=lambda: 3, connections=lambda: 7)
    figures.add(account(Outcome.HIT, response_bytes=1000, request_bytes=50))
    figures.add(
        account(
            Outcome.FORWARDED,
            slug="nothing-stored",
            forward="uri-miss",
            status=404,
            attempts=2,
            upstream_first_byte=0.2,
            response_bytes=10,
        )
    )
    figures.add(account(Outcome.FAILED, slug="unreachable", forward="uri-miss", status=502, attempts=1))
    told = figures.snapshot(NOW + 1)

    assert told["uptime"] == 11
    assert (told["in_flight"], told["connections"]) == (3, 7)
    exchanges = told["exchanges"]
    assert exchanges["total"] == 3
    assert exchanges["errors"] == 1
    assert exchanges["by_outcome"] == dict.fromkeys(Outcome, 0) | {"hit": 1, "forwarded": 1, "failed": 1}
    assert exchanges["by_status"] == {"2xx": 1, "4xx": 1, "5xx": 1}
    assert exchanges["by_forward"] == {"uri-miss": 2}
    assert exchanges["by_reason"] == {"fresh": 1, "nothing-stored": 1, "unreachable": 1}
    assert exchanges["by_source"] == {"cache": 1, "upstream": 1, "own": 1}
    assert told["bytes"] == {"received": 50, "sent": {"cache": 1000, "upstream": 10, "own": 100}}
    assert told["upstream"]["requests"] == 3
    assert told["upstream"]["latency"]["count"] == 1
    assert told["latency"]["sum"] == 0.75


@pytest.mark.parametrize("outcome", [Outcome.HIT, Outcome.STALE, Outcome.VALIDATED])
def test_what_was_stored_comes_from_the_cache_even_when_the_origin_was_asked(outcome: Outcome) -> None:
    told = counted(account(outcome)).snapshot(NOW + 1)
    assert told["exchanges"]["by_source"] == {"cache": 1, "upstream": 0, "own": 0}


def test_a_client_that_did_not_get_all_of_it_is_an_error_and_counted_once() -> None:
    told = counted(account(complete=False, error="the response broke off")).snapshot(NOW + 1)
    assert told["exchanges"]["errors"] == 1
    assert sum(told["seconds"]["errors"]) == 1


def test_a_request_that_was_refused_is_no_error_of_the_proxy() -> None:
    told = counted(account(Outcome.REFUSED, status=400, error="not a field line")).snapshot(NOW + 1)
    assert told["exchanges"]["errors"] == 0


def test_what_could_not_be_read_as_a_request_is_counted_too() -> None:
    told = counted(account(None, response=None, duration=None)).snapshot(NOW + 1)
    assert told["exchanges"]["total"] == 1
    assert told["exchanges"]["by_outcome"]["none"] == 1
    assert told["exchanges"]["by_status"] == {"none": 1}
    assert told["latency"]["count"] == 0


@pytest.mark.parametrize(
    ("status", "named"), [(101, "1xx"), (304, "3xx"), (599, "5xx"), (600, "other"), (999, "other")]
)
def test_status_codes_are_told_by_their_class(status: int, named: str) -> None:
    assert counted(account(status=status)).snapshot(NOW + 1)["exchanges"]["by_status"] == {named: 1}


def test_an_exchange_belongs_to_the_second_in_which_it_ended() -> None:
    figures = counted(
        account(started=NOW - 3, duration=2.5), account(Outcome.FORWARDED, started=NOW, attempts=1)
    )
    seconds = figures.snapshot(NOW + 0.9)["seconds"]
    assert seconds["last"] == NOW
    assert len(seconds["cache"]) == len(seconds["origin"]) == SECONDS
    assert seconds["cache"][-2:] == [1, 0]
    assert seconds["upstream"][-2:] == [0, 1]
    assert seconds["origin"][-2:] == [0, 1]
    assert seconds["upstream_bytes"][-1] == 100


def test_after_five_minutes_a_second_is_forgotten_but_not_its_total() -> None:
    figures = counted(account())
    assert sum(figures.snapshot(NOW + SECONDS - 1)["seconds"]["cache"]) == 1
    later = figures.snapshot(NOW + SECONDS)
    assert sum(later["seconds"]["cache"]) == 0
    assert later["exchanges"]["total"] == 1
    figures.add(account(started=NOW + SECONDS))  # takes the same place in the ring
    assert sum(figures.snapshot(NOW + SECONDS)["seconds"]["cache"]) == 1


def test_a_clock_set_back_does_not_stop_the_figures() -> None:
    figures = counted(account(started=NOW + 7200), account(started=NOW))
    told = figures.snapshot(NOW + 1)
    assert sum(told["seconds"]["cache"]) == 1
    assert told["exchanges"]["total"] == 2


def test_how_long_a_tunnel_was_open_is_no_latency() -> None:
    told = counted(account(Outcome.FORWARDED, status=101, duration=3600.0)).snapshot(NOW + 1)
    assert told["latency"]["count"] == 0
    assert told["exchanges"]["by_status"] == {"1xx": 1}


def test_recent_percentiles_forget_what_is_more_than_a_minute_ago() -> None:
    figures = counted(account(duration=50.0, started=NOW - 150), account(duration=0.002))
    told = figures.snapshot(NOW)
    assert told["recent"]["p99"] <= 0.0025
    assert told["latency"]["p99"] > 30


class TestHistogram:
    def test_a_bound_belongs_to_its_bucket(self) -> None:
        histogram = Histogram()
        for bound in BOUNDS:
            histogram.add(bound)
        histogram.add(BOUNDS[-1] + 1)
        assert histogram.counts == [1] * (len(BOUNDS) + 1)
        assert histogram.snapshot()["buckets"][-1] == (None, 1)

    def test_nothing_has_no_percentile(self) -> None:
        assert percentile(empty(), 0.5) is None

    def test_of_a_hundred_in_one_bucket_half_lie_in_its_lower_half(self) -> None:
        counts = empty()
        counts[BOUNDS.index(0.1)] = 100
        assert percentile(counts, 0.5) == pytest.approx(0.075)  # between 0.05 and 0.1

    def test_above_the_last_bound_only_the_bound_is_known(self) -> None:
        histogram = Histogram()
        histogram.add(3600)
        assert histogram.snapshot()["p99"] == BOUNDS[-1]

    def test_a_clock_set_back_gives_no_negative_durations(self) -> None:
        histogram = Histogram()
        histogram.add(-1.0)
        assert (histogram.sum, histogram.counts[0]) == (0.0, 1)

    @given(st.lists(st.floats(0, 100), min_size=1, max_size=50), st.floats(0.01, 0.99))
    @settings(max_examples=60)
    def test_a_percentile_lies_in_the_bucket_of_the_true_one(
        self, durations: list[float], fraction: float
    ) -> None:
        histogram = Histogram()
        for duration in durations:
            histogram.add(duration)
        rank = next(n for n in range(1, len(durations) + 1) if n >= fraction * len(durations))
        exact = sorted(durations)[rank - 1]
        upper = next((bound for bound in BOUNDS if exact <= bound), BOUNDS[-1])
        lower = max((bound for bound in BOUNDS if bound < exact), default=0.0)
        found = percentile(histogram.counts, fraction)
        assert found is not None
        assert min(lower, BOUNDS[-1]) <= found <= upper


ACCOUNTS = st.builds(
    account,
    st.sampled_from([None, *Outcome]),
    slug=st.text(max_size=4),
    forward=st.one_of(st.none(), st.text(max_size=3)),
    status=st.integers(-5, 1200),
    attempts=st.integers(0, 3),
    duration=st.one_of(st.none(), st.floats(0, 1000)),
    started=st.floats(NOW - 1000, NOW + 1000),
    complete=st.booleans(),
    error=st.sampled_from(["", "broke off"]),
    response_bytes=st.integers(0, 2**40),
    upstream_first_byte=st.one_of(st.none(), st.floats(0, 1000)),
)


@given(st.lists(ACCOUNTS, max_size=40))
@settings(max_examples=60)
def test_every_total_equals_the_number_of_exchanges(accounts: list[Account]) -> None:
    told = counted(*accounts).snapshot(NOW)
    exchanges = told["exchanges"]
    assert exchanges["total"] == len(accounts)
    for key in ("by_outcome", "by_status", "by_reason", "by_source"):
        assert sum(exchanges[key].values()) == len(accounts)
    assert sum(exchanges["by_forward"].values()) == sum(
        1 for a in accounts if a.decision and a.decision.forward
    )
    assert sum(told["bytes"]["sent"].values()) == sum(a.response_bytes for a in accounts)
    assert told["upstream"]["requests"] == sum(a.attempts for a in accounts)
    timed = [a for a in accounts if a.duration is not None and a.response and a.response.status != 101]
    assert told["latency"]["count"] == len(timed)
    columns = told["seconds"]
    shown = sum(sum(columns[source]) for source in figures_module.SOURCES)
    assert shown <= len(accounts)
    assert json.loads(json.dumps(told)) is not None


def test_no_stream_of_exchanges_fills_the_memory() -> None:
    figures = Figures(NOW)
    for number in range(KINDS * 4):
        figures.add(account(slug=f"s{number}", status=number, forward=f"f{number}", started=NOW + number))
    told = figures.snapshot(NOW + 5000)
    assert sum(told["exchanges"]["by_outcome"].values()) == told["exchanges"]["total"] == KINDS * 4
    assert len(figures._kinds) < KINDS + 100
    assert len(figures._ring) == SECONDS
    assert told["exchanges"]["by_reason"]["other"] > KINDS


class TestRecent:
    def test_the_last_come_oldest_first(self) -> None:
        kept = Recent()
        for number in range(5):
            kept.add(account(id=f"{number}"))
        assert [one.id for one in kept.last(2)] == ["3", "4"]
        assert [one.id for one in kept.last(99)] == ["0", "1", "2", "3", "4"]

    def test_only_so_many_are_kept(self) -> None:
        kept = Recent()
        for number in range(KEPT + 1):
            kept.add(account(id=f"{number}"))
        assert len(kept.last(KEPT * 2)) == KEPT
        assert kept.find("0") is None
        assert kept.find("1") is kept.last(KEPT)[0]

    async def test_a_watcher_sees_what_ends_from_then_on(self) -> None:
        kept = Recent()
        kept.add(account(id="before"))
        with kept.watch() as watcher:
            kept.add(account(id="one"))
            kept.add(account(id="two"))
            seen = await watcher.look()
            assert [one.id for one in seen.accounts] == ["one", "two"]
            assert seen.lost == 0
            looking = asyncio.ensure_future(watcher.look())
            await asyncio.sleep(0)
            assert not looking.done()
            kept.add(account(id="three"))
            assert [one.id for one in (await looking).accounts] == ["three"]

    async def test_a_slow_watcher_loses_the_oldest_and_is_told_how_many(self) -> None:
        kept = Recent()
        with kept.watch() as slow, kept.watch() as quick:
            for number in range(WAITING):
                kept.add(account(id=f"{number}"))
            await quick.look()
            for number in range(WAITING, WAITING + 7):
                kept.add(account(id=f"{number}"))
            seen = await slow.look()
            assert (seen.lost, len(seen.accounts), seen.accounts[0].id) == (7, WAITING, "7")
            again = await quick.look()
            assert (again.lost, len(again.accounts)) == (0, 7)
            kept.add(account())
            assert (await slow.look()).lost == 0

    async def test_only_so_many_may_watch(self) -> None:
        kept = Recent()
        with contextlib.ExitStack() as stack:
            for _ in range(WATCHERS):
                stack.enter_context(kept.watch())
            with pytest.raises(TooManyWatchers), kept.watch():
                pass
        with kept.watch():
            pass  # those who went have left their places

    async def test_closing_sends_watchers_home_and_lets_no_one_wait(self) -> None:
        kept = Recent()
        with kept.watch() as early:
            kept.close()
            assert (await early.look()).accounts == ()
            assert early.closed
        with kept.watch() as late:
            await late.look()
            assert late.closed

    @given(st.lists(st.booleans(), max_size=60))
    @settings(max_examples=30)
    def test_seen_and_lost_are_all_that_ended(self, steps: list[bool]) -> None:
        async def watched() -> None:
            kept, seen, lost, added = Recent(), 0, 0, 0
            with kept.watch() as watcher:
                for look in (*steps, True):
                    for _ in range(37):
                        kept.add(account())
                    added += 37
                    if look:
                        what = await watcher.look()
                        assert len(what.accounts) <= recent.WAITING
                        seen, lost = seen + len(what.accounts), lost + what.lost
            assert seen + lost == added

        asyncio.run(watched())


class TestMetrics:
    def render(self, *samples: metrics.Sample) -> str:
        return metrics.render([metrics.Family("a_total", "counter", "Two\nlines \\ here.", samples)]).decode()

    def test_help_and_type_stand_before_the_samples(self) -> None:
        text = self.render(metrics.Sample(3))
        assert text == "# HELP a_total Two\\nlines \\\\ here.\n# TYPE a_total counter\na_total 3\n"

    def test_labels_are_escaped(self) -> None:
        text = self.render(metrics.Sample(1.5, (("path", 'a"b\\c\nd'),)))
        assert text.splitlines()[-1] == 'a_total{path="a\\"b\\\\c\\nd"} 1.5'

    def test_a_histogram_counts_upwards_to_its_count(self) -> None:
        told = counted(account(duration=0.002), account(duration=0.2), account(duration=99.0)).snapshot(
            NOW + 100
        )
        told |= {"version": "1", "log": {"lost": 0}, "process": {"rss": None, "cpu": 0.1}}
        told["storage"] = dict.fromkeys(("entries", "bytes", "budget", "evicted", "expired"), 0)
        told["storage"]["tiers"] = {}
        text = metrics.render(metrics.families(told)).decode()
        name = "pellucid_exchange_duration_seconds"
        buckets = [int(n) for n in re.findall(rf'^{name}_bucket{{le="[^"]+"}} (\d+)$', text, re.MULTILINE)]
        assert buckets == sorted(buckets)
        assert len(buckets) == len(BOUNDS) + 1
        assert f'{name}_bucket{{le="0.0025"}} 1\n' in text
        assert f'{name}_bucket{{le="+Inf"}} 3\n{name}_sum 99.202\n{name}_count 3\n' in text
        assert "process_resident_memory_bytes" not in text


def test_of_exchanges_with_large_heads_fewer_are_kept() -> None:
    last = Recent()
    large = Response(200, Fields([(b"X", b"y" * recent.LARGE)]))
    for number in range(200):
        last.add(account(id=f"large {number}", response=large))
        last.add(account(id=f"small {number}"))
    kept = [one.id for one in last.last(KEPT)]
    assert kept.count("small 0") == 1
    assert [name for name in kept if name.startswith("large")] == [
        f"large {number}" for number in range(200 - KEPT_LARGE, 200)
    ]
    for number in range(KEPT + 1):
        last.add(account(id=f"{number}"))
    last.add(account(id="large", response=large))
    assert len(last.last(KEPT)) == KEPT
