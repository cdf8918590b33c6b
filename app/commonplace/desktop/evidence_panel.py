"""The Evidence panel: what memory is worth on this project, measured and kept."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.evidence_comparison import Row
from commonplace.desktop.evidence_link import Progress
from commonplace.desktop.evidence_view import EvidenceView
from commonplace.desktop.evidence_words import duration, name_of, phase_words
from commonplace.desktop.labels import plain_label
from commonplace.desktop.message_bar import MessageBar
from commonplace.desktop.theme import ThemeKeeper
from commonplace.errors import CommonplaceError
from commonplace.measure.results import Result

Kept = tuple[str, Result]
"""A result with the name of its file."""
KEY = "evidence"
STEPS = 1000


class EvidencePanel(QDialog):
    """A window of its own beside the work: it may stay open while something is measured."""

    measure_asked = Signal(bool, bool)
    """Whether quickly, and whether an adapter is trained as well."""
    stop_asked = Signal()
    export_asked = Signal(bool)
    """Whether as a web page; otherwise as tables."""
    compare_asked = Signal(str, str)
    """The file of the result that is shown, and of the one it is held against."""
    delete_asked = Signal(str)

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Evidence"))
        self.resize(900, 740)
        self._kept: list[Kept] = []
        self._running = False
        self.messages = MessageBar(keeper, self)
        self.chosen = _combo(self.tr("The measurement shown"), self)
        self.other = _combo(self.tr("The measurement it is compared with"), self)
        self.as_tables = QPushButton(self.tr("As &Tables"), self)
        self.as_tables.setCheckable(True)
        self.as_tables.setToolTip(self.tr("Show every figure as a table"))
        self.view = EvidenceView(keeper, self)
        self.phase = plain_label("", self, wrap=False)
        self.left = plain_label("", self, "muted", wrap=False)
        self.bar = QProgressBar(self)
        self.bar.setRange(0, STEPS)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of the measurement"))
        self.stop = QPushButton(self.tr("&Stop"), self)
        self.quick = QPushButton(self.tr("&Quick Measurement"), self)
        self.full = QPushButton(self.tr("&Measure"), self)
        self.full.setObjectName("primary")
        self.adapt = QCheckBox(self.tr("&With an adapter"), self)
        self.adapt.setToolTip(
            self.tr("Also train an adapter for a few files and measure it; this takes far longer")
        )
        self.export = QPushButton(self.tr("&Export"), self)
        menu = QMenu(self.export)
        self.as_page = menu.addAction(self.tr("As a &Web Page…"))
        self.as_csv = menu.addAction(self.tr("As &Tables (CSV)…"))
        self.export.setMenu(menu)
        self.delete = QPushButton(self.tr("&Delete…"), self)
        self.close_button = QPushButton(self.tr("Close"), self)
        self._lay_out()
        self._connect()
        self.show_kept([])

    def show_kept(self, kept: Sequence[Kept], choose: str = "") -> None:
        """Show the results that are kept, newest first; `choose` names the file to show."""
        wanted = choose or self.chosen.currentData()
        compared = self.other.currentData()
        self._kept = list(kept)
        _fill(self.chosen, [(name_of(r), f) for f, r in kept], wanted)
        _fill(self.other, self._others(), compared)
        self.pages.setCurrentWidget(self.results if kept else self.empty)
        for widget in (self.export, self.delete):
            widget.setVisible(bool(kept))
        self._show()

    def show_unfinished(self, quick: bool | None) -> None:
        """Offer to go on with a measurement that was stopped: a `quick` one, a full one or none."""
        full = self.tr("Go &On Measuring") if quick is False else self.tr("&Measure")
        self.full.setText(full)
        short = self.tr("Go &On, Quickly") if quick else self.tr("&Quick Measurement")
        self.quick.setText(short)

    def show_running(self, running: bool) -> None:
        """Show the progress, or what can be begun."""
        had_focus = self.focusWidget() in (self.full, self.quick, self.stop)
        self._running = running
        self.strip.setVisible(running)
        if running:
            self.messages.dismiss(KEY)
            self.show_progress(Progress())
        self._update()
        if had_focus and self.isVisible():
            target = self.stop if running else self.full
            target.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_progress(self, progress: Progress) -> None:
        """Show how far it is and how long it will take."""
        self.phase.setText(phase_words(progress))
        self.bar.setValue(round(progress.fraction * STEPS))
        left = progress.seconds_left
        self.left.setText("" if left is None else self.tr("{0} left").format(duration(left)))

    def show_error(self, error: CommonplaceError) -> None:
        """Say what went wrong, and what helps."""
        self.messages.show_message(KEY, "error", error.message, error.remedy)

    def say(self, headline: str, more: str = "") -> None:
        """Say something that is no trouble."""
        self.messages.show_message(KEY, "info", headline, more)

    def shown(self) -> Result | None:
        """Return the result that is shown."""
        return self._named(self.chosen.currentData())

    def compared(self) -> Result | None:
        """Return the result it is compared with."""
        return self._named(self.other.currentData())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Page Up and Page Down turn the page wherever the focus is."""
        steps = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        area = self.view if self.pages.currentWidget() is self.results else self.empty
        bar = area.verticalScrollBar()
        bar.setValue(bar.value() + step * bar.pageStep())

    def files(self) -> tuple[str, str]:
        """Return the files of the result shown and of the one beside it; empty for none."""
        return self.chosen.currentData() or "", self.other.currentData() or ""

    def show_comparison(self, files: tuple[str, str], rows: Sequence[Row]) -> None:
        """Show what was found about the difference of `files`, if they still are on show."""
        if files == self.files():
            self.view.show_comparison(rows)

    def _connect(self) -> None:
        self.full.clicked.connect(lambda: self._measure(quick=False))
        self.quick.clicked.connect(lambda: self._measure(quick=True))
        self.stop.clicked.connect(self.stop_asked)
        self.as_page.triggered.connect(lambda: self._export(page=True))
        self.as_csv.triggered.connect(lambda: self._export(page=False))
        self.delete.clicked.connect(lambda: self.delete_asked.emit(self.chosen.currentData()))
        self.close_button.clicked.connect(self.reject)
        self.chosen.activated.connect(self._chosen)
        self.other.activated.connect(self._show)
        self.as_tables.toggled.connect(self.view.show_tables)

    def _measure(self, *, quick: bool) -> None:
        self.measure_asked.emit(quick, self.adapt.isChecked())

    def _chosen(self) -> None:
        _fill(self.other, self._others(), self.other.currentData())
        self._show()

    def _show(self) -> None:
        result = self.shown()
        if result is not None:
            self.view.show_result(result, self.compared())
            if self.compared() is not None:
                self.compare_asked.emit(*self.files())

    def _export(self, *, page: bool) -> None:
        if self.shown() is not None:
            self.export_asked.emit(page)

    def _others(self) -> list[tuple[str, str]]:
        shown = self.chosen.currentData()
        nothing = (self.tr("nothing"), "")
        return [nothing, *((name_of(r), f) for f, r in self._kept if f != shown)]

    def _named(self, file: str | None) -> Result | None:
        return next((result for name, result in self._kept if name == file), None)

    def _update(self) -> None:
        for widget in (self.full, self.quick, self.adapt, self.delete):
            widget.setEnabled(not self._running)

    def _lay_out(self) -> None:
        self.pages = QStackedWidget(self)
        self.empty = self._empty_page()
        self.results = self._results_page()
        self.pages.addWidget(self.empty)
        self.pages.addWidget(self.results)
        self.strip = self._progress()
        foot = QHBoxLayout()
        foot.setSpacing(8)
        for widget in (self.full, self.quick, self.adapt, self.export, self.delete):
            foot.addWidget(widget)
        foot.addStretch()
        foot.addWidget(self.close_button)
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 16)
        layout.setSpacing(10)
        layout.addWidget(self.messages)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.strip)
        layout.addLayout(foot)

    def _results_page(self) -> QWidget:
        page = QWidget(self)
        shown = plain_label(self.tr("S&hown"), page, wrap=False)
        against = plain_label(self.tr("&Beside"), page, wrap=False)
        for label, combo in ((shown, self.chosen), (against, self.other)):
            label.setBuddy(combo)
        head = QGridLayout()
        head.setHorizontalSpacing(10)
        head.setColumnStretch(1, 1)
        head.addWidget(shown, 0, 0)
        head.addWidget(self.chosen, 0, 1)
        head.addWidget(against, 1, 0)
        head.addWidget(self.other, 1, 1)
        head.addWidget(self.as_tables, 0, 2)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addLayout(head)
        layout.addWidget(self.view, 1)
        return page

    def _progress(self) -> QWidget:
        strip = QWidget(self)
        words = QHBoxLayout()
        words.addWidget(self.phase, 1)
        words.addWidget(self.left)
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addLayout(words)
        column.addWidget(self.bar)
        row = QHBoxLayout(strip)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addLayout(column, 1)
        row.addWidget(self.stop)
        strip.hide()
        return strip

    def _empty_page(self) -> QScrollArea:
        """Return what teaches: what is measured, how, and how long it takes."""
        title = self.tr("What is memory worth on this project?")
        inner = QWidget()
        inner.setObjectName("pane")
        column = QVBoxLayout(inner)
        column.setContentsMargins(4, 8, 16, 8)
        column.setSpacing(2)
        for head, text in ((title, ""), *self._lessons()):
            for words, name in ((head, "headline"), (text, "")):
                if words:
                    column.addWidget(plain_label(words, inner, name))
            column.addSpacing(10)
        column.addStretch()
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setAccessibleName(title)
        area.setWidget(inner)
        return area

    def _lessons(self) -> tuple[tuple[str, str], ...]:
        return (
            (
                "",
                self.tr(
                    "Commonplace can find out, with your own files and the model that is loaded. "
                    "Nothing leaves this machine, and your files are only read."
                ),
            ),
            (
                self.tr("How good is recall?"),
                self.tr(
                    "Questions are made from your documentation, your notes and the history of "
                    "the project, and recall answers them beside grep, plain words and plain "
                    "vectors."
                ),
            ),
            (
                self.tr("What does each layer add?"),
                self.tr(
                    "Lines of your files are held out, and the model has to write them: alone, "
                    "with the open file, with recall, with the book, and, if you wish, with an "
                    "adapter."
                ),
            ),
            (
                self.tr("How fresh and how fast is it?"),
                self.tr(
                    "Files are saved in a copy of the project, and it is timed how soon they can "
                    "be found."
                ),
            ),
            (
                self.tr("How sure is it?"),
                self.tr(
                    "Every figure comes with its interval and the number of samples. A layer "
                    "that does not help is said not to help."
                ),
            ),
            (
                self.tr("How long does it take?"),
                self.tr(
                    "A quick measurement takes a few minutes, a full one half an hour or more, "
                    "depending on the machine and the model. You can work on meanwhile, stop at "
                    "any time, and go on later."
                ),
            ),
        )


def _combo(name: str, parent: QWidget) -> QComboBox:
    combo = QComboBox(parent)
    combo.setAccessibleName(name)
    combo.view().setAccessibleName(name)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(20)
    return combo


def _fill(combo: QComboBox, items: Sequence[tuple[str, str]], wanted: str | None) -> None:
    """Fill `combo` anew; the item with the data `wanted` is chosen, or else the first."""
    combo.clear()
    for text, data in items:
        combo.addItem(text, data)
    combo.setCurrentIndex(max(0, combo.findData(wanted)) if items else -1)
