"""Paints the figures of a measurement: bars with their intervals, and plots.

A chart is a label without text: screen readers find its name and, as its
description, every figure in it. Colour never says anything alone: what is compared
is hatched, what was missed is a cross.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from commonplace.desktop.evidence_figures import Bar, Bars, Figure, Plot, Series, described
from commonplace.desktop.numbers import number_words
from commonplace.desktop.theme import ThemeKeeper

GAP = 8.0
TICKS = 5
PLOT_LINES = 11
"""Height of a plot, in lines of text."""
WIDEST_LABEL = 0.34
"""Share of the width that labels may take."""
MARK = 4.0


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values from `least` to `most` on pixels from `start` to `end`."""

    least: float
    most: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the pixel of `value`, at an end for what lies beyond it."""
        span = self.most - self.least
        part = (value - self.least) / span if span > 0 else 0.0
        return self.start + min(1.0, max(0.0, part)) * (self.end - self.start)


def nice_ticks(least: float, most: float, count: int = TICKS) -> list[float]:
    """Return about `count` round values from at or below `least` to at or above `most`."""
    span = most - least
    if not math.isfinite(span) or span <= 0:
        return [least, least + 1.0]
    rough = span / max(count - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= rough * 0.999)
    first = math.floor(least / step + 1e-9)
    last = math.ceil(most / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


class Chart(QLabel):
    """One figure, painted in the colours of the theme."""

    def __init__(self, figure: Figure, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.figure = figure
        self._keeper = keeper
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAccessibleName(figure.title)
        self.setAccessibleDescription(described(figure))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # so that it is read out, and scrolled to
        keeper.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        """Be as high as the figure has lines."""
        line = QFontMetricsF(self.font()).height()
        if isinstance(self.figure, Plot):
            return QSize(420, round((PLOT_LINES + 3) * line + 2 * MARK))
        groups = self.figure.groups
        bars = sum(len(group.bars) for group in groups)
        titles = sum(1 for group in groups if group.title)
        return QSize(
            420, round(bars * _row(line) + titles * _row(line) * 1.2 + 2 * line + 2 * MARK)
        )

    def minimumSizeHint(self) -> QSize:
        """Keep the height; a narrow chart is still a chart."""
        return QSize(220, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the figure."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        if self.hasFocus():
            painter.setPen(QPen(self._keeper.theme.colour("accent"), 1.0))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        inside = QRectF(self.rect()).adjusted(MARK, MARK, -MARK, -MARK)
        brush = _Brush(painter, self._keeper, inside)
        if isinstance(self.figure, Bars):
            brush.bars(self.figure)
        else:
            brush.plot(self.figure)
        painter.end()


def _row(line: float) -> float:
    return line * 1.5


class _Brush:
    """Paints one chart; lives for one event."""

    def __init__(self, painter: QPainter, keeper: ThemeKeeper, box: QRectF) -> None:
        self._painter = painter
        self._theme = keeper.theme
        self._box = box
        self._metrics = QFontMetricsF(painter.font())
        self._line = self._metrics.height()

    def bars(self, figure: Bars) -> None:
        """Paint labels to the left, bars in the middle and their figures to the right."""
        all_bars = [bar for group in figure.groups for bar in group.bars]
        labels = self._widest(bar.label for bar in all_bars)
        labels = min(labels, self._box.width() * WIDEST_LABEL)
        texts = self._widest(bar.text for bar in all_bars if bar.value is not None)
        texts = min(texts, self._box.width() * WIDEST_LABEL)
        ticks = [0, 0.25, 0.5, 0.75, 1.0] if figure.share else _outer(figure)
        left = self._box.left() + labels + GAP
        right = self._box.right() - texts - GAP
        scale = Scale(ticks[0], ticks[-1], left, max(right, left + 20))
        bottom = self._box.bottom() - self._line * 1.4
        self._grid(scale, ticks, bottom, share=figure.share)
        top = self._box.top()
        for group in figure.groups:
            if group.title:
                self._title(group.title, top)
                top += _row(self._line) * 1.2
            for bar in group.bars:
                self._bar(bar, scale, top, labels)
                top += _row(self._line)

    def plot(self, figure: Plot) -> None:
        """Paint two axes, what stands on them, and a legend above."""
        points = [point for series in figure.series for point in series.points]
        least = 0.0 if figure.from_zero else min(y for _, y in points)
        ups = nice_ticks(least, max(y for _, y in points) or 1.0)
        first = 0.0 if figure.from_zero else min(x for x, _ in points)
        acrosses = nice_ticks(first, max(x for x, _ in points) or 1.0)
        margin = self._widest(_number(tick) for tick in ups) + GAP
        top = self._box.top() + self._line * 1.6
        bottom = self._box.bottom() - self._line * 2.6
        left, right = self._box.left() + margin, self._box.right() - GAP * 2
        x = Scale(acrosses[0], acrosses[-1], left, right)
        y = Scale(ups[0], ups[-1], bottom, top)
        self._axes(x, y, acrosses, ups)
        self._axis_names(figure, left, right)
        for series in figure.series:
            if series.line:
                self._curve(series, x, y)
            else:
                self._stems(series, x, y)
        self._legend(figure.series, left)

    def _grid(self, scale: Scale, ticks: Sequence[float], bottom: float, *, share: bool) -> None:
        for tick in ticks:
            at = scale.at(tick)
            self._pen("muted" if tick == 0 else "border")
            self._painter.drawLine(QLineF(at, self._box.top(), at, bottom))
            text = f"{tick:.0%}".replace("%", " %") if share else _number(tick)
            self._text(text, QRectF(at - 40, bottom, 80, self._line * 1.4), "muted")

    def _title(self, text: str, top: float) -> None:
        font = self._painter.font()
        bold = self._painter.font()
        bold.setBold(True)
        self._painter.setFont(bold)
        box = QRectF(self._box.left(), top, self._box.width(), _row(self._line) * 1.2)
        # The grid would run through the words.
        width = QFontMetricsF(bold).horizontalAdvance(text) + GAP
        self._painter.fillRect(
            QRectF(box.left(), box.top(), width, box.height()), self._theme.colour("window")
        )
        self._text(text, box, "text", Qt.AlignmentFlag.AlignLeft)
        self._painter.setFont(font)

    def _bar(self, bar: Bar, scale: Scale, top: float, labels: float) -> None:
        height = _row(self._line)
        box = QRectF(self._box.left(), top, labels, height)
        self._text(bar.label, box, "text", Qt.AlignmentFlag.AlignLeft)
        if bar.value is None:
            room = QRectF(scale.start, top, self._box.right() - scale.start, height)
            self._painter.fillRect(room, self._theme.colour("window"))
            self._text(bar.text, room.adjusted(GAP, 0, 0, 0), "muted", Qt.AlignmentFlag.AlignLeft)
            return
        zero, end = scale.at(0.0), scale.at(bar.value)
        body = QRectF(min(zero, end), top + height * 0.2, abs(end - zero), height * 0.6)
        self._fill(body, second=bar.second)
        self._whisker(scale.at(bar.low), scale.at(bar.high), top + height / 2, height * 0.16)
        room = QRectF(scale.end + GAP, top, self._box.right() - scale.end - GAP, height)
        role = "muted" if bar.second else "text"
        self._text(bar.text, room, role, Qt.AlignmentFlag.AlignLeft)

    def _fill(self, box: QRectF, *, second: bool) -> None:
        colour = self._theme.colour("muted" if second else "accent")
        self._painter.setPen(QPen(colour, 1.2))
        style = Qt.BrushStyle.BDiagPattern if second else Qt.BrushStyle.SolidPattern
        fill = QColor(colour)
        if not second:
            fill.setAlpha(150)  # the interval has to be seen on it
        self._painter.setBrush(QBrush(fill, style))
        self._painter.drawRect(box)
        self._painter.setBrush(Qt.BrushStyle.NoBrush)

    def _whisker(self, low: float, high: float, middle: float, half: float) -> None:
        self._painter.setPen(QPen(self._theme.colour("text"), 1.6))
        self._painter.drawLine(QLineF(low, middle, high, middle))
        for end in (low, high):
            self._painter.drawLine(QLineF(end, middle - half, end, middle + half))

    def _axes(self, x: Scale, y: Scale, acrosses: Sequence[float], ups: Sequence[float]) -> None:
        for tick in ups:
            self._pen("border")
            self._painter.drawLine(QLineF(x.start, y.at(tick), x.end, y.at(tick)))
            box = QRectF(self._box.left(), y.at(tick) - self._line, x.start - GAP, 2 * self._line)
            self._text(_number(tick), box, "muted", Qt.AlignmentFlag.AlignRight)
        self._pen("muted")
        self._painter.drawLine(QLineF(x.start, y.start, x.end, y.start))
        for tick in acrosses:
            box = QRectF(x.at(tick) - 40, y.start + 2, 80, self._line)
            self._text(_number(tick), box, "muted")

    def _axis_names(self, figure: Plot, left: float, right: float) -> None:
        below = QRectF(left, self._box.bottom() - self._line * 1.3, right - left, self._line * 1.3)
        self._text(figure.across, below, "muted")
        above = QRectF(self._box.left(), self._box.top(), right - left, self._line * 1.3)
        self._text(figure.up, above, "muted", Qt.AlignmentFlag.AlignLeft)

    def _curve(self, series: Series, x: Scale, y: Scale) -> None:
        colour = self._theme.colour(series.role)
        dashed = Qt.PenStyle.SolidLine if series.role == "accent" else Qt.PenStyle.DashLine
        self._painter.setPen(QPen(colour, 1.8, dashed))
        points = [QPointF(x.at(a), y.at(b)) for a, b in series.points]
        self._painter.drawPolyline(points)
        self._painter.setPen(QPen(colour, 1.2))
        self._painter.setBrush(colour)
        if series.role == "accent" or len(points) < 2:
            for point in points:
                self._painter.drawEllipse(point, MARK * 0.7, MARK * 0.7)
        self._painter.setBrush(Qt.BrushStyle.NoBrush)

    def _stems(self, series: Series, x: Scale, y: Scale) -> None:
        colour = self._theme.colour(series.role)
        for across, up in series.points:
            point = QPointF(x.at(across), y.at(up))
            self._painter.setPen(QPen(colour, 1.2))
            self._painter.drawLine(QLineF(point.x(), y.start, point.x(), point.y()))
            self._mark(point, colour, missed=series.missed)

    def _mark(self, at: QPointF, colour: QColor, *, missed: bool) -> None:
        self._painter.setPen(QPen(colour, 2.0))
        if missed:
            for dx, dy in ((MARK, MARK), (MARK, -MARK)):
                way = QPointF(dx, dy)
                self._painter.drawLine(QLineF(at - way, at + way))
            return
        self._painter.setBrush(colour)
        self._painter.drawEllipse(at, MARK * 0.8, MARK * 0.8)
        self._painter.setBrush(Qt.BrushStyle.NoBrush)

    def _legend(self, series: Sequence[Series], left: float) -> None:
        """Name the series at the top right, where there are several."""
        if len(series) < 2:
            return
        right = self._box.right() - GAP
        for item in reversed(series):
            width = self._metrics.horizontalAdvance(item.name)
            right -= width
            if right < left:
                return
            box = QRectF(right, self._box.top(), width + 2, self._line * 1.3)
            self._text(item.name, box, "text", Qt.AlignmentFlag.AlignLeft)
            right -= GAP * 1.5
            at, colour = QPointF(right, box.center().y()), self._theme.colour(item.role)
            self._mark(at, colour, missed=item.missed)
            right -= GAP * 2.5

    def _widest(self, texts: Iterable[str]) -> float:
        return max((self._metrics.horizontalAdvance(text) for text in texts), default=0.0) + 2

    def _pen(self, role: str) -> None:
        self._painter.setPen(QPen(self._theme.colour(role), 1.0))

    def _text(
        self,
        text: str,
        box: QRectF,
        role: str,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignHCenter,
    ) -> None:
        self._painter.setPen(self._theme.colour(role))
        metrics = QFontMetricsF(self._painter.font())
        fitting = metrics.elidedText(text, Qt.TextElideMode.ElideRight, box.width())
        self._painter.drawText(box, int(align | Qt.AlignmentFlag.AlignVCenter), fitting)


def _outer(figure: Bars) -> list[float]:
    return nice_ticks(figure.least, figure.most)


def _number(value: float) -> str:
    text = number_words(value, ".3g") if abs(value) < 1000 else number_words(value, ",.0f")
    return text.replace("-", "−")
