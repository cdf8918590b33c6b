"""Texts that were typed and are not in their notes yet, kept until they are.

They outlive a crash and a closed window: a small file beside the project's other
data holds them, each with the version of the note that it was typed into. A file that
a newer version wrote is left as it is, and a damaged one is set aside.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from PySide6.QtCore import QObject

from commonplace.desktop.background import Background
from commonplace.errors import NewerDataError, StorageError
from commonplace.storage.documents import Form
from commonplace.storage.files import set_aside, write_atomically

FILE = "unsaved-notes.json"
FORM = Form()
"""The forms that the file has had; a list alone is the first too."""


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
        self._form = FORM.newest

    def open(self, folder: Path) -> None:
        """Take up what was left in the folder of a project's data.

        Raises `NewerDataError`; texts are then kept as long as the window is open.
        """
        self._file, self._texts, self._form = None, {}, FORM.newest
        self._texts, self._form = read(folder / FILE)
        self._file = folder / FILE

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
            write(self._file, self._texts, self._form)

    def _write(self) -> None:
        file, texts, form = self._file, dict(self._texts), self._form
        self._form = FORM.newest
        if file is not None:
            self._background.run(
                lambda: write(file, texts, form), lambda _none: None, lambda _error: None
            )


def read(file: Path) -> tuple[dict[str, Unsaved], int]:
    """Return the texts in `file`, and its form; a missing or damaged one has none.

    Raises `NewerDataError` and does not touch the file.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        document = {"texts": data} if isinstance(data, list) else dict(data)
        form = FORM.bring_up(document, file)
        found = [Unsaved(**item) for item in document["texts"]]
    except NewerDataError:
        raise
    except OSError:
        return {}, FORM.newest
    except (ValueError, TypeError, KeyError):
        with contextlib.suppress(OSError):
            set_aside(file)
        return {}, FORM.newest
    return {item.note: item for item in found}, form


def write(file: Path, texts: dict[str, Unsaved], form: int = FORM.newest) -> None:
    """Replace `file`, which has the `form`, by one with these texts; without any there is none."""
    with contextlib.suppress(OSError, StorageError):
        FORM.keep_old(file, form)
        if not texts:
            file.unlink(missing_ok=True)
            return
        document = {FORM.key: FORM.newest, "texts": [asdict(text) for text in texts.values()]}
        write_atomically(file, json.dumps(document).encode())
