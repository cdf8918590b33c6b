"""The environments that a package is made in: never the checkout's own."""

from __future__ import annotations

import compileall
import hashlib
import os
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from packagelib import trim
from packagelib.origins import Packages
from packagelib.source import ROOT, Source

PINS = ROOT / "packaging" / "constraints.txt"
#: Of these the program has all modules, and the add-on uses them from there.
SHARED = (
    "click filelock jinja2 markdown-it-py markupsafe mdurl numpy packaging psutil pygments pyyaml "
    "safetensors tokenizers typing-extensions"
).split()
#: What pip puts beside the packages, and tests and headers that nothing reads at run time.
#: Of torch/bin one program stays: torch looks for torch_shm_manager when it is imported.
NOT_AT_RUN_TIME = (
    "bin share include torch/include torch/share torch/bin/[!t]* torch/bin/te* torch/test "
    "functorch/test torch/lib/*.a "
    "torch/**/*.h torch/**/*.cuh torch/**/*.cmake **/tests **/*.pyi **/*.pyx **/*.pxd "
    "**/__pycache__ scipy/**/*.f90"
).split()
#: Packages that keep code in a folder called tests.
KEEP_TESTS = ("transformers", "torch/testing", "torch/_inductor")


def engine_wheel() -> Path:
    """Return the folder with llama.cpp for many processors, building it if need be."""
    done = subprocess.run(
        [str(ROOT / "packaging" / "engine.sh")], check=True, stdout=subprocess.PIPE, text=True
    )
    return Path(done.stdout.strip())


def environment(source: Source, work: Path, engine: Path) -> Path:
    """Return the folder of an environment that has what the program needs, and PyInstaller."""
    needs = [need for need in source.requirements()[0] if not need.startswith("llama-cpp-python")]
    key = _key([*needs, engine.name, PINS.read_text(), (ROOT / "constraints.txt").read_text()])
    folder = work / f"venv-{key}"
    if not (folder / "ready").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        _pip(folder, "install", "pip")
        _pip(folder, "install", "pyinstaller", *needs)
        [wheel] = engine.glob("*.whl")
        _pip(folder, "install", "--no-deps", "--no-index", str(wheel))
        (folder / "ready").touch()
    return folder


def site(folder: Path) -> Path:
    """Return where the packages of an environment are."""
    [found] = folder.glob("lib/python3*/site-packages")
    return found


def addon(source: Source, work: Path, venv: Path) -> Path:
    """Return a folder with the packages that the add-on brings, trimmed and compiled."""
    needs = source.requirements()[1]
    key = _key([*needs, *NOT_AT_RUN_TIME, (ROOT / "constraints.txt").read_text()])
    folder = work / f"addon-{key}"
    if folder.is_dir():
        return folder
    part = work / f"addon-{key}.part"
    fresh = work / f"addon-{key}.installed"  # what was downloaded before an interruption is kept
    if not fresh.is_dir():
        shutil.rmtree(part, ignore_errors=True)
        _pip(venv, "install", "--no-compile", "--target", str(part), *needs)
        part.rename(fresh)
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(fresh, part, symlinks=True)
    drop_shared(part)
    for pattern in NOT_AT_RUN_TIME:
        for found in sorted(part.glob(pattern)):
            name = found.relative_to(part).as_posix()
            if not name.startswith(KEEP_TESTS):
                shutil.rmtree(found) if found.is_dir() else found.unlink(missing_ok=True)
    trim.strip(part)
    compile_below(part)
    part.rename(folder)
    shutil.rmtree(fresh)
    return folder


def drop_shared(folder: Path) -> None:
    """Remove the packages that the program has already."""
    packages = Packages(folder)
    for name in SHARED:
        if name not in packages.found:
            continue
        one = packages.found[name]
        tops = {entry.parts[0] for entry in one.files or () if entry.parts[0] not in {"..", "bin"}}
        for top in sorted(tops):
            path = folder / top
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def compile_below(folder: Path) -> None:
    """Compile all modules below `folder`: a user may not write there, and must not wait each time.

    Checked by nothing at run time, so that no time of a file is kept in them.
    """
    compileall.compile_dir(
        folder,
        quiet=2,
        stripdir=str(folder),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


def _pip(venv: Path, command: str, *arguments: str) -> None:
    options = [
        "--disable-pip-version-check",
        "--quiet",
        "--constraint",
        str(ROOT / "constraints.txt"),
    ]
    subprocess.run(
        [
            str(venv / "bin" / "python"),
            "-m",
            "pip",
            command,
            *options,
            "--constraint",
            str(PINS),
            *arguments,
        ],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )


def _key(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
