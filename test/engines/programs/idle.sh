#!/bin/sh
# Does nothing, and ends at SIGTERM, which the first process of a container otherwise ignores.
trap 'exit 0' TERM INT
sleep 2147483647 &
wait
