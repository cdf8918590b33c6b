"""One measurement on a page: sentences first, then figures, each also as a table."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QScrollArea,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.evidence_charts import Chart
from commonplace.desktop.evidence_comparison import Row, sentences, table
from commonplace.desktop.evidence_figures import Bars, Figure, figures
from commonplace.desktop.evidence_words import name_of, summary_of
from commonplace.desktop.labels import plain_label
from commonplace.desktop.languages import told
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import tooltip, visible
from commonplace.measure.results import Result, Verdict

MARKS = {"helps": "✓", "hurts": "✗", "unsure": "≈", "missing": "–"}
LEVELS = {"helps": "ok", "hurts": "error", "unsure": "muted", "missing": "muted"}


class EvidenceView(QScrollArea):
    """Shows one result, or two side by side."""

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self._as_tables = False
        self._compared = QVBoxLayout()
        self._stacks: list[tuple[QStackedWidget, Chart, QTableWidget]] = []
        self.charts: list[Chart] = []
        self.tables: list[QTableWidget] = []
        self.verdicts: list[QLabel] = []
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its figures are reached one by one
        self.setAccessibleName(self.tr("What was measured"))

    def show_result(self, result: Result, other: Result | None = None) -> None:
        """Show `result`, compared with an `other` one."""
        self.charts, self.tables, self.verdicts, self._stacks = [], [], [], []
        page = QWidget()
        page.setObjectName("pane")
        column = QVBoxLayout(page)
        column.setContentsMargins(4, 4, 16, 16)
        column.setSpacing(6)
        column.addWidget(plain_label(visible(summary_of(result)), page, "muted"))
        if other is not None:
            column.addWidget(self._legend(result, other, page))
        for verdict in result.verdicts:
            column.addLayout(self._verdict(verdict, page))
        self._compared = QVBoxLayout()
        self._compared.setSpacing(6)
        column.addLayout(self._compared)
        for figure in figures(result, other):
            column.addSpacing(14)
            self._add(figure, column, page)
        if result.left_out:
            column.addSpacing(14)
            column.addWidget(plain_label(self.tr("Not measured"), page, "paneTitle"))
            for sentence in result.left_out:
                column.addWidget(plain_label(visible(told(sentence)), page, "muted"))
        column.addStretch()
        self.setWidget(page)
        self.show_tables(self._as_tables)

    def show_comparison(self, rows: Sequence[Row]) -> None:
        """Say below the verdicts what can be told of the difference."""
        page = self.widget()
        if page is None or not rows:
            return
        for outcome, sentence in sentences(rows):
            self._compared.addLayout(self._verdict(Verdict("", outcome, sentence), page))
        self._compared.addSpacing(8)
        self._add(table(rows), self._compared, page)

    def show_tables(self, on: bool) -> None:
        """Show every figure as a table, or as a chart."""
        self._as_tables = on
        for stack, chart, cells in self._stacks:
            front = cells if on else chart
            stack.setCurrentWidget(front)
            stack.setFixedHeight(front.sizeHint().height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the wheel scroll the page and not a table in it."""
        if event.type() == QEvent.Type.Wheel:
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def _add(self, figure: Figure, column: QVBoxLayout, page: QWidget) -> None:
        column.addWidget(plain_label(visible(figure.title), page, "headline"))
        if figure.about:
            column.addWidget(plain_label(visible(figure.about), page, "muted"))
        cells = self._table(figure, page)
        if isinstance(figure, Bars) and not figure.groups:
            cells.setFixedHeight(cells.sizeHint().height())
            column.addWidget(cells)
            return
        chart = Chart(figure, self._keeper, page)
        stack = QStackedWidget(page)
        stack.addWidget(chart)
        stack.addWidget(cells)
        self.charts.append(chart)
        self._stacks.append((stack, chart, cells))
        column.addWidget(stack)

    def _table(self, figure: Figure, page: QWidget) -> QTableWidget:
        cells = QTableWidget(len(figure.rows), len(figure.header), page)
        cells.setAccessibleName(figure.title)
        cells.setHorizontalHeaderLabels(list(figure.header))
        for header in (cells.horizontalHeader(), cells.verticalHeader()):
            header.setAccessibleName(self.tr("{0}: columns").format(figure.title))
        cells.verticalHeader().hide()
        cells.setShowGrid(False)
        cells.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        cells.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        cells.setTabKeyNavigation(False)  # Tab leads on, arrow keys lead through
        cells.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for y, row in enumerate(figure.rows):
            for x, text in enumerate(row):
                item = QTableWidgetItem(visible(text))
                item.setToolTip(tooltip(text))  # where a column is too narrow for it
                cells.setItem(y, x, item)
        cells.resizeColumnsToContents()
        header = cells.horizontalHeader()
        header.setSectionResizeMode(len(figure.header) - 1, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        cells.setSizeAdjustPolicy(QAbstractScrollArea.SizeAdjustPolicy.AdjustToContents)
        cells.viewport().installEventFilter(self)
        self.tables.append(cells)
        return cells

    def _verdict(self, verdict: Verdict, page: QWidget) -> QHBoxLayout:
        sentence = plain_label(visible(told(verdict.sentence)), page)
        sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        sentence.setAccessibleName(f"{self._outcome(verdict)}: {sentence.text()}")
        mark = plain_label(MARKS[verdict.outcome], page, "verdict")
        mark.setProperty("level", LEVELS[verdict.outcome])
        mark.setWordWrap(False)
        mark.setFixedWidth(mark.fontMetrics().horizontalAdvance("✗ ") + 6)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(sentence, 1)
        self.verdicts.append(sentence)
        return row

    def _outcome(self, verdict: Verdict) -> str:
        return {
            "helps": self.tr("Helps"),
            "hurts": self.tr("Hurts"),
            "unsure": self.tr("Not certain"),
            "missing": self.tr("Not measured"),
        }[verdict.outcome]

    def _legend(self, result: Result, other: Result, page: QWidget) -> QLabel:
        text = self.tr("Filled: {0}. Hatched: {1}.").format(name_of(result), name_of(other))
        return plain_label(visible(f"{text} {_sameness(self, result, other)}".strip()), page)


def _sameness(owner: QObject, result: Result, other: Result) -> str:
    """Say whether two measurements looked at the same memory, where both tell."""
    if not result.memory or not other.memory:
        return ""
    if result.memory == other.memory:
        return owner.tr("Both measured the same memory.")
    return owner.tr("Files or notes changed between them.")
