#!/bin/sh
# A small HTTP server: GET /healthz and /cgi-bin/who. Writes nothing, ends at SIGTERM.
httpd -f -p "${PORT:-8080}" -h /www &
server=$!
trap 'kill "$server"; exit 0' TERM INT
wait "$server"
