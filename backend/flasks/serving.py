"""Runs the Flask shop in a real WSGI server: Cheroot, one process with threads."""

from __future__ import annotations

import logging
import signal
import threading
import traceback as tracebacks

from cheroot.wsgi import Server
from flask import Flask

from backend.app import GRACE
from backend.flasks.app import build, close, reload
from backend.serving import Address, cannot_listen, say_ready
from backend.serving import reload as reloading
from backend.settings import Settings

THREADS = 16
BACKLOG = 512
KEEP_ALIVE = 75
CONNECTIONS = 10_000
"""How many idle connections are kept open at most."""

log = logging.getLogger("backend")


class Serving(Server):
    """The application at an address; it serves in a thread of its own from `begin` to `end`."""

    keep_alive_conn_limit = CONNECTIONS

    def __init__(self, app: Flask, address: Address) -> None:
        super().__init__(
            (address.host, address.port),
            app,
            numthreads=THREADS,
            request_queue_size=BACKLOG,
            timeout=KEEP_ALIVE,
            shutdown_timeout=int(GRACE),
        )
        self._address = address
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self.serve, name="connections")

    def begin(self) -> Address:
        """Where it accepts connections; raises CannotServe."""
        try:
            self.prepare()
        except OSError as error:
            raise cannot_listen(self._address, self._failure or error) from error
        self._thread.start()
        host, port = self.bind_addr[:2]
        return Address(str(host), int(port))

    def end(self) -> None:
        """Requests under way have GRACE seconds to finish."""
        self.stop()
        if self._thread.ident is not None:
            self._thread.join()

    def bind(self, family: int, type: int, proto: int = 0) -> object:  # noqa: A002 - Cheroot's name
        try:
            return super().bind(family, type, proto)
        except OSError as error:
            self._failure = error
            raise

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        log.log(level, "%s%s", msg, f"\n{tracebacks.format_exc()}" if traceback else "")


def serve(settings: Settings, address: Address) -> None:
    """Serves until a signal says to stop; raises ShopError where that can't be."""
    app = build(settings)
    try:
        serving = Serving(app, address)
        try:
            accepting = serving.begin()
            stopped = _heed_signals(app)
            say_ready(settings, accepting)
            stopped.wait()
        finally:
            serving.end()
    finally:
        close(app)


def _heed_signals(app: Flask) -> threading.Event:
    """SIGHUP has the keys read again; SIGTERM and SIGINT set what is returned."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: reloading(lambda: reload(app)))
    return stopped
