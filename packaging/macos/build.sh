#!/bin/sh
# Make the macOS packages: Commonplace.app in a disk image, for the processor this runs on.
#   packaging/macos/build.sh [--ref COMMIT] [--version X]
#
# Needs macOS 12 or newer with the Command Line Tools, CMake, git, and Python 3.11 or newer
# from python.org; and the starter models (python3 scripts/starter_models.py). Metal is on.
#
# Signing happens where SIGN_IDENTITY names a certificate in the keychain, for instance
# "Developer ID Application: …". Where NOTARY_PROFILE also names a profile of notarytool
# (xcrun notarytool store-credentials), the image is notarised and stapled. Without them the
# program is signed for this machine only, and elsewhere Gatekeeper refuses it until its
# owner allows it in the system's settings.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
[ "$(uname -s)" = Darwin ] || {
    echo 'macOS packages can only be made on macOS.' >&2
    exit 1
}
python=${PYTHON:-python3}
dist=$root/build/elsewhere/dist
app=$dist/Commonplace.app

CMAKE_ARGS="${CMAKE_ARGS:-} -DGGML_METAL=ON -DGGML_METAL_EMBED_LIBRARY=ON" \
    "$python" packaging/elsewhere.py "$@"
"$app/Contents/MacOS/commonplace" --version
version=$("$app/Contents/MacOS/commonplace" --version | sed -n '1s/^commonplace //p')

packaging/macos/sign.sh "$app"

mkdir -p build/packages
image=build/packages/commonplace-$version-macos-$(uname -m).dmg
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
cp -R "$app" "$stage/"
ln -s /Applications "$stage/Applications"
rm -f "$image"
hdiutil create -volname "Commonplace $version" -srcfolder "$stage" -fs HFS+ -format UDZO "$image"
if [ -n "${SIGN_IDENTITY:-}" ]; then
    codesign --force --sign "$SIGN_IDENTITY" --timestamp "$image"
fi
packaging/macos/notarise.sh "$image"
(cd build/packages && shasum -a 256 ./*.dmg | sed 's|\./||' >SHA256SUMS && cat SHA256SUMS)
