"""The models: which are here, which can be had, and which one answers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QFile, QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.controller import Controller
from commonplace.desktop.message_bar import MessageBar
from commonplace.desktop.model_page import ModelPage
from commonplace.desktop.model_questions import (
    ask_about_licence,
    ask_before_deleting,
    ask_for_the_network,
    ask_how_to_import,
)
from commonplace.desktop.model_rows import empty_words, entry_row, known_row
from commonplace.desktop.model_words import catalogue_facts, entry_facts, model_size
from commonplace.desktop.package_dialog import ask_to_install
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.transfers import Transfers
from commonplace.desktop.visible import one_line
from commonplace.engine.catalogue import CatalogueModel, read_catalogue
from commonplace.engine.entries import LibraryEntry
from commonplace.engine.library import own_folder, removable
from commonplace.engine.package_manifest import SUFFIX
from commonplace.errors import CommonplaceError, UserError
from commonplace.network.grants import Grant, Origin, Purpose, read_grants
from commonplace.settings import save

REFRESH_MS = 10_000
"""How often the folders are looked at while the page is open."""


class ModelsDialog(QDialog):
    """Shows the library and the catalogue; what takes time happens in the library process."""

    def __init__(
        self, controller: Controller, keeper: ThemeKeeper, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Models"))
        self.resize(940, 660)
        self.setAcceptDrops(True)
        self._controller = controller
        self._library = controller.library
        self._catalogue = read_catalogue()
        self._entries: tuple[LibraryEntry, ...] = ()
        self.messages = MessageBar(keeper, self)
        self.use_button = _button(self.tr("&Use This Model"), self._use, primary=True)
        self.copy_button = _button(self.tr("&Copy to My Models"), self._copy_here)
        self.delete_button = _button(self.tr("D&elete…"), self._delete)
        self.download_button = _button(self.tr("&Download…"), self._download, primary=True)
        self.discard_button = _button(self.tr("&Throw Away the Part"), self._discard)
        self.installed = ModelPage(
            keeper,
            self.tr("Models on this machine"),
            (self.use_button, self.copy_button, self.delete_button),
            empty_words(),
            self,
        )
        self.known = ModelPage(
            keeper,
            self.tr("Models that can be downloaded"),
            (self.download_button, self.discard_button),
            self.tr("The catalogue is empty."),
            self,
        )
        self.tabs = QTabWidget(self)
        self.tabs.addTab(self.installed, self.tr("On This &Machine"))
        self.tabs.addTab(self.known, self.tr("C&atalogue"))
        self.tabs.tabBar().setAccessibleName(self.tr("Which models to show"))
        self.transfers = Transfers(self)
        self.import_button = _button(self.tr("&Import a File…"), self._choose_file)
        self.folder_button = _button(self.tr("Add a &Folder…"), self._choose_folder)
        self.others_box = QCheckBox(self.tr("Also &list models of other programs"), self)
        self.others_box.setToolTip(self.tr("LM Studio, Ollama, GPT4All, llama.cpp, the hub cache"))
        self.others_box.setChecked(controller.settings.models_other_apps)
        self.close_button = _button(self.tr("Close"), self.reject)
        self._lay_out()
        self._connect()
        self._look = QTimer(self)
        self._look.setInterval(REFRESH_MS)
        self._look.timeout.connect(self._library.refresh)
        self._look.start()
        self._show_all()
        self._library.refresh()

    def done(self, result: int) -> None:
        """Close; what is on its way goes on."""
        self._look.stop()
        self._library.rest()
        super().done(result)

    def import_files(self, paths: Sequence[Path]) -> None:
        """Ask how to import each of `paths`, or about its licence, and do it."""
        for path in paths:
            if path.suffix.lower() == SUFFIX:
                self._library.inspect(path, partial(ask_to_install, self._library, path, self))
                continue
            ask_how_to_import(
                path,
                self,
                lambda path=path: self._library.bring(path),  # type: ignore[misc]
                lambda path=path: self._library.bring(path, link=True),  # type: ignore[misc]
            )

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files that may be models."""
        if _dropped(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Import what was dropped."""
        paths = _dropped(event)
        event.acceptProposedAction()
        # Later: a question must not open while the other program still holds the drag.
        QTimer.singleShot(0, self, lambda: self.import_files(paths))

    def _lay_out(self) -> None:
        foot = QHBoxLayout()
        foot.setSpacing(8)
        for widget in (self.import_button, self.folder_button, self.others_box):
            foot.addWidget(widget)
        foot.addStretch()
        foot.addWidget(self.close_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(10)
        layout.addWidget(self.messages)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.transfers)
        layout.addLayout(foot)

    def _connect(self) -> None:
        library = self._library
        library.listed.connect(self._show_all)
        library.transfers_changed.connect(self._show_transfers)
        library.arrived.connect(self._arrived)
        library.removed.connect(self._removed)
        library.stopped.connect(self._stopped)
        library.failed.connect(self._failed)
        self.transfers.cancelled.connect(library.cancel)
        self._controller.engine.state_changed.connect(self._show_all)
        self.others_box.toggled.connect(
            lambda on: self._change({"models.other_apps": on}, look=True)
        )
        self.installed.selected.connect(self._show_entry)
        self.installed.activated.connect(self._use)
        self.installed.delete_pressed.connect(self._delete)
        self.known.selected.connect(self._show_known)
        self.known.activated.connect(self._download)

    def _show_all(self, _state: object = None) -> None:
        entries = self._library.entries
        if entries is not None:
            self._entries = entries
            in_use = self._path_in_use()
            self.installed.empty.setText(empty_words())
            self.installed.show_rows([entry_row(entry, in_use) for entry in entries])
        else:
            self.installed.empty.setText(self.tr("Looking at the folders…"))
        self._show_transfers()

    def _show_transfers(self) -> None:
        self.known.show_rows(
            [
                known_row(model, self._library, here=self._is_here(model))
                for model in self._catalogue.models
            ]
        )
        self.transfers.show_transfers(self._library.transfers)

    def _show_entry(self, _key: str = "") -> None:
        entry = self._entry()
        self.use_button.setEnabled(
            entry is not None and not entry.problem and entry.path != self._path_in_use()
        )
        self.delete_button.setEnabled(entry is not None and entry.ours)
        self.copy_button.setVisible(entry is not None and bool(entry.owner) and not entry.problem)
        if entry is not None:
            self.installed.show_facts(entry.title, entry_facts(entry))

    def _show_known(self, key: str = "") -> None:
        model = self._known()
        if model is None:
            return
        begun = self._library.unfinished.get(model.file, 0)
        moving = self._library.transfer(key) is not None
        here = self._is_here(model)
        self.download_button.setText(
            self.tr("&Go On Downloading…") if begun else self.tr("&Download…")
        )
        self.download_button.setEnabled(bool(model.repository) and not moving and not here)
        self.discard_button.setVisible(bool(begun) and not moving)
        facts = catalogue_facts(model, self._library.card_bytes)
        if begun and not moving:
            words = self.tr("{0} have arrived; the rest can follow.").format(model_size(begun))
            facts.insert(0, (self.tr("Unfinished"), words))
        if not model.repository:
            facts.append((self.tr("How to get it"), self.tr("Run “make models”.")))
        self.known.show_facts(model.name, facts)

    def _use(self) -> None:
        entry = self._entry()
        if entry is not None and self.use_button.isEnabled():
            self.messages.dismiss("models")
            self._change({"model.path": entry.path})
            self._show_all()

    def _copy_here(self) -> None:
        entry = self._entry()
        if entry is not None:
            self._library.bring(Path(entry.path), title=entry.title)

    def _delete(self) -> None:
        entry = self._entry()
        if entry is None or not entry.ours:
            return
        path, title = entry.path, entry.title
        if Path(path).is_symlink():
            what = self.tr("Only the link is deleted; the file it leads to stays.")
        else:
            what = self.tr("{0} go to the trash, if this machine has one.").format(
                model_size(entry.size)
            )
        ask_before_deleting(title, what, self, lambda: self._to_trash(path, title))

    def _to_trash(self, path: str, title: str) -> None:
        try:
            files = removable(Path(path), own_folder(self._controller.paths))
        except UserError as error:
            self._failed(error)
            return
        if path == self._path_in_use():
            self._controller.engine.unload()  # or the system would not let go of the file
        if any(file.is_symlink() for file in files):  # the trash would follow it
            self._library.remove(path)
        elif all(_moved_to_trash(file) for file in files):
            self._removed(path)
        else:
            what = self.tr("The trash does not take it: it would be deleted for good.")
            ask_before_deleting(title, what, self, lambda: self._library.remove(path))

    def _removed(self, path: str) -> None:
        """Let another model answer if the one that did is gone."""
        if self._controller.settings.model_path == path:
            self._change({"model.path": ""})
        elif self._controller.engine.state.kind == "absent":
            self._controller.load_model()
        self._library.refresh()

    def _download(self) -> None:
        model = self._known()
        if model is None or not self.download_button.isEnabled():
            return
        settings = self._controller.settings
        try:
            url = self._catalogue.url(model, settings.models_address)
            grant = Grant(Purpose.MODELS, Origin.of(url))
            allowed = grant in read_grants(settings.network_allowed)
        except UserError as error:
            self._failed(error)
            return

        def agreed() -> None:
            ask_about_licence(model, str(grant.origin), self, lambda: self._begin(model))

        def opened() -> None:
            grants = [*self._controller.settings.network_allowed, str(grant)]
            if self._change({"network.allowed": grants}):
                agreed()

        if allowed:
            agreed()
        else:
            ask_for_the_network(grant, self, opened)

    def _begin(self, model: CatalogueModel) -> None:
        self.messages.dismiss("models")
        self._library.download(model)

    def _discard(self) -> None:
        model = self._known()
        if model is not None:
            self._library.discard(model.file)

    def _choose_file(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(
            self, self.tr("Import models"), "", self.tr("Models (*.gguf *.cpmodel);;All files (*)")
        )
        self.import_files([Path(name) for name in names])

    def _choose_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, self.tr("Add a folder of models"))
        known = self._controller.settings.models_folders
        if name and name not in known:
            self._change({"models.folders": [*known, name]}, look=True)

    def _change(self, changes: dict[str, Any], *, look: bool = False) -> bool:
        """Save settings and put them in force; say so if that fails."""
        try:
            settings = save(self._controller.paths.settings_file, changes)
        except UserError as error:
            self._failed(error)
            return False
        self._controller.apply(settings)
        if look:
            self._library.refresh()
        return True

    def _arrived(self, title: str, path: str) -> None:
        self.installed.list.select(path)
        headline = self.tr("{0} is there.").format(one_line(title))
        remedy = self.tr("Choose it under “On This Machine” to let it answer.")
        self.messages.show_message("models", "info", headline, remedy)

    def _stopped(self, title: str) -> None:
        headline = self.tr("Stopped: {0}.").format(one_line(title))
        remedy = self.tr("What arrived of a download is kept, and it can be gone on with.")
        self.messages.show_message("models", "info", headline, remedy)

    def _failed(self, error: CommonplaceError) -> None:
        self.messages.show_message("models", "error", error.message, error.remedy)

    def _entry(self) -> LibraryEntry | None:
        key = self.installed.list.key
        return next((entry for entry in self._entries if entry.path == key), None)

    def _known(self) -> CatalogueModel | None:
        key = self.known.list.key
        return next((model for model in self._catalogue.models if model.id == key), None)

    def _is_here(self, model: CatalogueModel) -> bool:
        return any(Path(e.path).name == model.file and not e.problem for e in self._entries)

    def _path_in_use(self) -> str:
        info = self._controller.engine.state.info
        return info.path if info is not None else ""


def _button(title: str, run: Any, *, primary: bool = False) -> QPushButton:
    button = QPushButton(title)
    if primary:
        button.setObjectName("primary")
    button.setAutoDefault(False)
    button.clicked.connect(lambda _checked=False: run())
    return button


def _dropped(event: QDropEvent) -> list[Path]:
    urls = [url for url in event.mimeData().urls() if url.isLocalFile()]
    paths = [Path(url.toLocalFile()) for url in urls]
    return [path for path in paths if path.suffix.lower() in {".gguf", SUFFIX}]


def _moved_to_trash(file: Path) -> bool:
    done = QFile.moveToTrash(str(file))
    return bool(done[0] if isinstance(done, tuple) else done)
