"""Texts that were typed and are not in their notes yet, kept until they are.

They outlive a crash and a closed window: a small file beside the project's other
data holds them, each with the version of the note that it was typed into.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from PySide6.QtCore import QObject

from commonplace.desktop.background import Background

FILE = "unsaved-notes.json"


@dataclass(frozen=True, slots=True)
class Unsaved:
    """A text typed into the version `hash` of a note; `whole` if it is the whole file."""

    note: str
    hash: str
    text: str
    whole: bool = False


class UnsavedTexts:
    """The texts of one project that are still to be saved."""

    def __init__(self, parent: QObject | None = None) -> None:
        self._background = Background(parent, threads=1)
        self._file: Path | None = None
        self._texts: dict[str, Unsaved] = {}

    def open(self, folder: Path) -> None:
        """Take up what was left in the folder of a project's data."""
        self._file = folder / FILE
        self._texts = read(self._file)

    def get(self, note: str) -> Unsaved | None:
        """Return what was typed into a note and not saved."""
        return self._texts.get(note)

    def keep(self, text: Unsaved) -> None:
        """Keep a text; it is on disk soon."""
        if self._texts.get(text.note) != text:
            self._texts[text.note] = text
            self._write()

    def drop(self, note: str) -> None:
        """Forget a text: it was saved, or is not wanted."""
        if self._texts.pop(note, None) is not None:
            self._write()

    def flush(self) -> None:
        """Write now; the window is about to go."""
        self._background.finish()
        if self._file is not None:
            write(self._file, self._texts)

    def _write(self) -> None:
        file, texts = self._file, dict(self._texts)
        if file is not None:
            self._background.run(
                lambda: write(file, texts), lambda _none: None, lambda _error: None
            )


def read(file: Path) -> dict[str, Unsaved]:
    """Return the texts in `file`; a missing or damaged one has none."""
    try:
        found = [Unsaved(**item) for item in json.loads(file.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return {}
    return {item.note: item for item in found}


def write(file: Path, texts: dict[str, Unsaved]) -> None:
    """Replace `file` by one with these texts; without any there is none."""
    with contextlib.suppress(OSError):
        if not texts:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".new")
        data = json.dumps([asdict(text) for text in texts.values()])
        new.write_text(data, encoding="utf-8")
        new.replace(file)
