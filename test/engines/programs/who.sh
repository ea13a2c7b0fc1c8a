#!/bin/sh
printf 'Content-Type: application/json\r\n\r\n'
printf '{"instance":"%s","service":"%s","environment":"%s","zone":"%s","node":"%s","version":"%s"}\n' \
  "$BULKHEAD_INSTANCE" "$BULKHEAD_SERVICE" "$BULKHEAD_ENVIRONMENT" "$BULKHEAD_ZONE" \
  "$BULKHEAD_NODE" "$VERSION"
