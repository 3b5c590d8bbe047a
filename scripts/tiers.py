"""What the fast lane loses through several tiers: processor time per hit, side by side, alternating.

    python scripts/tiers.py [--rounds 9] [--hits 6000]

Two proxies in front of one origin, one with memory alone and one with memory before a folder, answer the same
hits in turns, on one connection, one request after the other. What is told is the median of the rounds'
ratios, and the processor time per hit of each (all threads, as the system counts it).
"""

from __future__ import annotations

import argparse
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

_READY = re.compile(rb"listens on http://127\.0\.0\.1:([0-9]+)")
_REQUEST = b"GET /items/1 HTTP/1.1\r\nHost: shop.example\r\nAccept: */*\r\n\r\n"


def origin() -> int:
    """Answers every request with a kilobyte; the port where it does."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection: socket.socket) -> None:
        while connection.recv(65536):
            head = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\nContent-Length: 1024\r\n\r\n"
            connection.sendall(head + bytes(1024))

    threading.Thread(target=serve, daemon=True).start()
    port: int = listening.getsockname()[1]
    return port


class Proxy:
    """One proxy, and one connection to it."""

    def __init__(self, upstream: int, *arguments: str) -> None:
        command = [sys.executable, "-m", "proxy", "serve", "--upstream", f"http://127.0.0.1:{upstream}"]
        command += ["--listen", "127.0.0.1:0", "--watch", "never", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        ready = _READY.search(self.process.stdout.readline())
        assert ready is not None
        self.connection = socket.create_connection(("127.0.0.1", int(ready[1])))
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(2000):
            self.hit()

    def hit(self) -> None:
        self.connection.sendall(_REQUEST)
        received = self.connection.recv(65536)
        while len(received) < 1024 or b"\r\n\r\n" not in received[:-1023]:
            received += self.connection.recv(65536)

    def spent(self) -> int:
        """Nanoseconds of processor time so far, of all threads."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)

    def round(self, hits: int) -> float:
        """Microseconds of processor time per hit."""
        before = self.spent()
        for _ in range(hits):
            self.hit()
        return (self.spent() - before) / hits / 1000

    def close(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.wait()


def main() -> None:
    """Measure, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--hits", type=int, default=6000)
    asked = parser.parse_args()
    upstream = origin()
    with tempfile.TemporaryDirectory() as folder:
        plain, tiers = Proxy(upstream), Proxy(upstream, "--store", f"disk:{folder}/cache")
        try:
            rounds = [(plain.round(asked.hits), tiers.round(asked.hits)) for _ in range(asked.rounds)]
        finally:
            plain.close()
            tiers.close()
    alone, both = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(second / first for first, second in rounds)
    print(f"memory alone {alone:.2f} us, memory before a folder {both:.2f} us per hit: ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
