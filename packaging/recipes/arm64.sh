#!/bin/sh
# Make the Linux packages for arm64: to be run on such a machine, with Debian 12 or newer.
#   packaging/recipes/arm64.sh
# The same steps as for x86-64; llama.cpp then builds its variants for ARMv8.0 to ARMv9.2 and the
# best one is taken at start. What is different is checked here before half an hour is spent.
# In a container of a foreign architecture (docker run --platform linux/arm64) it works too, and
# takes some ten times as long.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
stop() {
    printf '%s\n' "$*" >&2
    exit 1
}

case $(uname -m) in
aarch64 | arm64) ;;
*) stop "This machine is $(uname -m), and PyInstaller freezes only for the machine it runs on." ;;
esac
${PYTHON:-python3} - <<'END' || stop 'PySide6 has no wheel for this system: it needs glibc 2.39 on arm64 (Debian 13, Ubuntu 24.04).'
import platform, sys
name, version = platform.libc_ver()
sys.exit(name != "glibc" or tuple(map(int, version.split("."))) < (2, 39))
END
grep -q 'aarch64\|arm64' packaging/packagelib/artefacts.py ||
    stop 'The .deb and the .run name x86-64 as their machine: packaging/README.md says where to change it.'
make package
