"""The pages of adapting: what stands in its way, the estimate, the progress, the outcome."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.adapt_link import Estimate, Outcome, Progress
from commonplace.desktop.adapt_words import (
    answers,
    changes_figure,
    estimate_line,
    loss_figure,
    phase_words,
    source_line,
    verdict_line,
)
from commonplace.desktop.evidence_charts import Chart
from commonplace.desktop.evidence_figures import described
from commonplace.desktop.evidence_words import duration
from commonplace.desktop.languages import told
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import one_line, visible

STEPS = 1000
SOURCE_ROWS = 6


class WordsPage(QWidget):
    """A headline with paragraphs, and one thing that can be done, if any."""

    def __init__(self, title: str, texts: tuple[str, ...], button: str, parent: QWidget) -> None:
        super().__init__(parent)
        layout = _column(self)
        layout.addWidget(label(title, "headline", self))
        for text in texts:
            layout.addWidget(label(text, "", self))
        self.more = label("", "muted", self)
        self.more.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout.addWidget(self.more)
        self.button = QPushButton(button, self) if button else None
        if self.button is not None:
            self.button.setObjectName("primary")
            layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addStretch()


class EstimatePage(QWidget):
    """What it would learn from and what it would take, or why it will not be done."""

    neighbours_asked = Signal(bool)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.headline = label("", "headline", self)
        self.about = label(
            self.tr(
                "A small adapter learns from the text below, on this machine. It is kept only if "
                "three tests say that it helps with this file and hurts nothing else, and it is "
                "used only for questions about this file. The model itself stays as it is."
            ),
            "",
            self,
        )
        self.files = QListWidget(self)
        self.files.setAccessibleName(self.tr("What it would learn from"))
        self.files.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.neighbours = QCheckBox(self.tr("Learn from its &neighbours in the project too"), self)
        self.neighbours.setToolTip(
            self.tr("Files that it imports, that import it, or that lie beside it")
        )
        self.figures = label("", "muted", self)
        self.refused = label("", "headline", self)
        self.remedy = label("", "", self)
        layout = _column(self)
        for widget in (self.headline, self.about, self.files, self.neighbours, self.figures,
                       self.refused, self.remedy):  # fmt: skip
            layout.addWidget(widget)
        layout.addStretch()
        self.neighbours.clicked.connect(self.neighbours_asked)

    def begin(self, file: str) -> None:
        """Say that the estimate for `file` is being made."""
        self.headline.setText(self.tr("Adapt to {0}?").format(one_line(file)))
        self.files.clear()
        self.files.hide()
        self.figures.setText(self.tr("Looking at the file and at this machine…"))
        self._show_refusal("", "")

    def show_estimate(self, estimate: Estimate) -> None:
        """Show what the trainer said."""
        if estimate.refusal is not None:
            self.show_refusal(estimate.refusal.message, estimate.refusal.remedy)
            return
        self.files.addItems([source_line(source) for source in estimate.files])
        height = self.files.sizeHintForRow(0) * min(max(len(estimate.files), 2), SOURCE_ROWS)
        self.files.setFixedHeight(height + 12)
        self.files.show()
        self.figures.setText(estimate_line(estimate))

    def show_refusal(self, message: str, remedy: str) -> None:
        """Say why it will not be done, and what helps."""
        self.figures.setText("")
        self._show_refusal(told(message), told(remedy))

    def _show_refusal(self, message: str, remedy: str) -> None:
        self.refused.setText(visible(message))
        self.remedy.setText(visible(remedy))
        for widget in (self.refused, self.remedy):
            widget.setVisible(bool(widget.text()))
        self.figures.setVisible(bool(self.figures.text()))
        self.neighbours.setEnabled(not message)


class RunningPage(QWidget):
    """How far training is, with its loss curve."""

    def __init__(self, keeper: ThemeKeeper, parent: QWidget) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self._points: list[Progress] = []
        self.headline = label("", "headline", self)
        self.phase = label("", "", self)
        self.left = label("", "muted", self)
        self.left.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.bar = QProgressBar(self)
        self.bar.setRange(0, STEPS)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of adapting"))
        self.chart: Chart | None = None
        self.about = label("", "muted", self)
        self.closing = label(
            self.tr("You can close this window: it goes on, and the foot of the window shows it."),
            "muted",
            self,
        )
        words = QHBoxLayout()
        words.addWidget(self.phase, 1)
        words.addWidget(self.left)
        self._layout = _column(self)
        self._layout.addWidget(self.headline)
        self._layout.addLayout(words)
        self._layout.addWidget(self.bar)
        self._layout.addWidget(self.about)
        self._layout.addStretch()
        self._layout.addWidget(self.closing)

    def begin(self, file: str) -> None:
        """Begin to show the training for `file`."""
        self.headline.setText(self.tr("Adapting to {0}").format(one_line(file)))
        self._points.clear()
        if self.chart is not None:
            self.chart.hide()
        self.about.setText("")
        self.show_progress(Progress())

    def show_progress(self, progress: Progress) -> None:
        """Show how far it is, and the loss if there is a new one."""
        text = phase_words(progress.phase)
        if progress.phase == "training" and progress.epoch:
            text = self.tr("{0}, epoch {1}").format(text, progress.epoch)
        self.phase.setText(text)
        self.bar.setValue(round(progress.fraction * STEPS))
        left = progress.seconds_left
        self.left.setText("" if left is None else self.tr("about {0} left").format(duration(left)))
        if progress.loss is not None or progress.heldout is not None:
            self._points.append(progress)
            self._draw()

    def _draw(self) -> None:
        figure = loss_figure(self._points)
        if figure is None:
            return
        if self.chart is None:
            self.chart = Chart(figure, self._keeper, self)
            self._layout.insertWidget(3, self.chart)
        self.chart.figure = figure
        self.chart.setAccessibleDescription(described(figure))
        self.about.setText(figure.about)
        self.chart.show()
        self.chart.update()


class OutcomePage(QWidget):
    """What came of it: the three answers, their figures, and how the adapter is used."""

    scale_chosen = Signal(float)
    use_chosen = Signal(bool)

    def __init__(self, keeper: ThemeKeeper, parent: QWidget) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self.area = QScrollArea(self)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its chart is reached, and scrolled to
        self.area.setObjectName("evidence")
        self.area.setAccessibleName(self.tr("What came of adapting"))
        self.scale = QSpinBox(self)
        self.scale.setRange(10, 100)
        self.scale.setSingleStep(10)
        self.scale.setSuffix(" %")
        self.scale.setKeyboardTracking(False)
        self.scale.setAccessibleName(self.tr("How strongly the adapter is used, in per cent"))
        self.scale.setToolTip(self.tr("100 % is how it was tested; less is nearer to the model"))
        self.scale.valueChanged.connect(lambda value: self.scale_chosen.emit(value / 100))
        self.use = QWidget(self)
        row = QHBoxLayout(self.use)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        self.used = QCheckBox(self.tr("&Use it in this window"), self.use)
        self.used.setToolTip(self.tr("Whether questions about this file are answered with it"))
        self.used.clicked.connect(self.use_chosen)
        row.addWidget(self.used)
        strength = label(self.tr("Strength"), "", self.use)
        strength.setWordWrap(False)
        row.addWidget(strength)
        row.addWidget(self.scale)
        row.addStretch()
        layout = _column(self)
        layout.addWidget(self.area, 1)
        layout.addWidget(self.use)

    def show_outcome(self, outcome: Outcome, scale: float, *, used: bool) -> None:
        """Show what came of training, or what is known of an adapter that was kept."""
        self.used.setChecked(used)
        inner = QWidget()
        inner.setObjectName("pane")
        layout = _column(inner)
        layout.setContentsMargins(4, 0, 12, 0)
        layout.addWidget(label(verdict_line(outcome), "headline", inner))
        if outcome.reason:
            layout.addWidget(label(told(outcome.reason), "", inner))
        layout.addLayout(self._answers(outcome, inner))
        figure = changes_figure(outcome.gate)
        if figure is not None:
            layout.addWidget(label(f"{figure.title}. {figure.about}", "muted", inner))
            layout.addWidget(Chart(figure, self._keeper, inner))
        if outcome.trained_on:
            layout.addWidget(label(self.tr("It learned from:"), "muted", inner))
            lines = [source_line(source) for source in outcome.trained_on]
            layout.addWidget(label("\n".join(lines), "", inner))
        layout.addStretch()
        self.area.setWidget(inner)
        self.use.setVisible(outcome.accepted)
        self.scale.blockSignals(True)
        self.scale.setValue(round(scale * 100))
        self.scale.blockSignals(False)

    @property
    def texts(self) -> list[str]:
        """Everything that it says, in order."""
        inner = self.area.widget()
        return [] if inner is None else [part.text() for part in inner.findChildren(QLabel)]

    def _answers(self, outcome: Outcome, parent: QWidget) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for number, answer in enumerate(answers(outcome.gate)):
            short = label(answer.answer, "headline", parent)
            short.setWordWrap(False)
            grid.addWidget(short, 2 * number, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(label(answer.question, "", parent), 2 * number, 1)
            if answer.figures:
                grid.addWidget(label(answer.figures, "muted", parent), 2 * number + 1, 1)
        return grid


def label(text: str, name: str, parent: QWidget) -> QLabel:
    """Return a label of plain text that wraps."""
    made = QLabel(visible(text), parent)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(True)
    if name:
        made.setObjectName(name)
    return made


def _column(widget: QWidget) -> QVBoxLayout:
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(10)
    return layout
