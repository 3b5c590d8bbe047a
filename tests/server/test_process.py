"""What the process takes of the machine."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

from proxy.server.process import allow_files, print_line, process_figures


def run(program: str, closed: str = "") -> subprocess.CompletedProcess[bytes]:
    """Run a few lines of Python with some of the standard streams closed by the shell."""
    command = f'exec "$0" -c "$1" {closed}'
    return subprocess.run(["sh", "-c", command, sys.executable, program], capture_output=True, check=False)


def test_figures_are_those_of_this_process() -> None:
    figures = process_figures()
    assert figures["pid"] == os.getpid()
    assert figures["cpu"] > 0
    assert figures["rss"] > 1 << 20


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_the_number_of_a_closed_stream_is_given_to_nothing_else(closed: str) -> None:
    program = """
import os, sys
from proxy.server.process import hold_standard_streams
hold_standard_streams()
numbers = [os.open(os.devnull, os.O_RDWR) for _ in range(3)]
sys.exit(0 if min(numbers) > 2 else 1)
"""
    assert run(program, closed).returncode == 0


def test_what_is_printed_where_nobody_reads_is_no_error() -> None:
    program = """
from proxy.server.process import hold_standard_streams, print_line
hold_standard_streams()
print_line("to whom?")
print_line("to whom?", 2)
"""
    assert run(program, ">&- 2>&-").returncode == 0
    assert run(program, "> /dev/full").returncode == 0
    assert run(program).stdout == b"to whom?\n"


def test_as_many_files_as_may_be_are_allowed() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    program = """
import resource
from proxy.server.process import allow_files
print(allow_files(200), allow_files(10_000), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (100, 300))\n{program}"
    assert run(limited).stdout.split() == [b"200", b"300", b"300", b"300"]
    assert allow_files(1) == soft or hard == resource.RLIM_INFINITY


def test_a_line_goes_to_the_stream_that_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    print_line("out")
    print_line("err", 2)
    assert capfd.readouterr() == ("out\n", "err\n")


def test_large_blocks_go_back_to_the_system() -> None:
    """Large contents that come and go leave no gaps behind them."""
    program = """
import sys
from proxy.server.process import process_figures, return_large_blocks
if sys.argv[1:]:
    return_large_blocks()
kept, before = [], process_figures()["rss"]
for number in range(24):  # what is freed has its limit raised by one that is freed before
    block = b"x" * (4 << 20)
    kept.append(b"y" * (1 << 16))
    blocks = [b"z" * (2 << 20) for _ in range(8)]
    del blocks[::2], block
    kept.append(blocks[0])
    del blocks
held = sum(map(len, kept))
print(process_figures()["rss"] - before - held)
"""
    ours = subprocess.run([sys.executable, "-c", program, "set"], capture_output=True, check=True).stdout
    assert int(ours) < 4 << 20
