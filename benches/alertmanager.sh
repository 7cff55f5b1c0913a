#!/bin/sh
# Installs Debian's prometheus-alertmanager, which the load program can compare with, and prints where it is.
# Its service is not started: the load program starts one of its own, on loopback.
set -eu
program=$(command -v prometheus-alertmanager || true)
if [ -z "$program" ]; then
    [ "$(id -u)" = 0 ] || { echo 'alertmanager.sh: installing prometheus-alertmanager takes root' >&2; exit 1; }
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends prometheus-alertmanager >&2
    program=$(command -v prometheus-alertmanager)
fi
echo "$program"
