"""Results kept by date and model, each in a file of its own that a person can read or delete."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from commonplace.errors import StorageError
from commonplace.measure.results import Result
from commonplace.paths import StatePaths
from commonplace.storage.files import write_atomically

FOLDER = "evidence"
MAX_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file among the results that is none, and why, with the remedy."""

    file: str
    why: str


class ResultStore:
    """The results of one project, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, root: Path, state: StatePaths) -> ResultStore:
        """Return the results of the project at `root` (absolute, resolved)."""
        return cls(state.project_data(root) / FOLDER)

    def put(self, result: Result) -> Path:
        """Keep `result`, whole or not at all; raises `StorageError`."""
        stem = file_stem(result)
        path = self.folder / f"{stem}.json"
        number = 1
        while path.exists():
            number += 1
            path = self.folder / f"{stem}-{number}.json"
        write_atomically(path, result.to_json().encode())
        return path

    def get(self, file: str) -> Result:
        """Return the result in `file`, a name in this folder; raises `StorageError`."""
        if not file or Path(file).name != file:
            raise StorageError(f"{file} is no result of this project.", "Name one of the list.")
        path = self.folder / file
        try:
            if path.stat().st_size > MAX_BYTES:
                raise StorageError(f"{file} is too large for a result.", "Delete the file.")
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise StorageError(
                f"{file} cannot be read: {error.strerror}.", "Look at the list again."
            ) from error
        except UnicodeDecodeError as error:
            raise StorageError(f"{file} is no text.", "Delete the file.") from error
        return Result.from_json(text)

    def all(self) -> tuple[list[tuple[str, Result]], list[Unreadable]]:
        """Return the results by date, newest first, with their files; and what is none."""
        found: list[tuple[str, Result]] = []
        unreadable: list[Unreadable] = []
        try:
            names = sorted(path.name for path in self.folder.glob("*.json"))
        except OSError:
            names = []
        for name in names:
            try:
                found.append((name, self.get(name)))
            except StorageError as error:
                unreadable.append(Unreadable(name, str(error)))
        # Of two in one second the later has the longer name.
        found.sort(key=lambda item: (item[1].date, len(item[0]), item[0]), reverse=True)
        return found, unreadable

    def delete(self, file: str) -> None:
        """Remove one result; one that is gone already is no trouble."""
        if not file or Path(file).name != file:
            raise StorageError(f"{file} is no result of this project.", "Name one of the list.")
        try:
            (self.folder / file).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(
                f"{file} cannot be deleted: {error.strerror}.", "Mend the folder's permissions."
            ) from error


def file_stem(result: Result) -> str:
    """Return what the file of `result` is called: its date and its model."""
    date = re.sub(r"[^0-9T]", "", result.date.partition("+")[0].partition(".")[0]) or "undated"
    model = re.sub(r"[^A-Za-z0-9._-]+", "-", result.model.removesuffix(".gguf")).strip("-.")[:60]
    return f"{date}-{model or 'no-model'}"
