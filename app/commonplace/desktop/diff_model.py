"""The rows of one file's change as a list model; what is accepted is kept elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from commonplace.desktop.numbers import number_words
from commonplace.desktop.visible import visible
from commonplace.edits.changes import FileChange
from commonplace.edits.document import body_of
from commonplace.edits.rows import Row, end_mark, rows, usual_end

TAB = 4
KEPT_TEXTS = 4000
Index = QModelIndex | QPersistentModelIndex


class DiffModel(QAbstractListModel):
    """Holds the rows to show; texts are made visible only when a row is looked at."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.change: FileChange | None = None
        self.accepted: frozenset[int] = frozenset()
        self.beside = False
        self.made = False
        """Whether the change was made already, so that nothing is there to accept."""
        self._rows: list[Row] = []
        self._partners: dict[int, str] = {}
        self._opened: set[int] = set()
        self._usual = "\n"
        self._texts: dict[str, str] = {}
        self.longest = 0

    @property
    def rows(self) -> Sequence[Row]:
        """What is shown, from the top."""
        return self._rows

    def show(self, change: FileChange | None, accepted: Collection[int]) -> None:
        """Show `change`, of which the units `accepted` are accepted."""
        self._opened.clear()
        self.change = change
        self.accepted = frozenset(accepted)
        self._usual = "\n" if change is None else usual_end(change)
        self._fill()

    def set_beside(self, beside: bool) -> None:
        """Put old and new beside one another, or below."""
        if beside != self.beside:
            self.beside = beside
            self._fill()

    def accept(self, accepted: Collection[int]) -> None:
        """Say which units are accepted now."""
        self.accepted = frozenset(accepted)
        if self._rows:
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))

    def open_gap(self, row: int) -> None:
        """Show the lines that row `row` stands for."""
        self._opened.add(self._rows[row].old - 1)
        self._fill()

    def is_accepted(self, row: Row) -> bool:
        """Return whether the hunk that `row` belongs to is accepted."""
        if self.change is None or row.hunk < 0:
            return False
        return self.change.unit_of(row.hunk) in self.accepted

    def shown(self, line: str) -> str:
        """Return `line` as it is painted: hidden characters and unusual ends are visible."""
        text = self._texts.get(line)
        if text is None:
            if len(self._texts) >= KEPT_TEXTS:
                self._texts.clear()
            text = visible(body_of(line)).expandtabs(TAB) + end_mark(line, self._usual)
            self._texts[line] = text
        return text

    def partner(self, row: int) -> str | None:
        """Return the line that the line of `row` took the place of, or gave way to."""
        shown = self._rows[row]
        if shown.kind == "both":
            return shown.old_text
        return self._partners.get(row)

    def row_of_hunk(self, hunk: int) -> int:
        """Return the row that heads `hunk`, or -1."""
        heads = (n for n, row in enumerate(self._rows) if row.kind == "hunk" and row.hunk == hunk)
        return next(heads, -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return how many rows there are."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the words for a row, as a screen reader says them."""
        if not index.isValid() or role not in {
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.AccessibleTextRole,
        }:
            return None
        return self._words(self._rows[index.row()])

    def _words(self, row: Row) -> str:
        if row.kind == "hunk" and self.made:
            return self.title(row)
        if row.kind == "hunk":
            state = self.tr("accepted") if self.is_accepted(row) else self.tr("rejected")
            return self.tr("{0}, {1}").format(self.title(row), state)
        if row.kind == "gap":
            return self.tr("{0} unchanged lines").format(number_words(row.hidden))
        if row.kind == "old":
            return self.tr("line {0} removed: {1}").format(row.old, self.shown(row.old_text))
        if row.kind == "new":
            return self.tr("line {0} added: {1}").format(row.new, self.shown(row.new_text))
        if row.kind == "both":
            return self.tr("line {0} was: {1}; is: {2}").format(
                row.old, self.shown(row.old_text), self.shown(row.new_text)
            )
        return self.tr("line {0}: {1}").format(row.new, self.shown(row.new_text))

    def title(self, row: Row) -> str:
        """Return what the head of a hunk says."""
        assert self.change is not None
        if self.change.kind == "create":
            return self.tr("The new file")
        if self.change.kind == "delete":
            return self.tr("The whole file is deleted")
        count = len(self.change.hunks)
        return self.tr("Change {0} of {1}, line {2}").format(row.hunk + 1, count, row.old)

    def _width(self, line: str) -> int:
        plain = body_of(line).isprintable()
        return len(line) + 1 if plain else len(self.shown(line))

    def _fill(self) -> None:
        self.beginResetModel()
        self._rows = (
            []
            if self.change is None
            else rows(self.change, beside=self.beside, opened=self._opened)
        )
        self._partners = {} if self.beside else _partners(self._rows)
        self.longest = max(
            (self._width(line) for row in self._rows for line in (row.old_text, row.new_text)),
            default=0,
        )
        self.endResetModel()


def _partners(found: Sequence[Row]) -> dict[int, str]:
    """Pair the old lines of each run with the new ones below them."""
    partners: dict[int, str] = {}
    at = 0
    while at < len(found):
        if found[at].kind != "old":
            at += 1
            continue
        middle = at
        while middle < len(found) and found[middle].kind == "old":
            middle += 1
        end = middle
        while end < len(found) and found[end].kind == "new":
            end += 1
        for n in range(min(middle - at, end - middle)):
            partners[at + n] = found[middle + n].new_text
            partners[middle + n] = found[at + n].old_text
        at = end
    return partners
