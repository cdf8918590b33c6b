"""What happens between the book's page and the notes: deeds, saving, and a way back for each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from commonplace.book.note import Listed
from commonplace.desktop.book_link import BookLink, Change, NoteView
from commonplace.desktop.book_page import BookPage
from commonplace.desktop.book_quick import NewNote, QuickNote
from commonplace.desktop.book_unsaved import Unsaved, UnsavedTexts
from commonplace.desktop.book_words import done_words, forget_words, undone_words
from commonplace.desktop.chat_desk import Say
from commonplace.desktop.dialogs import ask
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import one_line
from commonplace.errors import CommonplaceError, NewerDataError, NoteChangedError
from commonplace.paths import StatePaths
from commonplace.wire.messages import Message

AHEAD_MS = 1000
"""While nobody looks, the list is read so long after the last change: it opens at once."""
METHODS = {"keep": "note_keep", "archive": "note_archive", "confirm": "note_confirm"}


class BookDesk(QObject):
    """Shows the page, carries out what is asked there, and says what was done."""

    opened = Signal()
    """The page is to come to the front."""

    def __init__(
        self, link: BookLink, paths: StatePaths, keeper: ThemeKeeper, say: Say, window: QWidget
    ) -> None:
        super().__init__(window)
        self.link = link
        self._paths = paths
        self._say = say
        self._window = window
        self.page = BookPage(link, keeper, window)
        self._unsaved = UnsavedTexts(self)
        self._saving: set[str] = set()
        self._wanted = ""
        self._edit_next = self._focus_next = False
        self._stale = True
        self._reading = self._again = False
        self._ahead = QTimer(self)
        self._ahead.setSingleShot(True)
        self._ahead.setInterval(AHEAD_MS)
        self._ahead.timeout.connect(self._refresh)
        page, pane = self.page, self.page.pane
        link.changed.connect(self._changed)
        page.list.chosen.connect(self._show)
        page.list.shown.connect(self._shown)
        page.list.deed.connect(self.act)
        page.list.undo_asked.connect(self.undo)
        pane.deed.connect(self.act)
        pane.saved.connect(self._save)
        pane.typed.connect(self._unsaved.keep)
        pane.taken.connect(self._gave_way)
        pane.fields_set.connect(self._set)

    def open(self, note: str = "", kind: str = "") -> None:
        """Bring the page to the front, at a note or at a kind of notes."""
        self.opened.emit()
        if note:
            self.page.list.select(note)
        elif kind:
            self.page.list.show_kind(kind)
        if self._stale and not note:
            self._refresh()
        self._focus_next = True
        if self.page.list.model.rowCount():
            self.page.list.tell_current()
            self._focus()

    def set_project(self, root: Path | None) -> None:
        """Turn to the notes of another project; what was typed into those of the last is kept."""
        pending = self.page.pane.pending()
        if pending is not None:
            self._unsaved.keep(pending)
        self._wanted = ""
        self.page.list.forget()
        self.page.pane.clear()
        self._stale, self._reading = True, False
        if root is not None:
            try:
                self._unsaved.open(self._paths.project_data(root))
            except NewerDataError as error:
                self._say(error)
            self._changed()
        else:
            self._ahead.stop()

    def leave(self) -> None:
        """Save what was typed: the page goes to the back."""
        self.page.pane.leave()

    def shut(self) -> None:
        """Keep what was typed and is not saved; the window is about to go."""
        self._ahead.stop()
        pending = self.page.pane.pending()
        if pending is not None:
            self._unsaved.keep(pending)
        self._unsaved.flush()

    def act(self, verb: str, note: Listed | NoteView) -> None:
        """Do `verb` to a note; what was typed into it is saved before."""
        pane = self.page.pane
        pending = pane.pending()
        if pending is not None and pending.note == note.id and verb != "edit":
            if pane.theirs is None:
                self._save(pending, lambda: self.act(verb, note))
            return
        if verb == "edit":
            self._edit(note.id)
        elif verb == "discard":
            self.link.remove("note_discard", note.id, partial(self._gone, note), self._refused)
        elif verb == "forget":
            self._ask_to_forget(note)
        elif verb == "pin":
            action = "unpin" if note.pinned else "pin"
            self._change("note_set", {"note": note.id, "pinned": not note.pinned}, action)
        elif verb in METHODS:
            action = "anchor" if verb == "confirm" else verb
            self._change(METHODS[verb], {"note": note.id}, action)

    def add(
        self,
        note: NewNote,
        *,
        draft: bool = False,
        then: Callable[[], None] | None = None,
        refused: Callable[[CommonplaceError], None] | None = None,
    ) -> None:
        """Write a new note, kept at once or as a `draft` for the inbox."""

        def done(written: NoteView) -> None:
            self._say_done("draft" if draft else "add", written)
            if then is not None:
                then()

        self.link.change(
            "note_add",
            {
                "title": note.title,
                "text": note.text,
                "anchors": list(note.anchors),
                "tags": list(note.tags),
                "private": note.private,
                "draft": draft,
            },
            done,
            refused or self._refused,
        )

    def quick_note(self, path: str, lines: tuple[int, int], *, selected: bool) -> QuickNote:
        """Open the window for a new note, which may speak of some lines of the open file."""
        dialog = QuickNote(self._window)
        dialog.written.connect(
            lambda note: self.add(note, then=dialog.accept, refused=dialog.show_problem)
        )
        dialog.finished.connect(dialog.deleteLater)
        if path:
            open_ = [True]
            dialog.finished.connect(open_.clear)

            def propose(anchor: str) -> None:
                if open_:
                    dialog.propose_anchor(anchor)

            self.link.anchor(path, lines, selected, propose)
        dialog.open()
        dialog.title.setFocus()
        return dialog

    def undo(self) -> None:
        """Take the last change back."""
        self.link.undo(0, self._undone, self._refused)

    def _changed(self) -> None:
        self._stale = True
        if self.page.isVisible():
            self._refresh()
        else:
            self._ahead.start()

    def _refresh(self) -> None:
        """Read the list again; of many changes at once, the last is enough."""
        self._ahead.stop()
        if self._reading:
            self._again = True
            return
        self._stale, self._reading, self._again = False, True, False
        self.page.list.refresh()

    def _shown(self) -> None:
        self._reading = False
        self._focus()
        if self._again:
            self._refresh()

    def _focus(self) -> None:
        """Let the keys of the list work once it is there; an empty one has only a filter."""
        if self._focus_next:
            self._focus_next = False
            view = self.page.list
            (view.list if view.model.rowCount() else view.filter).setFocus()

    def _show(self, note: str) -> None:
        pane = self.page.pane
        if pane.note is not None and pane.note.id != note:
            pane.leave()
        self._wanted = note
        if not note:
            pane.clear()
            return
        if not self.page.isVisible():
            return  # `open` asks for it

        def take(found: NoteView) -> None:
            self.page.list.update_note(found)
            if self._wanted == note and note not in self._saving:
                pane.show_note(found, self._unsaved.get(note))
                if self._edit_next:
                    self._edit_next = False
                    pane.edit()

        def gone(error: CommonplaceError) -> None:
            if self._wanted == note:
                if not pane.dirty:
                    pane.clear()
                self._refused(error)

        self.link.note(note, take, gone)

    def _edit(self, note: str) -> None:
        pane = self.page.pane
        if pane.note is not None and pane.note.id == note:
            pane.edit()
        else:
            self._edit_next = True
            self._show(note)

    def _save(self, text: Unsaved, then: Callable[[], None] | None = None) -> None:
        """Save what was typed, if the note is still the version it was typed into."""
        self._saving.add(text.note)
        self._unsaved.keep(text)

        def done(note: NoteView) -> None:
            self._saving.discard(text.note)
            if self._unsaved.get(text.note) == text:
                self._unsaved.drop(text.note)
            self.page.pane.show_saved(note, text)
            self.page.list.update_note(note)
            self._show_again(text.note)
            self._say_done("edit", note)
            if then is not None:
                then()

        def refused(error: CommonplaceError) -> None:
            self._saving.discard(text.note)
            self._refused(error)
            if isinstance(error, NoteChangedError) and self._wanted == text.note:
                self._show(text.note)

        params: Message = {"note": text.note, "hash": text.hash}
        params["raw" if text.whole else "text"] = text.text
        self.link.change("note_edit", params, done, refused)

    def _show_again(self, note: str) -> None:
        """Show a note that was asked for while it was being saved."""
        shown = self.page.pane.note
        if self._wanted == note and (shown is None or shown.id != note):
            self._show(note)

    def _set(self, note: str, given: Message) -> None:
        pending = self.page.pane.pending()
        if pending is not None and pending.note == note and self.page.pane.theirs is None:
            self._save(pending, lambda: self._set(note, given))
            return
        self._change("note_set", {"note": note, **given}, "edit")

    def _change(self, method: str, params: Message, action: str) -> None:
        def done(note: NoteView) -> None:
            self.page.list.update_note(note)
            if self._wanted == note.id:
                self.page.pane.show_note(note)
            self._say_done(action, note)

        self.link.change(method, params, done, self._refused)

    def _say_done(self, action: str, note: NoteView) -> None:
        words = done_words(action, note.title)
        if not note.changes:
            self._say(words)
            return
        self._say(words, self.tr("Undo"), partial(self._undo, note.changes[0].id))

    def _undo(self, change: int) -> None:
        self.link.undo(change, self._undone, self._refused)

    def _undone(self, change: Change) -> None:
        if self.page.isVisible():
            self.page.list.want(change.note)
        self._say(undone_words(change))

    def _gone(self, note: Listed | NoteView) -> None:
        """Say that a note was discarded, with the way back that the journal has."""
        self._unsaved.drop(note.id)

        def offer(changes: tuple[Change, ...]) -> None:
            words = done_words("discard", note.title)
            last = next((change for change in changes if change.action == "discard"), None)
            if last is None:
                self._say(words)
            else:
                self._say(words, self.tr("Undo"), partial(self._undo, last.id))

        self.link.changes(note.id, offer, self._refused)

    def _ask_to_forget(self, note: Listed | NoteView) -> None:
        def forget() -> None:
            self._unsaved.drop(note.id)
            self.link.remove("note_forget", note.id, forgotten, self._refused)

        def forgotten() -> None:
            self._say(self.tr("Forgot “{0}”.").format(one_line(note.title)[:60]))

        ask(
            self._window,
            self.tr("Forget a note"),
            self.tr("Forget “{0}” for good?").format(one_line(note.title)[:120]),
            forget_words(note),
            (self.tr("Forget"), QMessageBox.ButtonRole.DestructiveRole),
            forget,
        )

    def _gave_way(self, text: Unsaved) -> None:
        self._unsaved.drop(text.note)

        def back() -> None:
            self._unsaved.keep(text)
            self.page.list.select(text.note)

        self._say(self.tr("Took the version on disk."), self.tr("Undo"), back)

    def _refused(self, error: CommonplaceError) -> None:
        self._say(error)
