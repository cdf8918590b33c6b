"""Small files of settings or records that say their form: read in any that is known."""

from __future__ import annotations

import os
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commonplace.storage.versions import back_up, refuse_newer

Document = MutableMapping[str, Any]
Step = Callable[[Document], None]
"""Changes a document of one form into the next, in place."""


@dataclass(frozen=True)
class Form:
    """The forms of one kind of document; `steps` lead from each to the next.

    The form is the whole number at `key`; without one it is the first. Reading writes
    nothing: the new form is on disk once the document is next written, after `keep_old`.
    """

    steps: Sequence[Step] = ()
    key: str = "format"

    @property
    def newest(self) -> int:
        """The form that this program writes."""
        return len(self.steps) + 1

    def bring_up(self, document: Document, path: Path) -> int:
        """Bring `document`, read from `path`, to the newest form; return which it had.

        Raises `NewerDataError` for one of a later form, and `ValueError` for one whose
        form is no whole number from 1; then it is not changed.
        """
        found = document.get(self.key, 1)
        if not isinstance(found, int) or isinstance(found, bool) or found < 1:
            raise ValueError(f"{self.key} is {found!r} and no whole number from 1")
        found = int(found)
        refuse_newer(path, found, self.newest)
        for step in self.steps[found - 1 :]:
            step(document)
        if found < self.newest:
            document[self.key] = self.newest
        return found

    def keep_old(self, path: Path, found: int) -> None:
        """Copy the file at `path`, which had the form `found`, if that is an old one.

        To be called before the document is written. Raises `OSError`.
        """
        if found < self.newest and path.exists():
            content = path.read_bytes()
            back_up(path, self.newest, lambda target: _write(target, content))


def _write(target: Path, content: bytes) -> None:
    with target.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
