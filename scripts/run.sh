#!/bin/sh
# Starts the proxy in front of UPSTREAM, or of the sample backend where none is named; stops both together.
set -eu
bin=.venv/bin
if [ -z "${UPSTREAM:-}" ]; then
    "$bin/python" -m backend --style "$STYLE" --listen "$BACKEND" &
    backend=$!
    trap 'kill "$backend" 2>/dev/null || true; wait "$backend" 2>/dev/null || true' EXIT
    UPSTREAM="http://$BACKEND"
fi
"$bin/pellucid" serve --upstream "$UPSTREAM" --listen "$LISTEN" --admin "$ADMIN" "$@" &
proxy=$!
trap 'kill -TERM "$proxy" 2>/dev/null || true' INT TERM
status=0
wait "$proxy" || status=$?
trap - INT TERM
wait "$proxy" 2>/dev/null || status=$?
exit "$status"
