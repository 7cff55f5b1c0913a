#!/bin/sh
# cargo-deny with deny.toml. The advisory database is fetched; where it cannot be had, the rest is
# still checked, and that is said.
set -eu

cargo deny --locked check --hide-inclusion-graph bans licenses sources
if cargo deny fetch db >/dev/null 2>&1; then
    cargo deny --locked --offline check --hide-inclusion-graph advisories
else
    echo '*** SKIPPED: the advisories, because their database cannot be fetched ***' >&2
fi
