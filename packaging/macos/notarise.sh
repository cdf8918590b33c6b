#!/bin/sh
# Let Apple look at a signed disk image, and staple its answer to it.
#   packaging/macos/notarise.sh X.dmg
# Without NOTARY_PROFILE nothing is sent anywhere.
set -eu

image=${1:?"Name the disk image."}
if [ -z "${NOTARY_PROFILE:-}" ]; then
    echo 'NOTARY_PROFILE is not set: not notarised.' >&2
    exit 0
fi
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
xcrun notarytool submit "$image" --keychain-profile "$NOTARY_PROFILE" --wait \
    --output-format json >"$answer"
cat "$answer"
if ! grep -q '"status" *: *"Accepted"' "$answer"; then
    number=$(sed -n 's/.*"id" *: *"\([^"]*\)".*/\1/p' "$answer" | head -n 1)
    xcrun notarytool log "$number" --keychain-profile "$NOTARY_PROFILE" >&2
    exit 1
fi
xcrun stapler staple "$image"
spctl --assess --type open --context context:primary-signature --verbose "$image"
