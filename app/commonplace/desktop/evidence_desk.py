"""What happens between the Evidence panel, the process that measures, and what is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from commonplace.desktop.controller import Controller
from commonplace.desktop.dialogs import ask
from commonplace.desktop.evidence_comparison import rows_from
from commonplace.desktop.evidence_link import Wanted
from commonplace.desktop.evidence_panel import EvidencePanel, Kept
from commonplace.desktop.evidence_words import name_of
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import one_line
from commonplace.errors import CommonplaceError
from commonplace.measure.store import ResultStore, Unreadable, file_stem
from commonplace.wire.messages import Message

SEED = 1
"""Every measurement draws its questions and places alike, so that two can be compared."""

Say = Callable[..., None]
Read = tuple[list[Kept], list[Unreadable], bool | None]
JOURNAL = "unfinished.jsonl"
MAX_LINE = 1 << 16


class EvidenceDesk(QObject):
    """Measures, shows, compares, exports and deletes; files are read off the thread."""

    def __init__(
        self, controller: Controller, keeper: ThemeKeeper, say: Say, window: QWidget
    ) -> None:
        super().__init__(window)
        self._controller = controller
        self._keeper = keeper
        self._say = say
        self._window = window
        self._root: Path | None = None
        self._link = controller.evidence
        self.panel: EvidencePanel | None = None
        """None until it is first opened."""
        controller.project_changed.connect(self._project_changed)
        self._link.finished.connect(self._finished)
        self._link.stopped.connect(self._stopped)
        self._link.failed.connect(self._failed)

    def handlers(self) -> dict[str, Callable[[], None]]:
        """Return what the action of this desk does."""
        return {"evidence": self.show}

    def show(self) -> None:
        """Open the panel, or bring it to the front."""
        panel = self.panel
        if panel is None:
            panel = self.panel = self._made()
        panel.show_running(self._link.running)
        self._read()
        if panel.isVisible():
            panel.raise_()
            panel.activateWindow()
        panel.show()

    def _made(self) -> EvidencePanel:
        panel = EvidencePanel(self._keeper, self._window)
        panel.measure_asked.connect(self._measure)
        panel.stop_asked.connect(self._link.cancel)
        panel.export_asked.connect(self._export)
        panel.compare_asked.connect(self._compare)
        panel.delete_asked.connect(self._ask_to_delete)
        self._link.progressed.connect(panel.show_progress)
        return panel

    def _store(self) -> ResultStore | None:
        root = self._root
        return None if root is None else ResultStore.of(root, self._controller.paths)

    def _project_changed(self, root: Path | None) -> None:
        if root != self._root and self._link.running:
            self._link.cancel()
        self._root = root
        if self.panel is not None:
            self._read()

    def _measure(self, quick: bool, adapt: bool) -> None:
        if self._root is None or self.panel is None:
            return
        self._link.measure(Wanted(self._root, self._model(), quick, SEED, adapt))
        self.panel.show_running(self._link.running)

    def _model(self) -> str:
        """Return the path of the model that answers, empty where the settings say it all."""
        info = self._controller.engine.state.info
        return "" if info is None or self._controller.settings.model_endpoint else info.path

    def _read(self, *, newest: bool = False) -> None:
        """Read what is kept, and show it: the `newest`, or what was chosen before."""
        store, panel, root = self._store(), self.panel, self._root
        if panel is None:
            return
        if store is None:
            panel.show_kept([])
            return

        def show(read: Read) -> None:
            if root != self._root:
                return
            kept, unreadable, quick = read
            panel.show_kept(kept, kept[0][0] if newest and kept else "")
            panel.show_unfinished(quick)
            if unreadable:
                first = unreadable[0]
                panel.say(
                    self.tr("{0} of the results cannot be read.").format(len(unreadable)),
                    f"{one_line(first.file)}: {first.why}",
                )

        self._controller.background.run(
            lambda: (*store.all(), unfinished_in(store.folder)), show, panel.show_error
        )

    def _finished(self) -> None:
        if self.panel is not None:
            self.panel.show_running(False)
            self._read(newest=True)
        if self.panel is None or not self.panel.isVisible():
            self._say(self.tr("The measurement is done."), self.tr("Show"), self.show)

    def _stopped(self) -> None:
        if self.panel is not None:
            self.panel.show_running(False)
            self._read()
            self.panel.say(
                self.tr("The measurement was stopped."),
                self.tr(
                    "What was measured is kept. When you measure again it goes on from there, "
                    "unless files or notes changed."
                ),
            )

    def _failed(self, error: CommonplaceError) -> None:
        if self.panel is not None:
            self.panel.show_running(False)
            self._read()
            self.panel.show_error(error)

    def _ask_to_delete(self, file: str) -> None:
        store, panel = self._store(), self.panel
        if store is None or panel is None or not file:
            return
        result = panel.shown()

        def delete() -> None:
            self._controller.background.run(
                lambda: store.delete(file), lambda _: self._read(), panel.show_error
            )

        ask(
            panel,
            self.tr("Delete this measurement?"),
            self.tr("Delete the measurement of {0} for good?").format(
                name_of(result) if result is not None else one_line(file)
            ),
            self.tr("It can be measured again, on the project as it is then."),
            (self.tr("Delete"), QMessageBox.ButtonRole.DestructiveRole),
            delete,
        )

    def _compare(self, new: str, old: str) -> None:
        panel, root = self.panel, self._root
        if panel is None or root is None:
            return

        def show(data: Message) -> None:
            panel.show_comparison((new, old), rows_from(data))

        self._link.compare(root, old, new, show, panel.show_error)

    def _export(self, page: bool) -> None:
        panel, root = self.panel, self._root
        result = panel.shown() if panel is not None else None
        if panel is None or result is None or root is None:
            return
        file, other = panel.files()
        if page:
            start = str(Path.home() / f"evidence-{file_stem(result)}.html")
            name, _ = QFileDialog.getSaveFileName(
                panel, self.tr("Export the evidence"), start, self.tr("Web pages (*.html)")
            )
        else:
            title = self.tr("Choose the folder in which the tables are put")
            name = QFileDialog.getExistingDirectory(panel, title, str(Path.home()))
        if not name:
            return
        target = with_suffix(Path(name)) if page else Path(name) / f"evidence-{file_stem(result)}"
        self._link.export(
            root,
            {"file": file, "against": other or None, "html" if page else "csv": str(target)},
            lambda _: panel.say(self.tr("Exported."), one_line(str(target))),
            panel.show_error,
        )


def with_suffix(path: Path) -> Path:
    """Return `path` as the name of a web page."""
    return path if path.suffix.lower() in {".html", ".htm"} else Path(f"{path}.html")


def unfinished_in(folder: Path) -> bool | None:
    """Return whether the measurement that was cut off was a quick one; None if none was.

    Reads the first line of the journal: what it says belongs together.
    """
    try:
        with (folder / JOURNAL).open(encoding="utf-8") as file:
            about = json.loads(file.readline(MAX_LINE))
    except (OSError, ValueError):
        return None
    return bool(about.get("quick")) if isinstance(about, dict) else None
