"""The settings page, made from their declarations; a new setting appears by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.labels import plain_label
from commonplace.desktop.languages import LANGUAGES, told, told_error
from commonplace.desktop.shortcuts import Shortcuts
from commonplace.desktop.shortcuts_page import ShortcutsPage
from commonplace.desktop.visible import one_line
from commonplace.errors import UserError
from commonplace.network.grants import read_grants
from commonplace.settings import Declaration, Settings, declared, save

GROUPS = {
    "model": "Model",
    "answer": "Answers",
    "recall": "Search",
    "adapt": "Adapting to a file",
    "models": "Where models come from",
    "network": "Network",
    "appearance": "Appearance",
    "window": "Window",
}
AT_ONCE = "appearance."
"""Settings that are seen while they are chosen."""
MODEL_KEY = "model.path"
NETWORK_KEY = "network.allowed"


class SettingRow(QWidget):
    """One setting: its name, its editor, its explanation and what is wrong with it."""

    changed = Signal()

    def __init__(self, declaration: Declaration, value: Any, models: Sequence[Path]) -> None:
        super().__init__()
        self.declaration = declaration
        name = told(declaration.title)
        label = plain_label(name, name="headline")
        self.editor, self._read = self._make_editor(value, models)
        self.editor.setAccessibleName(name)
        self.editor.setMinimumHeight(28)
        self.editor.setAccessibleDescription(told(declaration.help))
        label.setBuddy(self.editor)
        self._invalid = plain_label("", name="invalid")
        self._invalid.hide()
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.editor, 1)
        if declaration.key == MODEL_KEY:
            browse = QPushButton(self.tr("Browse…"), self)
            browse.setAccessibleName(self.tr("Browse for a model file"))
            browse.clicked.connect(self._browse)
            line.addWidget(browse)
        elif not isinstance(self.editor, QLineEdit | QPlainTextEdit):
            self.editor.setFixedWidth(180)
            line.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 10)
        layout.setSpacing(4)
        self.reset = QPushButton(self.tr("Reset"), self)
        self.reset.setObjectName("quiet")
        self.reset.setAutoDefault(False)
        self.reset.setAccessibleName(self.tr("Reset {0}").format(name))
        self.reset.setToolTip(self.tr("Back to what it is by itself"))
        self.reset.clicked.connect(self.set_default)
        head = QHBoxLayout()
        head.addWidget(label, 1)
        head.addWidget(self.reset)
        layout.addLayout(head)
        layout.addLayout(line)
        layout.addWidget(plain_label(told(declaration.help), name="muted"))
        layout.addWidget(self._invalid)
        self._listen()
        self._notice()

    @property
    def value(self) -> Any:
        """What the editor holds."""
        return self._read()

    def set_default(self) -> None:
        """Put the declared default into the editor."""
        value = self.declaration.default
        editor = self.editor
        if isinstance(editor, QComboBox):
            if self.declaration.choices:
                editor.setCurrentIndex(editor.findData(value))
            else:
                editor.setCurrentText(str(value))
        elif isinstance(editor, QCheckBox):
            editor.setChecked(bool(value))
        elif isinstance(editor, QPlainTextEdit):
            editor.setPlainText("\n".join(value))
        elif isinstance(editor, QSpinBox | QDoubleSpinBox):
            editor.setValue(value)
        elif isinstance(editor, QLineEdit):
            editor.setText(str(value))

    def _listen(self) -> None:
        editor = self.editor
        if isinstance(editor, QComboBox):
            editor.currentTextChanged.connect(self._notice)
        elif isinstance(editor, QCheckBox):
            editor.toggled.connect(self._notice)
        elif isinstance(editor, QPlainTextEdit | QLineEdit):
            editor.textChanged.connect(self._notice)
        elif isinstance(editor, QSpinBox | QDoubleSpinBox):
            editor.valueChanged.connect(self._notice)

    def _notice(self) -> None:
        """Offer the default where the editor holds something else."""
        self.reset.setVisible(self.value != self.declaration.default)
        self.changed.emit()

    def complain(self, text: str) -> None:
        """Say what is wrong with the value, or take the complaint back."""
        self._invalid.setText(told(text))
        self._invalid.setVisible(bool(text))

    def matches(self, words: Sequence[str]) -> bool:
        """Return whether all `words` occur in the name or the explanation."""
        about = self.declaration
        text = f"{about.key} {about.help} {told(about.title)} {told(about.help)}".lower().replace(
            "_", " "
        )
        return all(word in text for word in words)

    def _make_editor(self, value: Any, models: Sequence[Path]) -> tuple[QWidget, Callable[[], Any]]:
        about = self.declaration
        if about.key == MODEL_KEY:
            return self._model_chooser(str(value), models)
        if about.choices:
            box = QComboBox()
            for choice in about.choices:
                box.addItem(LANGUAGES.get(choice) or told(choice), choice)
            box.setCurrentIndex(box.findData(str(value)))
            box.view().setAccessibleName(self.tr("Choices"))
            return box, box.currentData
        if about.type is bool:
            check = QCheckBox(self.tr("Yes"))
            check.setChecked(bool(value))
            return check, check.isChecked
        if about.type is tuple:
            return self._lines_editor(value)
        if about.type is int:
            spin = QSpinBox()
            spin.setRange(int(about.low or 0), int(about.high or 2**31 - 1))
            spin.setGroupSeparatorShown(True)
            spin.lineEdit().setTextMargins(6, 0, 0, 0)
            spin.setValue(int(value))
            return spin, spin.value
        if about.type is float:
            real = QDoubleSpinBox()
            real.setRange(about.low or 0.0, about.high or 1e9)
            real.setSingleStep(0.1)
            real.lineEdit().setTextMargins(6, 0, 0, 0)
            real.setValue(float(value))
            return real, lambda: round(real.value(), 6)
        edit = QLineEdit(str(value))
        return edit, lambda: edit.text().strip()

    def _lines_editor(self, value: Sequence[str]) -> tuple[QWidget, Callable[[], Any]]:
        lines = QPlainTextEdit("\n".join(value))
        lines.setTabChangesFocus(True)
        lines.setPlaceholderText(self.tr("One per line"))
        lines.setFixedHeight(72)
        return lines, lambda: tuple(filter(None, map(str.strip, lines.toPlainText().split("\n"))))

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
    previewed = Signal(object)
    """`Settings` to look like while they are being chosen; the old ones if they are not."""

    def __init__(
        self,
        file: Path,
        settings: Settings,
        models: Sequence[Path],
        parent: QWidget | None = None,
        *,
        shortcuts: Shortcuts | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self.resize(680, 680)
        self._file = file
        self._before = settings
        self.search = QLineEdit(self)
        self.search.setAccessibleName(self.tr("Search settings"))
        self.search.setPlaceholderText(self.tr("Search"))
        self.search.setClearButtonEnabled(True)
        self.rows = [
            SettingRow(declaration, getattr(settings, declaration.name), models)
            for declaration in declared()
        ]
        self._titles: dict[str, QLabel] = {}
        self._error = plain_label("", name="invalid")
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
        self._nothing = plain_label(self.tr("No setting speaks of that."), name="muted")
        self._nothing.hide()
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setAccessibleName(self.tr("Pages of the settings"))
        self.tabs.addTab(self._page(), self.tr("&All Settings"))
        self.shortcuts: ShortcutsPage | None = None
        if shortcuts is not None:
            self.shortcuts = ShortcutsPage(shortcuts, self)
            self.shortcuts.complained.connect(self._complain)
            self.tabs.addTab(self.shortcuts, self.tr("&Keyboard"))
        layout.addWidget(self.search)
        layout.addWidget(self._nothing)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self._error)
        layout.addWidget(buttons)
        self.search.textChanged.connect(self._narrow)
        for row in self.rows:
            if row.declaration.key.startswith(AT_ONCE):
                row.changed.connect(self._preview)

    def show_page(self, *, shortcuts: bool) -> None:
        """Turn to the page of shortcuts, or of all other settings."""
        self.tabs.setCurrentIndex(1 if shortcuts and self.shortcuts is not None else 0)

    def reject(self) -> None:
        """Close, and look as before."""
        self.previewed.emit(self._before)
        super().reject()

    def accept(self) -> None:
        """Check every value, write them, and close; or say what is wrong."""
        changes: dict[str, Any] = {}
        wrong: list[SettingRow] = []
        for row in self.rows:
            row.complain("")
            try:
                value = row.declaration.checked(row.value)
                if row.declaration.key == NETWORK_KEY:
                    read_grants(value)
            except UserError as error:
                row.complain(told_error(error))
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
            self._complain(told_error(error))
            return
        self.saved.emit(settings)
        super().accept()

    def _complain(self, text: str) -> None:
        self._error.setText(text)
        self._error.show()

    def _preview(self) -> None:
        looks = {
            row.declaration.name: row.value
            for row in self.rows
            if row.declaration.key.startswith(AT_ONCE)
        }
        self.previewed.emit(dataclasses.replace(self._before, **looks))

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
                self._titles[group] = plain_label(told(GROUPS.get(group, group)), name="paneTitle")
                self._titles[group].setContentsMargins(0, 10, 0, 4)
                column.addWidget(self._titles[group])
            column.addWidget(row)
        column.addStretch()
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it follows the focus of what is in it
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
        self._nothing.setVisible(not shown)
        if self.shortcuts is not None:
            self.shortcuts.narrow(text)
