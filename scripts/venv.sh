#!/bin/sh
# Make or mend .venv, with the versions that constraints.txt pins.
#   scripts/venv.sh [EXTRA]     an extra of pyproject.toml, such as dev
#
# Safe to stop and run again. Asks the network for nothing that is there already.
set -eu

PYTHON=${PYTHON:-python3}
extra=${1:-}

# A build for exactly this processor is faster here and crashes elsewhere; some
# virtual machines do not even run what they say they have. So: a portable one.
portable='-DGGML_NATIVE=OFF -DLLAVA_BUILD=OFF'
export HNSWLIB_NO_NATIVE=1

say() { printf '==> %s\n' "$*"; }
stop() {
    printf '\n%s\n' "$*" >&2
    exit 1
}
pip() {
    .venv/bin/python -m pip --disable-pip-version-check "$@" ||
        stop 'pip did not get through (its reason is above). Without a network: connect, and run the same make again; it goes on from here.'
}

# An environment whose Python has gone (an upgrade of the system) cannot be mended.
if ! .venv/bin/python -c '' 2>/dev/null; then
    say "Making .venv with $("$PYTHON" --version)"
    rm -rf .venv
    "$PYTHON" -m venv .venv
fi

# hatchling builds our own package without an environment of its own, so that
# a change in pyproject.toml needs no network.
pip install --quiet --constraint constraints.txt pip hatchling editables

# The flags of the last build stay in force until others are given.
flags=${CMAKE_ARGS:-$(cat .venv/cmake-args 2>/dev/null || echo "$portable")}
export CMAKE_ARGS="$flags"

# One package comes as source and takes minutes. Its wheel is kept outside of the
# checkout, in a folder named after all that makes one differ from another: pip's own
# cache would hand out a wheel that was built with other flags.
abi=$(.venv/bin/python -c 'import platform, sysconfig
print(sysconfig.get_config_var("SOABI"), *platform.libc_ver(), sep="-")')
cache=${XDG_CACHE_HOME:-$HOME/.cache}/commonplace-build
name=llama-cpp-python
pin=$(grep "^$name==" constraints.txt)
key=$(printf '%s\n' "$flags" "${CFLAGS:-}" "${CXXFLAGS:-}" | cksum | cut -d' ' -f1)
wheel=$cache/$pin-$abi-$key
if [ ! -d "$wheel" ]; then
    say "Building $pin (takes some minutes, once)"
    part=$wheel.part$$
    trap 'rm -rf "$part"' EXIT
    trap 'exit 1' INT TERM
    pip wheel --no-deps --no-cache-dir --no-binary "$name" \
        --build-constraint constraints.txt --wheel-dir "$part" "$pin"
    mv "$part" "$wheel"
fi
pip install --quiet --no-deps --no-index --force-reinstall "$wheel"/*.whl
printf '%s\n' "$flags" >.venv/cmake-args

say 'Installing the other packages'
pip install --no-build-isolation --constraint constraints.txt --editable ".${extra:+[$extra]}"
.venv/bin/python -c 'import llama_cpp, torch, PySide6.QtWidgets' ||
    stop 'Installed, but not all of it can be loaded: see above.'
