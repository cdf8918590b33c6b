"""Files and folders dropped on the question: they become mentions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QUrl, Signal
from PySide6.QtGui import QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QPlainTextEdit

from commonplace.chat.commands import mention

MOST = 20
"""Files that one drop attaches; a folder counts as one."""


def mentions_for(root: Path, dropped: Sequence[Path]) -> tuple[list[str], list[Path]]:
    """Return mentions of what lies in the project at `root`, and what of `dropped` does not."""
    inside: list[str] = []
    outside: list[Path] = []
    whole = root.resolve()
    for path in dropped[:MOST]:
        try:
            target = path.resolve(strict=True)
            name = target.relative_to(whole).as_posix()
        except (OSError, ValueError):
            outside.append(path)
            continue
        if name == ".":
            outside.append(path)  # the project itself is what is asked about anyway
        else:
            inside.append(mention(f"{name}/" if target.is_dir() else name))
    return inside, outside


def paths_of(data: QMimeData) -> list[Path]:
    """Return the files and folders of this machine that `data` carries."""
    return [Path(url.toLocalFile()) for url in data.urls() if _local(url)]


def _local(url: QUrl) -> bool:
    return url.isLocalFile() and not url.host()


class DropTarget(QObject):
    """Takes what is dropped on a text field; other drops stay the field's own."""

    dropped = Signal(object)
    """A list of paths, which may lie anywhere."""

    def __init__(self, field: QPlainTextEdit) -> None:
        super().__init__(field)
        field.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Accept files, and hand them on when they are dropped."""
        if isinstance(event, QDropEvent) and paths_of(event.mimeData()):
            if event.type() == QEvent.Type.Drop:
                event.acceptProposedAction()
                self.dropped.emit(paths_of(event.mimeData()))
                return True
            if isinstance(event, QDragMoveEvent):  # entering is a kind of moving
                event.acceptProposedAction()
                return True
        return super().eventFilter(watched, event)
