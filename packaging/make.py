#!/usr/bin/env python3
"""Make the packages of Commonplace: ``make package``, or this script with arguments.

    packaging/make.py build [--ref COMMIT] [--version X] [--out DIR] [--no-addon]
    packaging/make.py twice        build all twice, in different folders, and compare the checksums
    packaging/make.py sizes [DIR]  print how large each part is, as a table

Made from a commit and never from the working tree. Everything lies below build/package;
compiled wheels are kept in the cache that scripts/venv.sh uses.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

from packagelib import artefacts, environment, source, tree
from packagelib.freeze import freeze

WORK = source.ROOT / "build" / "package"


def main() -> int:
    """Do what the command line says; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("build", "twice"):
        command = commands.add_parser(name)
        command.add_argument("--ref", default="HEAD", help="the commit to build")
        command.add_argument("--version", help="put this version into it")
        command.add_argument("--out", type=Path, default=source.ROOT / "build" / "packages")
        command.add_argument("--work", default="work", help="the folder below build/package to use")
        command.add_argument("--no-addon", action="store_true", help="only the program")
    sizes = commands.add_parser("sizes")
    sizes.add_argument("out", nargs="?", type=Path, default=source.ROOT / "build" / "packages")
    arguments = parser.parse_args()
    os.umask(0o022)
    if sys.platform != "linux":
        parser.error(
            "The packages for this system have recipes of their own: see packaging/README.md."
        )
    if arguments.command == "sizes":
        sys.stdout.write((arguments.out / "sizes.md").read_text(encoding="utf-8"))
        return 0
    if arguments.command == "twice":
        return twice(arguments)
    build(arguments, WORK / arguments.work, arguments.out)
    return 0


def build(arguments: argparse.Namespace, work: Path, out: Path) -> list[Path]:
    """Build all packages into `out`, working in `work`; return them."""
    began = time.monotonic()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    sources = source.export(arguments.ref, work / "source", arguments.version)
    say(f"Commonplace {sources.version} from commit {sources.commit[:12]}")
    if changed := source.git("diff", "--name-only", sources.commit, "--", "packaging").decode():
        say(f"These tools are not those of that commit: {changed.split()}")
    program = freeze(sources, work, WORK, source.ROOT / "models")
    say(f"Frozen: {tree.size(program.folder.rglob('*')) / 1e6:.0f} MB, needs glibc {program.glibc}")
    out.mkdir(parents=True, exist_ok=True)
    for pattern in ("commonplace[-_]*", "SHA256SUMS", "sizes.md"):
        for older in out.glob(pattern):
            older.unlink()
    made = artefacts.program(sources, program, work, out)
    if not arguments.no_addon:
        made += artefacts.addon(sources, program, addon_packages(sources), work, out)
    artefacts.write_sums(out)
    table = artefacts.table(sources, program, work, made)
    (out / "sizes.md").write_text(table, encoding="utf-8")
    for path in made:
        say(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")
    say(f"Done in {time.monotonic() - began:.0f} s: {out}")
    return made


def addon_packages(sources: source.Source) -> Path:
    """Return the folder with the packages of the add-on."""
    venv = environment.environment(sources, WORK, environment.engine_wheel())
    return environment.addon(sources, WORK, venv)


def twice(arguments: argparse.Namespace) -> int:
    """Build all a second time in another folder, and compare."""
    commit = source.git("rev-parse", arguments.ref).decode().strip()
    arguments.ref = commit
    sums = []
    for name in ("first", "second"):
        out = WORK / name / "dist"
        build(arguments, WORK / name / f"work-{name}", out)
        sums.append((out / "SHA256SUMS").read_text(encoding="utf-8"))
    same = sums[0] == sums[1]
    sys.stdout.write(
        sums[0] if same else "".join(f"--- {n}\n{s}" for n, s in zip("12", sums, strict=True))
    )
    say("Built twice with the same checksums." if same else "The two builds differ.")
    return 0 if same else 1


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"==> {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
