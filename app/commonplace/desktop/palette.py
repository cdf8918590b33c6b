"""One field to reach everything by typing: files, commands, lines and definitions.

What is typed decides what is looked for: a path as it is, ``>`` a command,
``:`` a line of the open file, ``@`` a definition. ``path:12`` opens a file at
that line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QLineEdit, QVBoxLayout, QWidget

from commonplace.desktop.fuzzy import Match, search
from commonplace.desktop.kinds import kind_words
from commonplace.desktop.labels import plain_label
from commonplace.desktop.languages import told_error
from commonplace.desktop.memory_link import MemoryLink
from commonplace.desktop.palette_list import Entry, PaletteList
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import one_line
from commonplace.errors import CommonplaceError
from commonplace.index.codeplaces import CodePlace
from commonplace.wire.calls import Call

SHOWN = 60
WIDTH = 620
TOP = 44
SYMBOLS_MS = 60
RECENT = 30
COMMAND, LINE, SYMBOL = ">", ":", "@"
AT_LINE = re.compile(r"^(.*?):(\d*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """Something that can be done now: its title, its menu and keys, and how to do it."""

    title: str
    menu: str
    keys: str
    run: Callable[[], None]


class Palette(QFrame):
    """A panel over the window; it goes when something is chosen or the focus leaves."""

    file_chosen = Signal(str, int)
    """A path, and the line to show or 0."""
    line_chosen = Signal(int)
    place_chosen = Signal(object)
    """The `CodePlace` of a definition."""

    def __init__(
        self,
        keeper: ThemeKeeper,
        memory: MemoryLink,
        commands: Callable[[], Sequence[Command]],
        files: Callable[[], Sequence[str]],
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._window = window
        self.setObjectName("palette")
        self._memory = memory
        self._commands = commands
        self._files = files
        self._recent: list[str] = []
        self._paths: Sequence[str] = ()
        self._lowered: list[str] = []
        self._known: frozenset[str] = frozenset()
        self._search: Iterator[list[Match] | None] = iter(())
        self._line = 0
        self._call: Call | None = None
        self._back: QWidget | None = None
        self.edit = QLineEdit(self)
        self.edit.setAccessibleName(self.tr("Go to anything"))
        self.edit.setPlaceholderText(self.tr("A file by some letters of its name"))
        self.list = PaletteList(keeper, self)
        self.list.setAccessibleName(self.tr("What was found"))
        self.note = plain_label("", self, "muted")
        self._lay_out()
        self._step = QTimer(self)
        self._step.setInterval(0)
        self._step.timeout.connect(self._advance)
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(SYMBOLS_MS)
        self._wait.timeout.connect(self._ask_symbols)
        self.edit.textChanged.connect(self._typed)
        self.edit.installEventFilter(self)
        self.list.clicked.connect(lambda _index: self._choose())
        window.installEventFilter(self)
        self.hide()

    @property
    def entries(self) -> Sequence[Entry]:
        """What is listed now, best first."""
        return self.list.entries

    def open_with(self, prefix: str) -> None:
        """Show the palette with `prefix` typed: nothing for files, or one of ``> : @``."""
        if not self.isVisible():
            self._back = QApplication.focusWidget()
        self._take(self._files())
        self._place()
        self.show()
        self.raise_()
        self.edit.setText(prefix)
        self._typed(prefix)
        self.edit.setFocus(Qt.FocusReason.PopupFocusReason)
        self.edit.setCursorPosition(len(prefix))

    def _take(self, paths: Sequence[str]) -> None:
        """Take up the files of the project, which are many and seldom others than before."""
        if paths is not self._paths:
            self._paths = paths
            self._known = frozenset(paths)
            # At once, since one by one takes longer than a key may.
            self._lowered = "\0".join(paths).lower().split("\0") if paths else []

    def dismiss(self) -> None:
        """Go away and give the focus back."""
        self._stop()
        if not self.isHidden():
            self.hide()
            if self._back is not None:
                self._back.setFocus(Qt.FocusReason.PopupFocusReason)
        self._back = None

    def visited(self, path: str) -> None:
        """Remember that `path` was opened: it comes first while nothing is typed."""
        self._recent = [path, *(p for p in self._recent if p != path)][:RECENT]

    def forget(self) -> None:
        """Begin anew: another project was opened."""
        self._recent = []
        self.dismiss()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let arrows move the list while the field keeps the focus; follow the window's size."""
        if watched is self.edit:
            if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
                return self._pressed(event)
            if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
                if event.key() == Qt.Key.Key_Escape:  # ours, whatever shortcut has it
                    event.accept()
                    return True
            elif (
                event.type() == QEvent.Type.FocusOut
                and isinstance(event, QFocusEvent)
                and event.reason() != Qt.FocusReason.ActiveWindowFocusReason
            ):
                QTimer.singleShot(0, self, self._left)
        elif event.type() == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return super().eventFilter(watched, event)

    def _pressed(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.dismiss()
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._choose()
        elif key in {Qt.Key.Key_Down, Qt.Key.Key_Tab}:
            self.list.move_by(1)
        elif key in {Qt.Key.Key_Up, Qt.Key.Key_Backtab}:
            self.list.move_by(-1)
        elif key in {Qt.Key.Key_PageDown, Qt.Key.Key_PageUp}:
            self.list.move_by(8 if key == Qt.Key.Key_PageDown else -8)
        else:
            return False
        return True

    def _left(self) -> None:
        focus = QApplication.focusWidget()
        if focus is not self.edit and focus is not self.list:
            self._back = None  # the focus went where the user put it
            self.dismiss()

    def _typed(self, text: str) -> None:
        self._stop()
        kind = text[:1]
        if kind == COMMAND:
            self._find_commands(text[1:])
        elif kind == LINE:
            number = text[1:].strip()
            self._show([], self.tr("Enter goes to that line.") if number.isdigit() else "")
            if not number.isdigit():
                self.note.setText(self.tr("Type the number of a line of the open file."))
        elif kind == SYMBOL:
            if text[1:].strip():
                self._wait.start()
            else:
                self._show([], self.tr("Type the name of a function, class or method."))
        else:
            self._find_files(text)

    def _find_commands(self, typed: str) -> None:
        commands = self._commands()
        texts = [f"{c.menu}: {c.title}".lower() for c in commands]
        [*_, found] = search(typed, texts, SHOWN)
        entries = []
        for match in found or ():
            command = commands[match.number]
            skip = len(command.menu) + 2
            hit = tuple(place - skip for place in match.places if place >= skip)
            entries.append(Entry(command.title, command.menu, command.keys, hit, command.run))
        self._show(entries, "" if entries else self.tr("No command is called so."))

    def _find_files(self, typed: str) -> None:
        if not typed.strip():
            recent = [path for path in self._recent if path in self._known]
            paths = dict.fromkeys([*recent, *self._paths[: SHOWN + len(recent)]])
            self._show([self._file(path) for path in list(paths)[:SHOWN]], self._teach())
            return
        at_line = AT_LINE.match(typed)
        self._search = search(at_line[1] if at_line else typed, self._lowered, SHOWN)
        self._line = int(at_line[2] or 0) if at_line else 0
        self._step.start()
        self._advance()

    def _advance(self) -> None:
        found = next(self._search, None)
        if found is None:
            return
        self._step.stop()
        entries = [self._file(self._paths[m.number], m.places, self._line) for m in found]
        self._show(entries, "" if entries else self.tr("No file of the project is called so."))

    def _file(self, path: str, places: Sequence[int] = (), line: int = 0) -> Entry:
        folder, _, name = path.rpartition("/")
        skip = len(path) - len(name)
        hit = tuple(place - skip for place in places if place >= skip)
        title = one_line(name)
        if title != name:  # letters were replaced by words for them
            hit = ()
        return Entry(title, one_line(folder), "", hit, lambda: self.file_chosen.emit(path, line))

    def _ask_symbols(self) -> None:
        typed = self.edit.text()[1:].strip()
        self._call = self._memory.symbols(typed, self._found_symbols, self._failed)

    def _found_symbols(self, places: Sequence[CodePlace]) -> None:
        if self.edit.text()[:1] != SYMBOL:
            return

        def entry(place: CodePlace) -> Entry:
            where = one_line(f"{place.path}:{place.line}")
            title = one_line(place.symbol)
            return Entry(
                title, where, kind_words(place.kind), (), lambda: self.place_chosen.emit(place)
            )

        none = self.tr("Nothing in this project defines a name like that.")
        self._show([entry(place) for place in places], "" if places else none)

    def _failed(self, error: CommonplaceError) -> None:
        self._show([], told_error(error))

    def _show(self, entries: Sequence[Entry], note: str) -> None:
        self.list.set_entries(entries)
        self.list.setVisible(bool(entries))
        self.note.setText(note)
        self.note.setVisible(bool(note) or not entries)
        self._place()

    def _choose(self) -> None:
        text = self.edit.text()
        if text[:1] == LINE:
            number = text[1:].strip()
            if number.isdigit():
                self.dismiss()
                self.line_chosen.emit(int(number))
            return
        entry = self.list.current
        if entry is not None:
            self.dismiss()
            entry.run()

    def _stop(self) -> None:
        self._step.stop()
        self._wait.stop()
        self._memory.cancel(self._call)
        self._call = None

    def _teach(self) -> str:
        return self.tr("> commands   @ definitions   : lines   file:12 a file at a line")

    def _place(self) -> None:
        window = self._window
        self.setFixedWidth(min(WIDTH, window.width() - 24))
        self.adjustSize()
        self.move((window.width() - self.width()) // 2, TOP)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.setSpacing(8)
        for widget in (self.edit, self.list, self.note):
            layout.addWidget(widget)
