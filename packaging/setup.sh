#!/bin/sh
# Makes this machine ready to build stentor with sound: ALSA's headers and pkg-config, by apt, only
# when they are missing. Where that is impossible it says so, and stentor is built without sound.
#
#   setup.sh              installs what is missing; never fails
#   setup.sh --features   what cargo has to be told: nothing, or --no-default-features
#   setup.sh --tools      what some tests break things with, and in .tools/ servers of others that they
#                         speak with; without it they say that they are skipped
set -u

PACKAGES='libasound2-dev pkg-config'
# Command and package.
TOOLS='strace:strace faketime:faketime ip:iproute2'

have_alsa() {
    command -v pkg-config >/dev/null 2>&1 && pkg-config --exists alsa
}

if [ "${1:-}" = --features ]; then
    have_alsa || echo --no-default-features
    exit 0
fi

say() {
    echo "*** $* ***" >&2
}

without_sound() {
    say "stentor is built WITHOUT SOUND: $1"
    say "to have sound: apt-get install $PACKAGES"
    exit 0
}

# As root as it is, else through sudo; a password is only asked for on a terminal.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

# Python's servers, in the versions of tools.txt, into .tools/ of the project; done once for each tools.txt.
servers() {
    here=$(cd "$(dirname "$0")/.." && pwd)
    list=$here/packaging/tools.txt
    cmp -s "$list" "$here/.tools/installed" && return 0
    python3 -c 'import ensurepip, venv' 2>/dev/null || as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends python3-venv >&2
    echo "installing packaging/tools.txt into .tools/ (for tests)" >&2
    rm -rf "$here/.tools"
    if python3 -m venv "$here/.tools" >&2 &&
        "$here/.tools/bin/pip" install --quiet --disable-pip-version-check --timeout 20 --retries 1 -r "$list" >&2; then
        cp "$list" "$here/.tools/installed"
    else
        rm -rf "$here/.tools"
        say 'without packaging/tools.txt (pip could not install it) some tests are skipped'
    fi
}

if [ "${1:-}" = --tools ]; then
    for tool in $TOOLS; do
        package=${tool#*:}
        command -v "${tool%%:*}" >/dev/null 2>&1 && continue
        echo "installing $package (for tests)" >&2
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >&2 ||
            say "without $package some tests are skipped; to have it: apt-get install $package"
    done
    servers
    exit 0
fi

have_alsa && exit 0
command -v apt-get >/dev/null 2>&1 || without_sound 'ALSA'\''s headers are missing, and there is no apt-get'
[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null 2>&1 ||
    without_sound 'ALSA'\''s headers are missing, and there is neither root nor sudo'

echo "installing $PACKAGES (ALSA's headers, for sound)" >&2
# Old lists may still do.
as_root apt-get update -qq >&2 || say 'apt-get update failed; trying with the lists that are there'
# shellcheck disable=SC2086
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $PACKAGES >&2 ||
    without_sound 'apt-get could not install ALSA'\''s headers'
have_alsa || without_sound 'ALSA'\''s headers are still missing after apt-get'
