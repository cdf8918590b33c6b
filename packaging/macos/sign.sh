#!/bin/sh
# Sign an app bundle from the inside out: each library, the programs, the bundle.
#   packaging/macos/sign.sh Commonplace.app
set -eu

app=${1:?"Name the app bundle."}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
identity=${SIGN_IDENTITY:--}
stamp=--timestamp
[ "$identity" != - ] || {
    echo 'SIGN_IDENTITY is not set: signed for this machine only.' >&2
    stamp=--timestamp=none
}

sign() {
    codesign --force --sign "$identity" "$stamp" --options runtime \
        --entitlements "$here/entitlements.plist" "$1"
}

# codesign --deep signs in the wrong order and skips what lies under Resources.
find "$app/Contents" -type f \( -name '*.dylib' -o -name '*.so' \) | while read -r library; do
    sign "$library"
done
find "$app/Contents/Frameworks" -type d -name '*.framework' -prune 2>/dev/null | while read -r bundle; do
    sign "$bundle"
done
find "$app/Contents/MacOS" -type f -perm -u+x | while read -r program; do
    sign "$program"
done
sign "$app"
codesign --verify --deep --strict --verbose=2 "$app"
