"""Every screen of the window, light and dark, wide and narrow, at one scale.

Made with the real workers on a copy of a project; nothing of the project is changed.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bench import book_pictures

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication, QWidget

    from commonplace.desktop.window import MainWindow

SIZES = {"wide": (1400, 880), "narrow": (520, 760)}
THEMES = ("light", "dark")
PATIENCE = 900.0
ACTIONS = {
    "settings": "settings",
    "shortcuts": "shortcuts",
    "models": "models",
    "index": "index",
    "skipped": "skipped",
    "context": "context",
    "past-changes": "past_changes",
    "endpoint": "endpoint",
    "new-note": "quick_note",
    "about": "about",
    "evidence": "evidence",
    "adapt": "adapt",
}
"""Pictures of dialogs, and the actions that open them."""
TYPED = {"palette-files": "", "palette-commands": ">", "palette-symbols": "@s"}

Taken = Iterator[tuple[str, "QWidget"]]
"""Names of pictures and what is on them, at the moment when it is to be taken."""


class Photographer:
    """Drives one window through all screens and saves each of them."""

    def __init__(self, app: QApplication, window: MainWindow, folder: Path) -> None:
        self.app = app
        self.window = window
        self.folder = folder

    def take_all(self) -> None:
        """Save every screen in both themes and both sizes."""
        for size, shape in SIZES.items():
            for theme in THEMES:
                self.window.choose_theme(theme)
                self.window.resize(*shape)
                self.settle()
                place = self.folder / size / theme
                place.mkdir(parents=True, exist_ok=True)
                for name, widget in self.screens():
                    if widget is not self.window and size == "narrow":
                        widget.resize(min(widget.width(), shape[0]), min(widget.height(), shape[1]))
                    self.settle()
                    widget.grab().save(str(place / f"{name}.png"))

    def screens(self) -> Taken:
        """Bring one screen after the other up, and take it away again."""
        self.window.shell.toasts.dismiss()
        yield from self._pages()
        yield from self._panels()
        yield from self._dialogs()
        yield from self._review()

    def _pages(self) -> Taken:
        window = self.window
        pages = window.pages
        pages.setCurrentWidget(window.welcome)
        yield "welcome", window
        pages.setCurrentWidget(window.work)
        window.talk.setCurrentWidget(window.hints)
        yield "empty-chat", window
        window.talk.setCurrentWidget(window.transcript)
        yield "answer", window
        source = window.sources.select(1)
        if source is not None:
            window.open_source(source)
        yield "code", window
        window.actions_by_id["find"].trigger()
        window.code.find_bar.edit.setText("return")
        yield "find", window
        window.code.find_bar.end()
        window.left.show()
        window.side.setCurrentWidget(window.chat_list)
        yield "conversations", window
        window.side.setCurrentWidget(window.tree)
        if window.columns.folded:
            window.left.hide()
        window.actions_by_id["book"].trigger()
        yield "book", window
        window.book.leave()

    def _panels(self) -> Taken:
        window = self.window
        for name, typed in TYPED.items():
            window.shell.palette.open_with(typed)
            yield name, window
            window.shell.palette.dismiss()
        window.activateWindow()
        window.composer.edit.setFocus()
        self.settle()  # the focus arrives with the next turn of the loop
        window.composer.edit.insertPlainText("/")
        yield "commands", window
        window.composer.set_draft("")
        show = window.messages.show_message
        show("a", "error", "The model’s process ended.", "It starts again.", [("Choose…", _none)])
        show("b", "warning", "Two files changed meanwhile.", "Nothing was written.")
        show("c", "info", "There is no model yet.", "The passages themselves are the answer.")
        window.shell.toasts.say("Deleted “How are errors told?”.", "Undo", _none)
        yield "messages", window
        window.shell.toasts.dismiss()
        for key in "abc":
            window.messages.dismiss(key)

    def _dialogs(self) -> Taken:
        for name, action in ACTIONS.items():
            if action not in self.window.actions_by_id:
                continue
            before = self._open()
            self.window.actions_by_id[action].trigger()
            dialog = self._opened(before)
            if dialog is None:
                print(f"  {name}: nothing opened", file=sys.stderr)
                continue
            if name == "index":
                self.settle(1.0)
            yield name, dialog
            dialog.close()
            self.settle()

    def _review(self) -> Taken:
        window = self.window
        passage = window.conversation.exchanges[-1].sources[0].passage
        old = passage.text.strip("\n").split("\n")
        new = [*old[:1], "    # Looked at twice.", *old[1:]]
        marks = ("<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE")
        block = [f"FILE {passage.path}", marks[0], *old, marks[1], *new, marks[2]]
        lost = [f"FILE {passage.path}", marks[0], "never written", marks[1], "x", marks[2]]
        before = self._open()
        window.edits.review_text("\n".join([*block, *lost]), "pictures")
        dialog = self._opened(before)
        if dialog is None:
            return
        yield "review", dialog
        dialog.beside.setChecked(True)  # type: ignore[attr-defined]
        yield "review-beside", dialog
        dialog.close()

    def settle(self, seconds: float = 0.35) -> None:
        """Let layouts, highlighting and timers finish."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.app.processEvents()
            time.sleep(0.005)

    def pump(self, done: Callable[[], bool]) -> None:
        """Run the event loop until `done`."""
        end = time.monotonic() + PATIENCE
        while not done():
            self.app.processEvents()
            time.sleep(0.005)
            if time.monotonic() > end:
                raise TimeoutError

    def _open(self) -> set[int]:
        return {id(w) for w in self.app.topLevelWidgets() if w.isVisible()}

    def _opened(self, before: set[int]) -> QWidget | None:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            self.settle(0.1)
            for widget in self.app.topLevelWidgets():
                if widget.isVisible() and id(widget) not in before and widget.inherits("QDialog"):
                    return widget
        return None


def take(project: Path, question: str, folder: Path, home: Path) -> None:
    """Open a copy of `project`, ask, change a file, and save all screens below `folder`."""
    from PySide6.QtWidgets import QApplication

    from commonplace import settings
    from commonplace.desktop.app import make_window
    from commonplace.paths import StatePaths

    copy = home / project.resolve().name
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns(".git", "*.gguf"))
    app = QApplication(sys.argv[:1])
    paths = StatePaths.from_environment()
    settings.save(paths.settings_file, {"appearance.theme": "light"})
    window = make_window(app, paths)
    photographer = Photographer(app, window, folder)
    window.resize(*SIZES["wide"])
    window.show()
    window.open_project(copy)
    window.controller.load_model()
    photographer.pump(lambda: window.status.status.phase == "ready")
    photographer.pump(lambda: window.controller.engine.state.kind in {"ready", "absent", "failed"})
    window.ask(question)
    photographer.pump(lambda: not window.conversation.busy and not window.transcript.busy)
    _change(photographer)
    for note in (*book_pictures.NOTES[:2], book_pictures.DRAFT):
        done: list[int] = []
        plain = note.__class__(note.title, note.text, (), note.tags, note.private)
        window.book.desk.add(plain, draft=False, then=lambda done=done: done.append(1))
        photographer.pump(lambda done=done: bool(done))
    photographer.take_all()
    window.close()
    window.controller.finish()
    os._exit(0)


def _change(photographer: Photographer) -> None:
    """Make two changes, one of which is taken back, so that there is something to list."""
    window = photographer.window
    edits = window.edits._edits  # noqa: SLF001
    if edits is None:
        return
    first = window.conversation.exchanges[-1].sources[0].passage
    for number, title in enumerate(("Say what it returns", "Read the file only once")):
        proposal = edits.propose(
            f"FILE {first.path}\n<<<<<<< SEARCH\n{first.text}\n=======\n"
            f"{first.text}\n# {title}\n>>>>>>> REPLACE"
        )
        if not proposal.files:
            continue
        edits.apply(proposal.plan(proposal.everything(), title))
        if number == 0:
            edits.undo()


def _none() -> None:
    """Do nothing: these buttons are looked at only."""
