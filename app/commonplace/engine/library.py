"""Which models there are, and which one answers.

Instruction-tuned models come before others, since only they were taught to
answer; among equals the larger file comes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from commonplace.errors import ModelError

_INSTRUCT = re.compile(r"instruct|chat|[-_.]it[-_.]", re.IGNORECASE)
_NOT_A_MODEL = re.compile(r"mmproj|^ggml-vocab-|imatrix", re.IGNORECASE)
_LATER_PART = re.compile(r"-(?!00001)\d{5}-of-\d{5}\.gguf$")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model on disk; `bytes` is the size of the file."""

    path: Path
    name: str
    bytes: int


def find_models(folders: Iterable[Path]) -> list[ModelFile]:
    """Return the models directly inside `folders`, the most useful first.

    Left out are image projectors, later parts of split files, hidden and
    unfinished files. A folder that is missing or unreadable has no models.
    """
    found: dict[Path, ModelFile] = {}
    for folder in folders:
        for path in _entries(folder):
            try:
                size = path.stat().st_size if path.is_file() else 0
            except OSError:
                continue
            if size and _is_model(path.name):
                found.setdefault(path.resolve(), ModelFile(path, path.stem, size))
    return sorted(
        found.values(),
        key=lambda m: (not _INSTRUCT.search(m.path.name), -m.bytes, m.name),
    )


def choose_model(settings_path: str, folders: Iterable[Path]) -> Path | None:
    """Return the model named in the settings, else the first found, else None.

    `settings_path` may be a path, or the name of a file in one of `folders`.
    Raises `ModelError` if the model named is not there.
    """
    searched = list(folders)
    if not settings_path:
        models = find_models(searched)
        return models[0].path if models else None
    named = Path(settings_path).expanduser()
    for path in (named, *(folder / named for folder in searched)):
        if path.is_file():
            return path.absolute()
    where = ", ".join(str(folder) for folder in searched)
    raise ModelError(
        f"The model {settings_path} is not there.",
        f"Set model.path to a GGUF file, or put the file into one of: {where}.",
    )


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _is_model(name: str) -> bool:
    usual = name.lower().endswith(".gguf") and not name.startswith(".")
    return usual and not _NOT_A_MODEL.search(name) and not _LATER_PART.search(name)
