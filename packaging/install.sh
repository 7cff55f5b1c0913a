#!/bin/sh
# Installs stentor as a service: programs, units, users, config, man pages, completions.
#
#   install.sh [--from target/release] [--prefix /usr] [--destdir DIR]
#
# Run from anywhere. Without --destdir it installs on this machine, makes the user and tells systemd;
# with it, only files are put there (for a package). A config that is there is never touched.
set -eu

from=target/release
prefix=/usr
destdir=

while [ $# -gt 0 ]; do
    case "$1" in
        --from) from=$2 ;;
        --prefix) prefix=$2 ;;
        --destdir) destdir=$2 ;;
        *)
            echo "install.sh: $1 is not an option; see its first lines" >&2
            exit 2
            ;;
    esac
    shift 2
done

cd "$(dirname "$0")/.."

for program in stentord stentorctl stentor-player; do
    if [ ! -x "$from/$program" ]; then
        echo "install.sh: $from/$program is missing; run make release first" >&2
        exit 1
    fi
done

# put MODE FILE PLACE
put() {
    install -D -m "$1" "$2" "$destdir$3"
}

for program in stentord stentorctl stentor-player; do
    put 755 "$from/$program" "$prefix/bin/$program"
done

# The units name /usr/bin; another prefix is written into them.
for unit in stentord.service stentor-failure@.service; do
    put 644 "systemd/$unit" "$prefix/lib/systemd/system/$unit"
    sed -i "s|/usr/bin/stentor|$prefix/bin/stentor|g" "$destdir$prefix/lib/systemd/system/$unit"
done
put 644 systemd/stentor.sysusers.conf "$prefix/lib/sysusers.d/stentor.conf"

doc=$prefix/share/doc/stentor
put 644 systemd/stentord-credentials.conf "$doc/examples/stentord-credentials.conf"
put 644 etc/stentor.example.toml "$doc/examples/stentor.example.toml"
for text in README.md CHANGELOG.md LICENSE docs/*.md; do
    put 644 "$text" "$doc/${text##*/}"
done
for page in docs/man/*.[1-8]; do
    put 644 "$page" "$prefix/share/man/man${page##*.}/${page##*/}"
done

install -d -m 755 "$destdir/etc/stentor" "$destdir/etc/stentor/conf.d"
[ -e "$destdir/etc/stentor/stentor.toml" ] || put 644 etc/stentor.toml /etc/stentor/stentor.toml

[ -z "$destdir" ] || exit 0

for shell in bash zsh fish; do
    case "$shell" in
        bash) place=$prefix/share/bash-completion/completions/stentorctl ;;
        zsh) place=$prefix/share/zsh/site-functions/_stentorctl ;;
        fish) place=$prefix/share/fish/vendor_completions.d/stentorctl.fish ;;
    esac
    mkdir -p "$(dirname "$place")"
    "$prefix/bin/stentorctl" completions "$shell" > "$place" || rm -f "$place"
done

if command -v systemctl >/dev/null 2>&1; then
    systemd-sysusers "$prefix/lib/sysusers.d/stentor.conf"
    [ ! -d /run/systemd/system ] || systemctl daemon-reload
fi

echo 'stentor is installed. /etc/stentor/stentor.toml is yours to write; then'
echo '    stentorctl check-config /etc/stentor/stentor.toml'
echo '    systemctl enable --now stentord        (systemctl restart stentord, if it runs)'
