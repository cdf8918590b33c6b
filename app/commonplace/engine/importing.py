"""Bringing a model from elsewhere into our folder, and taking one out of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from commonplace.engine.download import PART, RESERVE
from commonplace.engine.entries import parts_of
from commonplace.engine.gguf import read_header, size_in_words
from commonplace.engine.gguf_format import read_contents
from commonplace.engine.library import removable
from commonplace.engine.progress import Progress
from commonplace.errors import CancelledError, ModelError, StorageError

How = Literal["copy", "link"]
PIECE = 4 << 20
TELL = 32 << 20
"""Progress is told each time so many bytes were copied."""


def import_model(
    source: Path,
    folder: Path,
    how: How = "copy",
    *,
    title: str = "",
    on_progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Path:
    """Copy or link the model at `source` into `folder`; return where it is now.

    All parts of a split model come along. A copy has its name only once it is
    whole. `title` names a file that has no proper name of its own. Raises
    `ModelError` for a file that cannot answer or a name that is taken,
    `StorageError`, `CancelledError`.
    """
    source = source.expanduser().absolute()
    read_header(source)
    sources = parts_of(source)
    targets = [folder / _name(path, title) for path in sources]
    if sources[0].parent == folder:
        return source
    for target in targets:
        if target.is_symlink() or target.exists():
            raise ModelError(
                f"There is already a {target.name} in {folder}.",
                "Delete that one first, or give the file another name.",
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if how == "link":
            _link(sources, targets)
        else:
            _copy(sources, targets, on_progress or (lambda _: None), stop or (lambda: False))
    except OSError as error:
        raise StorageError(
            f"{source.name} could not be brought to {folder}: {error.strerror or error}.",
            "Free some space or mend the permissions. Or name the folder it is in "
            "in models.folders: then it is used where it is.",
        ) from error
    return targets[0]


def remove_model(path: Path, folder: Path) -> tuple[Path, ...]:
    """Delete the model at `path`, all parts of it, and return what was deleted.

    Only files directly in `folder`, which is ours, are deleted; of a link, only
    the link. Raises `ModelError` for others and `StorageError`.
    """
    files = removable(path, folder)
    for file in files:
        try:
            file.unlink()
        except OSError as error:
            raise StorageError(
                f"{file.name} could not be deleted: {error.strerror}.",
                "Mend the permissions of its folder, or delete it there.",
            ) from error
    return files


def discard_part(file: str, folder: Path) -> None:
    """Throw away what has arrived of a download called `file`."""
    for name in (f"{file}{PART}", f"{file}{PART}.json", f"{file}{PART}.lock"):
        (folder / Path(name).name).unlink(missing_ok=True)


def unfinished(folder: Path) -> dict[str, int]:
    """Return the downloads that were begun: the name of the file, and the bytes there."""
    try:
        parts = [path for path in folder.glob(f"*.gguf{PART}") if path.is_file()]
        return {path.name.removesuffix(PART): path.stat().st_size for path in sorted(parts)}
    except OSError:
        return {}


def check_room(name: str, size: int, folder: Path, instead: str = "") -> None:
    """Raise `StorageError` unless `size` bytes, and some to spare, are free for `name`."""
    free = shutil.disk_usage(folder).free
    if size + RESERVE > free:
        raise StorageError(
            f"{name} has {size_in_words(size)} and {size_in_words(free)} are free "
            f"on the disk of {folder}.",
            f"Free some space{instead}.",
        )


def _name(path: Path, title: str) -> str:
    if path.name.lower().endswith(".gguf"):
        return path.name
    kept = "".join(c if c.isalnum() or c in "._-" else "-" for c in title or path.stem)
    return f"{kept.strip('.-') or 'model'}.gguf"


def _link(sources: tuple[Path, ...], targets: list[Path]) -> None:
    made: list[Path] = []
    try:
        for path, target in zip(sources, targets, strict=True):
            target.symlink_to(path.resolve())
            made.append(target)
    except OSError:
        for target in made:
            target.unlink()
        raise


def _copy(
    sources: tuple[Path, ...],
    targets: list[Path],
    on_progress: Callable[[Progress], None],
    stop: Callable[[], bool],
) -> None:
    total = sum(path.stat().st_size for path in sources)
    check_room(sources[0].name, total, targets[0].parent, ", or link to the file")
    # Not called .part: what is copied is not gone on with, so it must not look like a download.
    copies = [target.with_name(f".{target.name}.copy") for target in targets]
    done = 0
    try:
        for path, copy in zip(sources, copies, strict=True):
            done = _copy_one(path, copy, done, total, on_progress, stop)
            read_contents(copy)
        for copy, target in reversed(list(zip(copies, targets, strict=True))):
            copy.replace(target)  # the first part last: until then nothing is listed as whole
    finally:
        for copy in copies:
            copy.unlink(missing_ok=True)


def _copy_one(
    path: Path,
    copy: Path,
    done: int,
    total: int,
    on_progress: Callable[[Progress], None],
    stop: Callable[[], bool],
) -> int:
    told = done - TELL
    with path.open("rb") as source, copy.open("wb") as out:
        while piece := source.read(PIECE):
            if stop():
                raise CancelledError("Stopped.")
            out.write(piece)
            done += len(piece)
            if done - told >= TELL or done == total:
                told = done
                on_progress(Progress("copying", done, total))
        out.flush()
        os.fsync(out.fileno())
    return done
