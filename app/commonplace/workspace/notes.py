"""Where a project keeps its notes: watched whatever the ignore rules say, and no source.

Notes are read by the book, which knows their form. Here they are only kept out
of the project's files and their folders among those that are watched.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

NOTES_FOLDER = ".commonplace/notes"
PARENT = NOTES_FOLDER.partition("/")[0]
MAX_DEPTH = 8
TEMPORARY = ".note-"
"""What the files begin with that stand for a moment while a note is written."""


def is_notes(path: str) -> bool:
    """Return whether a relative path is the folder of notes or lies in it."""
    return path == NOTES_FOLDER or path.startswith(f"{NOTES_FOLDER}/")


def matters_to_notes(folder: str, name: str) -> bool:
    """Return whether a change of this entry may change the notes."""
    path = f"{folder}/{name}" if folder else name
    return path == PARENT or (is_notes(path) and not name.startswith(TEMPORARY))


def note_folders(root: str) -> Iterator[str]:
    """Yield the folders that are there for notes, the one they lie in included.

    No link is followed.
    """
    waiting = [(PARENT, 0)]
    while waiting:
        folder, depth = waiting.pop()
        full = f"{root}/{folder}"
        if os.path.islink(full) or not os.path.isdir(full):  # noqa: PTH112, PTH114 - plain strings
            continue
        yield folder
        if folder == PARENT:
            waiting.append((NOTES_FOLDER, 0))
        elif depth < MAX_DEPTH:
            try:
                with os.scandir(full) as listing:
                    names = [e.name for e in listing if e.is_dir(follow_symlinks=False)]
            except OSError:
                continue
            waiting += [(f"{folder}/{name}", depth + 1) for name in names if name[0] != "."]
