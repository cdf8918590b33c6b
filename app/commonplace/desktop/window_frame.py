"""The views of a window and how they lie: files left, conversation, its sources right."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMainWindow,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.chat_list import ChatList
from commonplace.desktop.code_pane import CodePane
from commonplace.desktop.composer import Composer
from commonplace.desktop.controller import Controller
from commonplace.desktop.folding import FoldingSplitter
from commonplace.desktop.hints import Hints
from commonplace.desktop.icons import app_icon
from commonplace.desktop.labels import ElidedLabel
from commonplace.desktop.message_bar import MessageBar
from commonplace.desktop.project_tree import ProjectTree
from commonplace.desktop.sources import SourcesPanel
from commonplace.desktop.status import IndexStatus
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.transcript import Transcript
from commonplace.desktop.welcome import Welcome
from commonplace.desktop.window_memory import WindowMemory

WIDE = (250, 640, 470)
FOLDED = 770
"""Pixels below which the columns do not fit side by side."""


class WindowFrame(QMainWindow):
    """Makes the views and lays them out; what happens between them is not its business."""

    def __init__(
        self, controller: Controller, keeper: ThemeKeeper, memory: WindowMemory | None = None
    ) -> None:
        super().__init__()
        self._memory = memory or WindowMemory(controller.paths)
        self.setWindowIcon(app_icon())
        self.setWindowTitle("Commonplace")
        self.welcome = Welcome(self)
        self.messages = MessageBar(keeper, self)
        self.tree = ProjectTree(keeper, self)
        self.chat_list = ChatList(keeper, self)
        self.status = IndexStatus(self)
        self.transcript = Transcript(keeper, self)
        self.hints = Hints(self)
        self.composer = Composer(keeper, self)
        self.sources = SourcesPanel(keeper, self)
        self.code = CodePane(keeper, controller.background, self)
        self.stage = ElidedLabel(self, Qt.TextElideMode.ElideRight)
        self.stage.setObjectName("muted")
        self.adapt_button = QPushButton(self)
        self.adapt_button.setObjectName("badge")
        self.model_button = QPushButton(self)
        self.model_button.setObjectName("quiet")
        self._lay_out()

    def restore_shape(self) -> None:
        """Take up the size and the columns of the last time."""
        if not self.restoreGeometry(self._memory.bytes_of("geometry")):
            self.resize(1280, 820)
        self.columns.take_up(self._memory.bytes_of("columns"))
        self.right.restoreState(self._memory.bytes_of("right"))

    def keep_shape(self) -> None:
        """Keep the size and the columns for the next time."""
        self._memory.keep_bytes("geometry", self.saveGeometry())
        self._memory.keep_bytes("columns", self.columns.state())
        self._memory.keep_bytes("right", self.right.saveState())
        self._memory.flush()

    def show_code(self) -> None:
        """Show the code view below the sources, if it is not there yet."""
        if self.code.isVisibleTo(self):
            return
        self.code.show()
        self._share()

    def _share(self) -> None:
        """Divide the room between the conversation, its sources and the code."""
        folded, open_code = self.columns.folded, not self.code.isHidden()
        if folded:
            height = self.columns.height()
            below = int(height * (0.55 if open_code else 0.4))
            self.columns.setSizes([0, height - below, below])
        if open_code:
            height = self.right.height()
            rows = max(self.sources.list.sizeHintForRow(0), 60) * (1 if folded else 3) + 40
            above = min(rows, int(height * 0.42))
            self.right.setSizes([above, height - above])

    def _lay_out(self) -> None:
        left = QWidget(self)
        left.setObjectName("pane")
        column = _column(left)
        self.side = QTabWidget(left)
        self.side.setObjectName("side")
        self.side.tabBar().setDrawBase(False)
        self.side.setUsesScrollButtons(False)  # a narrow window shortens their titles
        self.side.setElideMode(Qt.TextElideMode.ElideRight)
        self.side.addTab(self.tree, self.tr("Files"))
        self.side.addTab(self.chat_list, self.tr("Conversations"))
        column.addWidget(self.side, 1)
        column.addWidget(self.status)
        self.left = left
        self.right = QSplitter(Qt.Orientation.Vertical, self)
        self.right.addWidget(self.sources)
        self.right.addWidget(self.code)
        self.right.setChildrenCollapsible(False)
        self.right.setStretchFactor(1, 2)
        self.code.hide()
        self.columns = FoldingSplitter(FOLDED, self)
        self.columns.gives_way = left
        for widget, least in ((left, 170), (self._chat(), 340), (self.right, 250)):
            widget.setMinimumWidth(least)
            self.columns.addWidget(widget)
        self.columns.setChildrenCollapsible(False)
        self.columns.turned.connect(lambda _folded: self._share())
        self.columns.setSizes(list(WIDE))
        self.columns.setStretchFactor(1, 3)
        self.columns.setStretchFactor(2, 2)
        self.work = self.columns
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.welcome)
        self.pages.addWidget(self.work)
        middle = QWidget(self)
        middle_column = _column(middle)
        middle_column.addWidget(self.messages)
        middle_column.addWidget(self.pages, 1)
        middle_column.setSpacing(8)
        self.setCentralWidget(middle)
        order: list[QWidget] = [
            *(self.side.tabBar(), self.tree.filter, self.tree.tree),
            *(self.chat_list.search, self.chat_list.new_button, self.chat_list.list),
            *(self.status.skipped, self.status.pause),
            *(self.transcript, self.composer.edit, self.composer.button),
            *(self.adapt_button, self.model_button),
            *(self.sources.list, self.code.tabs, self.code.close_button),
            *(self.code.find_button, self.code.editor_button, self.code.view),
        ]
        for before, after in pairwise(order):
            self.setTabOrder(before, after)

    def _chat(self) -> QWidget:
        chat = QWidget(self)
        chat.setObjectName("paper")
        chat.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        strip = QHBoxLayout()
        strip.setContentsMargins(4, 0, 4, 0)
        strip.setSpacing(8)
        strip.addWidget(self.stage, 1)
        strip.addWidget(self.adapt_button)
        strip.addWidget(self.model_button)
        foot = QVBoxLayout()
        foot.setContentsMargins(16, 4, 16, 8)
        foot.setSpacing(4)
        foot.addWidget(self.composer)
        foot.addLayout(strip)
        column = _column(chat)
        self.talk = QStackedWidget(chat)
        self.talk.addWidget(self.hints)
        self.talk.addWidget(self.transcript)
        column.addWidget(self.talk, 1)
        column.addLayout(foot)
        return chat


def _column(widget: QWidget) -> QVBoxLayout:
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    return layout
