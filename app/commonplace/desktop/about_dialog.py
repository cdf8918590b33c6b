"""What this program is: its build, where it keeps things, and its licences."""

from __future__ import annotations

import platform

import PySide6
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from commonplace.build import DEVELOPMENT, Build, this_build
from commonplace.desktop.background import Background
from commonplace.desktop.icons import app_icon
from commonplace.desktop.labels import ElidedLabel, plain_label
from commonplace.desktop.theme import code_font
from commonplace.desktop.visible import visible
from commonplace.errors import CommonplaceError
from commonplace.licences import Licence, licences
from commonplace.paths import StatePaths


def show_about(paths: StatePaths, parent: QWidget) -> AboutDialog:
    """Say what this program is, where it keeps things, and under which terms it is given."""
    dialog = AboutDialog(paths, this_build(), parent)
    dialog.open()
    return dialog


class AboutDialog(QDialog):
    """Three pages: the build, the folders, the licences."""

    def __init__(self, paths: StatePaths, build: Build, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("About Commonplace"))
        self.resize(700, 520)
        self._build = build
        self._background = Background(self, threads=1)
        self._licences: list[Licence] = []
        self.folder_buttons: list[QPushButton] = []
        self.chosen = QComboBox(self)
        self.chosen.setAccessibleName(self.tr("Component"))
        self.chosen.view().setAccessibleName(self.tr("Components"))
        self.licence_text = _reader(self.tr("The licence"), self)
        self.tabs = QTabWidget(self)
        self.tabs.tabBar().setAccessibleName(self.tr("What to show"))
        self.tabs.addTab(self._program_page(), self.tr("&Program"))
        self.tabs.addTab(self._folders_page(paths), self.tr("&Folders"))
        self.tabs.addTab(self._licences_page(), self.tr("&Licences"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.copy_button = buttons.addButton(
            self.tr("&Copy"), QDialogButtonBox.ButtonRole.ActionRole
        )
        self.copy_button.setToolTip(self.tr("Copy the version, for a report"))
        self.copy_button.clicked.connect(self._copy)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addLayout(self._head())
        layout.addWidget(self.tabs, 1)
        layout.addWidget(buttons)
        self._background.run(licences, self._show_licences, self._failed)

    def done(self, result: int) -> None:
        """Close; nothing is waited for."""
        self._background.finish()
        super().done(result)

    def text(self) -> str:
        """Return what a report should say of this build."""
        system = f"{platform.system()} {platform.release()} {platform.machine()}"
        python = f"Python {platform.python_version()}, PySide6 {PySide6.__version__}"
        return "\n".join((*self._build.lines(), python, system))

    def _head(self) -> QHBoxLayout:
        picture = QLabel(self)
        picture.setPixmap(app_icon().pixmap(56, 56))
        name = plain_label(f"Commonplace {self._build.version}", self, "headline", wrap=False)
        font = name.font()
        font.setPointSize(font.pointSize() + 5)
        name.setFont(font)
        words = plain_label(
            self.tr(
                "A coding assistant whose memory lives outside the model, in files you own. "
                "Nothing leaves this machine unless you allow it."
            ),
            self,
        )
        right = QVBoxLayout()
        right.setSpacing(4)
        right.addWidget(name)
        right.addWidget(words)
        head = QHBoxLayout()
        head.setSpacing(14)
        head.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(right, 1)
        return head

    def _program_page(self) -> QWidget:
        page = QWidget(self)
        form = QFormLayout(page)
        form.setContentsMargins(14, 14, 14, 14)
        form.setVerticalSpacing(9)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignTop)
        build = self._build
        name = self.tr("Development, from a checkout") if build.name == DEVELOPMENT else build.name
        for title, value in (
            (self.tr("Version"), build.version),
            (self.tr("Build"), name),
            (self.tr("Commit"), build.commit),
            (self.tr("Bill of materials (SHA-256)"), build.sbom_sha256),
            (self.tr("Runs on"), self.text().splitlines()[-1]),
            (self.tr("Made with"), self.text().splitlines()[-2]),
        ):
            if value:
                shown = plain_label(visible(value), page)
                shown.setTextInteractionFlags(
                    Qt.TextInteractionFlag.TextSelectableByMouse
                    | Qt.TextInteractionFlag.TextSelectableByKeyboard
                )
                shown.setAccessibleName(title)
                form.addRow(plain_label(title, page, "muted", wrap=False), shown)
        updates = self.tr(
            "Commonplace never looks for a newer version. Install a newer package over this one; "
            "what you keep is copied before it is brought to a new form."
        )
        form.addRow(
            plain_label(self.tr("Updates"), page, "muted", wrap=False), plain_label(updates, page)
        )
        return page

    def _folders_page(self, paths: StatePaths) -> QWidget:
        page = QWidget(self)
        grid = QGridLayout(page)
        grid.setContentsMargins(14, 14, 14, 14)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(0, 1)
        rows = (
            (paths.config, self.tr("Settings")),
            (paths.data, self.tr("What you keep: conversations, private notes, undo, models")),
            (paths.cache, self.tr("What can be made again: indexes and logs")),
        )
        for row, (folder, what) in enumerate(rows):
            title = plain_label(what, page, "headline")
            where = ElidedLabel(page)
            where.setObjectName("muted")
            where.setText(visible(str(folder)))
            where.setToolTip(visible(str(folder)))
            button = QPushButton(self.tr("Open Folder"), page)
            button.setAutoDefault(False)
            button.setAccessibleName(self.tr("Open the folder of: {0}").format(what))
            button.setEnabled(folder.is_dir())
            url = QUrl.fromLocalFile(str(folder))
            button.clicked.connect(lambda _checked=False, url=url: QDesktopServices.openUrl(url))
            self.folder_buttons.append(button)
            grid.addWidget(title, row * 2, 0)
            grid.addWidget(where, row * 2 + 1, 0)
            grid.addWidget(button, row * 2, 1, 2, 1)
        shared = self.tr(
            "Notes that you share lie in the project itself, below .commonplace/notes. "
            "Removing the program leaves all of this where it is."
        )
        grid.addWidget(plain_label(shared, page, "muted"), 6, 0, 1, 2)
        grid.setRowStretch(7, 1)
        return page

    def _licences_page(self) -> QWidget:
        page = QWidget(self)
        notice = plain_label(
            self.tr(
                "Commonplace is under the MIT licence. It uses Qt and PySide6 under the GNU Lesser "
                "General Public License, version 3. They are separate files in the folder of the "
                "program: you may replace them by your own build, and take them apart to do so. "
                "Their sources are at code.qt.io."
            ),
            page,
        )
        self.chosen.currentIndexChanged.connect(self._show_licence)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(14, 14, 14, 14)
        layout.setSpacing(8)
        layout.addWidget(notice)
        layout.addWidget(self.chosen)
        layout.addWidget(self.licence_text, 1)
        return page

    def _show_licences(self, found: list[Licence]) -> None:
        self._licences = found
        self.chosen.addItems([visible(licence.title) for licence in found])

    def _show_licence(self, index: int) -> None:
        if 0 <= index < len(self._licences):
            licence = self._licences[index]
            self._background.run(
                licence.text,
                lambda text: self._put(index, text),
                lambda error: self._put(index, str(error)),
            )

    def _put(self, index: int, text: str) -> None:
        if index == self.chosen.currentIndex():  # or another one was chosen meanwhile
            self.licence_text.setPlainText(visible(text))

    def _failed(self, error: CommonplaceError) -> None:
        self.licence_text.setPlainText(visible(str(error)))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text())


def _reader(name: str, parent: QWidget) -> QPlainTextEdit:
    text = QPlainTextEdit(parent)
    text.setAccessibleName(name)
    text.setReadOnly(True)
    text.setTabChangesFocus(True)
    text.setFont(code_font(9))
    return text
