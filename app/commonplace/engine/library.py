"""Which models there are, what each is, and which one answers.

Two views of the same folders. `find_models` looks at names only and costs
nothing. `list_models` reads every header, says what a file is, what it needs
and, where it cannot be chosen, why; it belongs off the window's thread.

Instruction-tuned models come before others, since only they were taught to
answer; among equals the larger file comes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from commonplace.engine.devices import Device
from commonplace.engine.entries import (
    PART_NAME,
    LibraryEntry,
    Place,
    describe,
    licence_file,
    parts_of,
)
from commonplace.engine.gguf import read_header
from commonplace.engine.options import load_options
from commonplace.engine.other_apps import models_of_other_apps
from commonplace.errors import ModelError
from commonplace.paths import StatePaths
from commonplace.settings import Settings

DEPTH = 2
"""Folders below a folder of models that are looked into."""
MOST_FILES = 2000
MOST_FOLDERS = 2000
"""A folder with more below it, a home folder for instance, is looked into only so far."""

_INSTRUCT = re.compile(r"instruct|chat|[-_.]it[-_.]", re.IGNORECASE)
_NOT_A_MODEL = re.compile(r"mmproj|^ggml-vocab-|imatrix", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model on disk; `bytes` is the size of the file."""

    path: Path
    name: str
    bytes: int


def folders_of(settings: Settings, paths: StatePaths) -> tuple[Path, ...]:
    """Return the folders searched for models: ours, then those of the settings."""
    added = (Path(name).expanduser() for name in settings.models_folders)
    return (*paths.model_folders(), *(folder for folder in added if folder.is_absolute()))


def own_folder(paths: StatePaths) -> Path:
    """Return the folder that downloads and imports go to; only there is deleted."""
    return paths.data / "models"


def find_models(folders: Iterable[Path]) -> list[ModelFile]:
    """Return the models in `folders`, by their names alone, the most useful first.

    Left out are image projectors, later parts of split files, hidden and
    unfinished files. A folder that is missing or unreadable has no models.
    """
    found: dict[Path, ModelFile] = {}
    for folder in folders:
        for path in gguf_files(folder):
            try:
                size = path.stat().st_size
            except OSError:
                continue
            part = PART_NAME.match(path.name)
            later = part is not None and int(part["part"]) != 1
            if size and not later and not _NOT_A_MODEL.search(path.name):
                found.setdefault(path.resolve(), ModelFile(path, path.stem, size))
    return sorted(
        found.values(),
        key=lambda m: (not _INSTRUCT.search(m.path.name), -m.bytes, m.name),
    )


def choose_model(settings_path: str, folders: Iterable[Path]) -> Path | None:
    """Return the model named in the settings, else the first sound one, else None.

    `settings_path` may be a path, or the name of a file in one of `folders`.
    Where no file is sound the first found is returned: its error says more than
    silence. Raises `ModelError` if the model named is not there.
    """
    searched = list(folders)
    if not settings_path:
        models = find_models(searched)
        sound = (model.path for model in models if _is_sound(model.path))
        return next(sound, models[0].path if models else None)
    named = Path(settings_path).expanduser()
    for path in (named, *(folder / named for folder in searched)):
        if path.is_file():
            return path.absolute()
    where = ", ".join(str(folder) for folder in searched)
    raise ModelError(
        f"The model {settings_path} is not there.",
        f"Set model.path to a GGUF file, or put the file into one of: {where}.",
    )


def list_models(
    settings: Settings, paths: StatePaths, devices: Sequence[Device] = ()
) -> list[LibraryEntry]:
    """Describe everything that looks like a model, those that can be chosen first.

    `devices` are those of the built engine: layers on a graphics card take none
    of the machine's memory.
    """
    options = load_options(settings, paths)
    entries = [describe(place, options, devices) for place in places(settings, paths)]
    return sorted(
        entries,
        key=lambda e: (bool(e.problem), bool(e.owner), not e.chat, -e.size, e.title.lower()),
    )


def places(settings: Settings, paths: StatePaths) -> list[Place]:
    """Return where models lie, each file and each split model once."""
    own = own_folder(paths)
    found: dict[Path, Place] = {}

    def add(place: Place) -> None:
        found.setdefault(place.path.parent.resolve() / place.path.name, place)

    for folder in paths.model_folders():
        for path in _heads(gguf_files(folder)):
            add(Place(path, ours=path.parent == own))
    for name in settings.models_folders:
        for path in _heads(gguf_files(Path(name).expanduser())):
            add(Place(path, owner=name))
    if settings.models_other_apps:
        for app in models_of_other_apps():
            heads = _heads([file.path for file in app.files])
            titles = {file.path: file.title for file in app.files}
            for path in heads:
                add(Place(path, app.name, titles[path]))
    return list(found.values())


def removable(path: Path, folder: Path) -> tuple[Path, ...]:
    """Return the files of the model at `path`; raise `ModelError` if they are not ours."""
    if path.parent.resolve() != folder.resolve():
        raise ModelError(
            f"{path.name} is not in {folder}, so Commonplace does not delete it.",
            "Delete it in the program, or the folder, that it belongs to.",
        )
    files = tuple(file for file in parts_of(path) if file.is_symlink() or file.is_file())
    if not files:
        raise ModelError(f"{path.name} is not there.", "Look at the list again.")
    licence = licence_file(path)
    return (*files, licence) if licence.is_file() and not licence.is_symlink() else files


def gguf_files(folder: Path, depth: int = DEPTH) -> list[Path]:
    """Return the files called ``*.gguf`` in `folder` and a little below, sorted."""
    found: list[Path] = []
    waiting = [(folder, depth)]
    for here, left in waiting:  # grows while it is walked
        if len(found) >= MOST_FILES or len(waiting) > MOST_FOLDERS:
            break
        try:
            entries = sorted(here.iterdir())
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                if entry.name.lower().endswith(".gguf") and entry.is_file():
                    found.append(entry)
                elif left and entry.is_dir():  # a loop of links ends with the depth
                    waiting.append((entry, left - 1))
            except OSError:
                continue
    return found


def _heads(files: Sequence[Path]) -> Iterator[Path]:
    """Yield whole files, and one file for each split model: its first that is there."""
    seen: set[tuple[Path, str]] = set()
    for path in sorted(files):
        part = PART_NAME.match(path.name)
        if part is None:
            yield path
        elif (key := (path.parent, f"{part['stem']}/{part['parts']}")) not in seen:
            seen.add(key)
            yield path


def _is_sound(path: Path) -> bool:
    try:
        read_header(path)
    except ModelError:
        return False
    return True
