"""The frames of a stack trace, led to files of the project and listed above the sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QListView, QVBoxLayout, QWidget

from commonplace.desktop.labels import plain_label
from commonplace.desktop.visible import one_line, tooltip
from commonplace.recall.shapes import Frame, read_question

MOST_ROWS = 6
LEAST = 2
"""Frames from which a text is a trace, and not the mention of a place."""
PLACE = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True)
class Led:
    """A frame and the file of the project it names; empty if it is none of the project's."""

    frame: Frame
    path: str = ""


def frames_of(text: str) -> tuple[Frame, ...]:
    """Return the frames of a stack trace in `text`, outermost as it is written; else nothing."""
    frames = read_question(text).frames
    return frames if len(frames) >= LEAST else ()


def lead(frames: Sequence[Frame], files: Iterable[str]) -> tuple[Led, ...]:
    """Find for each frame the file that shares the longest end of its path.

    A path from another machine differs in its beginning. A file that shares
    the name alone counts only where no other does too.
    """
    wanted: dict[str, list[str]] = {_parts(frame.path)[-1]: [] for frame in frames}
    for path in files:
        name = path.rpartition("/")[2]
        if name in wanted:
            wanted[name].append(path)
    return tuple(Led(frame, _best(frame.path, wanted)) for frame in frames)


def _best(path: str, wanted: dict[str, list[str]]) -> str:
    parts = _parts(path)
    ranked = sorted(
        ((_shared(parts, candidate.split("/")), candidate) for candidate in wanted[parts[-1]]),
        reverse=True,
    )
    if not ranked:
        return ""
    shared, best = ranked[0]
    if len(ranked) > 1 and ranked[1][0] == shared:
        return ""  # two files fit equally well: none is named
    whole = shared == len(best.split("/")) or shared == len(parts)
    return best if whole or shared > 1 else ""


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in {"", ".", ".."}] or [""]


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right:
            break
        count += 1
    return count


class FramesPanel(QWidget):
    """Lists the frames of a trace; one of the project opens at its line."""

    chosen = Signal(str, int)
    """The path and the line to open."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pane")
        self.title = plain_label("", self, "paneTitle", wrap=False)
        self.model = QStandardItemModel(self)
        self.list = QListView(self)
        self.list.setObjectName("frames")
        self.list.setAccessibleName(self.tr("Frames of the stack trace"))
        self.list.setModel(self.model)
        self.list.setUniformItemSizes(True)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.clicked.connect(self._choose)
        self.list.activated.connect(self._choose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 4)
        layout.setSpacing(0)
        head = QVBoxLayout()
        head.setContentsMargins(12, 10, 12, 6)
        head.addWidget(self.title)
        layout.addLayout(head)
        layout.addWidget(self.list)
        self._shown: tuple[Led, ...] = ()
        self.hide()

    @property
    def frames(self) -> tuple[Led, ...]:
        """What is on screen."""
        return self._shown

    def show_frames(self, frames: Sequence[Led]) -> None:
        """Show `frames`; hide where there are none."""
        if tuple(frames) == self._shown:
            return
        self._shown = tuple(frames)
        self.model.clear()
        for led in frames:
            self.model.appendRow(self._item(led))
        here = sum(bool(led.path) for led in frames)
        text = self.tr("Stack trace · {0} of {1} frames in this project")
        self.title.setText(text.format(here, len(frames)))
        self.setVisible(bool(frames))
        if frames:
            row = max(self.list.sizeHintForRow(0), self.fontMetrics().height() + 4)
            self.list.setFixedHeight(row * min(len(frames), MOST_ROWS) + 4)

    def _item(self, led: Led) -> QStandardItem:
        frame = led.frame
        folder, _, name = (led.path or frame.path).rpartition("/")
        text = f"{name}:{frame.line}" + (f" · {folder}" if folder else "")
        item = QStandardItem(one_line(text))
        item.setToolTip(tooltip(f"{led.path or frame.path}:{frame.line}"))
        item.setData(led, PLACE)
        if not led.path:
            item.setEnabled(False)
            item.setToolTip(tooltip(self.tr("Not a file of this project: {0}").format(frame.path)))
        return item

    def _choose(self, index: QModelIndex) -> None:
        led = index.data(PLACE)
        if isinstance(led, Led) and led.path:
            self.chosen.emit(led.path, led.frame.line)
