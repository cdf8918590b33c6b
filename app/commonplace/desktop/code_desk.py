"""What happens between the code view, the question and the user's own editor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QBoxLayout, QWidget

from commonplace.desktop.attached_selection import AttachedSelection
from commonplace.desktop.attachments import selected_passage
from commonplace.desktop.code_pane import CodePane
from commonplace.desktop.composer import Composer
from commonplace.desktop.controller import Controller
from commonplace.desktop.conversation import Conversation
from commonplace.desktop.dropping import DropTarget, mentions_for
from commonplace.desktop.editors import arguments, editor_of, start
from commonplace.desktop.passage_tip import PassageTip
from commonplace.desktop.source_text import inside
from commonplace.desktop.sources import Source, SourcesPanel
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.trace_frames import FramesPanel, Led, frames_of, lead
from commonplace.desktop.transcript import Transcript
from commonplace.errors import CommonplaceError, UserError
from commonplace.recall.passages import Passage

PAUSE_MS = 200
"""What is typed is looked at for a stack trace so long after the last key."""

LEAST_SOURCES = 120
"""Pixels that frames leave to the sources."""

Say = Callable[..., None]
OpenFileAt = Callable[[str, int, int, str], None]


class CodeDesk(QObject):
    """Finds, turns tabs, opens editors, attaches selections and drops, and lists frames."""

    def __init__(
        self,
        controller: Controller,
        views: tuple[CodePane, Conversation, Transcript, Composer, SourcesPanel],
        keeper: ThemeKeeper,
        say: Say,
        open_file: OpenFileAt,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._controller = controller
        self._code, self._conversation, transcript, self._composer, self._sources = views
        self._say = say
        self._open_file = open_file
        self._shown = -1
        self._ticket = 0
        self.show_settings: Callable[[], None] = lambda: None
        """What leads to the setting of the editor."""
        self.attached = AttachedSelection(self._composer, keeper, window)
        self.frames = FramesPanel(window)
        self.tip = PassageTip(transcript, self._sources, self._source_of, keeper, window)
        self.drops = DropTarget(self._composer.edit)
        _insert(self._composer, self.attached)
        _insert(self._sources, self.frames)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._look_for_frames)
        self._composer.edit.textChanged.connect(self._timer.start)
        self._conversation.sources_shown.connect(self._sources_shown)
        self._conversation.changed.connect(self._turn_to_last)
        self._conversation.busy_changed.connect(self._turn_to_last)
        controller.memory.files_changed.connect(lambda _files: self._timer.start())
        self.frames.chosen.connect(lambda path, line: open_file(path, line, line, ""))
        self.drops.dropped.connect(self._attach)
        self._code.editor_asked.connect(self._open_shown)

    def handlers(self) -> dict[str, Callable[[], None]]:
        """Return what the actions of the code view do."""
        code = self._code
        return {
            "find": code.find_bar.begin,
            "find_next": lambda: code.find_bar.step(1),
            "find_previous": lambda: code.find_bar.step(-1),
            "next_file": lambda: code.tabs.turn(1),
            "previous_file": lambda: code.tabs.turn(-1),
            "close_file": code.close_file,
            "close_files": code.closed.emit,
            "ask_selection": self.ask_selection,
            "open_in_editor": self.open_in_editor,
        }

    def attach(self, actions: Mapping[str, QAction]) -> None:
        """Offer what suits them in the menus of views, once the actions are there."""
        self._sources.list.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._sources.list.addAction(actions["open_in_editor"])

    def selection(self) -> Passage | None:
        """Return what ``@selection`` stands for: what is held, or what is selected now."""
        return self.attached.passage or selected_passage(self._code.path, self._code.view)

    def ask_selection(self) -> None:
        """Hold what is selected for the question, or the marked lines if nothing is."""
        passage = selected_passage(self._code.path, self._code.view) or self._marked()
        if passage is None:
            self._say(self.tr("Select the lines to ask about first."))
        else:
            self.attached.hold(passage)

    def open_in_editor(self) -> None:
        """Open the chosen source, or else the file on screen, in the user's editor."""
        row = self._sources.list.currentIndex().row()
        if self._sources.list.hasFocus() and 0 <= row < len(self._sources.sources):
            passage = self._sources.sources[row].passage
            self.open_at(passage.path, passage.start_line)
        elif self._code.path:
            self._open_shown()

    def open_at(self, path: str, line: int) -> None:
        """Open the project's file `path` at `line` in the user's editor."""
        root, setting = self._root(), self._controller.settings.editor_command
        if root is None:
            return

        def prepare() -> list[str]:
            return arguments(editor_of(setting), inside(root, path), line)

        def go(parts: list[str]) -> None:
            try:
                start(parts, root)
            except UserError as error:
                self._refused(error)

        self._controller.background.run(prepare, go, self._refused)

    def shut(self) -> None:
        """Stop timers; the window goes."""
        self._timer.stop()
        self.tip.dismiss()

    def _open_shown(self) -> None:
        self.open_at(self._code.path, self._code.line)

    def _refused(self, error: CommonplaceError) -> None:
        self._say(error, self.tr("Settings"), self.show_settings)

    def _root(self) -> Path | None:
        return self._controller.memory.root or self._controller.project

    def _marked(self) -> Passage | None:
        """Return the marked lines, or the line of the cursor, as if they were selected."""
        view, path = self._code.view, self._code.path
        first, last = view.marked_lines
        if not first:
            first = last = self._code.line
        lines = []
        block = view.document().findBlockByNumber(first - 1)
        while block.isValid() and block.blockNumber() < last:
            lines.append(block.text())
            block = block.next()
        text = "\n".join(lines)
        if not path or not text.strip():
            return None
        return Passage(path, first, last, text, 0.0, "selection", "", ("selected by you",))

    def _attach(self, dropped: list[Path]) -> None:
        root = self._root()
        if root is None:
            return

        def add(found: tuple[list[str], list[Path]]) -> None:
            mentions, outside = found
            if mentions:
                draft = self._composer.draft
                gap = "" if not draft or draft[-1].isspace() else " "
                self._composer.set_draft(f"{draft}{gap}{' '.join(mentions)} ")
                self._composer.edit.setFocus()
            if outside:
                text = self.tr("Not in this project, so not attached: {0}")
                names = ", ".join(path.name or str(path) for path in outside)
                self._say(text.format(names))

        self._controller.background.run(lambda: mentions_for(root, dropped), add, self._say)

    def _source_of(self, exchange: int, number: int) -> Source | None:
        exchanges = self._conversation.exchanges
        if exchange >= len(exchanges):
            return None
        return next((s for s in exchanges[exchange].sources if s.number == number), None)

    def _sources_shown(self, number: int) -> None:
        self._shown = number
        self._look_for_frames()

    def _turn_to_last(self) -> None:
        self._sources_shown(len(self._conversation.exchanges) - 1)

    def _look_for_frames(self) -> None:
        """Show the frames of what is typed, or else of the question whose sources are shown."""
        exchanges = self._conversation.exchanges
        asked = exchanges[self._shown].question if 0 <= self._shown < len(exchanges) else ""
        frames = frames_of(self._composer.draft) or frames_of(asked)
        self._ticket += 1
        ticket, files = self._ticket, self._controller.files.files

        def show(found: tuple[Led, ...]) -> None:
            if ticket == self._ticket:
                self.frames.show_frames(found)
                # The list below them keeps its room: the splitter gives way.
                self._sources.list.setMinimumHeight(LEAST_SOURCES if found else 0)

        if not frames:
            show(())
            return
        self._controller.background.run(lambda: lead(frames, files), show, self._say)


def _insert(view: QWidget, part: QWidget) -> None:
    """Put `part` at the top of `view`."""
    layout = view.layout()
    assert isinstance(layout, QBoxLayout)
    layout.insertWidget(0, part)
