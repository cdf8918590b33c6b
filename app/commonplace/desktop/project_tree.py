"""The files of the project, with a filter."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

from PySide6.QtCore import (
    QModelIndex,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtWidgets import QLineEdit, QTreeView, QVBoxLayout, QWidget

from commonplace.desktop.icons import tinted
from commonplace.desktop.labels import plain_label
from commonplace.desktop.path_tree import PathTree
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import one_line

FILTER_MS = 120
EXPANDED = 300
"""Up to this many filtered files, all folders stand open."""


class ProjectTree(QWidget):
    """The tree with its filter."""

    file_chosen = Signal(str)

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pane")
        self._keeper = keeper
        self._paths: tuple[str, ...] = ()
        self._narrowed: tuple[tuple[str, ...], list[str], list[str]] = ((), [], [])
        """The words of the filter, and the paths that hold them, also in lower case."""
        self._open_folders: set[str] = set()
        self._filtered = False
        self.title = plain_label(self.tr("Project"), self, "paneTitle", wrap=False)
        self.filter = QLineEdit(self)
        self.filter.setAccessibleName(self.tr("Filter files"))
        self.filter.setPlaceholderText(self.tr("Filter files"))
        self.filter.setClearButtonEnabled(True)
        self.model = PathTree(self)
        self.tree = QTreeView(self)
        self.tree.setAccessibleName(self.tr("Files of the project"))
        self.tree.setModel(self.model)
        self.tree.setHeaderHidden(True)
        self.tree.header().setAccessibleName(self.tr("Files of the project"))
        self.tree.setUniformRowHeights(True)
        self.tree.setIndentation(14)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.empty = plain_label("", self, "muted")
        self._lay_out()
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(FILTER_MS)
        self._wait.timeout.connect(self._apply)
        self.filter.textChanged.connect(self._wait.start)
        self.filter.returnPressed.connect(self._choose_first)
        self.tree.clicked.connect(self._choose)
        self.tree.activated.connect(self._choose)
        keeper.changed.connect(self._restyle)
        self._restyle()

    def set_project(self, name: str) -> None:
        """Begin with another project; its files follow."""
        self.title.setText(one_line(name) or self.tr("Project"))
        self._open_folders.clear()
        self.filter.clear()
        self.set_files(())

    def set_files(self, paths: tuple[str, ...]) -> None:
        """Show these files; open folders stay open."""
        self._paths = paths
        self._narrowed = ((), [], [])
        self._apply()

    def focus_filter(self) -> None:
        """Let the user type into the filter."""
        self.filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filter.selectAll()

    def _apply(self) -> None:
        self._wait.stop()
        words = self.filter.text().lower().split()
        selected = self.model.path_of(self.tree.currentIndex())
        shown: Sequence[str] = self._matching(words) if words else self._paths
        if not words:
            self._remember_open()
        count = len(shown)
        self.model.set_paths(shown)
        if words and count <= EXPANDED:
            self.tree.expandAll()
        elif not words:
            for path in sorted(self._open_folders):
                self.tree.expand(self.model.find(path))
        if selected:
            self.tree.setCurrentIndex(self.model.find(selected))
        self.empty.setText(self.tr("No file matches.") if words else self.tr("No files yet."))
        self.empty.setVisible(not count)
        self.tree.setVisible(bool(count))
        self._filtered = bool(words)

    def _matching(self, words: Sequence[str]) -> list[str]:
        """Return the paths that hold all `words`; what was typed on is looked for in what was left.

        Each word is one pass at the speed of the interpreter's own loop, since this
        happens between two keys.
        """
        before, paths, lowered = self._narrowed
        if not before or len(before) > len(words) or not all(map(str.startswith, words, before)):
            paths = list(self._paths)
            lowered = "\0".join(paths).lower().split("\0") if paths else []
        for word in words:
            kept = [word in low for low in lowered]
            paths, lowered = list(compress(paths, kept)), list(compress(lowered, kept))
        self._narrowed = (tuple(words), paths, lowered)
        return paths

    def _remember_open(self) -> None:
        if self._filtered:
            return  # folders opened by a filter are not the user's choice
        self._open_folders = set()
        pending = [QModelIndex()]
        while pending:
            parent = pending.pop()
            for row in range(self.model.rowCount(parent)):
                index = self.model.index(row, 0, parent)
                if not self.model.is_folder(index):
                    break  # folders come first
                if self.tree.isExpanded(index):
                    self._open_folders.add(self.model.path_of(index))
                    pending.append(index)

    def _choose(self, index: QModelIndex) -> None:
        if index.isValid() and not self.model.is_folder(index):
            self.file_chosen.emit(self.model.path_of(index))

    def _choose_first(self) -> None:
        self._apply()
        index = QModelIndex()
        while self.model.rowCount(index):
            index = self.model.index(0, 0, index)
        self.tree.setCurrentIndex(index)
        self._choose(index)

    def _lay_out(self) -> None:
        self.title.setContentsMargins(2, 0, 0, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 4)
        layout.setSpacing(8)
        layout.addWidget(self.title)
        layout.addWidget(self.filter)
        layout.addWidget(self.tree, 1)
        layout.addWidget(self.empty, 1, Qt.AlignmentFlag.AlignTop)

    def _restyle(self) -> None:
        theme = self._keeper.theme
        self.model.set_icons(tinted("folder", theme, "muted"), tinted("file", theme, "muted"))
        self.tree.viewport().update()
