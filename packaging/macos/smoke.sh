#!/bin/sh
# Try the disk image, not the sources: copy the app out of it, use it, and see what stays.
#   packaging/macos/smoke.sh X.dmg
set -eu

image=${1:?"Name the disk image."}
work=$(mktemp -d)
mount=$work/image
cleanup() {
    hdiutil detach "$mount" -quiet 2>/dev/null || :
    rm -rf "$work"
}
trap cleanup EXIT

ok() { echo "ok  $*"; }
mkdir -p "$mount" "$work/project"
hdiutil attach "$image" -mountpoint "$mount" -nobrowse -readonly -quiet
cp -R "$mount/Commonplace.app" "$work/"
hdiutil detach "$mount" -quiet
program=$work/Commonplace.app/Contents/MacOS/commonplace
COMMONPLACE_HOME=$work/home
export COMMONPLACE_HOME
cat >"$work/project/app.py" <<'END'
def load_config(path):
    """Read the configuration."""
    return open(path).read()
END

"$program" --version | grep -q '^SBOM *sha256:[0-9a-f]\{64\}$'
ok 'it says what is inside'
"$program" doctor
"$program" index "$work/project"
"$program" search "$work/project" 'where is the configuration read' --json | grep -q 'app\.py'
ok 'it finds the function'
"$program" ask "$work/project" 'Which function reads the configuration?' --json | grep -q 'app\.py'
ok 'the answer of the shipped model has a source'
"$program" notes add "$work/project" --title Kept --text 'A note that stays.' --private
QT_QPA_PLATFORM=offscreen "$program" window "$work/project" &
window=$!
sleep 20
kill -INT "$window"
wait "$window"
ok 'the window opens and ends'
rm -rf "$work/Commonplace.app"
find "$work/home" -name '*.md' | grep -q .
ok 'the note is still there'
echo 'The image passed.'
