#!/bin/sh
# Installs Debian packages while an image is built, from the mirrors of its build arguments, and
# leaves nothing behind but what was installed: no lists, no logs, the base's sources as they were.
set -eu

sources=$(mktemp)
trap 'rm -f "$sources"' EXIT
cat >"$sources" <<END
deb ${APT_MIRROR:-http://deb.debian.org/debian} bookworm main
deb ${APT_MIRROR:-http://deb.debian.org/debian} bookworm-updates main
deb ${APT_SECURITY_MIRROR:-http://deb.debian.org/debian-security} bookworm-security main
END
chmod 644 "$sources"

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -o Dir::Etc::SourceList="$sources" \
        -o Dir::Etc::SourceParts=/dev/null -o Acquire::Retries=3 \
        -o Acquire::http::Proxy="${APT_PROXY:-DIRECT}" "$@"
}

apt update
apt install -y --no-install-recommends "$@"
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/cache/ldconfig/* \
    /var/log/apt /var/log/dpkg.log /var/log/alternatives.log
