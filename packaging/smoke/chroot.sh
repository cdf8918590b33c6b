#!/bin/sh
# Make a clean Debian 12 with a screen that nobody sees, and print its tarball.
#   packaging/smoke/chroot.sh PACKAGE...   what the package under test declares to need
#
# The only step of the smoke test that uses the network; kept in the cache, named after
# what is in it. No Python is installed, and the test says so.
set -eu
umask 022
name=$(printf '%s\n' "$@" | sort -u | cksum | cut -d' ' -f1)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/commonplace-build
ready=$cache/debian12-$name.tar
if [ -f "$ready" ]; then
    echo "$ready"
    exit
fi
[ "$(id -u)" = 0 ] || { echo 'A chroot can only be made as root.' >&2; exit 1; }
command -v debootstrap >/dev/null || { echo 'debootstrap is missing: apt-get install debootstrap' >&2; exit 1; }
mkdir -p "$cache"
base=$cache/debian12-base.tar
folder=$(mktemp -d "$cache/debian12.XXXXXX")
trap 'rm -rf "$folder" "$ready.part"' EXIT
trap 'exit 1' INT TERM
if [ ! -f "$base" ]; then
    debootstrap --variant=minbase bookworm "$folder" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >&2
    tar -C "$folder" --one-file-system -cf "$base.part" .
    mv "$base.part" "$base"
else
    tar -C "$folder" -xpf "$base"
fi
cp /etc/resolv.conf "$folder/etc/resolv.conf"
# Services must not start in there.
printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
chmod 755 "$folder/usr/sbin/policy-rc.d"
chroot "$folder" env DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -euc '
apt-get update -q
apt-get install -qy --no-install-recommends xvfb xdotool "$@"
apt-get clean
useradd --create-home --shell /bin/sh reader
! command -v python3' sh "$@" >&2
rm -f "$folder/etc/resolv.conf" "$folder"/var/lib/apt/lists/*Packages
tar -C "$folder" --one-file-system -cf "$ready.part" .
mv "$ready.part" "$ready"
echo "$ready"
