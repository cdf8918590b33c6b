#!/bin/sh
# Build llama.cpp's CUDA backend as one library that is put into an installed program.
#   packaging/recipes/cuda.sh OUT        → OUT/libggml-cuda.so and the libraries it needs
#   cp OUT/* PROGRAM/_internal/llama_cpp/lib/
# PROGRAM is /usr/lib/commonplace (.deb) or ~/.local/lib/commonplace/VERSION (.run).
#
# The packages build llama.cpp with loadable backends, so a backend is added by a file and
# nothing else changes; without a driver the library is not loaded and the processor
# computes. The library has to be of the very same llama.cpp as the program: it is built from
# the sources that packaging/engine.sh unpacked and prepared.
#
# Needs: the CUDA toolkit (12.4 or newer: nvcc in the PATH), CMake, a C++ compiler, and an
# earlier run of packaging/engine.sh. CUDA_ARCHITECTURES names the cards; by default those from
# Turing (RTX 20) to Hopper. An hour on four cores.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
out=${1:?"Name the folder for the result."}
cards=${CUDA_ARCHITECTURES:-75-virtual;80-virtual;86-real;89-real;90-real}
say() { printf '==> %s\n' "$*" >&2; }

command -v nvcc >/dev/null || {
    say 'There is no nvcc. Install the CUDA toolkit, or put its bin folder into PATH.'
    exit 1
}
name=llama-cpp-python
pin=$(grep "^$name==" "$root/constraints.txt")
version=${pin#*==}
source=$root/build/package/engine/llama_cpp_python-$version
[ -d "$source/vendor/llama.cpp" ] || {
    say "The sources of $pin are not unpacked. Run: packaging/engine.sh"
    exit 1
}
build=$root/build/package/cuda
cmake -S "$source/vendor/llama.cpp" -B "$build" -DCMAKE_BUILD_TYPE=Release \
    -DBUILD_SHARED_LIBS=ON -DGGML_NATIVE=OFF -DGGML_BACKEND_DL=ON -DGGML_CPU=OFF \
    -DGGML_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES="$cards" -DGGML_CUDA_NCCL=OFF \
    -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_TOOLS=OFF \
    -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_COMMON=OFF
cmake --build "$build" --target ggml-cuda --parallel

mkdir -p "$out"
library=$(find "$build" -name 'libggml-cuda.so' | head -n 1)
cp "$library" "$out/"
# Of CUDA itself, what the library links to beside the driver; their licence allows that.
ldd "$library" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' | while read -r needed; do
    case ${needed##*/} in
    libcudart.* | libcublas.* | libcublasLt.*) cp -L "$needed" "$out/" ;;
    *) ;;
    esac
done
say "Made in $out:"
ls -l "$out"
