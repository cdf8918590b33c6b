"""What a question brings along: mentioned files, folders, the selection, staged changes.

The command line gathers it as the window does, so no Qt is loaded with it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from commonplace.chat.choosing import Chosen
from commonplace.chat.commands import SELECTION, command_of, mentions_of
from commonplace.memory.staged import staged_changes
from commonplace.recall.passages import Passage

WHOLE = 8000
"""Characters up to which a file is attached as a whole."""
FIRST_LINES = 60
"""Lines of a longer one; recall adds the places in it that match."""


def needs_gathering(question: str) -> bool:
    """Return whether `question` brings anything along, so that files have to be read."""
    command, _ = command_of(question)
    return bool(mentions_of(question)) or (command is not None and command.staged)


def gather(
    root: Path,
    question: str,
    files: Collection[str],
    selection: Passage | None,
    notes: Mapping[str, Passage],
) -> Chosen:
    """Return the passages that `question` brings along; reads files.

    What is mentioned and is no file, folder, note or selection is taken for words.
    Raises `ProjectError` for a file that cannot be shown, and `QuestionError`
    for staged changes that are not there.
    """
    first: list[Passage] = []
    folders: list[str] = []
    for mentioned in mentions_of(question):
        if mentioned == SELECTION and selection is not None:
            first.append(selection)
        elif mentioned in notes:
            first.append(notes[mentioned])
        elif mentioned in files:
            first.append(_file(root, mentioned))
            folders.append(mentioned)
        elif _folder(mentioned, files):
            folders.append(mentioned.rstrip("/") + "/")
    command, _ = command_of(question)
    if command is not None and command.staged:
        first.append(_whole("staged changes", staged_changes(root), "diff", "what is staged"))
    return Chosen(tuple(first), folders=tuple(folders))


def _file(root: Path, path: str) -> Passage:
    # Qt stands behind it, for its sentences; commands that show no file start without that.
    from commonplace.desktop.source_text import read_source

    text = read_source(root, path).text
    if len(text) <= WHOLE:
        return _whole(path, text, "file", "attached by you")
    head = "\n".join(text.split("\n")[:FIRST_LINES])
    return _whole(path, head, "file", "attached by you: its first lines")


def _whole(path: str, text: str, kind: str, reason: str) -> Passage:
    text = text.rstrip("\n")
    return Passage(path, 1, text.count("\n") + 1, text, 0.0, kind, "", (reason,))


def _folder(name: str, files: Collection[str]) -> bool:
    prefix = name.rstrip("/") + "/"
    return prefix != "/" and any(path.startswith(prefix) for path in files)
