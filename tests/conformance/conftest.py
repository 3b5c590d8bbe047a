"""One proxy, started as users start it, and one origin behind it for all cases."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.conformance.judge import Bench
from tests.conformance.origin import Origin


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    origin = Origin()
    command = [sys.executable, "-m", "proxy", "serve", "--listen", "127.0.0.1:0"]
    command += ["--upstream", f"http://127.0.0.1:{origin.port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline().decode()
            match = re.search(r"listens on http://127\.0\.0\.1:([0-9]+)", line)
            assert match is not None, f"the proxy did not start: {line!r}"
            yield Bench(origin, int(match[1]))
        finally:
            process.terminate()
            process.wait(15)
            origin.close()
