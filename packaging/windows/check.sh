#!/bin/sh
# Check the Windows installer on Linux: compile it around a few dummy files, and, where wine is
# there, install, upgrade, install a second version beside it, and remove them again.
#   packaging/windows/check.sh
# This says nothing of the program itself, which is built and tried on Windows (build.ps1,
# smoke.ps1). Needs makensis; for the second half wine for 64 bit.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
HOME=$work/home
WINEPREFIX=$work/wine
WINEDEBUG=-all
export HOME WINEPREFIX WINEDEBUG
mkdir -p "$HOME" "$work/payload/licences" "$work/payload/_internal"
echo 'a licence' >"$work/payload/licences/LICENSE"
for file in commonplace.exe commonplace-window.exe _internal/a.dll; do
    echo 'a dummy' >"$work/payload/$file"
done

is() {
    what=$1
    shift
    "$@" || {
        echo "Not so: $what" >&2
        exit 1
    }
    echo "ok  $what"
}
isnt() {
    what=$1
    shift
    # shellcheck disable=SC2310 # that it fails is what is asked
    if "$@"; then is "$what" false; else echo "ok  $what"; fi
}

compile() {
    # Released for 32 bit, so that a 32-bit Windows gets a message; wine here runs 64 bit only.
    makensis ${3:+"-XTarget $3"} -V2 -WX "-DVERSION=$1" "-DPROGRAM=$work/payload" \
        "-DOUT=$2" "$here/commonplace.nsi"
}
compile 0.1.0 "$work/x86.exe"
is 'it compiles without a warning' [ -s "$work/x86.exe" ]
compile 0.1.0 "$work/one.exe" amd64-unicode
compile 0.2.0 "$work/two.exe" amd64-unicode
command -v wine >/dev/null || {
    echo 'There is no wine, so the installer was compiled and not run.'
    exit
}

windows() { timeout 120 wine "$@" >/dev/null 2>&1; }
key='HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
base=$WINEPREFIX/drive_c/cp
timeout 300 wine wineboot -i >/dev/null 2>&1
windows winecfg -v win7
isnt 'Windows 7 is refused' windows "$work/one.exe" /S '/D=C:\cp'
isnt 'and nothing was installed there' [ -e "$base" ]
windows winecfg -v win10
windows reg add "$key" /v CurrentBuildNumber /d 17134 /f
isnt 'an early Windows 10 is refused' windows "$work/one.exe" /S '/D=C:\cp'
windows reg add "$key" /v CurrentBuildNumber /d 19045 /f
is 'it installs' windows "$work/one.exe" /S '/D=C:\cp'
is 'all files are there' diff -r -x uninstall.exe "$work/payload" "$base/0.1.0"
echo mine >"$base/0.1.0/_internal/a.dll"
echo left >"$base/0.1.0/left-over.txt"
is 'it installs over itself' windows "$work/one.exe" /S '/D=C:\cp'
is 'what was there before is replaced whole' diff -r -x uninstall.exe "$work/payload" "$base/0.1.0"
is 'a second version installs beside it' windows "$work/two.exe" /S '/D=C:\cp'
is 'both are there' [ -e "$base/0.1.0/commonplace.exe" ] && [ -e "$base/0.2.0/commonplace.exe" ]
isnt 'nothing half-done is left' [ -e "$base/0.2.0.incoming" ]
uninstall='HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall'
is 'Windows lists it' windows reg query "$uninstall\\Commonplace-0.1.0"

remove() {
    windows "$base/$1/uninstall.exe" /S
    tries=0
    while [ -e "$base/$1" ] && [ "$tries" -lt 60 ]; do
        sleep 1
        tries=$((tries + 1))
    done
    sleep 2
}
mkdir -p "$WINEPREFIX/drive_c/kept"
echo 'a note' >"$WINEPREFIX/drive_c/kept/note.md"
remove 0.1.0
isnt 'the first is gone' [ -e "$base/0.1.0" ]
is 'the second is still there' [ -e "$base/0.2.0/commonplace.exe" ]
is 'and is still the one of the menu' windows reg query 'HKCU\Software\Commonplace' /v Version
isnt 'Windows does not list the first any more' windows reg query "$uninstall\\Commonplace-0.1.0"
remove 0.2.0
isnt 'nothing is left of the program' [ -e "$base" ]
isnt 'nor in the registry' windows reg query 'HKCU\Software\Commonplace'
is 'other files are untouched' [ -s "$WINEPREFIX/drive_c/kept/note.md" ]
wineserver -k 2>/dev/null || :
