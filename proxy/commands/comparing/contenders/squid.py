"""Squid as an accelerator that keeps responses in memory, one worker."""

from __future__ import annotations

import os

from proxy.commands.comparing.contenders.contract import (
    EVERYTHING,
    IDLE,
    MEMORY,
    Contender,
    Found,
    Launch,
    Place,
)
from proxy.commands.comparing.contenders.finding import find

_CONFIG = """\
http_port 127.0.0.1:{port} accel defaultsite=api.example.org no-vhost
cache_peer 127.0.0.1 parent {origin} 0 no-query no-digest no-netdb-exchange originserver name=origin
never_direct allow all
http_access allow all
workers 1
cache_mem {memory} MB
maximum_object_size_in_memory 16 MB
collapsed_forwarding on
max_filedescriptors {files}
client_idle_pconn_timeout {idle} seconds
server_idle_pconn_timeout {idle} seconds
access_log stdio:{log} combined
cache_log {folder}/cache.log
pid_filename {folder}/squid.pid
coredump_dir {folder}
netdb_filename none
visible_hostname compared
pinger_enable off
logfile_rotate 0
shutdown_lifetime 0 seconds
{user}"""
_NOBODY = "nobody"
"""Whom it becomes when root starts it: it refuses to stay root."""


def config(place: Place) -> str:
    """Its configuration file."""
    return _CONFIG.format(
        port=place.port,
        origin=place.origin,
        memory=MEMORY,
        files=2 * place.connections,
        idle=IDLE,
        log=place.log,
        folder=place.folder,
        user=f"cache_effective_user {_NOBODY}\n" if os.geteuid() == 0 else "",
    )


def _find() -> Found:
    return find("squid", "-v", r"Version (\S+)")


def _launch(found: Found, place: Place) -> Launch:
    file = place.folder / "squid.conf"
    owner = _NOBODY if os.geteuid() == 0 else None
    return Launch([found.path, "-N", "-f", str(file)], {"squid.conf": config(place)}, owner=owner)


SQUID = Contender(
    name="squid",
    title="Squid",
    parts=EVERYTHING,
    log="combined, each line written at once",
    find=_find,
    launch=_launch,
)
