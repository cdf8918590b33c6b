#!/bin/sh
# Build llama-cpp-python with llama.cpp's run-time processor variants, for the packages.
#   packaging/engine.sh          prints the folder that holds the wheel
#
# One library per processor generation is built, and the best that the processor
# can run is loaded at start. The wheel is kept where scripts/venv.sh keeps its own.
# The paths of the build do not get into the libraries, so that a second build elsewhere is the same.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
work=$root/build/package/engine
flags='-DGGML_NATIVE=OFF -DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON'
flags="$flags -DCMAKE_INSTALL_BINDIR=llama_cpp/lib -DLLAVA_BUILD=OFF"
# Generations that gain next to nothing over the one before them, and AMX, which faults
# in virtual machines that claim to have it (docs/engine.md): nine megabytes and twenty minutes.
left_out='ivybridge piledriver cannonlake cascadelake cooperlake sapphirerapids'

say() { printf '==> %s\n' "$*" >&2; }

name=llama-cpp-python
pin=$(grep "^$name==" constraints.txt)
version=${pin#*==}
abi=$(${PYTHON:-python3} -c 'import platform, sysconfig
print(sysconfig.get_config_var("SOABI"), *platform.libc_ver(), sep="-")')
cache=${XDG_CACHE_HOME:-$HOME/.cache}/commonplace-build
key=$(printf '%s\n' "$flags" "$left_out" "${CFLAGS:-}" "${CXXFLAGS:-}" | cksum | cut -d' ' -f1)
wheel=$cache/$pin-$abi-variants-$key
if [ -d "$wheel" ]; then
    echo "$wheel"
    exit
fi

say "Building $pin with processor variants (takes half an hour on two cores, once)"
mkdir -p "$work"
if [ ! -x "$work/venv/bin/python" ]; then
    "${PYTHON:-python3}" -m venv "$work/venv" >&2
    "$work/venv/bin/python" -m pip install --quiet --constraint constraints.txt pip >&2
fi
source=$work/llama_cpp_python-$version
if [ ! -f "$work/llama_cpp_python-$version.tar.gz" ]; then
    "$work/venv/bin/python" -m pip download --quiet --no-deps --no-binary "$name" \
        --build-constraint constraints.txt --dest "$work" "$pin" >&2
fi
# What was compiled before an interruption is not compiled again.
if [ ! -f "$source/.prepared-$key" ]; then
    rm -rf "$source"
    tar -xzf "$work/llama_cpp_python-$version.tar.gz" -C "$work"
    cmake_file=$source/vendor/llama.cpp/ggml/src/CMakeLists.txt
    for variant in $left_out; do
        sed -i "/ggml_add_cpu_backend_variant($variant /d" "$cmake_file"
        ! grep -q "variant($variant " "$cmake_file"
    done
    # The library of llama.cpp's own programs: half of what is to compile, and not installed.
    sed -i 's/set(LLAMA_BUILD_COMMON ON /set(LLAMA_BUILD_COMMON OFF /' "$source/CMakeLists.txt"
    touch "$source/.prepared-$key"
fi
# The changelog names the commit of llama.cpp; without this the build would call it unknown.
commit=$(sed -n "/^## \[$version\]/,/^## /s/.*llama\.cpp@\([0-9a-f]*\).*/\1/p" "$source/CHANGELOG.md" | head -n 1)
[ -n "$commit" ] || { say "The changelog of $pin names no commit of llama.cpp."; exit 1; }
map="-ffile-prefix-map=$source=llama-cpp-python"
rm -rf "$work/wheel.part"
CFLAGS="${CFLAGS:-} $map" CXXFLAGS="${CXXFLAGS:-} $map" \
    CMAKE_ARGS="$flags -DLLAMA_BUILD_COMMIT=$commit" \
    "$work/venv/bin/python" -m pip wheel --no-deps --no-cache-dir \
    --build-constraint constraints.txt --config-settings "build-dir=$source/build" \
    --wheel-dir "$work/wheel.part" "$source" >&2
printf '%s\n' "$commit" >"$work/wheel.part/llama.cpp-commit"
cp "$source/vendor/llama.cpp/LICENSE" "$work/wheel.part/llama.cpp-LICENSE"
mkdir -p "$cache"
mv "$work/wheel.part" "$wheel"
echo "$wheel"
