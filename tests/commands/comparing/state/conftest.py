"""What these tests share: a report that was not measured but made up, and a shop to walk into."""

from __future__ import annotations

import pytest

from proxy.commands.comparing.machine import Machine
from proxy.commands.comparing.state.book import Book
from proxy.commands.comparing.state.results import Cause, Described, Hidden, Report, Settings
from proxy.commands.comparing.state.shopping.account import Account, Timeline
from proxy.commands.comparing.state.shopping.outcome import Outcome, Traffic
from proxy.commands.comparing.state.variants import RELIABILITY

HOSTILE = "<script>alert(1)</script>\x1b[31m"


def outcome(**counted: int) -> Outcome:
    """A run of which the account holds what is given."""
    timeline = Timeline(began=1000.0)
    timeline.note(1000.1, failed=False)
    timeline.note(1001.6, failed=True)
    return Outcome(
        account=Account(**counted),
        timeline=timeline,
        traffic=Traffic(sent=1, received=2, state=3),
        seconds=2.0,
        median=0.01,
        p99=0.1,
    )


def book() -> Book:
    """Two rounds: sessions lose carts and hide what they say, tokens weigh more."""
    found = Book()
    for number in range(2):
        found.put("decidable", "sessions-sticky", 38 + number)
        found.put("decidable", "tokens-signed", 100)
        found.put("kill.lost", "sessions-sticky", 7 + number)
        found.put("kill.lost", "tokens-signed", 0)
        for lines in (1, 50):
            found.put("request_state", "sessions-sticky", 38, lines)
            found.put("request_state", "tokens-signed", 100 + 4 * lines, lines)
        for variant in ("sessions-sticky", "tokens-signed"):
            found.keep(
                outcome(sent=2, answered=1, failed=1, retried=1, begun=1, kept=1),
                part=RELIABILITY,
                scenario="kill",
                variant=variant,
                number=number,
                blow=1.5,
                healed=2.0,
            )
    return found


def described(name: str, title: str, *, stateless: bool, left_out: str | None = None) -> Described:
    return Described(
        name=name,
        title=title,
        where="somewhere",
        stateless=stateless,
        balance="round-robin",
        command=["python", "-m", "backend", "--key", HOSTILE],
        left_out=left_out,
    )


@pytest.fixture
def report() -> Report:
    found = book()
    for run in found.runs:
        run.account.failures = {"status 502": 1}
        run.faults = []
    return Report(
        made="2026-01-01T00:00:00+00:00",
        command=["pellucid", "compare", "state", HOSTILE],
        seconds=90.0,
        interrupted=False,
        machine=Machine("A processor", 2, 8 << 30, "Linux 6", "CPython 3.11"),
        store="Valkey 9",
        settings=Settings(repeats=2, seconds=3.0, quick=False),
        variants=[
            described("sessions-sticky", "Sessions, sticky", stateless=False),
            described("tokens-signed", "Tokens, signed", stateless=True),
            described("flask-client", "Flask", stateless=True, left_out=f"flask not installed {HOSTILE}"),
        ],
        figures=found.figures(),
        hidden=[
            Hidden(
                variant="sessions-sticky",
                exchanges=100,
                causes=[
                    Cause(
                        cause="unusable",
                        sentence="It can't be reused.",
                        section="§3",
                        requests=31,
                        share=0.31,
                    )
                ],
                credentials=[f"cookie {HOSTILE}: server-held"],
                findings=["A request means nothing by itself."],
            )
        ],
        runs=found.runs,
        complaints=[f"something went wrong: {HOSTILE}"],
        warnings=["only one core"],
    )
