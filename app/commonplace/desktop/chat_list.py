"""The conversations of the project: by day, searched as one types, renamed in place."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from commonplace.chat.kept import Chat, Hit
from commonplace.desktop.chat_days import Row, rows_found, rows_of
from commonplace.desktop.icons import tinted
from commonplace.desktop.key_names import KeyNames
from commonplace.desktop.labels import plain_label
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import one_line, tooltip

Index = QModelIndex | QPersistentModelIndex
SEARCH_MS = 120
PAD_X, PAD_Y, GAP = 8, 6, 2


class ChatModel(QAbstractListModel):
    """Headings and conversations, in order."""

    renamed = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Row] = []

    def show(self, rows: Sequence[Row]) -> None:
        """Replace the list."""
        self.beginResetModel()
        self._rows = list(rows)
        self.endResetModel()

    def chat(self, index: Index) -> Chat | None:
        """Return the conversation at `index`; None for a heading and for nothing."""
        return self._rows[index.row()].chat if index.isValid() else None

    def find(self, conversation: str) -> QModelIndex:
        """Return where a conversation stands, or an invalid index."""
        for number, row in enumerate(self._rows):
            if row.chat is not None and row.chat.id == conversation:
                return self.index(number)
        return QModelIndex()

    def message(self, conversation: str) -> int:
        """Return the message in which the search found its words, or 0."""
        index = self.find(conversation)
        return self._rows[index.row()].message if index.isValid() else 0

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of headings and conversations."""
        return 0 if parent.isValid() else len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let conversations be chosen and renamed; headings are only read."""
        if self.chat(index) is None:
            return Qt.ItemFlag.NoItemFlags
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a list, or a screen reader, says of a row."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.UserRole:
                return row
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole:
                return one_line(row.heading if row.chat is None else row.chat.title)
            case Qt.ItemDataRole.ToolTipRole if row.chat is not None:
                return tooltip(f"{row.chat.title}\n{row.about(time.time())}")
            case Qt.ItemDataRole.AccessibleTextRole:
                if row.chat is None:
                    return one_line(row.heading)
                pinned = self.tr("pinned") if row.chat.pinned else ""
                about = (row.chat.title, pinned, row.about(time.time()))
                return one_line(", ".join(filter(None, about)))
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Take a new title."""
        chat = self.chat(index)
        title = " ".join(str(value).split())
        if chat is None or role != Qt.ItemDataRole.EditRole or not title:
            return False
        if title != one_line(chat.title):
            self.renamed.emit(chat.id, title)
        return True


class ChatDelegate(QStyledItemDelegate):
    """Paints headings in small type and conversations in two lines."""

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self.current = ""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Leave room for one line or two."""
        height = QFontMetrics(option.font).height()
        if index.data(Qt.ItemDataRole.UserRole).chat is None:
            return QSize(80, height + 2 * PAD_Y + 4)
        return QSize(80, 2 * height + GAP + 2 * PAD_Y)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint a heading, or a title with what is known about it below."""
        row: Row = index.data(Qt.ItemDataRole.UserRole)
        theme, box, state = self._keeper.theme, option.rect, option.state
        painter.save()
        painter.setFont(option.font)
        inner: QRect = box.adjusted(PAD_X, PAD_Y, -PAD_X, -PAD_Y)
        if row.chat is None:
            small = QFont(option.font)
            small.setWeight(QFont.Weight.DemiBold)
            painter.setFont(small)
            painter.setPen(theme.colour("muted"))
            painter.drawText(inner, int(Qt.AlignmentFlag.AlignBottom), one_line(row.heading))
            painter.restore()
            return
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected:
            painter.setBrush(theme.colour("selection"))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(theme.colour("alternate"))
        else:
            painter.setBrush(Qt.BrushStyle.NoBrush)
        focused = bool(state & QStyle.StateFlag.State_HasFocus)
        painter.setPen(theme.colour("accent") if focused else Qt.PenStyle.NoPen)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 5, 5)
        self._lines(painter, inner, row, selected=selected)
        painter.restore()

    def _lines(self, painter: QPainter, box: QRect, row: Row, *, selected: bool) -> None:
        assert row.chat is not None
        theme, font = self._keeper.theme, painter.font()
        strong = theme.colour("on_selection" if selected else "text")
        weak = theme.colour("on_selection" if selected else "muted")
        height = QFontMetrics(font).height()
        title = QFont(font)
        if row.chat.id == self.current:
            title.setWeight(QFont.Weight.DemiBold)
        for at, style, colour, text in (
            (box.top(), title, strong, row.chat.title),
            (box.top() + height + GAP, font, weak, row.about(time.time())),
        ):
            painter.setFont(style)
            painter.setPen(colour)
            room = box.width()
            shown = QFontMetrics(style).elidedText(
                one_line(text), Qt.TextElideMode.ElideRight, room
            )
            painter.drawText(QRect(box.left(), at, room, height), 0, shown)

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> None:
        """Put the editor over the whole row."""
        del index
        editor.setGeometry(option.rect)

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        """Hand the new title on."""
        assert isinstance(editor, QLineEdit)
        model.setData(index, editor.text())


class ChatView(QListView):
    """The list itself: Enter opens, F2 renames, Delete deletes."""

    delete_asked = Signal()

    @property
    def editing(self) -> bool:
        """Whether a title is being changed in place."""
        return self.state() == QListView.State.EditingState

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete on Delete; the rest is Qt's."""
        if event.key() == Qt.Key.Key_Delete and not self.editing:
            self.delete_asked.emit()
        else:
            super().keyPressEvent(event)


class ChatList(QWidget):
    """The panel: a search field, a button for a new conversation, and the list."""

    chosen = Signal(str)
    new_asked = Signal()
    searched = Signal(str)
    renamed = Signal(str, str)
    pinned = Signal(str, bool)
    removed = Signal(str)
    export_asked = Signal(str)

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pane")
        self._keeper = keeper
        self._chats: list[Chat] = []
        self._hits: tuple[str, list[Hit]] = ("", [])
        self._late = False
        self.search = QLineEdit(self)
        self.search.setAccessibleName(self.tr("Search conversations"))
        self.search.setPlaceholderText(self.tr("Search conversations"))
        self.search.setClearButtonEnabled(True)
        self.new_button = QToolButton(self)
        self.new_button.setAccessibleName(self.tr("New conversation"))
        self.model = ChatModel(self)
        self.delegate = ChatDelegate(keeper, self)
        self.list = ChatView(self)
        self.empty = plain_label("", self, "muted")
        self._lay_out()
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(SEARCH_MS)
        self._connect()
        self._restyle()
        self._show()

    def name_keys(self, keys: KeyNames) -> None:
        """Name the keys that are in force now."""
        self.new_button.setToolTip(keys.tip(self.tr("New conversation"), "clear"))

    @property
    def current(self) -> Chat | None:
        """The conversation that is chosen in the list."""
        return self.model.chat(self.list.currentIndex())

    def chat(self, conversation: str) -> Chat | None:
        """Return what is known about a conversation."""
        return next((chat for chat in self._chats if chat.id == conversation), None)

    def show_chats(self, chats: Sequence[Chat]) -> None:
        """Show these conversations; a search that is under way stays."""
        self._chats = list(chats)
        self._show()

    def show_hits(self, words: str, hits: Sequence[Hit]) -> None:
        """Show what was found for `words`."""
        self._hits = (words, list(hits))
        self._show()

    def set_open(self, conversation: str) -> None:
        """Mark the conversation that is on screen."""
        self.delegate.current = conversation
        self._select(conversation)
        self.list.viewport().update()

    def forget(self) -> None:
        """Show nothing: another project was opened."""
        self.search.clear()
        self.show_chats([])

    def focus_search(self) -> None:
        """Let the user type into the search."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _edited(self) -> None:
        if self._late:
            QTimer.singleShot(0, self, self._show)

    def _show(self) -> None:
        # A title that is being typed must not vanish because a list arrives.
        self._late = self.list.editing
        if self._late:
            return
        words, now = self.search.text().strip(), time.time()
        chosen = self.current
        if words and words != self._hits[0]:
            return  # what is there stays until the search is done
        self.model.show(rows_found(self._hits[1]) if words else rows_of(self._chats, now))
        self._select(chosen.id if chosen is not None else self.delegate.current)
        count = self.model.rowCount()
        self.list.setVisible(count > 0)
        self.empty.setVisible(not count)
        self.empty.setText(
            self.tr("No conversation holds these words.")
            if words
            else self.tr(
                "What you ask is kept here, on this computer only. "
                "Search it, pin what you come back to, and delete what you do not need."
            )
        )

    def _select(self, conversation: str) -> None:
        index = self.model.find(conversation)
        if index.isValid():
            self.list.setCurrentIndex(index)

    def _search(self) -> None:
        words = self.search.text().strip()
        if words:
            self.searched.emit(words)
        else:
            self.searched.emit("")
            self._show()

    def _choose(self, index: QModelIndex) -> None:
        chat = self.model.chat(index)
        if chat is not None:
            self.chosen.emit(chat.id)

    def _choose_first(self) -> None:
        for row in range(self.model.rowCount()):
            index = self.model.index(row)
            if self.model.chat(index) is not None:
                self.list.setCurrentIndex(index)
                self.list.setFocus(Qt.FocusReason.OtherFocusReason)
                self._choose(index)
                return

    def _delete(self) -> None:
        chat = self.current
        if chat is not None:
            self.removed.emit(chat.id)

    def _menu(self, position: QPoint) -> None:
        index = self.list.indexAt(position)
        chat = self.model.chat(index if index.isValid() else self.list.currentIndex())
        if chat is None:
            return
        menu = self.menu_of(chat)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.list.viewport().mapToGlobal(position))

    def menu_of(self, chat: Chat) -> QMenu:
        """Return the menu of one conversation."""
        menu = QMenu(self)
        index = self.model.find(chat.id)
        menu.addAction(self.tr("&Open"), lambda: self.chosen.emit(chat.id))
        menu.addAction(self.tr("&Rename"), lambda: self.list.edit(index))
        title = self.tr("Un&pin") if chat.pinned else self.tr("&Pin")
        menu.addAction(title, lambda: self.pinned.emit(chat.id, not chat.pinned))
        menu.addAction(self.tr("&Export…"), lambda: self.export_asked.emit(chat.id))
        menu.addSeparator()
        menu.addAction(self.tr("&Delete"), lambda: self.removed.emit(chat.id))
        return menu

    def _connect(self) -> None:
        self._wait.timeout.connect(self._search)
        self.search.textChanged.connect(self._wait.start)
        self.search.returnPressed.connect(self._choose_first)
        self.new_button.clicked.connect(self.new_asked)
        self.list.clicked.connect(self._choose)
        self.list.activated.connect(self._choose)
        self.list.delete_asked.connect(self._delete)
        self.list.customContextMenuRequested.connect(self._menu)
        self.model.renamed.connect(self.renamed)
        self.delegate.closeEditor.connect(self._edited)
        self._keeper.changed.connect(self._restyle)

    def _lay_out(self) -> None:
        self.list.setAccessibleName(self.tr("Conversations"))
        self.list.setModel(self.model)
        self.list.setItemDelegate(self.delegate)
        self.list.setMouseTracking(True)
        self.list.setEditTriggers(QListView.EditTrigger.EditKeyPressed)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Thousands of rows of two heights: they are laid out a few at a time.
        self.list.setLayoutMode(QListView.LayoutMode.Batched)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.search, 1)
        head.addWidget(self.new_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 4)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.empty, 1, Qt.AlignmentFlag.AlignTop)

    def _restyle(self) -> None:
        self.new_button.setIcon(tinted("new", self._keeper.theme))
        self.list.viewport().update()
