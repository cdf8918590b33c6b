"""From sources to the folder of the program, with all that says what is in it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packagelib import bom, elf, environment, licences, origins, tree, trim
from packagelib.origins import Component, Packages
from packagelib.source import ROOT, Source

STARTER = {"SmolLM2-135M-Instruct.Q4_1.gguf": "Apache-2.0"}
MINILM = "all-MiniLM-L6-v2"
MODELS = Path("_internal/share/commonplace/models")
RESOURCES = Path("_internal/commonplace/resources")
BILL = "sbom.cdx.json"
#: PyInstaller copies these into the program, beside the modules that are imported.
FOR_METADATA = tuple(name for name in environment.SHARED if name not in {"mdurl", "markdown-it-py"})


@dataclass(frozen=True)
class Frozen:
    """The folder of the program, the bill of what is in it, and how new a glibc it wants."""

    folder: Path
    bill: Path
    glibc: str


def freeze(source: Source, work: Path, cache: Path, models: Path) -> Frozen:
    """Freeze `source` below the new folder `work`; `models` has the starter models."""
    engine = environment.engine_wheel()
    venv = environment.environment(source, cache, engine)
    toc = pyinstaller(source, work, venv)
    program = work / "dist" / "commonplace"
    speaks = [file.stem for file in (source.folder / "resources" / "translations").glob("*.mo")]
    trim.trim(program, speaks)
    trim.strip(program)
    place_models(program / MODELS, models)
    packages = Packages(environment.site(venv))
    files, components = told(program, toc, packages, engine)
    subject = subject_of(source, "commonplace")
    written = bom.bill(subject, source.epoch, components, files, program, {
        (MODELS / name).as_posix(): licence for name, licence in STARTER.items()
    })  # fmt: skip
    finish(program, source, written, components)
    bill = program / BILL
    about = {
        "version": source.version,
        "commit": source.commit,
        "date": source.date,
        "sbom_sha256": tree.sha256(bill),
    }
    (program / RESOURCES / "build.json").write_text(
        json.dumps(about, indent=1) + "\n", encoding="utf-8"
    )
    tree.normalise(program, source.epoch)
    newest = elf.newest(elf.read(path).glibc for path in elf.elves_below(program))
    return Frozen(program, bill, newest)


def pyinstaller(source: Source, work: Path, venv: Path) -> Path:
    """Run PyInstaller; return the folder of its lists."""
    variables = {
        **os.environ,
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": str(source.epoch),
        "COMMONPLACE_SOURCE": str(source.folder),
        "COMMONPLACE_VERSION": source.version,
        "COMMONPLACE_DISTRIBUTIONS": " ".join((*FOR_METADATA, "llama-cpp-python")),
        "PYINSTALLER_CONFIG_DIR": str(work / "pyinstaller"),
    }
    log = work / "pyinstaller.log"
    spec = source.folder / "packaging" / "commonplace.spec"
    with log.open("wb") as out:
        done = subprocess.run(
            [str(venv / "bin" / "pyinstaller"), "--noconfirm", "--distpath", str(work / "dist"),
             "--workpath", str(work / "lists"), str(spec)],
            env=variables, cwd=work, stdout=out, stderr=out, check=False,
        )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"PyInstaller failed; its log is {log}.")
    return work / "lists" / "commonplace"


def place_models(target: Path, models: Path) -> None:
    """Copy the starter model with its licence."""
    target.mkdir(parents=True)
    for name in (*STARTER, "SmolLM2-135M-Instruct.LICENSE"):
        if not (models / name).is_file():
            raise SystemExit(f"{models / name} is missing. Run: make models")
        shutil.copyfile(models / name, target / name)


def subject_of(source: Source, name: str) -> Component:
    """Return the component that the package itself is."""
    return Component(name, source.version, "MIT", f"pkg:generic/{name}@{source.version}")


def told(
    program: Path, toc: Path, packages: Packages, engine: Path
) -> tuple[dict[str, str], list[Component]]:
    """Say for each program and library which component it is from, and return the components."""
    placed = origins.collected(toc / "COLLECT-00.toc")
    files: dict[str, str] = {}
    components = {one.purl: one for one in pure(toc, packages)}
    for path in elf.elves_below(program):
        name = path.relative_to(program).as_posix()
        one = component_of(name, placed.get(name), packages, engine)
        if one is None:
            raise SystemExit(f"Nobody knows where {name} is from.")
        files[name] = one.purl
        components[one.purl] = one
    return files, origins.in_order(components)


def pure(toc: Path, packages: Packages) -> Iterable[Component]:
    """Return the Python packages whose modules are in the program."""
    text = (toc / "PYZ-00.toc").read_text(encoding="utf-8")
    names = {packages.owner(Path(path)) for path in re.findall(r"'(/[^']+\.py)'", text)}
    return [packages.component(name) for name in sorted(filter(None, names))]


def component_of(
    name: str, origin: Path | None, packages: Packages, engine: Path
) -> Component | None:
    """Return the component of the file `name` of the program, which was `origin`."""
    if name == "commonplace":
        return packages.component("pyinstaller")
    if origin is None:
        return None
    if native := native_component(name, packages, engine):
        return native
    owner = packages.owner(origin)
    if owner:
        return packages.component(owner)
    return origins.debian_component(origin)


def native_component(name: str, packages: Packages, engine: Path | None) -> Component | None:
    """Return the component of a library that a Python package carries of somebody else."""
    base = name.rpartition("/")[2]
    if "/lib-dynload/" in name or base.startswith("libpython"):
        version = ".".join(map(str, sys.version_info[:3]))
        return Component("cpython", version, "PSF-2.0", f"pkg:generic/cpython@{version}")
    if base.startswith(("libllama", "libggml")) and engine is not None:
        commit = (engine / "llama.cpp-commit").read_text().strip()
        purl = f"pkg:github/ggml-org/llama.cpp@{commit}"
        return Component("llama.cpp", commit, "MIT", purl, (engine / "llama.cpp-LICENSE",))
    if base.startswith("libicu"):
        version = base.rpartition(".")[2]
        return Component("icu", version, "Unicode-3.0", f"pkg:generic/icu@{version}")
    if base.startswith("libQt6") or "/Qt/plugins/" in name:
        version = packages.found["pyside6-essentials"].version
        return Component("qt", version, "LGPL-3.0-only", f"pkg:generic/qt@{version}")
    if "openblas" in base:
        return _with_wheel(
            "openblas", "BSD-3-Clause", "scipy" if "scipy.libs" in name else "numpy", packages
        )
    if base.startswith(("libgfortran-", "libquadmath-", "libgomp-")):
        licence = "GPL-3.0-or-later WITH GCC-exception-3.1"
        package = "torch" if "torch" in name else "scipy" if "scipy" in name else "numpy"
        if "scikit_learn" in name:
            package = "scikit-learn"
        return _with_wheel(base.partition("-")[0], licence, package, packages)
    return None


def _with_wheel(name: str, licence: str, package: str, packages: Packages) -> Component:
    """Return a library that is known by the wheel it came in."""
    version = f"with-{package}-{packages.found[package].version}"
    return Component(name, version, licence, f"pkg:generic/{name}@{version}")


def finish(
    folder: Path, source: Source, written: Mapping[str, object], components: Iterable[Component]
) -> None:
    """Write the bill and the licences into `folder`; stop if the bill has a gap."""
    bom.write(written, folder / BILL)
    wrong = bom.uncovered(written, folder)
    if wrong:
        raise SystemExit("The bill of materials is wrong:\n  " + "\n  ".join(wrong))
    models = [ROOT / "models" / "SmolLM2-135M-Instruct.LICENSE"]
    extra = [text for text in models if text.is_file()]
    licences.collect(folder / "licences", components, source.folder / "LICENSE", extra)
