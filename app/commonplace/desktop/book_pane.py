"""One note: its source and how it reads side by side, its state, and what can be done with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QTextCharFormat, QTextCursor, QTextFormat
from PySide6.QtWidgets import (
    QLineEdit,
    QTextEdit,
    QWidget,
)

from commonplace.desktop.book_frame import NoteFrame
from commonplace.desktop.book_link import NoteView
from commonplace.desktop.book_list import deeds_of, key_of
from commonplace.desktop.book_unsaved import Unsaved
from commonplace.desktop.book_words import check_words, deed_title, uses_words
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import one_line, tooltip, visible

PREVIEW_MS = 150
KEEP_MS = 600
"""What is typed is on disk so long after the last key, saved or not."""
LINE = re.compile(r"line (\d+)")


class NotePane(NoteFrame):
    """Shows one note and takes what is typed; it changes nothing by itself."""

    deed = Signal(str, object)
    """What is to be done: a verb, and the `NoteView`."""
    saved = Signal(object)
    """An `Unsaved` is to be saved."""
    typed = Signal(object)
    """An `Unsaved` is to be kept, in case the window goes."""
    fields_set = Signal(str, object)
    """The id of a note and the fields that are to be set."""
    place_asked = Signal(str, int, int)
    """The code that a note speaks of: path and lines."""
    taken = Signal(object)
    """An `Unsaved` gave way to the version on disk."""

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(keeper, parent)
        self.note: NoteView | None = None
        self.theirs: NoteView | None = None
        """The version on disk, where it is not the one that was edited."""
        self._whole = False
        self._base: str | None = ""
        """The text as it was before anything was typed; None where nobody knows it."""
        for verb, button in self.deeds.items():
            button.clicked.connect(lambda _=False, verb=verb: self._do(verb))
        self._later = _timer(self, PREVIEW_MS, self._show_preview)
        self._keep_later = _timer(self, KEEP_MS, self._keep_typed)
        self._connect()
        self._dress()
        self.clear()

    @property
    def dirty(self) -> bool:
        """Whether something was typed that is not saved."""
        return self.note is not None and self.editor.document().isModified()

    @property
    def text(self) -> str:
        """What stands in the editor; every character as it was."""
        raw = self.editor.document().toRawText()
        return raw.replace("\u2029", "\n")

    def pending(self) -> Unsaved | None:
        """Return what was typed and is not saved."""
        if self.note is None or not self.dirty:
            return None
        return Unsaved(self.note.id, self.note.hash, self.text, self._whole)

    def show_note(self, note: NoteView, unsaved: Unsaved | None = None) -> None:
        """Show a note as it is now; what was typed into it is neither lost nor saved unseen."""
        same = self.note is not None and self.note.id == note.id
        if same and self.dirty:
            assert self.note is not None
            on_disk = note.raw if self._whole else note.text
            if note.hash == self.note.hash or on_disk == self._base:
                self._take(note)  # at most the header changed, which is not what is edited
            else:
                self._show_conflict(note)
            return
        if unsaved is not None:
            self._whole = unsaved.whole
            self._take(note, seen=unsaved.hash)
            self._fill(unsaved.text, modified=True, same=same)
            if unsaved.hash == note.hash:
                self._base = note.raw if self._whole else note.text
            else:  # typed into another version: the one on disk must stay a conflict
                self._base = None
                self._show_conflict(note)
            return
        self._whole = note.broken or (same and self.whole_box.isChecked())
        self._take(note)
        self._base = text = note.raw if self._whole else note.text
        self._fill(text, modified=False, same=same)

    def show_saved(self, note: NoteView, sent: Unsaved) -> None:
        """Take up the version that was written from what was `sent`."""
        if self.note is None or self.note.id != note.id:
            return
        unchanged = self.text == sent.text
        self._base = note.raw if self._whole else note.text
        self._take(note)
        if unchanged:
            self.editor.document().setModified(False)
        self._modified()

    def clear(self) -> None:
        """Show no note."""
        self.note = self.theirs = None
        self._keep_later.stop()
        for part in (self.body, self.head):
            part.hide()
        self.hint.show()

    def leave(self) -> None:
        """Save what was typed; another note is about to be shown."""
        pending = self.pending()
        self._keep_later.stop()
        if pending is None:
            return
        self.typed.emit(pending)
        if self.theirs is None:
            self.saved.emit(pending)
        self.editor.document().setModified(False)

    def edit(self) -> None:
        """Let the user type."""
        self.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def save(self) -> None:
        """Ask for what was typed to be saved; a conflict is decided first."""
        pending = self.pending()
        if pending is not None and self.theirs is None:
            self.saved.emit(pending)

    def _take(self, note: NoteView, seen: str = "") -> None:
        """Show everything but the text."""
        self.theirs = None
        self.note = replace(note, hash=seen) if seen else note
        self.hint.hide()
        self.head.show()
        self.body.show()
        _set(self.title, note.title)
        _set(self.tags, ", ".join(note.tags))
        _set(self.anchors, ", ".join(note.anchors))
        for field in (self.title, self.tags, self.anchors):
            field.setEnabled(not note.broken)
        self.whole_box.setChecked(self._whole)
        self.whole_box.setEnabled(not note.broken)
        created = note.created[:10]
        shelf = self.tr("private") if note.shelf == "private" else self.tr("shared")
        parts = (shelf, note.author, created, uses_words(note.uses), note.evidence)
        self.about.setText(one_line(" · ".join(filter(None, parts))))
        self.about.setToolTip(tooltip(note.path))
        self._show_deeds(note)
        self._warn(note)
        self._modified()

    def _show_deeds(self, note: NoteView) -> None:
        possible = deeds_of(note)
        for verb, button in self.deeds.items():
            title = deed_title(verb, pinned=note.pinned)
            button.setText(title)
            button.setToolTip(self.tr("{0} ({1} in the list)").format(title, key_of(verb)))
            button.setVisible(verb in possible and verb != "edit")

    def _warn(self, note: NoteView) -> None:
        lines = list(note.problems)
        stale = [check for check in note.checks if check.state not in {"fresh", ""}]
        lines += [check_words(check) for check in stale]
        self.warning.setText(visible("\n".join(lines)))
        self.warning.setVisible(bool(lines))
        self.place_button.setVisible(any(check.path for check in note.checks))
        line = LINE.search(note.problems[0]) if note.problems else None
        self.line_button.setVisible(line is not None)
        self.mine_button.hide()
        self.theirs_button.hide()
        parts = [
            (check_words(check), check.before, check.after)
            for check in stale
            if check.state in {"changed", "gone"} and (check.before or check.after)
        ]
        self._show_parts(
            [
                p
                if p[1]
                else (self.tr("{0} (what it said before is not known)").format(p[0]), "", "")
                for p in parts
            ]
        )

    def _show_conflict(self, theirs: NoteView) -> None:
        self.theirs = theirs
        self.warning.setText(
            self.tr(
                "This note was changed by another program after you began to edit it. Nothing "
                "was overwritten. Below: their version (−) and yours (+)."
            )
        )
        self.warning.show()
        self.line_button.hide()
        self.mine_button.show()
        self.theirs_button.show()
        on_disk = theirs.raw if self._whole else theirs.text
        self._show_parts([(self.tr("On disk, and here"), on_disk, self.text)])
        self._modified()

    def _show_parts(self, parts: list[tuple[str, str, str]]) -> None:
        self.difference.show_parts(parts)
        self.difference.setVisible(bool(parts))

    def _keep_mine(self) -> None:
        pending, theirs = self.pending(), self.theirs
        if pending is None or theirs is None:
            return
        self.theirs = None
        self.note = theirs
        self.saved.emit(Unsaved(pending.note, theirs.hash, pending.text, pending.whole))

    def _take_theirs(self) -> None:
        pending, theirs = self.pending(), self.theirs
        if theirs is None:
            return
        self.editor.document().setModified(False)
        self.theirs = None
        self.show_note(theirs)
        if pending is not None:
            self.taken.emit(pending)

    def _fill(self, text: str, *, modified: bool, same: bool) -> None:
        if text != self.text or not same:
            place = self.editor.textCursor().position() if same else 0
            bar = self.editor.verticalScrollBar().value() if same else 0
            self.editor.setPlainText(text)
            cursor = self.editor.textCursor()
            cursor.setPosition(min(place, self.editor.document().characterCount() - 1))
            self.editor.setTextCursor(cursor)
            self.editor.verticalScrollBar().setValue(bar)
        self.editor.document().setModified(modified)
        self._mark_line()
        self._show_preview()
        self._modified()

    def _mark_line(self) -> None:
        """Mark the line of the header that cannot be read."""
        marks = []
        number = self._broken_line()
        if number:
            mark = QTextEdit.ExtraSelection()
            mark.cursor = QTextCursor(self.editor.document().findBlockByNumber(number - 1))
            style = QTextCharFormat()
            style.setBackground(self._keeper.theme.colour("error_ground"))
            style.setProperty(QTextFormat.Property.FullWidthSelection, True)
            mark.format = style
            marks.append(mark)
        self.editor.setExtraSelections(marks)

    def _broken_line(self) -> int:
        if self.note is None or not self._whole or not self.note.problems:
            return 0
        match = LINE.search(self.note.problems[0])
        return int(match[1]) if match else 0

    def _go_to_line(self) -> None:
        if not self._whole:
            self.whole_box.click()
        block = self.editor.document().findBlockByNumber(max(self._broken_line() - 1, 0))
        self.editor.setTextCursor(QTextCursor(block))
        self.edit()

    def _go_to_code(self) -> None:
        checks = [] if self.note is None else [c for c in self.note.checks if c.path]
        if checks:
            self.place_asked.emit(checks[0].path, checks[0].start_line, checks[0].end_line)

    def _show_preview(self) -> None:
        if self.note is not None:
            text = self.text
            if self._whole:  # the header is no part of what is read
                text = "\n".join(text.split("\n")[max(self.note.body_line - 1, 0) :])
            self.preview.show_text(text)

    def _typed(self) -> None:
        if self.editor.document().isModified():
            self._later.start()
            self._keep_later.start()
        self._modified()

    def _keep_typed(self) -> None:
        pending = self.pending()
        if pending is not None:
            self.typed.emit(pending)

    def _modified(self) -> None:
        self.save_button.setEnabled(self.dirty and self.theirs is None)
        self.whole_box.setEnabled(self.note is not None and not self.note.broken and not self.dirty)

    def _switch_whole(self, whole: bool) -> None:
        if self.note is not None and not self.dirty and whole != self._whole:
            self._whole = whole
            self._base = text = self.note.raw if whole else self.note.text
            self._fill(text, modified=False, same=False)

    def _do(self, verb: str) -> None:
        if self.note is not None:
            self.deed.emit(verb, self.note)

    def _set_field(self, name: str) -> None:
        """Ask for a field to be set where it says something else than the note."""
        note = self.note
        if note is None or note.broken:
            return
        if name == "title":
            title = " ".join(self.title.text().split())
            if title and title != note.title:
                self.fields_set.emit(note.id, {"title": title})
            return
        field, before = (self.tags, note.tags) if name == "tags" else (self.anchors, note.anchors)
        words = [word.strip() for word in field.text().split(",") if word.strip()]
        if words != list(before):
            self.fields_set.emit(note.id, {name: words})

    def _connect(self) -> None:
        self.editor.textChanged.connect(self._typed)
        self.editor.modificationChanged.connect(lambda _on: self._modified())
        self.save_button.clicked.connect(self.save)
        self.whole_box.toggled.connect(self._switch_whole)
        self.place_button.clicked.connect(self._go_to_code)
        self.line_button.clicked.connect(self._go_to_line)
        self.mine_button.clicked.connect(self._keep_mine)
        self.theirs_button.clicked.connect(self._take_theirs)
        self.title.editingFinished.connect(lambda: self._set_field("title"))
        self.tags.editingFinished.connect(lambda: self._set_field("tags"))
        self.anchors.editingFinished.connect(lambda: self._set_field("anchors"))
        self._keeper.changed.connect(self._dress)

    def _dress(self) -> None:
        self.restyle()
        self._mark_line()


def _set(field: QLineEdit, text: str) -> None:
    """Show `text` unless the user is typing there."""
    text = one_line(text)
    if field.text() != text and not (field.hasFocus() and field.isModified()):
        field.setText(text)
        field.setCursorPosition(0)


def _timer(parent: QWidget, milliseconds: int, run: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(run)
    return timer
