"""The list of notes: filtered as one types, in five kinds, with one key for each deed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListView,
    QMenu,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from commonplace.book.note import STATUSES, Listed
from commonplace.desktop.book_link import PAGE, BookLink, NoteView, Row, Rows, ids_of
from commonplace.desktop.book_model import NoteDelegate, NoteModel
from commonplace.desktop.book_words import KINDS, deed_title, empty_words, kind_title
from commonplace.desktop.icons import tinted
from commonplace.desktop.key_names import KeyNames
from commonplace.desktop.labels import plain_label
from commonplace.desktop.languages import told_error
from commonplace.desktop.numbers import number_words
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import visible
from commonplace.errors import CommonplaceError

FILTER_MS = 120
SHOWN_UNREAD = 5

KEYS = {
    Qt.Key.Key_K: "keep",
    Qt.Key.Key_E: "edit",
    Qt.Key.Key_D: "discard",
    Qt.Key.Key_Delete: "discard",
    Qt.Key.Key_A: "archive",
    Qt.Key.Key_P: "pin",
    Qt.Key.Key_T: "confirm",
    Qt.Key.Key_F: "forget",
}
"""The key of each deed, pressed alone while a note is chosen in the list."""


def deeds_of(note: Listed | NoteView) -> list[str]:
    """Return what can be done with a note, in the order of menus and buttons."""
    deeds = {
        "inbox": ["keep", "edit", "discard"],
        "kept": ["edit", "pin", "archive", "discard"],
        "archived": ["keep", "edit", "discard"],
    }[note.status]
    if note.stale and note.status == "kept":
        deeds.insert(1, "confirm")
    if note.broken:
        deeds = ["edit", "discard"]
    return [*deeds, "forget"]


class NoteListView(QListView):
    """The list itself: a key alone is a deed, and letters are not searched for."""

    deed = Signal(str)
    undo_asked = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what the key stands for; the rest is Qt's."""
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        verb = KEYS.get(Qt.Key(event.key())) if plain else None
        if event.matches(QKeySequence.StandardKey.Undo):
            self.undo_asked.emit()
        elif verb is not None and self.currentIndex().isValid():
            self.deed.emit(verb)
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Search nothing: that is what the filter is for."""


class BookList(QWidget):
    """A filter, tabs with counts, and the notes."""

    chosen = Signal(str)
    """The id of the note that is chosen now; empty when there is none."""
    deed = Signal(str, object)
    """What is to be done with a note: a verb, and the note as a `Listed`."""
    undo_asked = Signal()
    new_asked = Signal()
    shown = Signal()
    """The list is as the book was when it was asked for, or says why there is none."""

    def __init__(self, link: BookLink, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pane")
        self._link = link
        self._keeper = keeper
        self._ticket = 0
        self._wanted = ""
        self._asked = self._filling = False
        self._keys: KeyNames | None = None
        self.filter = QLineEdit(self)
        self.filter.setAccessibleName(self.tr("Filter notes"))
        self.filter.setPlaceholderText(self.tr("Filter by title, text, tags, anchors"))
        self.filter.setClearButtonEnabled(True)
        self.new_button = QToolButton(self)
        self.new_button.setAccessibleName(self.tr("New note"))
        self.tabs = QTabBar(self)
        self.tabs.setObjectName("kinds")
        self.tabs.setAccessibleName(self.tr("Kinds of notes"))
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(True)
        for kind in KINDS:
            self.tabs.addTab(kind_title(kind))
        self.model = NoteModel(self)
        self.model.fetch = self._fetch
        self.list = NoteListView(self)
        self.empty = plain_label("", self, "muted")
        self.remark = plain_label("", self, "muted")
        self.keys = plain_label("", self, "muted")
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(FILTER_MS)
        self._lay_out()
        self._connect()
        self._restyle()

    def name_keys(self, keys: KeyNames) -> None:
        """Name the keys that are in force now."""
        self._keys = keys
        self.new_button.setToolTip(keys.tip(self.tr("New note"), "quick_note"))
        self.empty.setText(empty_words(self.kind, self.filter.text().strip(), keys))

    @property
    def kind(self) -> str:
        """The kind of notes on screen."""
        return KINDS[self.tabs.currentIndex()]

    @property
    def current(self) -> Row | None:
        """The note that is chosen."""
        return self.model.row(self.list.currentIndex())

    def show_kind(self, kind: str) -> None:
        """Show the notes of one kind."""
        self.tabs.setCurrentIndex(KINDS.index(kind))

    def select(self, note: str) -> None:
        """Choose a note, as soon as it is there; a filter that hides it goes."""
        self._wanted = note
        before = self.current
        if self._choose(note):
            if before is not None and before.note.id == note:
                self.tell_current()  # chosen already: it is read again all the same
        else:
            self.filter.clear()
            self.tabs.setCurrentIndex(0)
            self.refresh()

    def want(self, note: str) -> None:
        """Ask for the list again, and choose a note if it is in it."""
        self._wanted = note
        self.refresh()

    def refresh(self) -> None:
        """Ask for the list again; what is chosen stays."""
        self._wait.stop()
        self._ticket += 1
        ticket = self._ticket
        words, kind = self.filter.text().strip(), self.kind

        def take(found: Rows) -> None:
            if ticket == self._ticket:
                self._show(found, words)

        def complain(error: CommonplaceError) -> None:
            if ticket == self._ticket:
                self._complain(error)

        if kind == "suggested":
            self._suggest(take, complain, words)
            return
        count = max(PAGE, len(self.model.rows) if self._asked else 0)
        self._asked = True
        self._link.rows(words, kind, (0, count), take, complain)

    def forget(self) -> None:
        """Show nothing: another project was opened."""
        self._ticket += 1
        self._asked, self._wanted = False, ""
        self.filter.clear()
        self.model.show((), 0)

    def _suggest(
        self,
        take: Callable[[Rows], None],
        complain: Callable[[CommonplaceError], None],
        words: str,
    ) -> None:
        def with_counts(rows: tuple[Row, ...]) -> None:
            def both(found: Rows) -> None:
                held = set(ids_of(found.rows)) if words else None
                chosen = tuple(r for r in rows if held is None or r.note.id in held)
                take(Rows(chosen, len(chosen), found.counts, found.unread))

            self._link.rows(words, "", (0, PAGE if words else 1), both, complain)

        self._link.suggestions(with_counts, complain)

    def _fetch(self) -> None:
        ticket, words, kind = self._ticket, self.filter.text().strip(), self.kind

        def add(found: Rows) -> None:
            if ticket == self._ticket:
                known = set(ids_of(self.model.rows))
                fresh = [row for row in found.rows if row.note.id not in known]
                self.model.append(fresh, found.total)

        def refuse(_error: CommonplaceError) -> None:
            if ticket == self._ticket:
                self.model.append((), 0)

        self._link.rows(words, kind, (len(self.model.rows), PAGE), add, refuse)

    def _show(self, found: Rows, words: str) -> None:
        before = self.current
        row = self.list.currentIndex().row()
        place = self.list.verticalScrollBar().value()
        self._filling = True
        self.model.show(found.rows, found.total)
        counts = {"": sum(found.counts.get(s, 0) for s in STATUSES), **found.counts}
        for number, kind in enumerate(KINDS):
            count = counts.get(kind, 0)
            title = kind_title(kind)
            self.tabs.setTabText(number, f"{title} {number_words(count)}" if count else title)
        self.list.setVisible(bool(found.rows))
        self.empty.setVisible(not found.rows)
        self.empty.setText(empty_words(self.kind, words, self._keys))
        self._remark(found)
        wanted, self._wanted = self._wanted, ""
        if found.rows and not self._choose(wanted or (before.note.id if before else "")):
            # The note went from this list: the one that took its place is next.
            self.list.setCurrentIndex(self.model.index(min(max(row, 0), len(found.rows) - 1)))
        self.list.verticalScrollBar().setValue(place)
        index = self.list.currentIndex()
        if index.isValid():
            self.list.scrollTo(index)
        self._filling = False
        self.tell_current()
        self.shown.emit()

    def _remark(self, found: Rows) -> None:
        lines = [f"{path}: {reason}" for path, reason in found.unread[:SHOWN_UNREAD]]
        if len(found.unread) > SHOWN_UNREAD:
            lines.append(self.tr("and {0} more").format(len(found.unread) - SHOWN_UNREAD))
        if found.counts.get("broken"):
            lines.insert(
                0, self.tr("Notes with a broken header: {0}").format(found.counts["broken"])
            )
        self.remark.setText(visible("\n".join(lines)))
        self.remark.setVisible(bool(lines))

    def _complain(self, error: CommonplaceError) -> None:
        self.model.show((), 0)
        self.list.hide()
        self.empty.setText(visible(told_error(error)))
        self.empty.show()
        self.shown.emit()

    def _choose(self, note: str) -> bool:
        index = self.model.find(note)
        if index.isValid():
            self.list.setCurrentIndex(index)
        return index.isValid()

    def update_note(self, note: NoteView) -> None:
        """Let the row of a note, and its keys, say what is known of it now.

        A note is read after the list was, and its code may have changed in between:
        what can be done with it must not depend on which of the two one looks at.
        """
        if self.model.update(note):
            self._show_keys()

    def tell_current(self) -> None:
        """Say which note is chosen."""
        row = self.current
        self._show_keys()
        self.chosen.emit(row.note.id if row is not None else "")

    def _show_keys(self) -> None:
        row = self.current
        self.keys.setText("" if row is None else keys_words(row.note))
        self.keys.setVisible(row is not None)

    def _ask(self, verb: str) -> None:
        row = self.current
        if row is not None and verb in deeds_of(row.note):
            self.deed.emit(verb, row.note)

    def _to_list(self) -> None:
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _menu(self, position: QPoint) -> None:
        row = self.model.row(self.list.indexAt(position)) or self.current
        if row is None:
            return
        menu = self.menu_of(row.note)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.list.viewport().mapToGlobal(position))

    def menu_of(self, note: Listed) -> QMenu:
        """Return the menu of one note."""
        menu = QMenu(self)
        for verb in deeds_of(note):
            if verb == "forget":
                menu.addSeparator()
            title = deed_title(verb, pinned=note.pinned)
            action = menu.addAction(f"{title}\t{key_of(verb)}")
            action.triggered.connect(lambda _=False, verb=verb: self.deed.emit(verb, note))
        return menu

    def _connect(self) -> None:
        self._wait.timeout.connect(self.refresh)
        self.filter.textChanged.connect(self._wait.start)
        self.filter.returnPressed.connect(self._to_list)
        self.tabs.currentChanged.connect(self._kind_changed)
        self.new_button.clicked.connect(self.new_asked)
        self.list.deed.connect(self._ask)
        self.list.undo_asked.connect(self.undo_asked)
        self.list.activated.connect(lambda _index: self._ask("edit"))
        self.list.customContextMenuRequested.connect(self._menu)
        self.list.selectionModel().currentChanged.connect(self._moved)
        self._keeper.changed.connect(self._restyle)

    def _kind_changed(self) -> None:
        self.model.show((), 0)
        self.refresh()

    def _moved(self, now: QModelIndex, _before: QModelIndex) -> None:
        if now.isValid() and not self._filling:  # a reset chooses nothing for a moment
            self.tell_current()

    def _lay_out(self) -> None:
        self.list.setAccessibleName(self.tr("Notes"))
        self.list.setModel(self.model)
        self.list.setItemDelegate(NoteDelegate(self._keeper, self.list))
        self.list.setMouseTracking(True)
        self.list.setUniformItemSizes(True)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.hide()
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.filter, 1)
        head.addWidget(self.new_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addWidget(self.tabs)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.empty, 1, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.remark)
        layout.addWidget(self.keys)
        self.keys.hide()
        self.remark.hide()

    def _restyle(self) -> None:
        self.new_button.setIcon(tinted("new", self._keeper.theme))
        self.list.viewport().update()


def key_of(verb: str) -> str:
    """Return the key of a deed as it is shown."""
    key = next(key for key, other in KEYS.items() if other == verb)
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def keys_words(note: Listed | NoteView) -> str:
    """Return the keys for what can be done with a note."""
    deeds = deeds_of(note)
    return " · ".join(
        f"{key_of(verb)}\u00a0{deed_title(verb, pinned=note.pinned).rstrip('…').lower()}"
        for verb in deeds
    ).replace(" true", "\u00a0true")
