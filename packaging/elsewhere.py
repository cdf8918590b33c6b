#!/usr/bin/env python3
"""Make the folder of the program on Windows and macOS, from the same recipe as on Linux.

    python packaging/elsewhere.py [--ref COMMIT] [--version X] [--out DIR] [--venv DIR]

PyInstaller freezes only for the system it runs on, so this has to be called there; what
signs, packs and tries the folder lies in packaging/windows and packaging/macos. It needs
Python, git, a C++ compiler and CMake, and an index of Python packages. Everything beside
the result lies below build/elsewhere. `--venv` takes an environment that is there already.

On Linux it runs too, for trying this script; the packages there are made by make.py.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from packagelib import bom, licences, origins, source, tree
from packagelib.origins import Component, Packages

WORK = source.ROOT / "build" / "elsewhere"
MODELS = "share/commonplace/models"
STARTER = {"SmolLM2-135M-Instruct.Q4_1.gguf": "Apache-2.0"}
ENGINE = "-DGGML_NATIVE=OFF -DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON -DLLAVA_BUILD=OFF"
BILL = "sbom.cdx.json"
BINARY = (".dll", ".pyd", ".exe", ".so", ".dylib")
#: Only makes the package, and is not in it.
TOOLS = {"pip", "setuptools", "wheel", "altgraph", "macholib", "pefile", "pywin32-ctypes",
         "pyinstaller-hooks-contrib"}  # fmt: skip
SYSTEM = ("vcruntime", "msvcp", "ucrtbase", "api-ms-", "concrt", "vcomp")


def main() -> int:
    """Do what the command line says; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--ref", default="HEAD", help="the commit to build")
    parser.add_argument("--version", help="put this version into it")
    parser.add_argument("--out", type=Path, default=WORK / "dist")
    parser.add_argument("--venv", type=Path, help="an environment that has all that is needed")
    arguments = parser.parse_args()
    os.umask(0o022)
    work = WORK / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    sources = source.export(arguments.ref, work / "source", arguments.version)
    venv = arguments.venv.absolute() if arguments.venv else environment(sources)
    programs = freeze(sources, work, venv, arguments.out.absolute())
    for program in programs:
        complete(program, sources, Packages(site(venv)))
        sys.stdout.write(f"{program}\n")
    return 0


def environment(sources: source.Source) -> Path:
    """Make an environment with what the program needs, its engine built with all variants."""
    venv = WORK / "venv"
    shutil.rmtree(venv, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    needs, _addon = sources.requirements()
    arguments = [
        str(program_of(venv, "python")), "-m", "pip", "install", "--disable-pip-version-check",
        "--constraint", str(source.ROOT / "constraints.txt"),
        "--constraint", str(source.ROOT / "packaging" / "constraints.txt"),
        "--no-binary", "llama-cpp-python", "pyinstaller", *needs,
    ]  # fmt: skip
    flags = f"{os.environ.get('CMAKE_ARGS', '')} {ENGINE}".strip()
    subprocess.run(arguments, check=True, env={**os.environ, "CMAKE_ARGS": flags})
    return venv


def program_of(venv: Path, name: str) -> Path:
    """Return a program of an environment."""
    folder = "Scripts" if sys.platform == "win32" else "bin"
    return venv / folder / (f"{name}.exe" if sys.platform == "win32" else name)


def site(venv: Path) -> Path:
    """Return where the packages of an environment are."""
    if sys.platform == "win32":
        return venv / "Lib" / "site-packages"
    [found] = venv.glob("lib/python3*/site-packages")
    return found


def freeze(sources: source.Source, work: Path, venv: Path, out: Path) -> list[Path]:
    """Run PyInstaller; return the folders to complete: on macOS also the one in the bundle."""
    packages = Packages(site(venv))
    names = sorted(set(packages.found) & {
        "click", "filelock", "jinja2", "markupsafe", "numpy", "packaging", "psutil", "pygments",
        "pyyaml", "safetensors", "tokenizers", "typing-extensions", "llama-cpp-python",
    })  # fmt: skip
    shutil.rmtree(out, ignore_errors=True)
    subprocess.run(
        [str(program_of(venv, "pyinstaller")), "--noconfirm", "--distpath", str(out),
         "--workpath", str(work / "lists"), str(sources.folder / "packaging" / "commonplace.spec")],
        check=True, cwd=work,
        env={**os.environ, "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": str(sources.epoch),
             "COMMONPLACE_SOURCE": str(sources.folder), "COMMONPLACE_VERSION": sources.version,
             "COMMONPLACE_DISTRIBUTIONS": " ".join(names)},
    )  # fmt: skip
    bundle = out / "Commonplace.app" / "Contents"
    return [bundle] if bundle.is_dir() else [out / "commonplace"]


def complete(program: Path, sources: source.Source, packages: Packages) -> None:
    """Put the starter model, the bill, the licences and the build's description into `program`."""
    # In a bundle data and libraries lie apart; what is looked for beside a module is data.
    bundle = program.name == "Contents"
    inside = program / "Resources" if bundle else program / "_internal"
    beside = program / "MacOS" if bundle else program
    models = inside / MODELS
    models.mkdir(parents=True, exist_ok=True)
    for name in (*STARTER, "SmolLM2-135M-Instruct.LICENSE"):
        place = source.ROOT / "models" / name
        if not place.is_file():
            raise SystemExit(f"{place} is missing. Run: make models")
        shutil.copyfile(place, models / name)
    if bundle and not (program / "Frameworks" / "share").exists():
        (program / "Frameworks" / "share").symlink_to("../Resources/share")
    files, components = told(program, packages)
    subject = Component(
        "commonplace", sources.version, "MIT", f"pkg:generic/commonplace@{sources.version}"
    )
    known = {(models / name).relative_to(program).as_posix(): one for name, one in STARTER.items()}
    bill = inside / BILL if bundle else beside / BILL
    bom.write(bom.bill(subject, sources.epoch, components, files, program, known), bill)
    texts = inside / "licences" if bundle else beside / "licences"
    shutil.rmtree(texts, ignore_errors=True)
    licences.collect(
        texts, components, sources.folder / "LICENSE", [models / "SmolLM2-135M-Instruct.LICENSE"]
    )
    about = {
        "version": sources.version, "commit": sources.commit, "date": sources.date,
        "sbom_sha256": tree.sha256(bill),
    }  # fmt: skip
    resources = inside / "commonplace" / "resources"
    (resources / "build.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def told(program: Path, packages: Packages) -> tuple[dict[str, str], list[Component]]:
    """Say for each program and library which component it is from."""
    owners = dict(_by_name(packages))
    components = {
        one.purl: one
        for one in (packages.component(name) for name in packages.found if name not in TOOLS)
    }
    files: dict[str, str] = {}
    for path in binaries(program):
        one = component_of(path, owners, packages)
        files[path.relative_to(program).as_posix()] = one.purl
        components.setdefault(one.purl, one)
    return files, origins.in_order(components)


def binaries(program: Path) -> list[Path]:
    """Return the programs and libraries below `program`, links left out."""
    return [
        path
        for path in sorted(program.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and (
            path.suffix.lower() in BINARY
            or ".so." in path.name
            or path.name in {"commonplace", "Python"}
            or (path.suffix == "" and path.name.startswith("Qt"))
        )
    ]


def component_of(path: Path, owners: dict[str, str], packages: Packages) -> Component:
    """Return the component that the library at `path` is from."""
    name = path.name.lower()
    if name in {"commonplace", "commonplace.exe", "commonplace-window.exe"}:
        return packages.component("pyinstaller")
    if name.startswith(("libllama", "libggml", "llama", "ggml")):
        return packages.component("llama-cpp-python")  # its changelog names the commit
    if name.startswith(("qt6", "libqt6", "qt")) or "plugins" in path.parts:
        return packages.component("pyside6-essentials")
    if owner := owners.get(name):
        return packages.component(owner)
    if sys.platform == "win32" and name.startswith(SYSTEM):
        purl = "pkg:generic/microsoft-visual-cpp-runtime"
        return Component("microsoft-visual-cpp-runtime", "", "see its terms", purl)
    # What is left came with Python itself: its own modules, and the libraries they link to.
    version = ".".join(map(str, sys.version_info[:3]))
    if "lib-dynload" in path.parts or name.startswith(("python", "libpython")):
        return Component("cpython", version, "PSF-2.0", f"pkg:generic/cpython@{version}")
    purl = f"pkg:generic/{path.stem.lower()}?with=cpython@{version}"
    return Component(path.stem, f"with-cpython-{version}", "see CPython's licence", purl)


def _by_name(packages: Packages) -> Iterator[tuple[str, str]]:
    """Yield the names of the libraries that packages have, and whose they are."""
    for owner, one in packages.found.items():
        for entry in one.files or ():
            name = entry.parts[-1].lower()
            if name.endswith(BINARY) or ".so." in name:
                yield name, owner


if __name__ == "__main__":
    sys.exit(main())
