"""Where a name is defined and used: asked of the memory, gone to or listed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QStringListModel, Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QListView, QVBoxLayout, QWidget

from commonplace.desktop.labels import plain_label
from commonplace.desktop.memory_link import MemoryLink
from commonplace.desktop.visible import one_line
from commonplace.errors import CommonplaceError
from commonplace.index.codeplaces import CodePlace, NamePlaces
from commonplace.wire.calls import Call

SHOWN_CHARS = 120


class NamePlacesDialog(QDialog):
    """Lists places of a name, its definitions first; Enter or a click goes to one."""

    chosen = Signal(object)
    """The `CodePlace` to go to."""

    def __init__(self, found: NamePlaces, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Places of {0}").format(one_line(found.name)))
        self.resize(680, 420)
        self._places = (*found.definitions, *found.usages)
        self.about = plain_label(self._about(found), self)
        lines = [self._line(place, self.tr("defined")) for place in found.definitions]
        lines += [self._line(place, "") for place in found.usages]
        self.model: QAbstractListModel = QStringListModel(lines, self)
        self.list = QListView(self)
        self.list.setObjectName("boxed")
        self.list.setAccessibleName(self.tr("Places of the name"))
        self.list.setModel(self.model)
        self.list.setUniformItemSizes(True)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.setCurrentIndex(self.model.index(0))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        for button in buttons.buttons():
            button.setAutoDefault(False)  # type: ignore[attr-defined]  # Enter is the list's
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(10)
        for widget in (self.about, self.list, buttons):
            layout.addWidget(widget)
        self.list.activated.connect(self._choose)
        self.list.clicked.connect(self._choose)
        self.list.setFocus()

    def _about(self, found: NamePlaces) -> str:
        counts = self.tr("Definitions: {0}. Usages: {1}, found by the name alone.")
        text = counts.format(len(found.definitions), len(found.usages))
        return f"{text} {self.tr('There are more.')}" if found.more else text

    def _line(self, place: CodePlace, mark: str) -> str:
        parts = (mark, f"{place.path}:{place.line}", place.text.strip()[:SHOWN_CHARS])
        return one_line(" · ".join(filter(None, parts)))

    def _choose(self, index: QModelIndex) -> None:
        self.chosen.emit(self._places[index.row()])
        self.accept()


class NameFinder(QObject):
    """Goes to the definition of a name, or shows all its places."""

    chosen = Signal(object)
    """The `CodePlace` to go to."""
    missed = Signal(object)
    """Why there is nothing to go to: a sentence, or the error."""

    def __init__(self, memory: MemoryLink, parent: QWidget) -> None:
        super().__init__(parent)
        self._memory = memory
        self._window = parent
        self._call: Call | None = None
        self.dialog: NamePlacesDialog | None = None

    def go_to_definition(self, name: str) -> None:
        """Go to the one definition of `name`, or show all of them."""
        self._ask(name, self._definitions)

    def find_usages(self, name: str) -> None:
        """Show where `name` is defined and used."""
        self._ask(name, self._show)

    def _ask(self, name: str, then: Callable[[NamePlaces], None]) -> None:
        if not name:
            self.missed.emit(self.tr("There is no name at the cursor."))
            return
        self._memory.cancel(self._call)
        self._call = self._memory.places(name, then, self._failed)

    def _definitions(self, found: NamePlaces) -> None:
        if len(found.definitions) == 1:
            self.chosen.emit(found.definitions[0])
        elif found.definitions:
            self._show(NamePlaces(found.name, found.definitions, ()))
        else:
            text = self.tr("Nothing in this project defines {0}.")
            self.missed.emit(text.format(one_line(found.name)))

    def _show(self, found: NamePlaces) -> None:
        if not found.definitions and not found.usages:
            text = self.tr("No code in this project holds {0}.")
            self.missed.emit(text.format(one_line(found.name)))
            return
        self.dialog = NamePlacesDialog(found, self._window)
        self.dialog.chosen.connect(self.chosen)
        self.dialog.open()

    def _failed(self, error: CommonplaceError) -> None:
        self.missed.emit(error)
