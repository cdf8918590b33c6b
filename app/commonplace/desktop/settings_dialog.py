"""The settings page, made from their declarations; a new setting appears by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.visible import one_line
from commonplace.errors import UserError
from commonplace.settings import Declaration, Settings, declared, save

GROUPS = {
    "model": "Model",
    "answer": "Answers",
    "recall": "Search",
    "appearance": "Appearance",
}
MODEL_KEY = "model.path"


class SettingRow(QWidget):
    """One setting: its name, its editor, its explanation and what is wrong with it."""

    def __init__(self, declaration: Declaration, value: Any, models: Sequence[Path]) -> None:
        super().__init__()
        self.declaration = declaration
        name = (
            declaration.key.partition(".")[2].replace("_", " ").capitalize().replace("Gpu", "GPU")
        )
        label = _label(name, "headline")
        self.editor, self._read = self._make_editor(value, models)
        self.editor.setAccessibleName(name)
        self.editor.setMinimumHeight(28)
        self.editor.setAccessibleDescription(declaration.help)
        label.setBuddy(self.editor)
        self._invalid = _label("", "invalid")
        self._invalid.hide()
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.editor, 1)
        if declaration.key == MODEL_KEY:
            browse = QPushButton(self.tr("Browse…"), self)
            browse.setAccessibleName(self.tr("Browse for a model file"))
            browse.clicked.connect(self._browse)
            line.addWidget(browse)
        elif not isinstance(self.editor, QLineEdit):
            self.editor.setFixedWidth(180)
            line.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 10)
        layout.setSpacing(4)
        layout.addWidget(label)
        layout.addLayout(line)
        layout.addWidget(_label(declaration.help, "muted"))
        layout.addWidget(self._invalid)

    @property
    def value(self) -> Any:
        """What the editor holds."""
        return self._read()

    def complain(self, text: str) -> None:
        """Say what is wrong with the value, or take the complaint back."""
        self._invalid.setText(text)
        self._invalid.setVisible(bool(text))

    def matches(self, words: Sequence[str]) -> bool:
        """Return whether all `words` occur in the name or the explanation."""
        text = f"{self.declaration.key} {self.declaration.help}".lower().replace("_", " ")
        return all(word in text for word in words)

    def _make_editor(self, value: Any, models: Sequence[Path]) -> tuple[QWidget, Callable[[], Any]]:
        about = self.declaration
        if about.key == MODEL_KEY:
            return self._model_chooser(str(value), models)
        if about.choices:
            box = QComboBox()
            box.addItems(list(about.choices))
            box.setCurrentText(str(value))
            box.view().setAccessibleName(self.tr("Choices"))
            return box, box.currentText
        if about.type is int:
            spin = QSpinBox()
            spin.setRange(int(about.low or 0), int(about.high or 2**31 - 1))
            spin.setGroupSeparatorShown(True)
            spin.setValue(int(value))
            return spin, spin.value
        if about.type is float:
            real = QDoubleSpinBox()
            real.setRange(about.low or 0.0, about.high or 1e9)
            real.setSingleStep(0.1)
            real.setValue(float(value))
            return real, lambda: round(real.value(), 6)
        edit = QLineEdit(str(value))
        return edit, lambda: edit.text().strip()

    def _model_chooser(
        self, value: str, models: Sequence[Path]
    ) -> tuple[QWidget, Callable[[], Any]]:
        box = QComboBox()
        box.setEditable(True)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(20)
        for path in models:
            box.addItem(str(path))
            box.setItemData(
                box.count() - 1, one_line(path.name), Qt.ItemDataRole.AccessibleTextRole
            )
        box.setCurrentText(value)
        box.view().setAccessibleName(self.tr("Models that were found"))
        line = box.lineEdit()
        if line is not None:
            line.setPlaceholderText(self.tr("The first model found"))
            line.setAccessibleName(self.tr("Path of the model"))
        self._model_box = box
        return box, lambda: box.currentText().strip()

    def _browse(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self,
            self.tr("Choose a model"),
            self._model_box.currentText(),
            self.tr("Models (*.gguf);;All files (*)"),
        )
        if name:
            self._model_box.setCurrentText(name)


class SettingsDialog(QDialog):
    """Edits the settings; nothing is written before *Save*."""

    saved = Signal(object)
    """The new `Settings`, after they were written."""

    def __init__(
        self,
        file: Path,
        settings: Settings,
        models: Sequence[Path],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self.resize(620, 640)
        self._file = file
        self._before = settings
        self.search = QLineEdit(self)
        self.search.setAccessibleName(self.tr("Search settings"))
        self.search.setPlaceholderText(self.tr("Search settings"))
        self.search.setClearButtonEnabled(True)
        self.rows = [
            SettingRow(declaration, getattr(settings, declaration.name), models)
            for declaration in declared()
        ]
        self._titles: dict[str, QLabel] = {}
        self._error = _label("", "invalid")
        self._error.hide()
        buttons = QDialogButtonBox(self)
        self.save_button = QPushButton(self.tr("Save"))
        self.save_button.setObjectName("primary")
        self.save_button.setDefault(True)
        buttons.addButton(self.save_button, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(10)
        layout.addWidget(self.search)
        layout.addWidget(self._page(), 1)
        layout.addWidget(self._error)
        layout.addWidget(buttons)
        self.search.textChanged.connect(self._narrow)

    def accept(self) -> None:
        """Check every value, write them, and close; or say what is wrong."""
        changes: dict[str, Any] = {}
        wrong: list[SettingRow] = []
        for row in self.rows:
            row.complain("")
            try:
                value = row.declaration.checked(row.value)
            except UserError as error:
                row.complain(str(error))
                wrong.append(row)
                continue
            if row.declaration.key == MODEL_KEY and value and not self._is_model(value):
                row.complain(self.tr("There is no such file."))
                wrong.append(row)
            elif value != getattr(self._before, row.declaration.name):
                changes[row.declaration.key] = value
        if wrong:
            self.search.clear()
            wrong[0].editor.setFocus()
            return
        try:
            settings = save(self._file, changes)
        except UserError as error:
            self._error.setText(str(error))
            self._error.show()
            return
        self.saved.emit(settings)
        super().accept()

    def _is_model(self, value: str) -> bool:
        return Path(value).expanduser().is_file() or value == self._before.model_path

    def _page(self) -> QScrollArea:
        page = QWidget()
        page.setObjectName("pane")
        column = QVBoxLayout(page)
        column.setContentsMargins(4, 0, 12, 0)
        column.setSpacing(0)
        for row in self.rows:
            group = row.declaration.key.partition(".")[0]
            if group not in self._titles:
                self._titles[group] = _label(self.tr(GROUPS.get(group, group)), "paneTitle")
                self._titles[group].setContentsMargins(0, 10, 0, 4)
                column.addWidget(self._titles[group])
            column.addWidget(row)
        column.addStretch()
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(page)
        return area

    def _narrow(self, text: str) -> None:
        words = text.lower().split()
        shown: set[str] = set()
        for row in self.rows:
            hit = row.matches(words)
            row.setVisible(hit)
            if hit:
                shown.add(row.declaration.key.partition(".")[0])
        for group, title in self._titles.items():
            title.setVisible(group in shown)


def _label(text: str, name: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
