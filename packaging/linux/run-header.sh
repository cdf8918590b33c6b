#!/bin/sh
# Commonplace @VERSION@: @TITLE@, for Linux on x86-64. Run it: sh FILE --help
# A script, followed by the compressed files; no root is needed, and no network.
set -eu
umask 022
LC_ALL=C
export LC_ALL

kind=@KIND@
version=@VERSION@
offset=@OFFSET@
size=@SIZE@
checksum=@SHA256@
installed_kib=@INSTALLED_KIB@
glibc=@GLIBC@
libraries='@LIBRARIES@'
cpu_flags='@CPU_FLAGS@'

say() { printf '%s\n' "$*"; }
stop() {
    printf '\n%s\n' "$*" >&2
    exit 1
}

usage() {
    cat <<END
Commonplace $version: @TITLE@

  sh $0 [--prefix DIR]              install into DIR (now: $prefix)
  sh $0 --uninstall [--prefix DIR]  take this version away again; your notes,
                                    settings and models stay where they are
  sh $0 --check                     only check that this file is whole
  sh $0 --extract DIR               only unpack, into the new folder DIR

Several versions can be installed side by side: commonplace is the one that was
installed last, commonplace-$version is this one.
END
}

# ---------------------------------------------------------------- what is checked first

payload() { tail -c "+$((offset + 1))" "$self"; }

sha256() {
    if command -v sha256sum >/dev/null; then
        sha256sum
    elif command -v shasum >/dev/null; then
        shasum -a 256
    else
        openssl dgst -sha256 -r
    fi | cut -d' ' -f1
}

check_whole() {
    [ -r "$self" ] || stop "$self cannot be read. Name the file by its path."
    there=$(wc -c <"$self" | tr -d ' ')
    if [ "$there" -lt $((offset + size)) ]; then
        stop "This file is cut off: it has $there bytes and should have $((offset + size)).
Copy or download it again. Nothing was installed."
    fi
    [ "$there" -eq $((offset + size)) ] || stop "This file has $((there - offset - size)) bytes too many: something was added to it.
Copy it again. Nothing was installed."
    [ "$(payload | sha256)" = "$checksum" ] || stop 'This file is damaged: its content does not match its checksum.
Copy or download it again. Nothing was installed.'
}

# Whether the version $1 is at least $2; both are numbers with dots.
at_least() {
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -t. -k1,1n -k2,2n -k3,3n | head -n 1)" = "$2" ]
}

check_machine() {
    [ "$(uname -s)" = Linux ] || stop "This file is for Linux, and this is $(uname -s). Nothing was installed."
    case $(uname -m) in
    x86_64 | amd64) ;;
    *) stop "This file is for x86-64 processors, and this machine has $(uname -m). Nothing was installed." ;;
    esac
    has=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed -n 's/^glibc //p')
    [ -n "$has" ] || stop "Commonplace needs glibc $glibc or newer, and this system has another C library (musl?).
Install from the sources instead. Nothing was installed."
    at_least "$has" "$glibc" || stop "Commonplace needs glibc $glibc or newer, and this system has $has.
Debian 12, Ubuntu 24.04, Fedora 37 and what came after them are new enough. Nothing was installed."
    if [ -r "${CPUINFO:=/proc/cpuinfo}" ]; then
        flags=" $(sed -n 's/^flags[^:]*: *//p' "$CPUINFO" | head -n 1) "
        missing=''
        for flag in $cpu_flags; do
            case $flags in *" $flag "*) ;; *) missing="$missing $flag" ;; esac
        done
        [ -z "$missing" ] || stop "This processor lacks what Commonplace needs:$missing.
Every x86-64 processor since about 2010 has it; a virtual machine may hide it. Nothing was installed."
    fi
    for tool in gzip tar; do
        command -v "$tool" >/dev/null || stop "The program $tool is missing. Install it, then try again."
    done
}

check_prefix() {
    if ! mkdir -p "$lib" 2>/dev/null || ! touch "$lib/.writable.$$" 2>/dev/null; then
        stop "You may not write to $lib, or its disk is read-only.
Name another folder: sh $0 --prefix DIR. Nothing was installed."
    fi
    rm -f "$lib/.writable.$$"
    free=$(df -Pk "$lib" | awk 'NR == 2 { print $4 }')
    need=$((installed_kib + installed_kib / 20))
    [ "$free" -ge "$need" ] || stop "There is not enough space for $lib: it takes $((need / 1024 + 1)) MB, and $((free / 1024)) MB are free.
Make room, or name another folder: sh $0 --prefix DIR. Nothing was installed."
}

check_libraries() {
    command -v ldconfig >/dev/null || PATH=$PATH:/usr/sbin:/sbin
    known=$(ldconfig -p 2>/dev/null) || return 0
    [ -n "$known" ] || return 0
    missing=''
    for library in $libraries; do
        case $known in *"$library "*) ;; *) missing="$missing $library" ;; esac
    done
    [ -z "$missing" ] || say "
The window needs libraries that this system lacks:$missing
(in Debian and Ubuntu: libegl1 libgl1; in Fedora: libglvnd-egl libglvnd-glx). The commands work without them."
}

# ---------------------------------------------------------------- install

unpack() { payload | gzip -dc | tar -xf - -C "$1" || stop "Unpacking stopped: no space left, or a fault of the disk. Nothing was installed."; }

# Until it is renamed, nothing is installed; whatever happens before, it is removed again.
begin() {
    incoming=$1/.incoming.$$
    trap 'rm -rf "$incoming"' EXIT
    trap 'exit 1' INT TERM HUP
    mkdir "$incoming"
    unpack "$incoming"
}

install_program() {
    begin "$lib"
    if ! told=$("$incoming/commonplace" --version 2>&1); then
        stop "The program does not start on this system:
$told
If the disk is mounted with noexec, name another folder: --prefix DIR. Nothing was installed."
    fi
    head -c "$offset" "$self" >"$incoming/uninstall"
    chmod 755 "$incoming/uninstall"
    if [ -d "$lib/$version" ]; then
        # What was added to it stays.
        [ ! -d "$lib/$version/addons" ] || mv "$lib/$version/addons" "$incoming/addons"
        mv "$lib/$version" "$incoming.old"
    fi
    mv "$incoming" "$lib/$version"
    rm -rf "$incoming.old"
    mkdir -p "$prefix/bin"
    link "$lib/$version/commonplace" "$prefix/bin/commonplace-$version"
    use_version "$version"
    say "Commonplace $version is in $lib/$version."
    say "Start it from the menu, or: $prefix/bin/commonplace"
    case :$PATH: in *":$prefix/bin:"*) ;; *) say "($prefix/bin is not in your PATH; log in again, or add it.)" ;; esac
    check_libraries
}

install_addon() {
    [ -x "$lib/$version/commonplace" ] || stop "Commonplace $version is not in $lib.
Install commonplace-$version first, or name its place: --prefix DIR. Nothing was installed."
    mkdir -p "$lib/$version/addons"
    begin "$lib/$version/addons"
    rm -rf "$lib/$version/addons/@NAME@"
    mv "$incoming" "$lib/$version/addons/@NAME@"
    say "Added to Commonplace $version: @TITLE@."
}

link() { ln -sf "$1" "$2.new.$$" && mv -f "$2.new.$$" "$2"; }

# Make the version $1 the one that the menu and `commonplace` start.
use_version() {
    from=$lib/$1/share
    link "$lib/$1/commonplace" "$prefix/bin/commonplace"
    (cd "$from" && find . -type f) | while read -r file; do
        mkdir -p "$prefix/share/$(dirname "$file")"
        cp "$from/$file" "$prefix/share/$file.new.$$"
        mv -f "$prefix/share/$file.new.$$" "$prefix/share/$file"
    done
    entry=$prefix/share/applications/commonplace.desktop
    quoted=$(printf '%s' "$prefix/bin/commonplace" | sed 's/[\\&|"`$]/\\&/g')
    sed "s|^Exec=commonplace|Exec=\"$quoted\"|" "$from/applications/commonplace.desktop" >"$entry.new.$$"
    mv -f "$entry.new.$$" "$entry"
    refresh
}

refresh() {
    update-desktop-database -q "$prefix/share/applications" 2>/dev/null || :
    update-mime-database "$prefix/share/mime" 2>/dev/null || :
}

# ---------------------------------------------------------------- uninstall

uninstall_program() {
    [ -d "$lib/$version" ] || stop "Commonplace $version is not in $lib. If it is elsewhere, name that: --prefix DIR."
    in_use=$(readlink "$prefix/bin/commonplace" || :)
    files=$(cd "$lib/$version/share" && find . -type f)
    rm -rf "$lib/$version"
    rm -f "$prefix/bin/commonplace-$version"
    if [ "$in_use" = "$lib/$version/commonplace" ]; then
        other=$(cd "$lib" && for one in */commonplace; do [ ! -x "$one" ] || echo "${one%/*}"; done |
            sort -t. -k1,1n -k2,2n -k3,3n | tail -n 1)
        if [ -n "$other" ]; then
            use_version "$other"
            say "commonplace is version $other now."
        else
            rm -f "$prefix/bin/commonplace"
            printf '%s\n' "$files" | while read -r file; do rm -f "$prefix/share/$file"; done
            refresh
        fi
    fi
    rmdir "$lib" 2>/dev/null || :
    say "Commonplace $version is gone. Your notes, conversations, settings and models are still there:
  ${XDG_DATA_HOME:-$HOME/.local/share}/commonplace, ${XDG_CONFIG_HOME:-$HOME/.config}/commonplace
What can be made again is in ${XDG_CACHE_HOME:-$HOME/.cache}/commonplace; remove it if you like."
}

uninstall_addon() {
    rm -rf "$lib/$version/addons/@NAME@"
    rmdir "$lib/$version/addons" 2>/dev/null || :
    say "Taken away from Commonplace $version: @TITLE@."
}

# ---------------------------------------------------------------- what was asked

self=$0
what=install
prefix=${HOME:-/nonexistent}/.local
target=''
case ${0##*/} in
uninstall)
    what=uninstall
    here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
    prefix=${here%/lib/commonplace/*}
    ;;
esac
while [ $# -gt 0 ]; do
    case $1 in
    --prefix)
        [ -n "${2:-}" ] || stop '--prefix needs a folder.'
        prefix=$2
        shift
        ;;
    --prefix=?*) prefix=${1#*=} ;;
    --uninstall) what=uninstall ;;
    --check) what=check ;;
    --extract)
        [ -n "${2:-}" ] || stop '--extract needs a folder.'
        what=extract target=$2
        shift
        ;;
    --help | -h)
        usage
        exit
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    shift
done
case $prefix in /*) ;; *) prefix=$(pwd)/$prefix ;; esac
lib=$prefix/lib/commonplace

case $what in
check)
    check_whole
    say 'This file is whole.'
    ;;
extract)
    check_whole
    mkdir "$target" || stop "The folder $target cannot be made, or is there already."
    unpack "$target"
    ;;
install)
    check_whole
    check_machine
    check_prefix
    "install_$kind"
    ;;
uninstall) "uninstall_$kind" ;;
esac
exit 0
