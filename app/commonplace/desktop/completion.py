"""Completes ``/`` commands and ``@`` mentions while a question is typed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QListView, QPlainTextEdit

from commonplace.chat.commands import COMMANDS, SELECTION, Place, completions, mention
from commonplace.desktop.visible import one_line

SHOWN = 8
AT_COMMAND = re.compile(r"^/(\w*)$")
AT_MENTION = re.compile(r'(?<!\S)@"?([^\s"]*)$')
CHOOSE = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab}


class Completion(QListView):
    """A short list below the cursor: Up and Down move, Enter and Tab take, Esc leaves.

    It never takes the focus, so typing goes on as if it were not there.
    """

    def __init__(self, edit: QPlainTextEdit) -> None:
        super().__init__(edit.window())
        self._edit = edit
        self._places: Sequence[Place] = ()
        self._notes: Sequence[str] = ()
        self._taken = ""
        self._model = QStandardItemModel(self)
        self.setObjectName("completion")
        self.setAccessibleName(self.tr("Completions"))
        self.setModel(self._model)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setUniformItemSizes(True)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.clicked.connect(lambda _index: self._take())
        edit.installEventFilter(self)
        edit.textChanged.connect(self._look)
        self.hide()

    @property
    def offered(self) -> list[str]:
        """What is on screen, as it would be typed; empty while nothing is."""
        rows = range(self._model.rowCount()) if not self.isHidden() else ()
        return [str(self._model.item(row).data(Qt.ItemDataRole.UserRole)) for row in rows]

    def set_places(self, places: Sequence[Place]) -> None:
        """Complete these files and folders."""
        self._places = places

    def set_notes(self, mentions: Sequence[str]) -> None:
        """Complete these notes, given as they are mentioned."""
        self._notes = mentions

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keys that move in the list while it is on screen."""
        if self.isHidden():
            return super().eventFilter(watched, event)
        if event.type() == QEvent.Type.FocusOut:
            self.hide()
        elif event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Escape:
                event.accept()
                return True
        elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._pressed(event)
        return super().eventFilter(watched, event)

    def _pressed(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key in {Qt.Key.Key_Up, Qt.Key.Key_Down}:
            step = 1 if key == Qt.Key.Key_Down else -1
            row = (self.currentIndex().row() + step) % max(self._model.rowCount(), 1)
            self.setCurrentIndex(self._model.index(row, 0))
        elif key in CHOOSE and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._take()
        elif key == Qt.Key.Key_Escape:
            self.hide()
        else:
            return False
        return True

    def _look(self) -> None:
        before = self._before()
        if not self._edit.hasFocus() or before == self._taken:
            self.hide()
            return
        command, mentioned = AT_COMMAND.match(before), AT_MENTION.search(before)
        rows: list[tuple[str, str]] = []
        if command:
            rows = [
                (f"/{c.name} ", f"/{c.name}   {_tr(c.about)}")
                for c in COMMANDS
                if c.name.startswith(command[1].lower())
            ]
        elif mentioned:
            found = completions(self._places, mentioned[1], SHOWN)
            if SELECTION.startswith(mentioned[1].lower()):
                about = self.tr("what is selected in the file on screen")
                rows = [(f"@{SELECTION} ", f"@{SELECTION}   {about}")]
            rows += [(f"{mention(name)} ", one_line(name)) for name in self._noted(mentioned[1])]
            rows += [(f"{mention(path)} ", one_line(path)) for path in found]
        self._show(rows[:SHOWN])

    def _noted(self, typed: str) -> list[str]:
        """Return a few notes whose mention holds what is `typed`, if it is anything."""
        wanted = typed.lower()
        return [name for name in self._notes if wanted and wanted in name.lower()][: SHOWN // 2]

    def _show(self, rows: Sequence[tuple[str, str]]) -> None:
        self._model.clear()
        for typed, shown in rows:
            item = QStandardItem(shown)
            item.setData(typed, Qt.ItemDataRole.UserRole)
            self._model.appendRow(item)
        if not rows:
            self.hide()
            return
        self.setCurrentIndex(self._model.index(0, 0))
        height = self.sizeHintForRow(0) * len(rows) + 2 * self.frameWidth()
        width = min(max(self.sizeHintForColumn(0) + 32, 240), self._edit.width())
        corner = self._edit.mapTo(self._edit.window(), self._edit.rect().topLeft())
        self.setGeometry(corner.x(), corner.y() - height - 8, width, height)
        self.show()
        self.raise_()

    def _take(self) -> None:
        index = self.currentIndex()
        if not index.isValid():
            return
        typed = str(index.data(Qt.ItemDataRole.UserRole))
        before = self._before()
        match = AT_COMMAND.match(before) or AT_MENTION.search(before)
        cursor = self._edit.textCursor()
        if match is not None:
            length = len(before) - match.start()
            cursor.movePosition(cursor.MoveOperation.Left, cursor.MoveMode.KeepAnchor, length)
        self._taken = before[: match.start()] + typed if match is not None else typed
        cursor.insertText(typed)
        self.hide()

    def _before(self) -> str:
        """Return what stands before the cursor in its line."""
        cursor = self._edit.textCursor()
        return cursor.block().text()[: cursor.positionInBlock()]


def _tr(text: str) -> str:
    return QCoreApplication.translate("Completion", text)
