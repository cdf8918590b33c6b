"""The files that are open in the code view, as a row of tabs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QTabBar, QToolButton, QWidget

from commonplace.desktop.icons import tinted
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import one_line, tooltip

MOST = 24
"""Open files; one more closes the one that was not looked at for longest."""


@dataclass(slots=True)
class Place:
    """Where a reader is in a file: what is marked there, the first line in sight, the cursor.

    `wanted` is a range of lines and the text that stood there; `top` counts from 1;
    `seen` is a clock of looks.
    """

    wanted: tuple[int, int, str] = (0, 0, "")
    top: int = 1
    cursor: int = 0
    seen: int = 0


def titles_of(paths: Sequence[str]) -> list[str]:
    """Return a short title for each of `paths`: its name, with its folder if two share it."""
    names = [path.rpartition("/")[2] for path in paths]
    shared = Counter(names)
    titles = []
    for path, name in zip(paths, names, strict=True):
        folder = path.rpartition("/")[0].rpartition("/")[2]
        titles.append(f"{folder}/{name}" if shared[name] > 1 and folder else name)
    return titles


class CodeTabs(QTabBar):
    """One tab for each open file; it knows their paths and places, and no text."""

    chosen = Signal(str)
    """The user went to the tab of this path."""
    close_asked = Signal(str)

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("codeTabs")
        self.setAccessibleName(self.tr("Open files"))
        self.setExpanding(False)
        self.setMovable(True)
        self.setDrawBase(False)
        self.setUsesScrollButtons(True)
        self.setElideMode(Qt.TextElideMode.ElideMiddle)
        self._keeper = keeper
        self._places: dict[str, Place] = {}
        self._clock = 0
        self.currentChanged.connect(self._changed)
        keeper.changed.connect(self._restyle)

    @property
    def paths(self) -> list[str]:
        """The open files, from left to right."""
        return [self.tabData(index) for index in range(self.count())]

    @property
    def path(self) -> str:
        """The file whose tab is in front, or nothing."""
        return self.tabData(self.currentIndex()) or ""

    def place(self, path: str) -> Place:
        """Return where the reader is in the open file `path`; change it in place."""
        return self._places[path]

    def open(self, path: str) -> list[str]:
        """Bring the tab of `path` to the front, a new one after the current if need be.

        Returns the files that were closed to make room.
        """
        dropped: list[str] = []
        self.blockSignals(True)
        if path not in self._places:
            while self.count() >= MOST:
                oldest = min(self._places, key=lambda known: self._places[known].seen)
                dropped.append(oldest)
                self._take(oldest)
            self._add(path, Place(), self.currentIndex() + 1)
        self.setCurrentIndex(self.paths.index(path))
        self.blockSignals(False)
        self._look()
        return dropped

    def restore(self, path: str, place: Place) -> None:
        """Add a tab at the end, behind the others."""
        if path not in self._places and self.count() < MOST:
            self.blockSignals(True)
            self._add(path, place, self.count())
            self.blockSignals(False)

    def close_file(self, path: str) -> None:
        """Take away the tab of `path`; `chosen` follows if another one comes to the front."""
        if path not in self._places:
            return
        front = self.path
        self.blockSignals(True)
        self._take(path)
        self.blockSignals(False)
        if self.path and self.path != front:
            self._changed(self.currentIndex())

    def clear(self) -> None:
        """Take all tabs away."""
        self.blockSignals(True)
        for path in self.paths:
            self._take(path)
        self.blockSignals(False)

    def turn(self, by: int) -> None:
        """Go `by` tabs to the right, around the ends."""
        if self.count() > 1:
            self.setCurrentIndex((self.currentIndex() + by) % self.count())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Close the tab that the middle button is released over."""
        if event.button() == Qt.MouseButton.MiddleButton:
            index = self.tabAt(event.position().toPoint())
            if index >= 0:
                self.close_asked.emit(self.tabData(index))
            return
        super().mouseReleaseEvent(event)

    def tabSizeHint(self, index: int) -> QSize:
        """Keep long names from taking the whole row."""
        size = super().tabSizeHint(index)
        return QSize(min(size.width(), 26 * self.fontMetrics().averageCharWidth()), size.height())

    def minimumTabSizeHint(self, index: int) -> QSize:
        """Scroll the row instead of squeezing names until nobody can read them."""
        return self.tabSizeHint(index)

    def minimumSizeHint(self) -> QSize:
        """Need little width: the row scrolls."""
        return QSize(60, super().minimumSizeHint().height())

    def _add(self, path: str, place: Place, index: int) -> None:
        self._places[path] = place
        index = self.insertTab(index, "")
        self.setTabData(index, path)
        self.setTabToolTip(index, tooltip(path))
        button = QToolButton(self)
        button.setObjectName("tabClose")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Ctrl+W is for the keyboard
        button.setAccessibleName(self.tr("Close {0}").format(one_line(path)))
        button.setIconSize(QSize(12, 12))
        button.setIcon(tinted("close", self._keeper.theme, "muted"))
        button.clicked.connect(lambda: self.close_asked.emit(path))
        self.setTabButton(index, QTabBar.ButtonPosition.RightSide, button)
        self._name()

    def _take(self, path: str) -> None:
        del self._places[path]
        self.removeTab(self.paths.index(path))
        self._name()

    def _name(self) -> None:
        for index, title in enumerate(titles_of(self.paths)):
            self.setTabText(index, one_line(title).replace("&", "&&"))

    def _changed(self, index: int) -> None:
        if index >= 0:
            self._look()
            self.chosen.emit(self.tabData(index))

    def _look(self) -> None:
        self._clock += 1
        self._places[self.path].seen = self._clock

    def _restyle(self) -> None:
        for index in range(self.count()):
            button = self.tabButton(index, QTabBar.ButtonPosition.RightSide)
            if isinstance(button, QToolButton):
                button.setIcon(tinted("close", self._keeper.theme, "muted"))
