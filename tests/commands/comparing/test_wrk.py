"""What wrk is told and what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.commands.comparing.errors import ComparisonError
from proxy.commands.comparing.load.wrk import parse, script

PRINTED = """\
Running 2s test @ http://127.0.0.1:8080/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.05ms    1.20ms  17.01ms   92.31%
    Req/Sec    77.98k     8.91k   96.35k    80.00%
  155284 requests in 2.00s, 197.12MB read
Requests/sec:  77631.72
Transfer/sec:     98.55MB
counted: {"requests":155284,"microseconds":2000265,"bytes":206695120,"connect":0,"read":0,"write":0,\
"status":0,"timeout":0,"p50":802.0,"p99":5901.0,"p999":10422.5}
"""


def test_what_it_counted() -> None:
    found = parse(PRINTED, 1024, 1.5)
    assert found.requests == 155284
    assert found.seconds == pytest.approx(2.000265)
    assert (found.p50, found.p99, found.p999) == pytest.approx((0.000802, 0.005901, 0.0104225))
    assert found.content == 155284 * 1024
    assert found.wire == 206695120
    assert (found.errors, found.complaints) == (0, [])
    assert found.processor == 1.5


def test_each_kind_of_error_is_named() -> None:
    printed = PRINTED.replace('"connect":0', '"connect":7').replace('"timeout":0', '"timeout":2')
    found = parse(printed.replace('"status":0', '"status":4'), 1024, 0.0)
    assert found.errors == 13
    assert found.requests == 155280
    assert found.complaints == [
        "7 connections that could not be made",
        "4 answers with a status of 400 or more",
        "2 answers that took too long",
    ]


def test_answers_that_are_too_short_are_noticed() -> None:
    found = parse(PRINTED, 2048, 0.0)
    assert found.errors == 1
    assert found.complaints == ["answers with less content than was due"]


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "unable to connect to 127.0.0.1:8080 Connection refused\n",
        "counted: {}\n",
        "counted: {\n",
        'counted: {"requests":-nan}\n',
    ],
)
def test_what_is_no_count_is_shown_as_it_is(printed: str) -> None:
    with pytest.raises(ComparisonError) as error:
        parse(printed, 1024, 0.0)
    assert error.value.evidence in printed.strip() or not printed


def test_the_script_names_its_file_whatever_it_is_called() -> None:
    text = script(Path('/tmp/a "b"\\c'), traced=True, seed=5)
    quoted = "".join(f"\\{byte:03d}" for byte in b'/tmp/a "b"\\c')
    assert f'io.open("{quoted}", "rb")' in text
    assert "local traced = true" in text
    assert "randomseed(5)" in text
    assert "%d" in text
    assert "%%" not in text.replace("%%z", "")
    assert "local traced = false" in script(Path("/a"), traced=False)
