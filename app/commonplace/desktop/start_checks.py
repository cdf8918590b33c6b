"""What is said at the start when nothing that a person does could be kept."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject

from commonplace.desktop.background import Background
from commonplace.desktop.message_bar import MessageBar
from commonplace.desktop.visible import visible
from commonplace.paths import StatePaths
from commonplace.storage.places import first_refused

KEY = "state"


class StartChecks(QObject):
    """Looks at the folders of truth, off the window's thread: a network disk may be slow."""

    def __init__(self, paths: StatePaths, messages: MessageBar, parent: QObject) -> None:
        super().__init__(parent)
        self._messages = messages
        self._background = Background(self, threads=1)
        folders = (paths.data, paths.config)  # what the cache lacks, each room tells by itself
        self._background.run(lambda: first_refused(folders), self._looked, lambda _error: None)

    def _looked(self, problem: tuple[Path, str] | None) -> None:
        if problem is None:
            return
        folder, reason = problem
        self._messages.show_message(
            KEY,
            "error",
            visible(self.tr("{0} cannot be written: {1}.").format(folder, reason)),
            self.tr(
                "Conversations, settings and private notes cannot be kept. Mend its permissions or "
                "free some space, or set COMMONPLACE_HOME to another folder, and start again."
            ),
        )
