"""What a measurement, a verdict or a saved state holds for: model, build, machine.

Nothing here loads llama.cpp, so that the window can ask as well.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
from importlib.util import find_spec
from pathlib import Path

import psutil  # type: ignore[import-untyped,unused-ignore]

PACKAGE = "llama-cpp-python"
SAMPLES = 64
SAMPLE_BYTES = 4096
HEAD_BYTES = 1 << 20


def model_id(path: Path) -> str:
    """Return what tells the file at `path` from any other, in 32 characters.

    Its size, its time, its first MiB and samples from all over it: reading
    gigabytes to know a file again would take longer than what it saves. A file
    that cannot be read has the identity of nothing.
    """
    digest = hashlib.sha256()
    try:
        about = path.stat()
        digest.update(f"{about.st_size} {about.st_mtime_ns}".encode())
        with path.open("rb") as file:
            digest.update(file.read(HEAD_BYTES))
            for number in range(SAMPLES):
                file.seek(about.st_size * number // SAMPLES)
                digest.update(file.read(SAMPLE_BYTES))
    except OSError:
        return "unreadable"
    return digest.hexdigest()[:32]


@functools.cache
def build_id() -> str:
    """Return what tells this build of llama.cpp from another, in 16 characters."""
    from importlib.metadata import PackageNotFoundError, version  # slow to load, and rarely asked

    digest = hashlib.sha256()
    try:
        digest.update(version(PACKAGE).encode())
    except PackageNotFoundError:
        digest.update(b"none")
    for library in native_libraries():
        about = library.stat()
        digest.update(f"{library.name} {about.st_size} {about.st_mtime_ns}".encode())
    return digest.hexdigest()[:16]


def native_libraries() -> list[Path]:
    """Return the native libraries of llama.cpp that are installed, by name."""
    spec = find_spec("llama_cpp")
    folders = (
        [Path(place) / "lib" for place in (spec.submodule_search_locations or [])] if spec else []
    )
    return sorted(
        path
        for folder in folders
        if folder.is_dir()
        for path in folder.iterdir()
        if path.suffix in {".so", ".dylib", ".dll"}
    )


@functools.cache
def machine_id() -> str:
    """Return what tells this machine from another, in 16 characters."""
    facts = f"{processor_name()} {os.cpu_count()} {psutil.virtual_memory().total}"
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def processor_name() -> str:
    """Return the processor's name as the system knows it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
