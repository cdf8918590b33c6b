"""A project of many files, made from nothing: as large as one likes, the same every time."""

from __future__ import annotations

from pathlib import Path

PER_FOLDER = 100
FUNCTIONS = 4


def make_project(root: Path, files: int) -> None:
    """Write `files` small Python files below `root`."""
    for number in range(files):
        folder = root / f"package{number // PER_FOLDER:04}"
        if number % PER_FOLDER == 0:
            folder.mkdir(parents=True, exist_ok=True)
        (folder / f"module_{number:06}.py").write_text(_text(number), encoding="utf-8")


def _text(number: int) -> str:
    parts = [f'"""Module {number}: reads the configuration of part {number % 97}."""\n']
    parts += [
        f"\n\ndef read_part_{number}_{place}(path, default={place}):\n"
        f'    """Return the value of setting {place} of part {number % 97}."""\n'
        f"    for line in path.read_text().splitlines():\n"
        f'        if line.startswith("part{number % 97}"):\n'
        f"            return int(line.partition('=')[2])\n"
        f"    return default\n"
        for place in range(FUNCTIONS)
    ]
    return "".join(parts)
