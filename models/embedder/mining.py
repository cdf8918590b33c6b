"""Sources to learn from: files of git repositories and of installed packages.

Nothing here is kept: files are read, cut into chunks the way the index cuts
them, and handed on. Sources are named in ``sources.tsv``; a project that recall
is judged by is refused under any name, and so are copies of it inside others.
"""

from __future__ import annotations

import csv
import os
import random
import re
import subprocess
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath

from commonplace.index.languages import language_of

MAX_FILES = 900
MAX_BYTES = 150_000
CODE = frozenset(
    "python javascript typescript tsx go rust java c cpp csharp php ruby kotlin swift bash lua "
    "elixir haskell zig scala markdown rst".split()
)
COPIES = re.compile(
    r"(^|/)(_?vendor(ed)?|third[-_]?party|3rd[-_]?party|_?externals?|extern|deps|node_modules|"
    r"bundled|submodules|dist|build|fixtures?|snapshots?|__snapshots__|locales?|i18n|migrations|"
    r"testdata|generated|benchmarks?|typeshed)(/|$)|\.min\.|_pb2|\.pb\.|\.d\.ts$|json\.hpp$|"
    r"(^|/)(changelog|changes|history|authors|contributors|news|release)[^/]*$",
    re.IGNORECASE,
)
OWNERS = re.compile(
    r"nlohmann|Zverovich|Abseil Authors|Django Software Foundation|Taylor Otwell|Sanfilippo|"
    r"libuv|Joyent|curl\.(se|haxx)|Armin Ronacher|pallets|scikit-learn|sympy|SnapKit|Alamofire|"
    r"@generated|DO NOT EDIT|auto-?generated",
    re.IGNORECASE,
)
PERMISSIVE = frozenset(
    {"MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "Zlib", "Unlicense", "PSF-2.0"}
)


@dataclass(frozen=True, slots=True)
class Source:
    """One row of ``sources.tsv``: a repository, or an installed package."""

    name: str
    revision: str
    licence: str
    language: str

    @property
    def installed(self) -> bool:
        """Whether the source is a Python package of this environment."""
        return "/" not in self.name


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a source: its path there, and its text."""

    path: str
    text: str


def read_sources(table: Path, never: Sequence[str] = ()) -> list[Source]:
    """Return the sources in `table`; refuses any that may not be learned from."""
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    sources = [Source(r["source"], r["revision"], r["licence"], r["language"]) for r in rows]
    forbidden = {name.lower() for name in never}
    for source in sources:
        if source.name.lower() in forbidden or source.licence not in PERMISSIVE:
            raise ValueError(f"{source.name} may not be learned from")
    return sources


def repository(folder: Path, source: Source) -> Path:
    """Return the git directory of a repository below `folder`."""
    return folder / source.name.replace("/", "+") / "repo"


def files_of(source: Source, folder: Path, never: Sequence[str]) -> Iterator[SourceFile]:
    """Yield a sample of the files of `source`, the same one every time."""
    forbidden = {name.lower().rpartition("/")[2] for name in never}
    if source.installed:
        base, paths = _installed(source.name)
    else:
        base, paths = repository(folder, source), _tracked(repository(folder, source), source)
    wanted = [path for path in sorted(paths) if _wanted(path, forbidden)]
    random.Random(source.name).shuffle(wanted)  # noqa: S311 - a sample, not a secret
    wanted = wanted[:MAX_FILES]
    blobs = _read_installed(base, wanted) if source.installed else _read(base, source, wanted)
    for path, data in blobs:
        text = data.decode("utf-8", "ignore").replace("\r\n", "\n")
        if "\0" not in text and not OWNERS.search(text[:1500]):
            yield SourceFile(path, text)


def git_environment() -> dict[str, str]:
    """Return an environment in which git asks nobody and fetches nothing."""
    return {**os.environ, "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}


def _wanted(path: str, forbidden: set[str]) -> bool:
    parts = [part.lower() for part in PurePosixPath(path).parts[:-1]]
    if COPIES.search(path) or forbidden.intersection(parts):
        return False
    return language_of(path).name in CODE


def _tracked(repo: Path, source: Source) -> list[str]:
    command = ["git", "-C", str(repo), "ls-tree", "-r", "-z", "--name-only", source.revision]
    listing = subprocess.run(command, capture_output=True, check=True, env=git_environment())
    return listing.stdout.decode("utf-8", "ignore").split("\0")


def _read(repo: Path, source: Source, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    names = "".join(f"{source.revision}:{path}\n" for path in paths if "\n" not in path)
    command = ["git", "-C", str(repo), "cat-file", "--batch"]
    done = subprocess.run(
        command, input=names.encode(), capture_output=True, check=False, env=git_environment()
    )
    data, position = done.stdout, 0
    for path in paths:
        end = data.find(b"\n", position)
        if end < 0:
            return
        fields = data[position:end].rsplit(b" ", 2)
        position = end + 1
        if len(fields) < 3 or not fields[2].isdigit():
            continue  # "missing": the copy does not hold this file
        size = int(fields[2])
        if fields[1] == b"blob" and size <= MAX_BYTES:
            yield path, data[position : position + size]
        position += size + 1


def _installed(name: str) -> tuple[Path, list[str]]:
    if name == "python-stdlib":
        base = Path(sysconfig.get_paths()["stdlib"])
        skip = {"site-packages", "test", "idlelib", "ensurepip", "lib2to3"}
        found = (path.relative_to(base) for path in base.rglob("*.py"))
        return base, [p.as_posix() for p in found if not skip.intersection(p.parts)]
    base = Path(sysconfig.get_paths()["purelib"])
    files = metadata.files(name) or []
    return base, [file.as_posix() for file in files if file.suffix == ".py"]


def _read_installed(base: Path, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        file = base / path
        if file.is_file() and file.stat().st_size <= MAX_BYTES:
            yield path, file.read_bytes()
