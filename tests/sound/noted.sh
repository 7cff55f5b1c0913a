#!/bin/sh
# The player, its process id noted.
echo $$ >> "$ALSA_TEST_PIDS"
exec "$ALSA_TEST_PLAYER" "$@"
