#!/bin/sh
# Starts the proxy in front of UPSTREAM, or of the sample backend where none is named; stops both together.
set -eu
bin=.venv/bin
if [ -z "${UPSTREAM:-}" ]; then
    # shellcheck disable=SC2086 - SHOP is several words
    "$bin/python" -m backend --style "$STYLE" --listen "$BACKEND" ${SHOP:-} &
    backend=$!
    trap 'kill "$backend" 2>/dev/null || true; wait "$backend" 2>/dev/null || true' EXIT
    UPSTREAM="http://$BACKEND"
fi
"$bin/pellucid" serve --upstream "$UPSTREAM" --listen "$LISTEN" --admin "$ADMIN" "$@" &
proxy=$!
# Control-C reaches the proxy by itself: sent again, it would mean not to wait for exchanges under way.
trap : INT
trap 'kill -TERM "$proxy" 2>/dev/null || true' TERM
status=0
wait "$proxy" || status=$?
trap - INT TERM
wait "$proxy" 2>/dev/null || status=$?
exit "$status"
