"""The selection of the code view, as what a question brings along."""

from __future__ import annotations

from PySide6.QtWidgets import QPlainTextEdit

from commonplace.recall.passages import Passage


def selected_passage(path: str, view: QPlainTextEdit) -> Passage | None:
    """Return what is selected in the file `path` on screen as a passage; None if nothing is."""
    cursor = view.textCursor()
    text = cursor.selectedText().replace("\u2029", "\n")
    if not path or not text.strip():
        return None
    start = view.document().findBlock(cursor.selectionStart()).blockNumber() + 1
    end = start + text.rstrip("\n").count("\n")
    return Passage(path, start, end, text, 0.0, "selection", "", ("selected by you",))
